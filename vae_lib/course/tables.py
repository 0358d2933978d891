"""Tables for the notebooks: values in, Markdown out; what is not finite is shown as such. Notebooks 02, 03 and 05."""

import numpy as np
from IPython.display import Markdown

from vae_lib.course.results import grouped
from vae_lib.experiments.outcomes import failing, wilson

OPTIMIZERS = {"adam": "Adam", "sgd": "SGD"}


def table(heads, rows):
    """Return a table as IPython `Markdown`: texts as they are, numbers by `short`, the first column to the left."""
    lines = [heads, [":--"] + ["--:"] * (len(heads) - 1), *rows]
    cells = (
        [cell if isinstance(cell, str) else short(cell) for cell in line]
        for line in lines
    )
    return Markdown("\n".join(f"| {' | '.join(line)} |" for line in cells))


def short(value):
    """Return a number as text with three digits or as a whole number; infinity is ∞, NaN is NaN."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞" if value > 0 else "−∞"
    value = float(value) + 0.0  # no minus before zero
    text = (
        f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    )
    return text.replace("-", "−")


def span(values):
    """Return the range of `values` (n,) as text, "never" if there is none."""
    return f"{short(min(values))} to {short(max(values))}" if len(values) else "never"


def share(bad, runs):
    """Return a share and its Wilson interval at 95 % confidence as text."""
    low, high = wilson(bad, runs)
    return f"{bad} of {runs} [{100 * low:.0f} %, {100 * high:.0f} %]"


def outcome_table(rows):
    """Return the `table` of outcomes, a line for each map and arm, a column for each optimizer setting of `rows`.

    A cell says how many runs failed, had a spike, and were made, then the median of their final losses in nats
    and the range of these; a failed run counts as infinity.
    """
    settings = grouped(rows, "optimizer", "learning_rate")
    heads = ["map, arm"] + [
        f"{OPTIMIZERS[optimizer]} {rate:g}" for optimizer, rate in settings
    ]
    lines = []
    for label, chosen in grouped(rows, "posterior", "arm").items():
        cells = grouped(chosen, "optimizer", "learning_rate")
        lines.append(
            [", ".join(label), *(outcome_cell(cells[setting]) for setting in settings)]
        )
    return table(heads, lines)


def outcome_cell(rows):
    """Return what became of the runs of `rows`, made by `outcomes.outcome`, as the text of one cell."""
    losses = np.array(
        [np.inf if loss is None else loss for row in rows for loss in row["final_loss"]]
    )
    spiking = sum(count > 0 for row in rows for count in row["spikes"])
    low, middle, high = (
        short(round(q)) if np.isfinite(q) else "∞"
        for q in np.percentile(losses, [0, 50, 100], method="nearest")
    )
    return f"{failing(rows)[0]} / {spiking} / {len(losses)}; {middle} ({low}–{high})"

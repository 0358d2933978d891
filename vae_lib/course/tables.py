"""Tables for the notebooks: numbers as short text, and failures shown as failures."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from vae_lib.experiments.outcomes import wilson

OPTIMIZERS = {"adam": "Adam", "sgd": "SGD"}


def neat(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with its numbers as text by `short`, and texts as they are.

    The name of the index moves to the corner, so that there is one row of headings.
    """
    frame = frame.map(_text)
    if not isinstance(frame.index, pd.MultiIndex):
        name = frame.index.name
        frame.index = pd.Index(map(_text, frame.index))
        frame = frame.rename_axis(columns=name)
    return frame


def table(heads: Sequence[str], rows: Iterable[Sequence]) -> pd.DataFrame:
    """Return a `neat` table of `rows`, whose first entries are the index."""
    frame = pd.DataFrame([*rows], columns=[*heads], dtype=object)
    return neat(frame.set_index(heads[0]))


def markdown(frame: pd.DataFrame) -> str:
    """Return a `neat` table as Markdown, for pages that are not notebooks."""
    heads = [frame.columns.name or "", *frame.columns]
    lines = [f"| {' | '.join(heads)} |".replace("|  |", "| |")]
    lines += [f"|{'|'.join([':--'] + ['--:'] * len(frame.columns))}|"]
    lines += [f"| {' | '.join(row)} |" for row in frame.itertuples(name=None)]
    return "\n".join(lines)


def short(value: float) -> str:
    """Return a number as text with three digits, or as a whole number; ∞, NaN."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞" if value > 0 else "−∞"
    value = float(value) + 0.0  # no minus before zero
    whole = abs(value) >= 100 or value == int(value)
    return (f"{value:,.0f}" if whole else f"{value:.3g}").replace("-", "−")


def span(values: np.ndarray) -> str:
    """Return the range of `values` (n,) as text, "never" if there are none."""
    return f"{short(min(values))} to {short(max(values))}" if len(values) else "never"


def share(bad: int, runs: int) -> str:
    """Return a share and its Wilson interval at 95 % confidence as text."""
    low, high = wilson(bad, runs)
    return f"{bad} of {runs} [{100 * low:.0f} %, {100 * high:.0f} %]"


def outcome_table(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Return the outcomes of `rows`, a line for each map and arm, as text.

    There is a column for each optimizer and learning rate. A cell says how many runs
    failed, how many spiked, and how many there were, then the median of their final
    losses in nats and the range of these; a run that is not finite counts as infinity.
    `rows` are conditions as `outcomes.outcome` and their settings make them.
    """
    frame = pd.DataFrame([*rows])
    label = frame.posterior + ", " + frame.arm
    setting = (
        frame.optimizer.map(OPTIMIZERS) + " " + frame.learning_rate.map("{:g}".format)
    )
    groups = frame.groupby([label, setting], sort=False)
    lists = groups[
        ["failed", "spikes", "final_loss"]
    ].sum()  # of lists: one after another
    cells = pd.Series([outcome_cell(*row) for row in lists.itertuples(index=False)])
    found = cells.set_axis(lists.index).unstack(fill_value="", sort=False)
    return found.rename_axis(index=None, columns="map, arm")


def outcome_cell(failed: list, spikes: list, final_loss: list) -> str:
    """Return what became of runs, given as by `outcomes.outcome`, as one cell."""
    losses = np.array([np.inf if loss is None else loss for loss in final_loss])
    low, middle, high = (
        short(round(q)) if np.isfinite(q) else "∞"
        for q in (losses.min(), np.median(losses), losses.max())
    )
    spiking = sum(count > 0 for count in spikes)
    return f"{sum(failed)} / {spiking} / {len(losses)}; {middle} ({low}–{high})"


def _text(cell):
    return cell if isinstance(cell, str) else short(cell)

"""Figures of many runs or estimates in which a failure is drawn as a failure. Notebook 02."""

import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from vae_lib.course.results import grouped
from vae_lib.course.tables import OPTIMIZERS
from vae_lib.experiments.outcomes import finite_steps
from vae_lib.figures import COLOURS, new_figure

DASHES = ("-", "--", "-.", ":", (0, (8, 2)), (0, (1, 1)))
BEFORE = "before: "  # begins the labels of runs that are drawn faintly, for comparison
PLACES = {
    "direct": 0,
    "log_variance": 1,
    "softplus": 2,
    "log_deviation": 4,
    "bounded": 5,
}  # of maps in COLOURS


def place(label, position):
    """Return the place of a label in COLOURS: that of the map it begins with, or else its `position`."""
    return PLACES.get(label.removeprefix(BEFORE).split(", ")[0], position)


def draw_lines(axes, x, lines, **labels):
    """Draw each `label: values` of the mapping `lines` over `x`; the dashes differ as well as the colours."""
    for i, (label, values) in enumerate(lines.items()):
        colour, dashes = COLOURS[place(label, i)], DASHES[place(label, i)]
        axes.plot(x, values, color=colour, linestyle=dashes, linewidth=1.8, label=label)
    axes.set(**labels)


def draw_dots(axes, groups, right=np.inf, **labels):
    """Draw each `label: values` of the mapping `groups` as a row of dots, top down, a bar at its median.

    What does not fit is counted at the right: ▸ above `right`, ✕ not finite; both rank as the largest.
    """
    for row, (label, values) in enumerate(groups.items()):
        ranked = np.where(np.isfinite(values), values, np.inf)
        inside = ranked[(ranked <= right) & np.isfinite(ranked)]
        axes.plot(
            inside,
            np.full(len(inside), row),
            "o",
            color=COLOURS[place(label, row)],
            alpha=0.6,
            markersize=4,
        )
        median = np.median(ranked)
        if median <= right and median < np.inf:
            axes.plot(median, row, "|", color="black", markersize=14)
        counts = {
            "▸": np.sum((ranked > right) & (ranked < np.inf)),
            "✕": np.sum(ranked == np.inf),
        }
        text = " ".join(f"{mark} {n}" for mark, n in counts.items() if n)
        axes.text(
            1.02,
            row,
            text,
            color="crimson",
            va="center",
            transform=axes.get_yaxis_transform(),
        )
    axes.set(
        **labels,
        yticks=range(len(groups)),
        yticklabels=list(groups),
        ylim=(len(groups) - 0.5, -0.5),
    )


def runs_figure(records, title="", steps=None):
    """Return a figure of loss and gradient norm by step; `records` maps labels to `Record`s, one colour a map.

    A run that stops being finite ends in a red cross; the legend counts those.
    """
    figure, axes = new_figure(1, 2, (8, 3.6))
    figure.set_layout_engine(
        None
    )  # fixed margins: fast enough to be drawn during the runs
    figure.subplots_adjust(
        left=0.12,
        right=0.97,
        bottom=0.2 + 0.06 * len(records),
        top=0.84 if title else 0.91,
        wspace=0.38,
    )
    for i, (label, record) in enumerate(records.items()):
        lengths = finite_steps(record.loss, record.gradient_norm)
        failures = int((lengths < record.loss.shape[1]).sum())
        style = dict(
            color=COLOURS[place(label, i)],
            alpha=0.3 if label.startswith(BEFORE) else 0.8,
        )
        label += f": {failures} of {len(lengths)} runs failed" * bool(failures)
        for ax, series in zip(axes, (record.loss, record.gradient_norm)):
            draw_runs(ax, series, lengths, label=label, **style)
    units = {
        "loss": "nats per image",
        "norm of the gradient": "nats per unit of weight",
    }
    for ax, (name, unit) in zip(axes, units.items()):
        ax.set(title=name, ylabel=unit, xlabel="step", yscale="log", xlim=(0, steps))
        low, high = ax.get_ylim()
        ax.yaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,))
        )
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(
            "{x:g}"
        )  # no mathematical text: its parser serves one thread only
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=1)
    figure.suptitle(title, fontsize=11)
    return figure


def draw_runs(axes, series, lengths, label, **style):
    """Draw the first `lengths` (runs,) values of the rows of `series` (runs, steps); a cross ends short ones."""
    for run, (values, length) in enumerate(zip(series, lengths)):
        steps = np.arange(1, length + 1)
        axes.plot(
            steps, values[:length], linewidth=0.9, label=None if run else label, **style
        )
        if 0 < length < len(values):
            axes.plot(
                length, values[length - 1], "X", color="crimson", markersize=9, zorder=3
            )


def dots_figure(panels, height, right=np.inf, line=None, **labels):
    """Return a figure of `draw_dots`, one panel for each `title: groups` of `panels`, side by side.

    `height` in inches; `line` is the place of a dotted line across all rows.
    """
    figure, axes = new_figure(1, len(panels), (8, height), sharey=True, squeeze=False)
    for ax, (title, groups) in zip(axes[0], panels.items()):
        draw_dots(ax, groups, right, title=title, **labels)
        if line is not None:
            ax.axvline(line, color="0.4", linestyle=":")
    return figure


def jumps_figure(rows, height=3.4, threshold=10.0):
    """Return a figure of the largest jump of each run, a panel for each optimizer setting of `rows`.

    `rows` are made by `outcomes.outcome`; the dotted line is the `threshold` beyond which a jump is a spike.
    """
    panels = {}
    for (optimizer, rate), chosen in grouped(
        rows, "optimizer", "learning_rate"
    ).items():
        panels[f"{OPTIMIZERS[optimizer]} {rate:g}"] = {
            ", ".join(label): np.array(
                [jump or np.inf for row in group for jump in row["largest_jump"]]
            )
            for label, group in grouped(chosen, "posterior", "arm").items()
        }
    figure = dots_figure(
        panels,
        height,
        right=1e5,
        line=threshold,
        xscale="log",
        xlabel="largest jump",
        xlim=(1, 1e5),
    )
    for ax in figure.axes:
        ax.xaxis.set_major_locator(LogLocator(subs=(1,), numticks=3))
        ax.xaxis.set_minor_locator(NullLocator())
    return figure


def lines_figure(x, panels, limits, xlabel):
    """Return a figure of `draw_lines` over `x`, a panel for each `title: lines`, with y `limits`."""
    figure, axes = new_figure(1, len(panels), (8, 3))
    for ax, (title, lines), ylim in zip(axes, panels.items(), limits):
        draw_lines(ax, x, lines, title=title, xlabel=xlabel, ylim=ylim)
        ax.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5
    )
    return figure

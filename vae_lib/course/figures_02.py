"""Figures of many runs or estimates in which a failure is drawn as a failure. Notebook
02.
"""

import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from vae_lib import figures
from vae_lib.course.results import grouped, unpack_images, where
from vae_lib.course.showing import show
from vae_lib.course.tables import OPTIMIZERS
from vae_lib.experiments.outcomes import failures, finite_steps, outcome
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
    """Return the place of a label in COLOURS: that of the map it begins with, or else
    its `position`.
    """
    return PLACES.get(label.removeprefix(BEFORE).split(", ")[0], position)


def draw_lines(axes, x, lines, **labels):
    """Draw each `label: values` of the mapping `lines` over `x`; the dashes differ as
    well as the colours.
    """
    for i, (label, values) in enumerate(lines.items()):
        colour, dashes = COLOURS[place(label, i)], DASHES[place(label, i)]
        axes.plot(x, values, color=colour, linestyle=dashes, linewidth=1.8, label=label)
    axes.set(**labels)


def draw_dots(axes, groups, right=np.inf, **labels):
    """Draw each `label: values` of the mapping `groups` as a row of dots, from the top
    down, with a bar at its median.

    Values that do not fit are counted at the right: those beyond `right`, and those
    that are not finite, which are failures. Both rank as the largest.
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
        median = np.median(ranked) if len(ranked) else np.inf
        if median <= right and median < np.inf:
            axes.plot(median, row, "|", color="black", markersize=14)
        counts = {
            "beyond": np.sum((ranked > right) & (ranked < np.inf)),
            "not finite": np.sum(ranked == np.inf),
        }
        text = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
        axes.text(
            1.02,
            row,
            text,
            color="crimson",
            va="center",
            fontsize=8,
            transform=axes.get_yaxis_transform(),
        )
    axes.set(
        **labels,
        yticks=range(len(groups)),
        yticklabels=list(groups),
        ylim=(len(groups) - 0.5, -0.5),
    )


def runs_figure(records, title="", steps=None):
    """Return a figure of loss and gradient norm by step; `records` maps labels to
    `Record`s, one colour per map.

    A run that stops being finite ends in a red cross; the legend counts the `failures`
    of runs of `steps` steps.
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
        failed = failures(record, steps)
        style = dict(
            color=COLOURS[place(label, i)],
            alpha=0.3 if label.startswith(BEFORE) else 0.8,
        )
        label += f": {failed} of {len(lengths)} runs failed" * bool(failed)
        for ax, series in zip(axes, (record.loss, record.gradient_norm)):
            draw_runs(ax, series, lengths, label=label, **style)
    units = {
        "loss": "per image",
        "norm of the gradient": "loss per unit of weight",
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
    """Draw the first `lengths` (runs,) values of the rows of `series` (runs, steps); a
    cross ends short ones.
    """
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
    """Return a figure of `draw_dots`, one panel for each `title: groups` of `panels`,
    side by side.

    `height` in inches; `line` is the place of a dotted line across all rows.
    """
    figure, axes = new_figure(1, len(panels), (8, height), sharey=True, squeeze=False)
    for ax, (title, groups) in zip(axes[0], panels.items()):
        draw_dots(ax, groups, right, title=title, **labels)
        if line is not None:
            ax.axvline(line, color="0.4", linestyle=":")
    return figure


def jumps_figure(rows, height=3.4, threshold=10.0):
    """Return a figure of the largest jump of each run, a panel for each optimizer
    setting of `rows`.

    `rows` are made by `outcomes.outcome`; the dotted line is the `threshold` beyond
    which a jump is a spike.
    """
    labels = list(grouped(rows, "posterior", "arm"))  # the same rows in every panel
    panels = {
        f"{OPTIMIZERS[optimizer]} {rate:g}": {
            ", ".join(label): np.array(
                [
                    jump or np.inf
                    for row in where(chosen, posterior=label[0], arm=label[1])
                    for jump in row["largest_jump"]
                ]
            )
            for label in labels
        }
        for (optimizer, rate), chosen in grouped(
            rows, "optimizer", "learning_rate"
        ).items()
    }
    figure = dots_figure(
        panels,
        height,
        right=1e5,
        line=threshold,
        xscale="log",
        xlabel="largest jump / median",
        xlim=(1, 1e5),
    )
    for ax in figure.axes:
        ax.xaxis.set_major_locator(LogLocator(subs=(1,), numticks=3))
        ax.xaxis.set_minor_locator(NullLocator())
    return figure


def lines_figure(x, panels, limits, xlabel):
    """Return a figure of `draw_lines` over `x`, a panel for each `title: lines`, with y
    `limits`.
    """
    figure, axes = new_figure(1, len(panels), (8, 3))
    for ax, (title, lines), ylim in zip(axes, panels.items(), limits):
        draw_lines(ax, x, lines, title=title, xlabel=xlabel, ylim=ylim)
        ax.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5
    )
    return figure


def maps(rho, curves):
    """Show sigma, KL and its slope over `rho`; `curves` maps names of maps to these
    three.
    """
    panels = {
        title: {name: curve[i] for name, curve in curves.items()}
        for i, title in enumerate(("σ", "KL in nats", "dKL/dρ"))
    }
    show(
        lines_figure(rho, panels, ((0, 4), (0, 4), (-6, 6)), "ρ"),
        alt="Three panels over ρ from −4 to 4 with a line for each map: σ, the KL, "
        "and its "
        "derivative. The direct map alone has a wall at ρ = 0, where its KL is "
        "infinite and "
        "the derivative jumps from infinity to minus infinity. The exponential maps "
        "shoot "
        "up on the right; the bounded one levels off.",
    )


def runs(records):
    """Show loss and gradient norm by step of `records`, which maps labels to
    `Record`s.
    """
    told = []
    for label, record in records.items():
        largest = [jump or np.inf for jump in outcome(record)["largest_jump"]]
        jumps = f"{min(largest):,.1f} to {max(largest):,.1f} times"
        long = record.gradient_norm.shape[1] > 50
        told.append(f"{label}, {jumps if long else 'not known after so few steps'}")
    show(
        runs_figure(records),
        alt="Two panels, the loss and the norm of the gradient by step, a line for "
        "each run. The largest jump of each run, a gradient norm divided by the "
        f"median of the 50 steps before: {'; '.join(told)}.",
    )


def jumps(rows):
    """Show the largest jump of each run of `rows`, made by `outcome`, by optimizer
    setting.
    """
    told = []
    for key, group in grouped(rows, "posterior", "arm", "learning_rate").items():
        jumps = [jump or np.inf for row in group for jump in row["largest_jump"]]
        beyond, lost = np.sum(np.array(jumps) > 10), np.sum(np.isinf(jumps))
        told.append(
            f"{', '.join(map(str, key))}: {beyond - lost} beyond the line and {lost} "
            f"not finite of {len(jumps)}"
        )
    told = "; ".join(told)
    show(
        jumps_figure(rows),
        alt="A panel for each optimizer setting, with a row of dots, one a run, for "
        "each map "
        f"and arm; a dotted line marks ten. {told}.",
    )


def ends(rows):
    """Show the test −ELBO of full trainings, a dot per seed, by map and arm."""
    groups = {
        ", ".join(label): np.array([row["negative_elbo"] for row in group])
        for label, group in grouped(rows, "posterior", "arm").items()
    }
    told = "; ".join(f"{name} {np.median(ends):.0f}" for name, ends in groups.items())
    show(
        dots_figure(
            {"test −ELBO after 15 epochs, a dot for each seed": groups},
            0.9 + 0.3 * len(groups),
            xlabel="nats per image",
        ),
        alt=f"A row of dots for each map and arm. Median −ELBO: {told} nats.",
    )


def outcomes_in_pictures(rows, originals, arms):
    """Show what the models of seed 0 draw: reconstructions on the left, new digits on
    the right.
    """
    figure, axes = new_figure(len(arms) + 1, 2, (8, 0.55 * len(arms) + 1.2))
    figures.draw_digits(axes[0, 0], originals, len(originals))
    axes[0, 0].set_title("ten test digits", fontsize=10)
    axes[0, 1].axis("off")
    for pair, (posterior, arm) in zip(axes[1:], arms):
        (row,) = where(rows, posterior=posterior, arm=arm, seed=0)
        for ax, kind in zip(pair, ("reconstructions", "generated")):
            images = unpack_images(row[kind])
            figures.draw_digits(ax, images, len(images))
        pair[0].set_ylabel(
            f"{posterior},\n{arm}", rotation=0, ha="right", va="center", fontsize=9
        )
    axes[1, 0].set_title("reconstructed", fontsize=10)
    axes[1, 1].set_title("new, from ten random codes", fontsize=10)
    show(
        figure,
        alt="Ten test digits on top. Below, a row for each of these models: "
        + "; ".join(", ".join(pair) for pair in arms)
        + ". Left: its reconstructions of the ten. Right: ten new digits.",
    )

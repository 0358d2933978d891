"""The figures of notebook 03, each shown with a text for those who cannot see it.

Rows are dicts as in data/beta_sweep.json, data/beta_trials.json and data/original.json,
in nats per image; those with a beta of 0 have no place on a log axis.
"""

import numpy as np
from matplotlib.patches import Circle, Ellipse

from vae_lib import figures
from vae_lib.course.showing import show
from vae_lib.experiments.command import manifold_figure
from vae_lib.figures import COLOURS, digit_rows, draw_codes, draw_digits, new_figure

MARKS = ("o", "s", "^", "D")
LIT = COLOURS[1]  # of an active unit
TICKS = 1, 3, 10, 30, 100, 200  # of beta


def column(rows, name):
    """Return the values of `name` in a list of dicts as an array."""
    return np.array([row[name] for row in rows])


def log_beta(axes, **labels):
    """Give `axes` a logarithmic beta axis with plain numbers, and labels."""
    axes.set(xscale="log", xlabel="β", **labels)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")


def pairs(originals, decoded, columns=5):
    """Return originals and, below each row of them, what they became, as one board."""
    parts = [
        part[i : i + columns]
        for i in range(0, len(originals), columns)
        for part in (originals, decoded)
    ]
    return np.concatenate(parts)


def regimes(runs, labels, shown):
    """Show a row for each beta: t-SNE of all training codes, test digits, new digits.

    `runs` maps beta to dicts with `tsne` (n, 2) and `digits` and `new` (20, rows,
    columns); `labels` (n,) belong to the codes, `shown` are the ten test digits.
    """
    figure, axes = new_figure(len(runs), 3, (8, 2.45 * len(runs) + 0.5))
    for (left, middle, right), (beta, run) in zip(axes, runs.items()):
        draw_codes(left, run["tsne"].astype(float), labels, size=0.4, gap=0.12)
        left.set_axis_off()  # only neighbourhoods mean anything there
        place = dict(transform=left.transAxes, rotation=90, ha="center", va="center")
        left.text(-0.06, 0.5, f"β = {beta}", fontsize=13, **place)
        originals, new = figures.unit(shown), figures.unit(run["new"])
        draw_digits(middle, pairs(originals, figures.unit(run["digits"][:10])), 5)
        draw_digits(right, new, 5)
    axes[0, 0].set(title=f"t-SNE of {len(labels):,}\ntraining codes")
    axes[0, 1].set(title="test digits,\nreconstructions below")
    axes[0, 2].set(title="new digits,\nfrom random codes")
    show(
        figure,
        alt="Three rows, for β of 0, 12 and 200. Left, t-SNE of the codes, coloured by "
        "digit: clusters for 0 and for 12, an almost formless cloud of mixed colours "
        "for 200. Middle, test digits over their reconstructions: sharp at 0, blurred "
        "at 12, the same grey blot at 200. Right, new digits: scribbles at 0, mostly "
        "digits at 12, the same blot at 200.",
    )


def manifold(images, grid):
    """Show the board of digits decoded from the square `grid` of codes (n * n, 2)."""
    n = round(len(grid) ** 0.5)
    title = f"{n} × {n} codes at equal shares of the prior, β = 12"
    show(
        manifold_figure(figures.unit(images), grid, title),
        alt=f"A board of {n} by {n} decoded digits over the plane of codes. Neighbours "
        "are alike, and one digit turns into another along the way.",
    )


def hidden_scale(layout, codes, labels, sigma):
    """Show codes twice: laid out by t-SNE, and to scale beside the noise.

    `layout` and `codes` are (n, 2); `sigma` is the deviation of the noise.
    """
    figure, (left, right) = new_figure(1, 2, (8, 4))
    draw_codes(left, layout, labels, "laid out by t-SNE")
    left.set_axis_off()
    colours = np.array(COLOURS)[labels % 10]
    right.scatter(*codes.T, c=colours, s=3, linewidths=0)
    noise = Circle((0, 0), sigma, fill=False, color="0.3", linestyle="--")
    right.add_patch(noise)
    right.text(0, 1.1 * sigma, "σ of the noise", ha="center", color="0.3")
    right.set(title="the same codes, to scale", aspect="equal")
    right.set(xlim=(-2, 2), ylim=(-2, 2), xlabel="first component")
    right.set(ylabel="second component")
    show(
        figure,
        alt="Left, a t-SNE picture with clusters by digit. Right, the same codes drawn "
        "to scale: a dot at the origin, far smaller than the circle of the noise.",
    )


def collapse(panels):
    """Show the rate over beta, a panel for each likelihood, and the predicted collapse.

    `panels` maps likelihoods to (lines, predicted beta); lines map labels to rows.
    """
    titles = {"gaussian": "squared error, standardised", "bernoulli": "cross-entropy"}
    figure, axes = new_figure(1, len(panels), (8, 3.4))
    for ax, (name, (lines, predicted)) in zip(np.atleast_1d(axes), panels.items()):
        for i, (label, rows) in enumerate(lines.items()):
            betas, rates = column(rows, "beta"), column(rows, "rate")
            style = dict(color=COLOURS[i], label=label, markersize=4)
            ax.plot(betas, rates, f"{MARKS[i]}-", **style)
        ax.axvline(predicted, color="0.3", linestyle="--")
        top = 1.15 * max(r["rate"] for r in rows if r["beta"] >= predicted / 12)
        text = f"predicted \n{predicted:.1f} "
        ax.text(predicted, 0.97 * top, text, va="top", ha="right")
        ticks = [beta for beta in TICKS if predicted / 12 < beta < 2.2 * predicted]
        log_beta(ax, title=titles[name], xticks=ticks)
        ax.set(xlim=(predicted / 12, 2.2 * predicted))
        ax.minorticks_off()
        ax.set(ylim=(-0.03 * top, top))
        ax.legend(loc="center left", bbox_to_anchor=(0.02, 0.3), frameon=False)
    np.atleast_1d(axes)[0].set(ylabel="rate, nats")
    show(
        figure,
        alt="Rate over β on a log axis, a panel for each loss: every curve falls and "
        "is at zero before the dashed line that marks the predicted β.",
    )


def rate_distortion(panels, ylabel="distortion D, nats", tangents=(), shown=None):
    """Show distortion against rate, a panel for each title; points carry their beta.

    `panels` maps titles to (rows, reference): reference is (rates, distortions, label)
    or None. `tangents` are betas at which a line of slope −beta is drawn; `shown` are
    the betas that are written beside their points, by default all.
    """
    figure, axes = new_figure(1, len(panels), (8, 3.8))
    for ax, (title, (rows, reference)) in zip(np.atleast_1d(axes), panels.items()):
        rates, distortions = column(rows, "rate"), column(rows, "distortion")
        if reference is not None:
            rate, distortion, label = reference
            ax.plot(rate, distortion, "--", color="0.4", label=label)
        ax.plot(rates, distortions, "o-", markersize=4, label="networks, test digits")
        for row in rows:
            place = row["rate"], row["distortion"]
            if row["beta"] in tangents:
                reach = 0.14 / np.hypot(
                    1 / np.ptp(rates), row["beta"] / np.ptp(distortions)
                )
                step = np.array([-reach, reach])
                line = place[1] - row["beta"] * step
                ax.plot(place[0] + step, line, color=COLOURS[1], linewidth=2)
            named = shown is None or row["beta"] in shown
            if named and row["rate"] > 0.04 * rates.max():
                text = f"β = {row['beta']:g}"
                side = (
                    dict(xytext=(-6, -12), ha="right")
                    if reference
                    else {"xytext": (7, 4)}
                )
                at = dict(fontsize=9, color="0.25", textcoords="offset points", **side)
                ax.annotate(text, place, **at)
        ax.set(title=title, xlabel="rate R, nats")
        ax.margins(x=0.18, y=0.1)
        if reference is not None:
            ax.legend(loc="upper right", frameon=False)
    np.atleast_1d(axes)[0].set(ylabel=ylabel)
    show(
        figure,
        alt="Distortion against rate, a point for each β: steep at the left, where the "
        "rate is small and β large, and flat at the right."
        + " Short lines of slope −β touch the curve at their points." * bool(tangents)
        + " A dashed curve, the best linear VAE, lies above." * (reference is not None),
    )


def choosing(groups):
    """Show over beta the codes' distance from the prior, and the coverage.

    `groups` maps labels to rows with `beta`, `marginal` and `coverage`; the line joins
    means over seeds, points are single networks.
    """
    figure, axes = new_figure(1, 2, (8, 3.3))
    titles = {
        "marginal": ("distance of the codes from the prior", "KL(q(z) ‖ p(z)), nats"),
        "coverage": ("test digits with a new digit nearby", "coverage"),
    }
    for ax, (name, (title, label)) in zip(axes, titles.items()):
        for i, (group, rows) in enumerate(groups.items()):
            betas = np.unique(column(rows, "beta"))
            values = [[r[name] for r in rows if r["beta"] == beta] for beta in betas]
            style = dict(color=COLOURS[i], markersize=4)
            means = [np.mean(v) for v in values]
            ax.plot(betas, means, f"{MARKS[i]}-", label=group, **style)
            ax.plot(column(rows, "beta"), column(rows, name), MARKS[i], **style)
        log_beta(ax, title=title, ylabel=label, xticks=betas)
        ax.minorticks_off()
    axes[0].set(yscale="log")
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[1].set(ylim=(0, 1))
    axes[0].legend(frameon=False)
    show(
        figure,
        alt="Two panels over β, with a line for 2 and one for 10 units. Left, the "
        "distance of the codes from the prior falls with β. Right, the coverage falls "
        "with β for 2 units; for 10 units it rises to a peak first.",
    )


def layouts(panels, labels):
    """Show the same codes in several layouts: `panels` maps titles to codes (n, 2)."""
    figure, axes = new_figure(1, len(panels), (8, 8.4 / len(panels)))
    for ax, (title, plane) in zip(axes, panels.items()):
        draw_codes(ax, plane, labels, title, gap=0.13)
        ax.set(xlabel="", ylabel="")
    axes[-1].set_axis_off()  # only neighbourhoods mean anything there
    show(
        figure,
        alt="The same two-dimensional codes three times: as they are, turned by PCA, "
        "and torn into islands by t-SNE.",
    )


def units(panels):
    """Show the rate of each unit, largest first, over beta, for `title: rows`."""
    heights = [max(len(rows[0]["unit_rates"]), 3) for rows in panels.values()]
    size = 8, 1.2 * len(panels) + 0.2 * sum(heights)
    figure, axes = new_figure(len(panels), 1, size, height_ratios=heights)
    for ax, (title, rows) in zip(np.atleast_1d(axes), panels.items()):
        rates = np.stack([row["unit_rates"] for row in rows], axis=1)  # (units, betas)
        picture = ax.imshow(rates, aspect="auto", cmap="cividis", vmin=0)
        edge = [row["active"] - 0.5 for row in rows]
        places = np.arange(len(rows) + 1) - 0.5
        ax.stairs(edge, places, baseline=None, color="white", linewidth=2)
        names = [f"{row['beta']:g}\n{row['active']}" for row in rows]
        ax.set_xticks(range(len(rows)), names)
        ax.set_yticks(range(len(rates)), range(1, len(rates) + 1))
        ax.set(title=title, ylabel="unit, by rate")
        ax.set_xlabel("above: β; below: active units, those with Var(μ) > 0.01")
        ax.grid(False)
        figure.colorbar(picture, ax=ax, label="nats")
    show(
        figure,
        alt="Heat maps of the rate of each unit, units by β: with ten units, one after "
        "the other turns dark as β grows, until all are dark. A white line runs below "
        "the active ones.",
    )


def surgery(groups):
    """Show estimates of the marginal KL over beta, from ever more posteriors.

    `groups` maps titles to rows with `rate` and `split`, which maps the number of
    posteriors, as text, to (mutual information, marginal KL).
    """
    figure, axes = new_figure(1, len(groups), (8, 3.3))
    for ax, (title, rows) in zip(axes, groups.items()):
        rows = sorted(rows, key=lambda row: row["beta"])
        betas = column(rows, "beta")
        ax.plot(betas, column(rows, "rate"), "k.-", label="rate")
        for i, n in enumerate(rows[0]["split"]):
            values = [row["split"][n][1] for row in rows]
            label = f"KL(q(z) ‖ p(z)), {int(n):,} images"
            ax.plot(betas, values, f"{MARKS[i]}--", color=COLOURS[i], label=label)
        log_beta(ax, title=title, xticks=betas)
        ax.minorticks_off()
    axes[0].set(ylabel="nats")
    axes[1].legend(fontsize=9, frameon=False)
    show(
        figure,
        alt="Rate and estimates of the marginal KL over β, for 2 and for 10 units. "
        "With 2 units the estimates from 10,000 and 55,000 images agree; with "
        "10 units and a small β the estimate falls as the number of images grows.",
    )


def gaps(panels):
    """Show gaps in D + βR, in %, over beta, for `title: (betas, gaps, bound)`."""
    figure, axes = new_figure(1, len(panels), (8, 2.9), sharey=True)
    for ax, (title, (betas, values, bound)) in zip(axes, panels.items()):
        ax.axhspan(-bound, bound, color="0.93")
        ax.axhline(0, color="0.4", linewidth=1)
        ax.plot(betas, values, "o", color=COLOURS[0])
        for beta, value in zip(betas, values):
            text = f"{value:+.1f}".replace("-", "−")
            at = dict(xytext=(0, 7), ha="center", textcoords="offset points")
            ax.annotate(text, (beta, value), fontsize=9, **at)
        log_beta(ax, title=title, xlim=(0.03, 700), ylim=(-5, 5))
    axes[0].set(ylabel="gap in D + βR, %")
    show(
        figure,
        alt="The gap between one network and dedicated ones in percent over β, for 2 "
        "and 10 units: "
        + "; ".join(
            f"{t}: {min(v):.1f} to {max(v):.1f} %" for t, (_, v, _) in panels.items()
        ),
    )


def capacity(panels, skip=3, ylabel="−ELBO, nats"):
    """Show curves by epoch for `title: (training, held-out)`.

    Curves are (seeds, epochs) or (epochs,); the first `skip` epochs, where both fall
    steeply, are left out. A dot marks the best held-out epoch of each seed.
    """
    figure, axes = new_figure(1, len(panels), (8, 3))
    bests = {}
    for ax, (title, curves) in zip(np.atleast_1d(axes), panels.items()):
        training, held_out = (np.atleast_2d(curve)[:, skip:] for curve in curves)
        epochs = skip + np.arange(1, training.shape[1] + 1)
        ax.plot(epochs, training.T, color=COLOURS[0], linewidth=1)
        ax.plot(epochs, held_out.T, "--", color=COLOURS[1], linewidth=1)
        best = held_out.argmin(axis=1)
        ax.plot(epochs[best], held_out.min(axis=1), "o", color=COLOURS[1], markersize=5)
        bests[title] = ", ".join(map(str, epochs[best]))
        ax.set(title=title, xlabel="epoch")
    first = np.atleast_1d(axes)[0]
    first.set(ylabel=ylabel)
    first.lines[0].set_label("training")
    first.lines[len(training)].set_label("held-out")
    first.legend(frameon=False)
    told = "; ".join(f"{title}: best at epoch {text}" for title, text in bests.items())
    show(
        figure,
        alt=f"Training (solid) and held-out (dashed) curves by epoch. {told}.",
    )


def rows_of_digits(rows, title=""):
    """Show a board of images for each `label: images` of the mapping `rows`."""
    named = "; ".join(f"{label}, {len(images)}" for label, images in rows.items())
    show(digit_rows(rows, title=title), alt=f"Rows of digits. {title} {named}.")


def slider_figure(betas, i, walk, codes, labels, spread, rows, reach, dedicated=()):
    """Return what the beta slider shows at `betas[i]`, for pages without a kernel."""
    figure, axes = new_figure(
        2, 2, (8, 6.2), height_ratios=(3.4, 2.6), width_ratios=(1, 1.15)
    )
    (plane, curve), (left, right) = axes
    plane.scatter(*codes.T, c=np.array(COLOURS)[labels % 10], s=6, linewidths=0)
    for radius in (1, 2, 3):
        plane.add_patch(Circle((0, 0), radius, fill=False, color="0.8"))
    for mu, sigma, digit in zip(*spread):
        plane.add_patch(
            Ellipse(
                mu, *(2 * sigma), color=COLOURS[digit % 10], linewidth=1.5, alpha=0.3
            )
        )
        plane.text(
            *mu,
            str(digit),
            color="white",
            fontweight="bold",
            ha="center",
            va="center",
            fontsize=9,
            bbox=dict(
                boxstyle="circle,pad=0.15",
                facecolor=COLOURS[digit % 10],
                edgecolor="white",
            ),
        )
    plane.set(
        xlim=(-reach, reach),
        ylim=(-reach, reach),
        aspect="equal",
        title=f"β = {betas[i]:.3g}: codes and posteriors",
    )
    rates, distortions = walk["rates"], walk["distortions"]
    curve.plot(rates, distortions, color=COLOURS[0], label="one network")
    if len(dedicated):
        curve.plot(
            *np.transpose(dedicated),
            "s",
            color="0.3",
            fillstyle="none",
            label="dedicated networks",
        )
    curve.axline(
        (rates[i], distortions[i]),
        slope=-betas[i],
        color="0.5",
        linestyle="--",
        label="slope −β",
    )
    curve.plot(
        rates[i],
        distortions[i],
        "o",
        color=COLOURS[0],
        markersize=11,
        markeredgecolor="white",
    )
    heights = [*distortions, *(height for _, height in dedicated)]
    curve.set(
        xlabel="rate R, nats",
        ylabel="distortion D, nats",
        ylim=(min(heights) - 4, max(heights) + 6),
    )
    curve.legend(frameon=False)
    units, active = walk["unit_rates"][i], walk["active"][i]
    left.barh(
        range(1, len(units) + 1), units, color=[LIT if lit else "0.8" for lit in active]
    )
    left.set(
        title=f"{active.sum()} of {len(units)} units active",
        xlabel="rate of the unit, nats",
        ylabel="unit",
        xlim=(0, 1.05 * walk["unit_rates"].max()),
        yticks=range(1, len(units) + 1),
    )
    left.invert_yaxis()
    board = np.concatenate(list(rows.values()))
    draw_digits(right, board, max(map(len, rows.values())), title=" · ".join(rows))
    return figure

"""Figures over beta: regimes, collapse, rate against distortion, units, gaps. Notebook 03.

Rows are dicts as in data/beta_sweep.json, in nats per image; those without a beta of 0 have a place on a log axis.
"""

import numpy as np
from matplotlib.patches import Circle, Ellipse

from vae_lib.figures import COLOURS, draw_codes, draw_digits, new_figure

MARKS = ("o", "s", "^", "D")
LIT = COLOURS[1]  # of an active unit


def column(rows, name):
    """Return the values of `name` in a list of dicts as an array."""
    return np.array([row[name] for row in rows])


def log_beta(axes, **labels):
    """Give `axes` a logarithmic beta axis with plain numbers, and labels."""
    axes.set(xscale="log", xlabel="β", **labels)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")


def regimes_figure(regimes, labels):
    """Return a figure with a row for each regime: t-SNE and principal plane of the codes, digits, new digits.

    `regimes` maps titles to dicts with `tsne`, `pca` (n, 2), `digits` and `new` boards (images, rows, columns),
    and `caption`; `labels` (n,) belong to the codes.
    """
    figure, axes = new_figure(
        len(regimes), 3, (8, 3.1 * len(regimes)), width_ratios=(1, 1, 1.1)
    )
    reach = max(np.abs(regime["pca"]).max() for regime in regimes.values())
    for (left, middle, right), (title, regime) in zip(axes, regimes.items()):
        size = 110 / len(labels) ** 0.5
        draw_codes(
            left,
            regime["tsne"],
            labels,
            title=f"{title}\nt-SNE of {len(labels):,} codes",
            size=size,
        )
        left.set_axis_off()  # only who is near whom means anything there
        draw_codes(
            middle,
            regime["pca"],
            labels,
            title=f"{regime['caption']}\ntheir two principal components",
            size=size,
        )
        middle.set(xlabel="", ylabel="", xlim=(-reach, reach), ylim=(-reach, reach))
        middle.tick_params(labelsize=8)
        board = np.concatenate(
            [regime["digits"], np.zeros_like(regime["new"][:5]), regime["new"]]
        )
        draw_digits(
            right,
            board,
            5,
            title="test digits over what comes\nback; below: new digits",
        )
    return figure


def rows_of(originals, decoded, columns=5):
    """Return originals and, below each row of them, what they were decoded to, as one board of `columns`."""
    parts = [
        part[i : i + columns]
        for i in range(0, len(originals), columns)
        for part in (originals, decoded)
    ]
    return np.concatenate(parts)


def collapse_figure(panels):
    """Return a figure with a panel for each title: rate over beta, and where collapse was predicted.

    `panels` maps titles to (lines, predicted beta); lines map labels to rows.
    """
    figure, axes = new_figure(1, len(panels), (8, 3.2))
    for ax, (title, (lines, predicted)) in zip(np.atleast_1d(axes), panels.items()):
        for i, (label, rows) in enumerate(lines.items()):
            ax.plot(
                column(rows, "beta"),
                column(rows, "rate"),
                f"{MARKS[i]}-",
                color=COLOURS[i],
                label=label,
                markersize=4,
            )
            ax.set_ylim(
                -0.15,
                1.15 * max(r["rate"] for r in rows if r["beta"] >= predicted / 12),
            )
        ax.axvline(predicted, color="0.3", linestyle="--")
        ax.text(
            predicted, ax.get_ylim()[1], f" predicted\n β = {predicted:.1f}", va="top"
        )
        log_beta(ax, title=title, ylabel="rate, nats", xlim=(predicted / 12, None))
        ax.legend(frameon=False)
    return figure


def rate_distortion_figure(panels, ylabel="distortion D, nats"):
    """Return a figure of distortion against rate with a panel for each title.

    `panels` maps titles to (lines, reference): lines map labels to rows, `reference` is (rates, distortions, label)
    or None. Points carry their beta.
    """
    figure, axes = new_figure(1, len(panels), (8, 3.8))
    for ax, (title, (lines, reference)) in zip(np.atleast_1d(axes), panels.items()):
        if reference is not None:
            ax.plot(
                reference[0],
                reference[1],
                color="0.4",
                linestyle="--",
                label=reference[2],
            )
        for i, (label, rows) in enumerate(lines.items()):
            rates, distortions = column(rows, "rate"), column(rows, "distortion")
            ax.plot(
                rates,
                distortions,
                f"{MARKS[i]}-",
                color=COLOURS[i],
                label=label,
                markersize=4,
            )
            for row in (row for row in rows if row["rate"] > 0.04 * rates.max()):
                ax.annotate(
                    f"{row['beta']:g}",
                    (row["rate"], row["distortion"]),
                    xytext=(-4, -11),
                    fontsize=8,
                    textcoords="offset points",
                    ha="right",
                    color="0.3",
                )
        ax.margins(0.08)
        ax.set(title=title, xlabel="rate R, nats", ylabel=ylabel)
        ax.legend(fontsize=9, frameon=False)
    return figure


def units_figure(panels):
    """Return heat maps of the rate of each unit (largest first) over beta; `panels` maps titles to rows."""
    heights = [max(len(rows[0]["unit_rates"]), 3) for rows in panels.values()]
    figure, axes = new_figure(
        len(panels),
        1,
        (8, 1.1 * len(panels) + 0.2 * sum(heights)),
        height_ratios=heights,
    )
    for ax, (title, rows) in zip(np.atleast_1d(axes), panels.items()):
        rates = np.stack([row["unit_rates"] for row in rows], axis=1)  # (units, betas)
        picture = ax.imshow(rates, aspect="auto", cmap="cividis", vmin=0)
        for i, row in enumerate(rows):
            ax.text(i, -0.7, f"{row['active']}", ha="center", va="bottom", fontsize=9)
        ax.set_xticks(range(len(rows)), [f"{row['beta']:g}" for row in rows])
        ax.set_yticks(range(len(rates)), range(1, len(rates) + 1))
        ax.set(xlabel="β", ylabel="unit, by rate")
        ax.set_title(f"{title}; above: active units", pad=22)
        ax.grid(False)
        figure.colorbar(picture, ax=ax, label="nats")
    return figure


def rate_parts_figure(panels):
    """Return stacked areas of mutual information and marginal KL over beta; `panels` maps titles to rows."""
    figure, axes = new_figure(1, len(panels), (8, 3), sharey=False)
    for ax, (title, rows) in zip(np.atleast_1d(axes), panels.items()):
        betas, parts = (
            column(rows, "beta"),
            [column(rows, name) for name in ("mutual_information", "marginal_kl")],
        )
        ax.stackplot(
            betas,
            *parts,
            labels=["I(x; z)", "KL(q(z) ‖ p(z))"],
            colors=[COLOURS[0], COLOURS[3]],
            alpha=0.7,
        )
        ax.plot(betas, column(rows, "rate"), "k.-", label="rate")
        log_beta(ax, title=title, ylabel="nats")
        ax.legend(frameon=False)
    return figure


def gap_figure(panels):
    """Return a figure of gaps in D + βR, in %, over beta; `panels` maps titles to (betas, gaps, bound)."""
    figure, axes = new_figure(1, len(panels), (8, 2.9), sharey=True)
    for ax, (title, (betas, gaps, bound)) in zip(np.atleast_1d(axes), panels.items()):
        ax.axhspan(-bound, bound, color="0.93")
        ax.axhline(0, color="0.4", linewidth=1)
        ax.plot(betas, gaps, "o", color=COLOURS[0])
        for i, (beta, gap) in enumerate(
            zip(betas, gaps)
        ):  # above and below in turn, or neighbours would meet
            ax.annotate(
                f"{gap:+.1f} %".replace("-", "−"),
                (beta, gap),
                xytext=(0, (-15, 8)[i % 2]),
                ha="center",
                textcoords="offset points",
            )
        log_beta(
            ax,
            title=title,
            ylabel="gap in D + βR, %" if ax is axes[0] else "",
            xlim=(0.03, 700),
        )
    return figure


def capacity_figure(panels, skip=3):
    """Return training and held-out −ELBO by epoch, a panel for each title, the best held-out epoch marked.

    `panels` maps titles to (training, held_out), each (epochs,) in nats; the first `skip` epochs, where both fall
    steeply, are left out.
    """
    figure, axes = new_figure(1, len(panels), (8, 3))
    for ax, (title, curves) in zip(np.atleast_1d(axes), panels.items()):
        training, held_out = (np.asarray(curve)[skip:] for curve in curves)
        epochs = skip + np.arange(1, len(training) + 1)
        ax.plot(epochs, training, color=COLOURS[0], label="training")
        ax.plot(epochs, held_out, "--", color=COLOURS[1], label="held-out")
        best = int(np.argmin(held_out))
        ax.plot(epochs[best], held_out[best], "o", color=COLOURS[1])
        ax.annotate(
            f"epoch {epochs[best]}",
            (epochs[best], held_out[best]),
            xytext=(0, 10),
            textcoords="offset points",
            ha="center",
        )
        ax.set(
            title=title,
            xlabel="epoch",
            ylabel="−ELBO, nats" if ax is np.atleast_1d(axes)[0] else "",
        )
        ax.legend(frameon=False)
    return figure


def slider_figure(betas, i, walk, codes, labels, spread, rows, reach, dedicated=()):
    """Return what the beta slider shows at `betas[i]`, for pages without a kernel or script."""
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
    curve.set(
        xlabel="rate R, nats",
        ylabel="distortion D, nats",
        ylim=(distortions.min() - 4, distortions.max() + 6),
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

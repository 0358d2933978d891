"""Figures of the plane of codes: grids, heat maps, ways across it, and measures beside their floors. Notebook 04."""

import numpy as np

from vae_lib.figures import COLOURS, draw_codes, draw_digits, new_figure


def grids_figure(grids, boards, codes, labels):
    """Return a figure with a row for each title of `grids`: the codes with the grid (n * n, 2), and its decoded board."""
    figure, axes = new_figure(len(grids), 2, (7, 3.6 * len(grids)))
    reach = 1.05 * max(np.abs(grid).max() for grid in grids.values())
    for (left, right), (title, grid) in zip(axes, grids.items()):
        n = round(len(grid) ** 0.5)
        draw_codes(left, codes, labels, title=title)
        left.plot(*grid.T, "k.", markersize=2.5)
        left.set(xlim=(-reach, reach), ylim=(-reach, reach))
        draw_digits(right, boards[title], n, f"decoded from these {n} × {n} codes")
    return figure


def draw_grid(axes, grid, title):
    """Draw a grid of codes (n * n, 2) over the prior's circles of one, two and three standard deviations."""
    angle = np.linspace(0, 2 * np.pi, 200)
    for deviations in (1, 2, 3):
        axes.fill(
            deviations * np.cos(angle),
            deviations * np.sin(angle),
            color=COLOURS[0],
            alpha=0.12,
            linewidth=0,
        )
    axes.plot(*grid.T, "k.", markersize=3)
    axes.set(
        title=title,
        xlabel="$z_1$",
        ylabel="$z_2$",
        aspect="equal",
        xlim=(-3.3, 3.3),
        ylim=(-3.3, 3.3),
    )


def draw_heat(axes, codes, values, title, label, cmap="viridis", limits=(None, None)):
    """Draw `values` (n * n,) over the square grid `codes` (n * n, 2) as colours, with a scale that says `label`."""
    n, reach = round(len(codes) ** 0.5), np.abs(codes).max()
    picture = axes.imshow(
        values.reshape(n, n),
        extent=(-reach, reach, -reach, reach),
        cmap=cmap,
        vmin=limits[0],
        vmax=limits[1],
        interpolation="nearest",
    )
    axes.grid(False)
    axes.set(title=title, xlabel="$z_1$", ylabel="$z_2$")
    axes.figure.colorbar(picture, ax=axes, label=label, shrink=0.8)


def draw_ways(axes, paths):
    """Draw ways (steps, 2) as white lines on dark ones, and the straight lines between their ends dashed."""
    for path in paths:
        axes.plot(*path[[0, -1]].T, "--", color="white", linewidth=0.9, alpha=0.8)
        axes.plot(*path.T, color="black", linewidth=2.6)
        axes.plot(*path.T, color="white", linewidth=1.4)
        axes.plot(
            *path[[0, -1]].T, "o", color="white", markeredgecolor="black", markersize=5
        )


def draw_rates(axes, rates):
    """Draw the rate of each latent unit (latent_dim,), largest first, named by its number."""
    order = np.argsort(-rates)
    axes.bar(range(len(rates)), rates[order])
    axes.set(
        title="what each latent unit says", xlabel="latent unit", ylabel="rate in nats"
    )
    axes.set_xticks(range(len(rates)), [f"$z_{{{unit + 1}}}$" for unit in order])


def draw_norms(axes, share, curves):
    """Draw the length of codes on the way between two, as a share of that at its ends; `curves` maps labels to values."""
    for i, (label, values) in enumerate(curves.items()):
        axes.plot(share, values, ("-", "--", ":")[i], color=COLOURS[i], label=label)
    axes.set(
        xlabel="share of the way", ylabel="length / length at the ends", ylim=(0, 1.1)
    )
    axes.legend(loc="lower center", frameon=False)


def draw_maps(axes, maps, labels):
    """Draw into each of `axes` one of `maps`, titles to codes (n, 2), coloured by digit."""
    for ax, (title, codes) in zip(axes, maps.items()):
        draw_codes(ax, codes, labels, title=title)
        if title.startswith("t-SNE"):
            ax.set(
                xlabel="", ylabel="", xticks=[], yticks=[]
            )  # only who is near whom means anything there

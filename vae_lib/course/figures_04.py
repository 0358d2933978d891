"""The figures of notebook 04, shown with a description: grids, heat maps, paths."""

import numpy as np
from matplotlib.patches import Rectangle

from vae_lib.course.showing import show
from vae_lib.figures import COLOURS, digit_rows, draw_codes, draw_digits, new_figure

PLANE = dict(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
WAYS = "ABCDEFGHIJ"  # the names of pairs, on a map and beside their pictures


def show_rows(rows, columns=None, framed=None, note=""):
    """Show a board of images for each `label: images` of the mapping `rows`.

    `framed` maps labels to the places of images that get a frame; `note` says in the
    description what these are.
    """
    columns = columns or max(len(images) for images in rows.values())
    figure = digit_rows(rows, columns)
    for ax, (label, images) in zip(figure.axes, rows.items()):
        for place in (framed or {}).get(label, ()):
            frame(ax, place, columns, images.shape[1:])
    show(
        figure, f"Rows of images, from top to bottom: {'; '.join(rows)}. {note}".strip()
    )


def frame(axes, place, columns, shape):
    """Draw a frame around the image at `place` of a board, `columns` in a row."""
    (down, right), (height, width) = divmod(place, columns), shape
    left, top = right * (width + 1) - 0.5, down * (height + 1) - 0.5
    look = dict(fill=False, edgecolor=COLOURS[1], linewidth=1.5, clip_on=False)
    axes.add_patch(Rectangle((left, top), width, height, **look))


def show_boards(grids, boards, codes, labels):
    """Show for each title of `grids` the codes (n, 2) under the grid, and its board."""
    figure, axes = new_figure(len(grids), 2, (8, 4.1 * len(grids)))
    for (left, right), (title, grid) in zip(axes, grids.items()):
        n = round(len(grid) ** 0.5)
        draw_codes(left, codes, labels, title=title)
        left.plot(*grid.T, "k.", markersize=2)
        left.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), **PLANE)
        draw_digits(right, boards[title], n, f"decoded from these {n} × {n} codes")
    show(
        figure,
        "Two rows. On the left the codes of test digits, coloured by class, under a "
        "grid; on the right the digits "
        f"decoded from that grid, in the same rows and columns. From top to bottom: "
        f"{'; '.join(grids)}.",
    )


def show_heat(codes, values, title, label, **look):
    """Show `values` (n * n,) over the square grid `codes` (n * n, 2) as colours.

    `label` says what their scale is; `look` may hold `cmap`, a colour map, and
    `limits`, its ends.
    """
    figure, axes = new_figure(1, 1, (4.8, 3.9))
    draw_heat(axes, codes, values, title, label, **look)
    ends = codes[np.nanargmax(values)], codes[np.nanargmin(values)]
    high, low = (f"({place[0]:.1f}, {place[1]:.1f})" for place in ends)
    where = f"highest at {high} and lowest at {low}"
    show(figure, f"A map of the plane in colours: {title}, {label}, {where}.")


def draw_heat(axes, codes, values, title, label, cmap="viridis", limits=None):
    """Draw `values` (n * n,) over the square grid `codes` (n * n, 2) as colours."""
    n, reach = round(len(codes) ** 0.5), np.abs(codes).max()
    low, high = limits or (None, None)
    picture = axes.imshow(
        values.reshape(n, n),
        extent=(-reach, reach, -reach, reach),
        cmap=cmap,
        vmin=low,
        vmax=high,
        interpolation="nearest",
    )
    axes.grid(False)
    axes.set(title=title, xlabel="$z_1$", ylabel="$z_2$")
    axes.figure.colorbar(picture, ax=axes, label=label, shrink=0.8)


def show_ways(codes, values, paths):
    """Show paths (steps, 2) over a map of `values`, and straight lines, with
    letters.
    """
    figure, axes = new_figure(size=(6.5, 5.4))
    draw_heat(axes, codes, values, "shortest ways and straight lines", "log₁₀ √det G")
    for name, path in zip(WAYS, paths):
        axes.plot(*path[[0, -1]].T, "--", color="white", linewidth=0.9, alpha=0.8)
        axes.plot(*path.T, color="black", linewidth=2.6)
        axes.plot(*path.T, color="white", linewidth=1.4)
        ends = dict(color="white", markeredgecolor="black", markersize=5)
        axes.plot(*path[[0, -1]].T, "o", **ends)
        box = dict(boxstyle="round,pad=0.15", facecolor="white", edgecolor="black")
        outwards = path[0] - path[len(path) // 3]
        place = path[0] + 0.28 * outwards / max(np.linalg.norm(outwards), 1e-6)
        axes.text(*place, name, ha="center", va="center", fontsize=9, bbox=box)
    show(
        figure,
        f"{len(paths)} pairs of codes, named by letters, on the magnification: solid "
        f"lines are the shortest ways, "
        "dashed ones straight.",
    )


def show_rates(rates):
    """Show the rate of each latent unit (latent_dim,), largest first, by its number."""
    figure, axes = new_figure(size=(5, 2.4))
    order = np.argsort(-rates)
    axes.bar(range(len(rates)), rates[order])
    axes.set(
        title="what each latent unit says", xlabel="latent unit", ylabel="rate in nats"
    )
    axes.set_xticks(range(len(rates)), [f"$z_{{{unit + 1}}}$" for unit in order])
    show(
        figure,
        f"Bars in falling order: the rates of {len(rates)} latent units, from "
        f"{rates.max():.1f} to "
        f"{rates.min():.1f} nats.",
    )


def show_lengths(share, curves):
    """Show the length of codes on the way between two, a line for each of `curves`."""
    figure, axes = new_figure(size=(6, 3))
    for i, (label, values) in enumerate(curves.items()):
        style = ("-", "--", ":", "-.")[i % 4]
        axes.plot(share, values, style, color=COLOURS[i], label=label)
    axes.set(
        xlabel="share of the way",
        ylabel="length / length at the ends",
        ylim=(0, 1.15),
    )
    axes.legend(loc="lower center", ncols=2, fontsize=9)
    half = "; ".join(f"{label} {v[len(v) // 2]:.2f}" for label, v in curves.items())
    show(
        figure,
        f"Lines of the length of codes along the way between two; half-way: {half}.",
    )


def show_maps(maps, labels):
    """Show the codes (n, 2) of each title of `maps`, coloured by digit."""
    figure, axes = new_figure(1, len(maps), (8, 3.1))
    for ax, (title, codes) in zip(axes, maps.items()):
        draw_codes(ax, codes, labels, title=title)
        if title == "PCA":
            ax.set(xlabel="first component", ylabel="second component")
        elif title == "t-SNE":  # only neighbourhoods mean anything there
            ax.set(xlabel="no unit", ylabel="no unit", xticks=[], yticks=[])
    show(
        figure,
        f"The same codes {len(maps)} times, coloured by digit: {', '.join(maps)}. PCA "
        f"turns the plane; t-SNE pulls it "
        "apart into islands.",
    )


def show_crowding(radius, magnified, border):
    """Show the magnification by distance from the origin, at borders and inside."""
    figure, axes = new_figure(size=(6, 3.2))
    for label, chosen, marker, colour in (
        ("inside a class", ~border, "o", COLOURS[0]),
        ("at a border", border, "x", COLOURS[1]),
    ):
        look = dict(s=5, color=colour, alpha=0.35, linewidths=0.7)
        axes.scatter(radius[chosen], magnified[chosen], marker=marker, **look)
        axes.scatter([], [], marker=marker, color=colour, label=label)
    axes.set(xlabel="distance from the origin", ylabel="magnification", yscale="log")
    axes.legend()
    show(
        figure,
        "Magnification, on a logarithmic scale, against the distance from the origin: "
        "one falling cloud. Near the origin codes at borders and codes inside a class "
        "lie among each other; further out many at borders lie along its upper edge.",
    )

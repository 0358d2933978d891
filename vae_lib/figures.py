"""Arrays in, Matplotlib figures out, in one style; no pyplot, so that threads draw."""

import io
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

# The colour of each digit 0 … 9, apart for the colour-blind, too: Matplotlib's
# petroff10 with other colours for 3 and 8, which are two greys there.
COLOURS = list(matplotlib.color_sequences["petroff10"])
COLOURS[3], COLOURS[8] = map(to_rgb, ("#14213d", "#9fff80"))
STYLE = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    "axes.grid": True,
    "grid.color": "0.92",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.facecolor": "white",
}
DOTS = 144  # pixels an inch: twice what is shown, for projectors and dense screens


def new_figure(
    rows: int = 1, columns: int = 1, size: tuple[float, float] = (8, 3), **options
) -> tuple[Figure, Any]:
    """Return a figure of `size` inches, 8 wide at most, and its axes or their array."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, dpi=DOTS, layout="constrained")
        return figure, figure.subplots(rows, columns, **options)


def to_png(figure: Figure) -> bytes:
    """Return the figure as PNG bytes."""
    with matplotlib.rc_context(STYLE), io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=DOTS)
        return file.getvalue()


def tile(images: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """Return images (n, rows, columns) as one array; empty places are 0."""
    n, height, width = images.shape
    rows, gap = -(-n // columns), int(gap)
    high, wide = height + gap, width + gap
    board = np.zeros((rows * columns, high, wide), "float32")
    board[:n, :height, :width] = images
    board = board.reshape(rows, columns, high, wide).swapaxes(1, 2)
    return board.reshape(rows * high, columns * wide)[: -gap or None, : -gap or None]


def unit(images: np.ndarray) -> np.ndarray:
    """Return `uint8` images as floats in [0, 1]; floats are clipped to it."""
    if images.dtype == np.uint8:
        return images / np.float32(255)
    return np.clip(images, 0.0, 1.0)


def draw_digits(
    axes: Axes, images: np.ndarray, columns: int, title: str = "", label: str = ""
) -> None:
    """Draw images (n, rows, columns) as a board into `axes`, without ticks."""
    board, ink = tile(unit(images), columns), dict(cmap="gray_r", vmin=0, vmax=1)
    axes.imshow(board, interpolation="nearest", **ink)
    axes.set(title=title, ylabel=label, xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)


def draw_codes(
    axes: Axes,
    codes: np.ndarray,
    labels: np.ndarray,
    title: str = "",
    size: float = 3,
    gap: float = 0.06,
) -> None:
    """Draw codes (n, 2) coloured by digit, with each digit near its class's median."""
    colours = np.array(COLOURS)[labels % 10]
    axes.scatter(*codes.T, c=colours, s=size, alpha=0.5, linewidths=0)
    digits = np.unique(labels)
    medians = np.array([np.median(codes[labels == digit], axis=0) for digit in digits])
    distance = gap * np.ptp(codes, axis=0).max()  # that numerals keep
    words = dict(fontsize=15, fontweight="bold", ha="center", va="center")
    for digit, place in zip(digits, spread(medians, distance)):
        colour = COLOURS[digit % 10]
        outline = withStroke(linewidth=4, foreground=colour)
        numeral = axes.text(*place, str(digit), color=legible_on(colour), **words)
        numeral.set_path_effects([outline])
    axes.set(title=title, xlabel="$z_1$", ylabel="$z_2$", aspect="equal")


def legible_on(colour: tuple[float, float, float]) -> str:
    """Return "white" or "black", whichever has more contrast with a colour (WCAG)."""
    share = np.array(to_rgb(colour))
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    luminance = linear @ (0.2126, 0.7152, 0.0722) + 0.05
    return "white" if 1.05 / luminance >= luminance / 0.05 else "black"


def spread(points: np.ndarray, distance: float) -> np.ndarray:
    """Return `points` (n, 2) pushed apart until about `distance` from each other."""
    nudges = 1e-3 * distance * np.arange(len(points))[:, None]  # so equal ones can part
    points = points + nudges
    for _ in range(100):
        apart = points[:, None] - points  # (n, n, 2)
        lengths = np.linalg.norm(apart, axis=-1) + np.eye(len(points)) * 2 * distance
        push = np.maximum(distance - lengths, 0) / lengths / 4
        points = points + (apart * push[..., None]).sum(axis=1)
    return points


def digit_rows(
    rows: Mapping[str, np.ndarray], columns: int | None = None, title: str = ""
) -> Figure:
    """Return a figure with a board for each `label: images`, one below the other."""
    columns = columns or max(len(images) for images in rows.values())
    heights = [-(-len(images) // columns) for images in rows.values()]
    size = (8, 7.9 / columns * sum(heights) + 0.3 * len(rows) + 0.3 * bool(title))
    figure, axes = new_figure(len(rows), 1, size, squeeze=False, height_ratios=heights)
    for ax, (label, images) in zip(axes[:, 0], rows.items()):
        draw_digits(ax, images, columns)
        ax.set_title(label, loc="left", fontsize=10)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure

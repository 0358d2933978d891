"""Arrays in, Matplotlib figures or PNG bytes out; never sees a model, nor pyplot, so
that threads may draw.

One style, one colour per digit, digits dark on light, and a description for those who
cannot see the picture.
"""

import io

import matplotlib
import matplotlib.colors
import numpy as np
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from PIL import Image

# The colour of each digit 0 … 9, apart for the colour-blind, too: Matplotlib's
# petroff10 with other colours for 3 and 8, which are two greys there.
COLOURS = list(matplotlib.color_sequences["petroff10"])
COLOURS[3], COLOURS[8] = map(matplotlib.colors.to_rgb, ("#14213d", "#9fff80"))
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


def new_figure(rows=1, columns=1, size=(8, 3), **options):
    """Return a `Figure` and its axes (an array for more than one) in the house
    style; `size` in inches, 8 wide at most.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, dpi=DOTS, layout="constrained")
        return figure, figure.subplots(rows, columns, **options)


def to_png(figure):
    """Return the figure as PNG bytes."""
    with matplotlib.rc_context(STYLE), io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=DOTS)
        return file.getvalue()


def show(figure, alt):
    """Display the figure under a cell; `alt` describes it for who cannot see it."""
    size = {
        name: int(inches * DOTS / 2)
        for name, inches in zip(
            ("width", "height"), figure.get_size_inches(), strict=True
        )
    }
    display(
        {"image/png": palette(to_png(figure)), "text/plain": alt},
        metadata={"image/png": {**size, "alt": alt}},
        raw=True,
    )


def palette(png, most=50_000):
    """Return PNG bytes, those of more than `most` in the 256 colours that suit them,
    a third of the size.
    """
    if len(png) <= most:
        return png
    with Image.open(io.BytesIO(png)) as picture, io.BytesIO() as file:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
            file, "PNG", optimize=True
        )
        return file.getvalue()


def tile(images, columns, gap=1):
    """Return images (n, rows, columns) in [0, 1] side by side as one array, row by
    row; empty places stay 0.
    """
    n, height, width = images.shape
    rows = -(-n // columns)
    board = np.zeros(
        (rows * (height + gap) - gap, columns * (width + gap) - gap), "float32"
    )
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        board[top : top + height, left : left + width] = image
    return board


def unit(images):
    """Return images as floats in [0, 1], from `uint8` or from floats, which are
    clipped.
    """
    return (
        images / np.float32(255)
        if images.dtype == np.uint8
        else np.clip(images, 0.0, 1.0)
    )


def digits_png(images, columns=1, scale=4):
    """Return images (n, rows, columns), `uint8` or in [0, 1], as the PNG bytes of
    one board, dark on light.
    """
    pixels = (255 * (1 - tile(unit(images), columns))).round().astype("uint8")
    with io.BytesIO() as file:
        board = Image.fromarray(pixels)
        board.resize(
            (board.width * scale, board.height * scale), Image.Resampling.NEAREST
        ).save(file, "PNG")
        return file.getvalue()


def draw_digits(axes, images, columns, title="", label=""):
    """Draw images (n, rows, columns) as a board into `axes`, without ticks."""
    axes.imshow(
        tile(unit(images), columns),
        cmap="gray_r",
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )
    axes.set(title=title, ylabel=label, xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)


def digit_rows(rows, columns=None, title=""):
    """Return a figure with one board of images for each `label: images` of the
    mapping `rows`, one below the other.
    """
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


def manifold(images, codes, title=""):
    """Return a figure of the images (n * n, rows, columns) decoded from the square grid
    `codes` (n * n, 2).

    The first row of the picture is the first of the grid; the axes name the latent
    values of three of its places.
    """
    n, (_, height, width) = round(len(codes) ** 0.5), images.shape
    figure, axes = new_figure(size=(8, 8))
    draw_digits(axes, images, n, title)
    places = np.array([0, (n - 1) / 2, n - 1])
    for axis, size, values in (
        (axes.xaxis, width, codes[:n, 0]),
        (axes.yaxis, height, codes[::n, 1]),
    ):
        names = [
            f"{value:.2f}".replace("-", "−")
            for value in (values[0], (values[0] + values[-1]) / 2, values[-1])
        ]
        axis.set_ticks(
            places * (size + 1) + (size - 1) / 2, names
        )  # a digit and its gap take size + 1 pixels
    axes.set(xlabel="$z_1$", ylabel="$z_2$")
    return figure


def draw_codes(axes, codes, labels, title="", size=3, gap=0.06):
    """Draw codes (n, 2) coloured by digit, with the digit near its class's median,
    so that colour is never alone; digits keep a `gap` of the picture's width apart.
    """
    axes.scatter(
        *codes.T, c=np.array(COLOURS)[labels % 10], s=size, alpha=0.5, linewidths=0
    )
    digits = np.unique(labels)
    medians = np.array([np.median(codes[labels == digit], axis=0) for digit in digits])
    distance = gap * np.ptp(codes, axis=0).max()
    for digit, place in zip(digits, spread(medians, distance)):
        axes.text(
            *place,
            str(digit),
            fontsize=15,
            fontweight="bold",
            ha="center",
            va="center",
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
    axes.set(title=title, xlabel="$z_1$", ylabel="$z_2$", aspect="equal")


def spread(points, distance):
    """Return `points` (n, 2) pushed apart until any two are about `distance` away
    from each other.
    """
    points = (
        points + 1e-3 * distance * np.arange(len(points))[:, None]
    )  # so that equal ones can part
    for _ in range(100):
        apart = points[:, None] - points  # (n, n, 2)
        lengths = np.linalg.norm(apart, axis=-1) + np.eye(len(points)) * 2 * distance
        push = np.maximum(distance - lengths, 0) / lengths / 4
        points = points + (apart * push[..., None]).sum(axis=1)
    return points


def draw_normals(axes, normals, titles):
    """Draw into each of `axes` the standard normal density in grey and one of
    `normals`, pairs (mu, sigma).
    """
    z = np.linspace(-4, 4, 801)
    for ax, (mu, sigma), title in zip(axes, normals, titles):
        ax.fill_between(
            z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), color="0.85", label="$p(z)$"
        )
        density = np.exp(-(((z - mu) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
        ax.plot(z, density, color=COLOURS[0], label="$q(z)$")
        ax.set(title=title, xlabel="$z$")
    axes[0].legend(loc="upper right", frameon=False)


def draw_curves(axes, curves, xlabel="epoch", ylabel="nats per image", start=1):
    """Draw each `label: values` of the mapping `curves` as a line with its label at
    its end; dashed if held out.
    """
    for i, (label, values) in enumerate(curves.items()):
        style = "--" if "held-out" in label or "validation" in label else "-"
        x = np.arange(start, start + len(values))
        axes.plot(
            x, values, style, color=COLOURS[i], label=label, marker="o", markersize=3
        )
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)

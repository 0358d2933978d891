"""What the figures of several notebooks share: curves and descriptions."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from vae_lib.figures import COLOURS, DOTS, to_png


def show(figure: Figure, alt: str) -> None:
    """Display the figure under a cell; `alt` describes it for anyone who cannot see."""
    width, height = (int(inches * DOTS / 2) for inches in figure.get_size_inches())
    display(
        {"image/png": palette(to_png(figure)), "text/plain": alt},
        metadata={"image/png": {"width": width, "height": height, "alt": alt}},
        raw=True,
    )


def palette(png: bytes, most: int = 50_000) -> bytes:
    """Return PNG bytes; more than `most` in 192 colours and 64 greys, a third of it."""
    if len(png) <= most:
        return png
    with Image.open(io.BytesIO(png)) as picture, io.BytesIO() as file:
        picture = picture.convert("RGB")
        known = picture.quantize(192, Image.Quantize.FASTOCTREE)
        greys = np.repeat(np.linspace(0, 255, 64, dtype="uint8"), 3)
        known.putpalette([*known.getpalette()[: 3 * 192], *greys])
        picture = picture.quantize(palette=known, dither=Image.Dither.NONE)
        picture.save(file, "PNG", optimize=True)
        return file.getvalue()


def draw_curves(
    axes: Axes,
    curves: Mapping[str, Sequence[float]],
    xlabel: str = "epoch",
    ylabel: str = "nats per image",
    start: int = 1,
) -> None:
    """Draw a line for each `label: values`, dashed if its label says held out."""
    for (label, values), colour in zip(curves.items(), COLOURS):
        style = "--" if "held-out" in label or "validation" in label else "-"
        x = np.arange(start, start + len(values))
        dots = {} if len(x) > 30 else dict(marker="o", markersize=3)  # dashes stay seen
        axes.plot(x, values, style, color=colour, label=label, **dots)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)

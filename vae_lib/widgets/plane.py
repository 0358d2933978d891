"""Sliders that walk through the latent space while the digit follows. Notebook 01."""

import io
import threading

import ipywidgets
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw

from vae_lib import figures
from vae_lib.widgets.background import guarded
from vae_lib.widgets.style import Control, beside, image, png, row, say

STEP = 0.05
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def unit_name(unit):
    """Return z₁ for unit 0, and so on."""
    return f"z{unit + 1}".translate(SUBSCRIPTS)


def most_active(codes, n=2):
    """Return the `n` units of `codes` (images, latent_dim) that vary most, in their own order."""
    return np.sort(np.argsort(-codes.var(axis=0), kind="stable")[:n])


class LatentPlane(Control):
    """Sliders for latent units, the decoded digit, and beside it the map of `codes` with the point marked.

    `vae` decodes. `codes` (n, latent_dim) with `labels` (n,) draw the map where two units have a slider.
    `units`, counted from 0, get the sliders: without it the first two, or the two most active of `codes`; the
    others stay at zero. `sliders` and `digit` are the widgets. Raises ValueError for codes or units that do
    not fit the model. Notebook 01.
    """

    def __init__(self, vae, codes=None, labels=None, units=None):
        check_plane(vae, codes, labels, units)
        if units is None:
            units = (
                range(min(2, vae.latent_dim)) if codes is None else most_active(codes)
            )
        self.latent_dim, self.units = vae.latent_dim, [int(unit) for unit in units]
        reach = (
            3.0 if codes is None else np.quantile(np.abs(codes[:, self.units]), 0.995)
        )
        self.reach = float(max(3, np.ceil(reach)))
        self.decode = tf.function(
            lambda z: vae.likelihood.mean(vae.decoder(z)), autograph=False
        )
        self.lock = threading.Lock()  # two sliders may call from two threads
        names = [unit_name(unit) for unit in self.units]
        ends = dict(min=-self.reach, max=self.reach, step=STEP)
        self.sliders = [
            ipywidgets.FloatSlider(0, **ends, description=name) for name in names
        ]
        self.digit = image(
            b"", 252, "The digit that the decoder makes of z", sharp=True
        )
        self.map = None
        if codes is not None and len(names) == 2:
            self.map = Map(codes[:, self.units], labels, names, self.reach)
        self.message = ipywidgets.HTML()
        self.description = f"Sliders for {', '.join(names)}; the decoded digit follows."
        super().__init__(
            ipywidgets.VBox(self.sliders),
            row(self.digit, *[self.map] * bool(self.map)),
            self.message,
        )
        for slider in self.sliders:
            slider.observe(
                guarded(self.draw, lambda text: say(self.message, text, error=True)),
                "value",
            )
        self.draw()
        others = vae.latent_dim - len(names)
        say(
            self.message,
            f"A value typed beyond ±{self.reach:g} becomes ±{self.reach:g}."
            + f" The other {others} latent units stay at 0." * (others > 0),
        )

    def draw(self):
        """Decode the sliders' code and mark it; whoever comes last draws the newest values."""
        with self.lock:
            values = [slider.value for slider in self.sliders]
            z = np.zeros((1, self.latent_dim), "float32")
            z[0, self.units] = values
            self.digit.value = figures.digits_png(self.decode(z).numpy(), scale=9)
            if self.map:
                self.map.mark(values)

    def picture(self):
        """Return PNG bytes of the digit, with the map beside it where there is one."""
        if not self.map:
            return self.digit.value
        return beside(
            self.digit,
            ipywidgets.Image(value=self.map.marked([s.value for s in self.sliders])),
        )


class Map(ipywidgets.Box):
    """A scatter of codes (n, 2), drawn once; a ring on top of it marks a code, at next to no cost."""

    def __init__(self, codes, labels, names, reach):
        figure, axes = figures.new_figure(1, 1, (4, 4))
        figures.draw_codes(axes, codes, labels)
        axes.set(
            xlabel=names[0],
            ylabel=names[1],
            title=f"{len(codes):,} codes and z",
            xlim=(-reach, reach),
            ylim=(-reach, reach),
        )
        self.scatter = image(
            figures.to_png(figure), 300, "Map of the codes; a ring marks z"
        )
        width, height = figure.canvas.get_width_height()
        self.place = lambda z: (
            (axes.transData.transform(z) / (width, height) - (0, 1)) * (1, -1)
        )
        self.marker = ipywidgets.HTML().add_class("vae-marker")
        super().__init__([self.scatter, self.marker])
        self.add_class("vae-map")

    def mark(self, z):
        """Move the ring to the code `z`."""
        left, top = 100 * self.place(z)
        self.marker.value = (
            f'<div class="vae-point" style="left: {left:.2f}%; top: {top:.2f}%"></div>'
        )

    def marked(self, z):
        """Return the PNG bytes of the map with a ring at the code `z`."""
        with Image.open(io.BytesIO(self.scatter.value)) as board:
            x, y = self.place(z) * board.size
            pen = ImageDraw.Draw(board)
            for radius, colour in ((18, "white"), (15, "black"), (11, "white")):
                pen.ellipse(
                    (x - radius, y - radius, x + radius, y + radius),
                    outline=colour,
                    width=4,
                )
            return png(board)


def check_plane(vae, codes, labels, units):
    """Raise ValueError with one sentence for the first argument that does not fit `vae`."""
    n = vae.latent_dim
    if codes is not None and (
        np.ndim(codes) != 2 or np.shape(codes)[1] != n or labels is None
    ):
        raise ValueError(
            f"codes have shape {np.shape(codes)}: pass (n, {n}) codes and their labels."
        )
    if codes is not None and np.shape(labels) != (len(codes),):
        raise ValueError(
            f"labels have shape {np.shape(labels)}: pass one for each of {len(codes)} codes."
        )
    if units is not None and not (
        0 < len(units) == len(set(units)) and set(units) <= set(range(n))
    ):
        raise ValueError(f"units are {units!r}: pass different ones from 0 to {n - 1}.")

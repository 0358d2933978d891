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
            units = range(min(2, vae.latent_dim)) if codes is None else most_active(codes)
        self.latent_dim, self.units = vae.latent_dim, [int(unit) for unit in units]
        reach = 3.0 if codes is None else np.quantile(np.abs(codes[:, self.units]), 0.995)
        self.reach = float(max(3, np.ceil(reach)))
        self.decode = tf.function(lambda z: vae.likelihood.mean(vae.decoder(z)), autograph=False)
        self.lock = threading.Lock()  # two sliders may call from two threads
        names = [unit_name(unit) for unit in self.units]
        ends = dict(min=-self.reach, max=self.reach, step=STEP)
        self.sliders = [ipywidgets.FloatSlider(0, **ends, description=name) for name in names]
        self.digit = image(b"", 252, "The digit that the decoder makes of z", sharp=True)
        self.chart = []
        if codes is not None and len(names) == 2:
            self.map = Map(codes[:, self.units], labels, names, self.reach)
            self.chart.append(image(b"", 300, "Map of the codes, z marked"))
        self.message = ipywidgets.HTML()
        self.description = f"Sliders for {', '.join(names)}; the decoded digit follows."
        super().__init__(ipywidgets.VBox(self.sliders), row(self.digit, *self.chart), self.message)
        for slider in self.sliders:
            slider.observe(guarded(self.draw, lambda text: say(self.message, text, error=True)), "value")
        self.draw()
        others = vae.latent_dim - len(names)
        say(self.message, f"A value typed beyond ±{self.reach:g} becomes ±{self.reach:g}."
            + f" The other {others} latent units stay at 0." * (others > 0))

    def draw(self):
        """Decode the sliders' code and mark it; whoever comes last draws the newest values."""
        with self.lock:
            values = [slider.value for slider in self.sliders]
            z = np.zeros((1, self.latent_dim), "float32")
            z[0, self.units] = values
            self.digit.value = figures.digits_png(self.decode(z).numpy(), scale=9)
            for chart in self.chart:
                chart.value = self.map.marked(*values)

    def picture(self):
        """Return PNG bytes of the digit, with the map beside it where there is one."""
        return beside(self.digit, *self.chart)


class Map:
    """A scatter of codes (n, 2), drawn once; only the marker is drawn anew."""

    def __init__(self, codes, labels, names, reach):
        figure, axes = figures.new_figure(1, 1, (4, 4))
        figures.draw_codes(axes, codes, labels)
        axes.set(xlabel=names[0], ylabel=names[1], title=f"{len(codes):,} codes and z",
                 xlim=(-reach, reach), ylim=(-reach, reach))
        rendered = Image.open(io.BytesIO(figures.to_png(figure))).convert("RGB")
        self.base = rendered.quantize(255, dither=Image.Dither.NONE)  # a byte a pixel: a third of the size
        self.base.putpalette(self.base.getpalette()[: 3 * 255] + [0, 0, 0])
        self.to_pixels = lambda z: axes.transData.transform(z) * [1, -1] + [0, rendered.height]

    def marked(self, z_1, z_2):
        """Return the PNG bytes of the map with a ring and cross hairs at the code."""
        board, (x, y) = self.base.copy(), self.to_pixels((z_1, z_2))
        pen = ImageDraw.Draw(board)
        for i, j in ((0, -1), (0, 1), (-1, 0), (1, 0)):
            pen.line((x + 9 * i, y + 9 * j, x + 40 * i, y + 40 * j), fill=255, width=3)
        pen.ellipse((x - 9, y - 9, x + 9, y + 9), outline=255, width=3)
        return png(board)


def check_plane(vae, codes, labels, units):
    """Raise ValueError with one sentence for the first argument that does not fit `vae`."""
    n = vae.latent_dim
    if codes is not None and (np.ndim(codes) != 2 or np.shape(codes)[1] != n or labels is None):
        raise ValueError(f"codes have shape {np.shape(codes)}: pass (n, {n}) codes and their labels.")
    if codes is not None and np.shape(labels) != (len(codes),):
        raise ValueError(f"labels have shape {np.shape(labels)}: pass one for each of {len(codes)} codes.")
    if units is not None and not (0 < len(units) == len(set(units)) and set(units) <= set(range(n))):
        raise ValueError(f"units are {units!r}: pass different ones from 0 to {n - 1}.")

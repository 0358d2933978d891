"""Sliders that walk through the latent space while the digit follows. Notebook 01."""

import threading

import ipywidgets
import numpy as np

from vae_lib import figures
from vae_lib.widgets.shared.background import guarded
from vae_lib.widgets.shared.codes import RING
from vae_lib.widgets.shared.control import (
    STEP,
    Control,
    Picture,
    digits_png,
    row,
    say,
    side_by_side,
    unit_name,
)

DIGIT = 252  # CSS pixels: nine for each of MNIST's


def most_active(codes, n=2):
    """Return the `n` units of `codes` (images, latent_dim) that vary most, in their
    original order.
    """
    return np.sort(np.argsort(-codes.var(axis=0), kind="stable")[:n])


class LatentPlane(Control):
    """Sliders for latent units, the decoded image, and beside it the map of `codes`,
    where a click moves them.

    `vae` decodes. `codes` (n, latent_dim) with `labels` (n,) draw the map where two
    units have a slider. `units`, counted from 0, get the sliders: by default the first
    two, or the two most active of `codes`; the others stay at zero. `sliders`, `digit`
    and `map` are the widgets. Raises ValueError for codes or units that do not fit the
    model. Notebook 01.
    """

    def __init__(self, vae, codes=None, labels=None, units=None):
        check_plane(vae, codes, labels, units)
        if units is None:
            units = (
                range(min(2, vae.latent_dim)) if codes is None else most_active(codes)
            )
        self.vae, self.units = vae, [int(unit) for unit in units]
        reach = (
            3.0 if codes is None else np.quantile(np.abs(codes[:, self.units]), 0.995)
        )
        self.reach = float(max(3, np.ceil(reach)))
        self.lock = threading.Lock()  # two sliders may call from two threads
        names = [unit_name(unit) for unit in self.units]
        ends = dict(min=-self.reach, max=self.reach, step=STEP)
        self.sliders = [
            ipywidgets.FloatSlider(0, **ends, description=name) for name in names
        ]
        self.digit = Picture(
            width=DIGIT, alt="The digit that the decoder makes of z", sharp=True
        )
        self.map = None
        if codes is not None and len(names) == 2:
            self._draw_map(codes[:, self.units], labels, names)
        self.message = ipywidgets.HTML()
        self.description = (
            f"Sliders for {', '.join(names)}; the digit decoded there follows"
            + (", and a ring on a map of the codes." if self.map else ".")
        )
        super().__init__(
            row(*self.sliders, style="vae-settings"),
            row(self.digit, *[self.map] * bool(self.map)),
            self.message,
        )
        report = lambda text: say(self.message, text, "error")  # noqa: E731
        for slider in self.sliders:
            slider.observe(guarded(self.draw, report), "value")
        self.draw()
        others = vae.latent_dim - len(names)
        say(
            self.message,
            "Click on the map to put z there. " * bool(self.map)
            + f"A value typed beyond ±{self.reach:g} becomes ±{self.reach:g}."
            + f" The other {others} latent units stay at 0." * (others > 0),
        )

    @property
    def values(self):
        """The values of the sliders."""
        return [slider.value for slider in self.sliders]

    def draw(self):
        """Decode the sliders' code and mark it; the last caller draws the newest
        values.
        """
        with self.lock:
            z = np.zeros((1, self.vae.latent_dim), "float32")
            z[0, self.units] = values = self.values
            image = self.vae.decode(z)
            scale = max(1, DIGIT // max(image.shape[1:]))
            self.digit.value = digits_png(image, scale=scale)
            if self.map:
                self.map.mark = self._share(values).tolist()

    def picture(self):
        """Return PNG bytes of the digit, with the map beside it where there is one."""
        if not self.map:
            return self.digit.value
        (ring,) = self.axes.plot(*self.values, "o", **RING)
        marked = figures.to_png(self.axes.figure)
        ring.remove()
        return side_by_side(
            [(self.digit.alt, self.digit.value)], [(self.map.alt, marked)]
        )

    def _draw_map(self, codes, labels, names):
        """Draw the scatter of codes (n, 2), once; the page draws the ring on
        top of it.
        """
        figure, self.axes = figures.new_figure(1, 1, (4, 4))
        figures.draw_codes(self.axes, codes, labels)
        ends = -self.reach, self.reach
        title = f"{len(codes):,} codes and z"
        self.axes.set(
            xlabel=names[0], ylabel=names[1], title=title, xlim=ends, ylim=ends
        )
        drawn = figures.to_png(figure)
        figure.set_layout_engine("none")  # from now on the axes stay where they are
        self.map = Picture(
            value=drawn,
            width=300,
            alt="Map of the codes; a ring marks z, and a click moves it",
            clickable=True,
        )
        self.map.observe(lambda change: self._go(change.new), "chosen")

    def _share(self, values):
        """Return where a code is on the map, as shares of the picture from the left and
        the top.
        """
        figure = self.axes.figure
        x, y = self.axes.transData.transform(values) / figure.bbox.size
        return np.array([x, 1 - y])

    def _go(self, share):
        """Move the sliders to where the map was clicked."""
        figure = self.axes.figure
        place = np.array([share[0], 1 - share[1]]) * figure.bbox.size
        code = self.axes.transData.inverted().transform(place)
        for slider, value in zip(self.sliders, code, strict=True):
            slider.value = float(
                np.clip(round(round(value / STEP) * STEP, 6), slider.min, slider.max)
            )


def check_plane(vae, codes, labels, units):
    """Raise ValueError with one sentence for the first argument that does not fit
    `vae`.
    """
    n = vae.latent_dim
    shape = np.shape(codes)
    if codes is not None and (len(shape) != 2 or shape[1] != n or labels is None):
        raise ValueError(
            f"codes have shape {shape}: pass (n, {n}) codes and their labels."
        )
    if codes is not None and np.shape(labels) != (len(codes),):
        raise ValueError(
            f"labels have shape {np.shape(labels)}: pass one for each of {len(codes)} "
            "codes."
        )
    if units is None:
        return
    if not (0 < len(units) == len(set(units)) and set(units) <= set(range(n))):
        raise ValueError(f"units are {units!r}: pass different ones from 0 to {n - 1}.")

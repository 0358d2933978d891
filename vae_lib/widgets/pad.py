"""The latent pad: drag a point over the map of codes and the digit follows, decoded in the browser. Notebook 04.

It answers while the kernel is busy, and without any on a page written by `vae_lib.widgets.page`.
"""

import io

import anywidget
import ipywidgets
import numpy as np
import traitlets
from matplotlib.colors import to_hex
from PIL import Image

from vae_lib import figures
from vae_lib.analysis.information import unit_rates
from vae_lib.widgets.plane import STEP, unit_name
from vae_lib.widgets.style import Control, row, say
from vae_lib.widgets.weights import SCRIPTS, network_state, packed, script

ACROSS = 50  # digits in a row of the atlas
SLIDERS = 10  # at most
DIGITS = 5000  # on the map
DRAWN = 2000  # of them in the picture that stands in for it


class Board(anywidget.AnyWidget):
    """What the browser needs to draw a map of codes and to decode; numbers as bytes, see `weights`."""

    weights = traitlets.Bytes().tag(sync=True)
    shapes = traitlets.List().tag(sync=True)
    dtype = traitlets.Unicode("float16").tag(sync=True)
    activation = traitlets.Unicode("relu").tag(sync=True)
    output = traitlets.Any("sigmoid").tag(sync=True)
    columns = traitlets.Int(28).tag(sync=True)
    latent_dim = traitlets.Int(2).tag(sync=True)
    units = traitlets.List().tag(sync=True)
    names = traitlets.List().tag(sync=True)
    reach = traitlets.Float(3.0).tag(sync=True)
    codes = traitlets.Bytes().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)
    badges = traitlets.List().tag(sync=True)
    colours = traitlets.List([to_hex(colour) for colour in figures.COLOURS]).tag(
        sync=True
    )


class Pad(Board):
    """The canvas of the pad. `z_0`, `z_1`, … are the latent units in `free`; the others stay at zero."""

    _esm = script("decoder", "map", "pad")
    _css = (SCRIPTS / "pad.css").read_text("utf-8")
    free = traitlets.List().tag(sync=True)
    means = traitlets.List().tag(sync=True)
    step = traitlets.Float(STEP).tag(sync=True)
    atlas = traitlets.Bytes().tag(sync=True)
    atlas_columns = traitlets.Int(ACROSS).tag(sync=True)


class LatentPad(Control):
    """A map of codes to drag a point over, the digit decoded from it, and a slider for each latent unit.

    `vae` decodes; `digits` is a `Split` whose codes make the map, `count` of them drawn at random. `units`, two of
    them counted from 0, span the map: without it the two of the largest rate. Up to ten units have sliders, in the
    order of their rates; the others stay at zero. `pad` and `sliders` are the widgets, `z` the code (latent_dim,).
    Everything happens in the browser, with weights as `dtype`. Raises ValueError with one sentence for a model
    with one latent unit, layers other than Dense, or units that are not there. Notebook 04.
    """

    description = "The latent pad: a map of codes to drag a point over, and the digit that the decoder makes of it."

    def __init__(self, vae, digits, units=None, count=DIGITS, dtype="float16"):
        check_map(vae, units)
        self.vae, self.dtype = vae, dtype
        self.digits = drawn_at_random(digits, count)
        mu, sigma = vae.encode(self.digits.images)
        order = np.argsort(-unit_rates(mu, sigma), kind="stable")
        units = list(map(int, sorted(order[:2]) if units is None else units))
        free = (units + [int(unit) for unit in order if unit not in units])[:SLIDERS]
        start = (
            np.round(mu[0] / STEP) * STEP if vae.latent_dim > 2 else np.zeros(2)
        )  # no digit lives at the origin
        kind = type(
            "Pad",
            (Pad,),
            {
                f"z_{unit}": traitlets.Float(float(start[unit])).tag(sync=True)
                for unit in free
            },
        )
        self.pad = kind(
            units=units,
            free=free,
            atlas=atlas(self.digits.images),
            **self._state(mu, sigma, units),
        )
        ends = dict(min=-self.pad.reach, max=self.pad.reach, step=STEP)
        self.sliders = [
            ipywidgets.FloatSlider(
                float(start[unit]), **ends, description=unit_name(unit)
            )
            for unit in free
        ]
        self.links = [
            ipywidgets.jslink((self.pad, f"z_{unit}"), (slider, "value"))
            for unit, slider in zip(free, self.sliders)
        ]
        self.message = ipywidgets.HTML()
        super().__init__(
            self.pad, row(*self.sliders, style="vae-settings"), self.message
        )
        others = vae.latent_dim - len(free)
        if others:
            say(
                self.message,
                f"The other {others} latent units, those of the lowest rates, stay at 0.",
            )

    @property
    def z(self):
        """The code that the pad shows, float32 (latent_dim,)."""
        z = np.zeros(self.pad.latent_dim, "float32")
        z[self.pad.free] = [getattr(self.pad, f"z_{unit}") for unit in self.pad.free]
        return z

    def refresh(self):
        """Show the model as it is now, for instance after more training."""
        state = self._state(*self.vae.encode(self.digits.images), self.pad.units)
        with self.pad.hold_sync():
            for name, value in state.items():
                setattr(self.pad, name, value)
        for slider in self.sliders:
            slider.min, slider.max = -self.pad.reach, self.pad.reach

    def _state(self, mu, sigma, units):
        """Return what model and codes give the pad to draw, as a mapping of traits."""
        state = network_state(self.vae, self.dtype) | map_state(
            mu, sigma, self.digits.labels, units
        )
        means = class_means(mu, self.digits.labels)
        state["means"] = [
            [int(label), mean.round(3).tolist()] for label, mean in means.items()
        ]
        return state

    def picture(self):
        """Return PNG bytes of the map with the point marked and of the digit beside it."""
        figure, axes = figures.new_figure(1, 2, (7, 3.6), width_ratios=(4, 2.6))
        draw_map(
            axes[0],
            self.pad,
            self.vae.encode(self.digits.images[:DRAWN])[0],
            self.digits.labels,
            self.z,
        )
        figures.draw_digits(axes[1], self.vae.decode(self.z[None]), 1, "decoded from z")
        return figures.to_png(figure)


def check_map(vae, units=None):
    """Raise ValueError with one sentence unless `vae` has two latent units at least, among them `units`."""
    n = vae.latent_dim
    if n < 2:
        raise ValueError(
            "the model has 1 latent unit, but a map needs 2 or more: use "
            "vae_lib.widgets.plane.LatentPlane, which shows one slider."
        )
    if units is not None and not (
        len(units) == 2 == len(set(units)) and set(units) <= set(range(n))
    ):
        raise ValueError(
            f"units are {units!r}: pass two different ones from 0 to {n - 1}."
        )


def drawn_at_random(split, count):
    """Return `count` of a split's digits, or all of fewer: the order of MNIST's test digits is not random."""
    order = np.random.default_rng(0).permutation(len(split.images))[:count]
    return split._replace(images=split.images[order], labels=split.labels[order])


def draw_map(axes, board, codes, labels, code):
    """Draw the map of `board` with `codes` (n, latent_dim) and a ring at `code` (latent_dim,) into Matplotlib axes."""
    figures.draw_codes(
        axes,
        codes[:, board.units],
        labels[: len(codes)],
        title="codes, and a ring at z",
    )
    axes.plot(
        *code[board.units],
        "o",
        markersize=10,
        markerfacecolor="white",
        markeredgecolor="black",
    )
    axes.set(
        xlim=(-board.reach, board.reach),
        ylim=(-board.reach, board.reach),
        xlabel=board.names[0],
        ylabel=board.names[1],
    )


def class_means(codes, labels):
    """Return a mapping from each label to the mean of its codes."""
    return {label: codes[labels == label].mean(axis=0) for label in np.unique(labels)}


def map_state(mu, sigma, labels, units):
    """Return what the browser needs to draw the map of codes, (n, latent_dim) each, as a mapping of traits."""
    plane = mu[:, units]
    reach = float(max(3, np.ceil(np.quantile(np.abs(plane), 0.995))))
    means = class_means(plane, labels)
    places = figures.spread(np.array(list(means.values())), 0.12 * reach)
    return dict(
        codes=packed(np.stack([mu, sigma])),
        labels=labels.astype("uint8").tobytes(),
        reach=reach,
        latent_dim=mu.shape[1],
        names=[unit_name(unit) for unit in units],
        badges=[
            [int(label), *place.round(3).tolist()]
            for label, place in zip(means, places)
        ],
    )


def atlas(images):
    """Return `uint8` images, dark on light and `ACROSS` in a row, as the bytes of one PNG of 16 grey levels."""
    rows = -(-len(images) // ACROSS)
    board = np.zeros((rows * ACROSS, *images.shape[1:]), "uint8")
    board[: len(images)] = images
    board = (
        board.reshape(rows, ACROSS, *images.shape[1:])
        .swapaxes(1, 2)
        .reshape(rows * images.shape[1], -1)
    )
    levels = Image.fromarray(15 - np.round(board / 17).astype("uint8"), "P")
    levels.putpalette([level * 17 for level in range(16) for _ in range(3)])
    with io.BytesIO() as file:
        levels.save(file, "PNG", bits=4, optimize=True)
        return file.getvalue()

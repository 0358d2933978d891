"""The latent pad: drag a point over the map of codes and the digit follows, decoded in
the page. Notebook 04.

It answers while the kernel is busy, and without a kernel on a page written by
`vae_lib.widgets.page`.
"""

import io

import ipywidgets
import numpy as np
import traitlets
from PIL import Image

from vae_lib import figures
from vae_lib.widgets.shared.browser import network_state, script, styles
from vae_lib.widgets.shared.codes import (
    DRAWN,
    IMAGES,
    CodeMap,
    by_rate,
    check_map,
    class_means,
    draw_map,
    drawn_at_random,
    map_state,
)
from vae_lib.widgets.shared.control import STEP, Control, row, say, unit_name

ACROSS = 50  # images in a row of the atlas
SLIDERS = 10  # at most
TRIED = 500  # images among which the pad looks for a clear one to start at


class Pad(CodeMap):
    """The canvas of the pad. `z_0`, `z_1`, … are the latent units in `free`; the others
    stay at zero.
    """

    _esm = script("pad")
    _css = styles("browser", "pad")
    free = traitlets.List().tag(sync=True)
    means = traitlets.List().tag(sync=True)  # [label, code] for each class
    names = traitlets.Dict().tag(sync=True)  # label -> what an image of it is called
    noun = traitlets.Unicode("digit").tag(sync=True)
    step = traitlets.Float(STEP).tag(sync=True)
    atlas = traitlets.Bytes().tag(sync=True)
    atlas_columns = traitlets.Int(ACROSS).tag(sync=True)


class LatentPad(Control):
    """A map of codes to drag a point over, the image decoded from it, and a slider for
    each latent unit.

    `vae` decodes; `digits` is a `Split` of images of any size, whose codes make the
    map, `count` of them drawn at random. `units`, two of them counted from 0, span the
    map: by default the two with the largest rates. Up to ten units have sliders, in the
    order of their rates; the others stay at zero. `names`, one for each label from 0,
    are for images other than digits. `pad` and `sliders` are the widgets, `z` the code
    (latent_dim,). Everything happens in the page, with weights as `dtype`. Raises
    ValueError with one sentence for a model with one latent unit, layers other than
    Dense, or units that do not exist. Notebook 04.
    """

    description = (
        "The latent pad: a map of codes to drag a point over, and the digit that the "
        "decoder makes of it."
    )

    def __init__(
        self, vae, digits, units=None, count=IMAGES, dtype="float16", names=None
    ):
        check_map(vae, units)
        self.vae, self.dtype = vae, dtype
        self.digits = drawn_at_random(digits, count)
        mu, sigma = vae.encode(self.digits.images)
        ranked = by_rate(mu, sigma)
        units = list(map(int, sorted(ranked[:2]) if units is None else units))
        free = (units + [unit for unit in ranked if unit not in units])[:SLIDERS]
        noun, called = words(np.unique(digits.labels), names)
        state = self._state(mu, sigma, units)
        start = clear_code(vae, mu, self.digits.labels, units, state)
        traits = {
            f"z_{unit}": traitlets.Float(float(start[unit])).tag(sync=True)
            for unit in free
        }
        self.pad = type("Pad", (Pad,), traits)(
            units=units,
            free=free,
            atlas=atlas(self.digits.images),
            noun=noun,
            names=called,
            **state,
        )
        ends = dict(min=-self.pad.reach, max=self.pad.reach, step=STEP)
        self.sliders = [
            ipywidgets.FloatSlider(start[unit], **ends, description=unit_name(unit))
            for unit in free
        ]
        self.links = [
            ipywidgets.jslink((self.pad, f"z_{unit}"), (slider, "value"))
            for unit, slider in zip(free, self.sliders, strict=True)
        ]
        self.message = ipywidgets.HTML()
        others = vae.latent_dim - len(free)
        if others:
            say(
                self.message,
                f"The other {others} latent units, those with the lowest rates, stay "
                "at 0.",
            )
        sliders = row(*self.sliders, style="vae-settings").add_class("vae-many")
        super().__init__(self.pad, sliders, self.message)

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
        labels = self.digits.labels
        means = class_means(mu, labels).items()
        return dict(
            means=[[label, mean.round(3).tolist()] for label, mean in means],
            **network_state(self.vae, self.dtype),
            **map_state(mu, sigma, labels, units),
        )

    def picture(self):
        """Return PNG bytes of the map with the point marked and of the digit
        beside it.
        """
        figure, axes = figures.new_figure(1, 2, (7, 3.6), width_ratios=(4, 2.6))
        codes = self.vae.encode(self.digits.images[:DRAWN])[0]
        draw_map(axes[0], self.pad, codes, self.digits.labels, self.z)
        figures.draw_digits(axes[1], self.vae.decode(self.z[None]), 1, "decoded from z")
        return figures.to_png(figure)


def words(labels, names=None):
    """Return what an image is, "digit" or "image", and a mapping from each label to
    what an image of that class is called.
    """
    if names is not None:
        return "image", {str(label): str(names[label]) for label in labels}
    if max(labels) < 10:
        return "digit", {str(label): f"a {label}" for label in labels}
    return "image", {str(label): f"class {label}" for label in labels}


def clear_code(vae, mu, labels, units, state):
    """Return the code to start at, in steps of the sliders: that of an image that the
    model draws clearly.

    Its neighbours on the map are of its own class, it is decoded with few grey pixels,
    and no numeral of `state` covers it.
    """
    reach, plane = state["reach"], mu[:, units]
    badges = np.array(state["badges"])[:, 1:]
    tried = np.flatnonzero(np.abs(plane[:TRIED]).max(axis=1) < 0.7 * reach)
    if len(tried) == 0:
        return np.zeros(vae.latent_dim)
    decoded = vae.decode(mu[tried]).reshape(len(tried), -1)
    grey = (decoded * (1 - decoded)).mean(axis=1) / (decoded.mean(axis=1) + 1e-6)
    far = np.linalg.norm(plane[tried, None] - plane, axis=-1)  # (tried, n)
    neighbours = labels[np.argsort(far, axis=1)[:, 1:16]]
    strangers = (neighbours != labels[tried, None]).mean(axis=1)
    near_badge = np.linalg.norm(plane[tried, None] - badges, axis=-1).min(axis=1)
    covered = near_badge < 0.12 * reach
    best = tried[np.argmin(grey + strangers + covered)]
    return (
        np.round(mu[best].astype(float) / STEP).clip(-reach / STEP, reach / STEP) * STEP
    )


def atlas(images):
    """Return `uint8` images, dark on light and `ACROSS` in a row, as the bytes of one
    PNG of 16 grey levels.
    """
    n, height, width = images.shape
    rows = -(-n // ACROSS)
    board = np.zeros((rows * ACROSS, height, width), "uint8")
    board[:n] = images
    board = board.reshape(rows, ACROSS, height, width).swapaxes(1, 2)
    grey = 15 - np.round(board.reshape(rows * height, -1) / 17).astype("uint8")
    levels = Image.fromarray(grey, "P")
    levels.putpalette([level * 17 for level in range(16) for _ in range(3)])
    with io.BytesIO() as file:
        levels.save(file, "PNG", bits=4, optimize=True)
        return file.getvalue()

"""The map of codes that the latent pad and the drawing board share. Notebook 04."""

import anywidget
import numpy as np
import traitlets
from matplotlib.colors import to_hex

from vae_lib import figures
from vae_lib.analysis.information import unit_rates
from vae_lib.widgets.shared.browser import packed
from vae_lib.widgets.shared.control import unit_name

IMAGES = 5000  # whose codes are on the map
DRAWN = 2000  # of them in the picture that stands in for it
RING = dict(  # where z is, above the numerals
    color="black", markersize=11, fillstyle="none", markeredgewidth=2, zorder=4
)


class CodeMap(anywidget.AnyWidget):
    """What the page needs to draw a map of codes and to decode; numbers as bytes, see
    `browser`.
    """

    weights = traitlets.Bytes().tag(sync=True)
    shapes = traitlets.List().tag(sync=True)
    dtype = traitlets.Unicode("float16").tag(sync=True)
    activation = traitlets.Unicode("relu").tag(sync=True)
    output = traitlets.Any("sigmoid").tag(sync=True)
    columns = traitlets.Int(28).tag(sync=True)
    latent_dim = traitlets.Int(2).tag(sync=True)
    units = traitlets.List().tag(sync=True)  # the two that span the map
    axes = traitlets.List().tag(sync=True)  # their names
    reach = traitlets.Float(3.0).tag(sync=True)
    codes = traitlets.Bytes().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)
    badges = traitlets.List().tag(sync=True)  # [label, x, y] where its numeral is
    colours = traitlets.List([to_hex(colour) for colour in figures.COLOURS]).tag(
        sync=True
    )


def check_map(vae, units=None):
    """Raise ValueError with one sentence unless `vae` has at least two latent units,
    `units` among them.
    """
    n = vae.latent_dim
    if n < 2:
        raise ValueError(
            "the model has 1 latent unit, but a map needs 2 or more: use "
            "vae_lib.widgets.plane.LatentPlane, which shows one slider."
        )
    if units is None:
        return
    if not (len(units) == 2 == len(set(units)) and set(units) <= set(range(n))):
        raise ValueError(
            f"units are {units!r}: pass two different ones from 0 to {n - 1}."
        )


def drawn_at_random(split, count=IMAGES):
    """Return `count` of a split's images, or all if there are fewer: the order of
    MNIST's test digits is not random.
    """
    order = np.random.default_rng(0).permutation(len(split.images))[:count]
    return split._replace(images=split.images[order], labels=split.labels[order])


def by_rate(mu, sigma):
    """Return the latent units in descending order of rate."""
    return np.argsort(-unit_rates(mu, sigma), kind="stable").tolist()


def class_means(codes, labels):
    """Return a mapping from each label to the mean of its codes."""
    return {
        int(label): codes[labels == label].mean(axis=0) for label in np.unique(labels)
    }


def map_state(mu, sigma, labels, units):
    """Return what the page needs to draw the map of codes, (n, latent_dim) each, as a
    mapping of traits.
    """
    plane = mu[:, units]
    reach = float(max(3, np.ceil(np.quantile(np.abs(plane), 0.995))))
    means = class_means(plane, labels)
    places = figures.spread(np.array(list(means.values())), 0.12 * reach)
    return dict(
        codes=packed(np.stack([mu, sigma])),
        labels=labels.astype("uint8").tobytes(),
        reach=reach,
        latent_dim=mu.shape[1],
        axes=[unit_name(unit) for unit in units],
        badges=[
            [label, *place.round(3).tolist()]
            for label, place in zip(means, places, strict=True)
        ],
    )


def draw_map(axes, board, codes, labels, code):
    """Draw the map of `board` with `codes` (n, latent_dim) and a ring at `code`
    (latent_dim,) into Matplotlib axes.
    """
    shown = codes[:, board.units]
    title = "codes, and a ring at z"
    gap = 0.32 / axes.figure.get_figheight()  # numerals are as large on a small map
    figures.draw_codes(axes, shown, labels[: len(codes)], title=title, gap=gap)
    axes.plot(*code[board.units], "o", **RING)
    ends = -board.reach, board.reach
    axes.set(xlim=ends, ylim=ends, xlabel=board.axes[0], ylabel=board.axes[1])

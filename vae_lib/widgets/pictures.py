"""What a model in training looks like: curves, digits and codes, drawn in a few milliseconds. Notebook 01.

The axes are drawn once; then only what changes is drawn on top, until an axis needs other limits. All of it
is done in the thread that trains: no pyplot, and no mathematical text, whose parser serves one thread only.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from keras import ops
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from vae_lib import figures
from vae_lib.objectives import rate
from vae_lib.widgets.plane import most_active, unit_name
from vae_lib.widgets.style import png

HELD_OUT = 500  # images that are looked at all the time: a whole evaluation would eat the training
SIZE, DPI = (4, 4.4), 110  # inches and dots an inch of a live picture
TICKS = dict(
    labelsize=10, grid_color="0.92"
)  # for ticks that are made later, outside the house style


class Look(NamedTuple):
    """What a model makes of fixed images and codes."""

    distortion: float  # of the held-out images, in nats per image, z drawn with the same epsilon each time
    rate: float  # of the same, in nats per image
    codes: np.ndarray  # (HELD_OUT, latent_dim), posterior means
    reconstructions: (
        np.ndarray
    )  # (10, rows, columns) in [0, 1], decoded from the posterior means
    samples: np.ndarray  # (10, rows, columns) in [0, 1], decoded from fixed codes


class View:
    """Fixed held-out images, one test image of each class, and fixed codes to look at `vae` with."""

    def __init__(self, vae, digits, seed=0):
        self.vae = vae
        images, self.labels = (part[:HELD_OUT] for part in digits.validation)
        self.originals = digits.test.images[examples(digits.test.labels)]
        self.x = vae.prepare(np.concatenate([self.originals, images]))
        rng = np.random.default_rng(seed)
        self.epsilon = rng.standard_normal((len(images), vae.latent_dim), "float32")
        self.codes = rng.standard_normal((10, vae.latent_dim), "float32")

        self.outputs = tf.function(
            self._outputs, autograph=False
        )  # a third of the time of layer by layer

    def _outputs(self):
        vae, n = self.vae, len(self.originals)
        mu, rho = vae.encoder(self.x)
        sigma, log_sigma = vae.posterior(rho[n:])
        z = mu[n:] + sigma * self.epsilon
        outputs = vae.decoder(ops.concatenate([mu[:n], self.codes, z]))
        distortion = vae.likelihood.distortion(
            self.x[n:], outputs[n + len(self.codes) :]
        )
        means = ops.mean(distortion), ops.mean(rate(mu[n:], sigma, log_sigma))
        return means, mu[n:], vae.likelihood.mean(outputs[: n + len(self.codes)])

    def look(self):
        """Return the `Look` of the model as it is now."""
        means, codes, shown = self.outputs()
        n, shown = len(self.originals), np.nan_to_num(shown)
        return Look(*map(float, means), np.nan_to_num(codes), shown[:n], shown[n:])


def examples(labels, n=10):
    """Return the indices of `n` images: one of each class, and if that is not enough, the first others."""
    firsts = np.unique(labels, return_index=True)[1][:n]
    return np.concatenate(
        [firsts, np.setdiff1d(np.arange(len(labels)), firsts)[: n - len(firsts)]]
    )


def reconstructions_png(view, look):
    """Return a board of five columns: rows of originals, and below each the row of their reconstructions."""
    originals = figures.unit(view.originals)
    parts = originals, look.reconstructions
    rows = [part[i : i + 5] for i in range(0, len(originals), 5) for part in parts]
    return figures.digits_png(np.concatenate(rows), columns=5, scale=2)


class Canvas:
    """A figure of which only `artists` are drawn anew, unless limits or labels of its axes have changed."""

    def __init__(self, figure, artists):
        figure.set_dpi(DPI)
        figure.get_layout_engine().set(
            w_pad=0.1, h_pad=0.1
        )  # inches: room for the outermost tick labels
        self.figure, self.artists = figure, artists
        self.canvas = FigureCanvasAgg(figure)
        self.canvas.draw()
        figure.set_layout_engine("none")  # the layout stays, so that nothing jumps
        for artist in artists:
            artist.set_animated(True)
        self.drawn = None

    def png(self):
        """Return the figure as PNG bytes."""
        state = [
            (ax.axis(), ax.get_xlabel(), ax.get_ylabel()) for ax in self.figure.axes
        ]
        if state != self.drawn:
            self.canvas.draw()
            self.drawn, self.background = (
                state,
                self.canvas.copy_from_bbox(self.figure.bbox),
            )
        self.canvas.restore_region(self.background)
        for artist in self.artists:
            artist.axes.draw_artist(artist)
        size, pixels = self.canvas.get_width_height(), self.canvas.buffer_rgba()
        return png(
            Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1).convert("RGB")
        )


class Curves:
    """Distortion and held-out -ELBO above, rate below, in two axes that share the number of epochs."""

    def __init__(self, axes):
        self.axes = axes
        styles = ((0, "-", "distortion"), (0, "--", "held-out −ELBO"), (1, "-", "rate"))
        self.lines = [
            axes[i].plot(
                [], [], style, color=figures.COLOURS[k], label=label, linewidth=2
            )[0]
            for k, (i, style, label) in enumerate(styles)
        ]
        for ax in axes:
            ax.tick_params(**TICKS)
        axes[0].set(ylabel="nats per image")
        axes[0].legend(loc="upper right", frameon=False)
        axes[1].set(xlabel="epochs", ylabel="rate (nats per image)")

    def update(self, points, epochs):
        """Show `points` (n, 4): epochs so far, distortion, rate and held-out -ELBO."""
        points = np.asarray(points, float).reshape(-1, 4)
        for line, column in zip(self.lines, (1, 3, 2)):
            line.set_data(points[:, 0], points[:, column])
        done = points[-1, 0] if len(points) else 0
        reach = min(
            epochs, 2 ** np.ceil(np.log2(max(done, 1 / 16)))
        )  # in steps, so that the axis seldom changes
        settled = points[
            len(points) // 10 :
        ]  # the steep beginning may leave the picture
        for ax, values, grid in (
            (self.axes[0], settled[:, [1, 3]], 25),
            (self.axes[1], settled[:, 2], 5),
        ):
            values = values[np.isfinite(values)]
            low, high = (values.min(), values.max()) if len(values) else (0, 1)
            ax.set(
                xlim=(0, reach),
                ylim=(grid * np.floor(low / grid), grid * (np.floor(high / grid) + 1)),
            )
        self.axes[1].set_ylim(bottom=0)


class Codes:
    """Mean codes coloured by class: the plane, the two most active of more units, or a strip for one unit."""

    def __init__(self, axes, labels):
        self.axes, self.labels = axes, labels
        axes.set(xlabel="z₁", ylabel="z₂")  # so that the layout keeps room for them
        self.classes = np.unique(labels)
        colours = np.array(figures.COLOURS)
        self.dots = axes.scatter(
            *np.zeros((2, len(labels))), c=colours[labels % 10], s=9, alpha=0.7, lw=0
        )
        self.discs = axes.scatter(
            *np.zeros((2, len(self.classes))),
            c=colours[self.classes % 10],
            s=190,
            edgecolors="white",
        )  # cheaper than a box around each text
        words = dict(
            fontsize=11,
            fontweight="bold",
            color="white",
            ha="center",
            va="center_baseline",
        )
        self.numerals = [axes.text(0, 0, str(label), **words) for label in self.classes]
        axes.tick_params(**TICKS)

    def update(self, codes):
        """Show posterior means `codes` (n, latent_dim) of the images that the labels belong to."""
        strip = codes.shape[1] == 1
        if strip:
            jitter = np.random.default_rng(0).uniform(-0.35, 0.35, len(codes))
            points, names = (
                np.stack([codes[:, 0], self.labels + jitter], axis=1),
                [unit_name(0), "digit"],
            )
        else:
            units = most_active(codes)
            points, names = codes[:, units], [unit_name(unit) for unit in units]
        names[0] += " (the two most active units)" * (codes.shape[1] > 2)
        steps = np.log(np.clip(np.quantile(np.abs(codes), 0.995) / 4, 1, 1e6)) / np.log(
            1.5
        )
        reach = 4 * 1.5 ** np.ceil(steps)  # in steps, so that the axes seldom change
        self.axes.set(
            xlim=(-reach, reach),
            ylim=(9.6, -0.6) if strip else (-reach, reach),
            xlabel=names[0],
            ylabel=names[1],
            aspect="auto" if strip else "equal",
        )
        if strip:
            self.axes.set_yticks(self.classes)
        self.dots.set_offsets(points)
        middles = np.array(
            [np.median(points[self.labels == c], axis=0) for c in self.classes]
        )
        self.discs.set_offsets(middles)
        for numeral, middle in zip(self.numerals, middles):
            numeral.set_position(middle)

"""What a model in training looks like: curves, digits and codes, drawn in a few
milliseconds. Notebook 01.

The axes are drawn once; then only what changes is drawn on top, until an axis needs
other limits. All of it is done in the thread that trains: no pyplot, and no
mathematical text, whose parser works in one thread only.
"""

from typing import NamedTuple

import ipywidgets
import numpy as np
from keras import ops
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from vae_lib import figures
from vae_lib.objectives import rate
from vae_lib.widgets.plane import most_active
from vae_lib.widgets.shared.control import (
    Picture,
    compiled,
    digits_png,
    png,
    side_by_side,
    unit_name,
)

HELD_OUT = 500  # images that are observed all the time: all would take too long
SIZE, DPI = (4, 4.4), 110  # inches and dots an inch of a live picture
NUMERALS = 12  # largest number of classes that are labelled on the map of codes
# for ticks that are made later, outside the house style
TICKS = dict(labelsize=10, grid_color="0.92")


class Observation(NamedTuple):
    """What a model makes of fixed images and codes at one moment."""

    distortion: float  # of held-out images, in nats, always with the same epsilon
    rate: float  # of the same, in nats per image
    codes: np.ndarray  # (HELD_OUT, latent_dim), posterior means
    reconstructions: np.ndarray  # (10, rows, columns) in [0, 1], of posterior means
    samples: np.ndarray  # (10, rows, columns) in [0, 1], decoded from fixed codes


class Observer:
    """Fixed held-out images, one test image of each class, and fixed codes to observe
    `vae` with.
    """

    def __init__(self, vae, digits, seed=0):
        self.vae = vae
        images, self.labels = (part[:HELD_OUT] for part in digits.validation)
        self.originals = digits.test.images[examples(digits.test.labels)]
        self.x = vae.prepare(np.concatenate([self.originals, images]))
        rng = np.random.default_rng(seed)
        self.epsilon = rng.standard_normal((len(images), vae.latent_dim), "float32")
        self.codes = rng.standard_normal((10, vae.latent_dim), "float32")
        self.outputs = compiled(self._outputs)  # a third of the time of layer by layer

    def _outputs(self):
        vae, n = self.vae, len(self.originals)
        mu, rho = vae.encoder(self.x)
        sigma, log_sigma = vae.posterior(rho[n:])
        z = mu[n:] + sigma * self.epsilon
        outputs = vae.decoder(ops.concatenate([mu[:n], self.codes, z]))
        shown, held_out = outputs[: n + len(self.codes)], outputs[n + len(self.codes) :]
        distortion = vae.likelihood.distortion(self.x[n:], held_out)
        means = ops.mean(distortion), ops.mean(rate(mu[n:], sigma, log_sigma))
        return means, mu[n:], vae.likelihood.mean(shown)

    def observe(self):
        """Return the `Observation` of the model as it is now."""
        means, codes, shown = self.outputs()
        n, shown = len(self.originals), np.nan_to_num(shown)
        return Observation(
            *map(float, means), np.nan_to_num(codes), shown[:n], shown[n:]
        )


def examples(labels, n=10):
    """Return the indices of `n` images: one of each class and, if that is not enough,
    the first of the others.
    """
    firsts = np.unique(labels, return_index=True)[1][:n]
    others = np.setdiff1d(np.arange(len(labels)), firsts)
    return np.concatenate([firsts, others[: n - len(firsts)]])


def reconstructions_png(originals, reconstructions):
    """Return a board of five columns: rows of originals, and below each the row of
    their reconstructions.
    """
    parts = figures.unit(originals), reconstructions
    rows = [part[i : i + 5] for i in range(0, len(originals), 5) for part in parts]
    return board_png(np.concatenate(rows))


def board_png(images):
    """Return images five in a row as PNG bytes, two pixels for each image pixel or, if
    they are large, one.
    """
    scale = 2 if max(images.shape[1:]) < 50 else 1
    return digits_png(images, columns=5, scale=scale)


class Canvas:
    """A figure of which only `artists` are drawn again, unless limits or labels of its
    axes have changed.
    """

    def __init__(self, figure, artists):
        figure.set_dpi(DPI)
        # inches: room for the outermost tick labels
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
        self.figure, self.artists = figure, artists
        self.canvas = FigureCanvasAgg(figure)
        self.canvas.draw()
        figure.set_layout_engine("none")  # the layout stays, so that nothing jumps
        for artist in artists:
            artist.set_animated(True)
        self.drawn = None

    def png(self):
        """Return the figure as PNG bytes."""
        axes = self.figure.axes
        state = [(ax.axis(), ax.get_xlabel(), ax.get_ylabel()) for ax in axes]
        if state != self.drawn:
            self.canvas.draw()
            self.drawn = state
            self.background = self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self.background)
        for artist in self.artists:
            artist.axes.draw_artist(artist)
        size, pixels = self.canvas.get_width_height(), self.canvas.buffer_rgba()
        board = Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1)
        return png(board.convert("RGB"))


class Curves:
    """Distortion above and rate below, each of training and of held-out images; changed
    settings are marked.
    """

    def __init__(self, axes):
        self.axes = axes
        styles = ("-", "training"), ("--", "held-out")
        look = dict(color=figures.COLOURS[0], linewidth=2)
        self.lines = [
            ax.plot([], [], style, label=label, **look)[0]
            for ax in axes
            for style, label in styles
        ]
        self.marks = [
            ax.plot([], [], ":", color="0.2", transform=ax.get_xaxis_transform())[0]
            for ax in axes
        ]
        self.word = axes[1].text(
            0, 0.97, "", va="top", size=10, transform=axes[1].get_xaxis_transform()
        )
        for ax in axes:
            ax.tick_params(**TICKS)
        axes[0].set(ylabel="distortion D (nats)")
        axes[0].legend(loc="upper right", frameon=False)
        axes[1].set(xlabel="epochs", ylabel="rate R (nats)")
        self.artists = [*self.lines, *self.marks, self.word]

    def update(self, points, changes, epochs):
        """Show `points` (n, 5): epochs so far, distortion and rate in training, the
        same held out.

        `changes` are (epochs so far, setting, value): what was moved while the model
        trained.
        """
        points = np.asarray(points, float).reshape(-1, 5)
        for line, column in zip(self.lines, (1, 3, 2, 4), strict=True):
            line.set_data(points[:, 0], points[:, column])
        done = points[-1, 0] if len(points) else 0
        # in steps, so that the axis seldom changes
        reach = min(epochs, 2 ** np.ceil(np.log2(max(done, 1 / 16))))
        settled = points[len(points) // 10 :]  # the steep beginning may leave it
        for ax, columns, grid in zip(self.axes, ((1, 3), (2, 4)), (25, 5), strict=True):
            values = settled[:, columns]
            values = values[np.isfinite(values)]
            low, high = (values.min(), values.max()) if len(values) else (0, 1)
            bottom, top = grid * np.floor(low / grid), grid * (high // grid + 1)
            ax.set(xlim=(0, reach), ylim=(bottom, top))
        self.axes[1].set_ylim(bottom=0)
        self._mark(changes, reach)

    def _mark(self, changes, reach):
        for line in self.marks:
            places = [(epochs, epochs, np.nan) for epochs, *_ in changes]
            line.set_data(np.ravel(places), np.tile([0, 1, np.nan], len(changes)))
        self.word.set_text("")
        if changes:
            epochs, name, value = changes[-1]
            symbol = "β" if name == "beta" else "learning rate"
            late = epochs > reach / 2  # then the word comes before the line
            self.word.set(
                text=f" {symbol} {value:g} ", x=epochs, ha="right" if late else "left"
            )


class Codes:
    """Mean codes coloured by class: the plane, the two most active of more units, or a
    strip for one unit.
    """

    def __init__(self, axes, labels):
        self.axes, self.labels = axes, labels
        axes.set(xlabel="z₁", ylabel="z₂")  # so that the layout keeps room for them
        self.classes = np.unique(labels)
        self.named = self.classes[:NUMERALS]
        self.dots = axes.scatter(
            *np.zeros((2, len(labels))), c=class_colours(labels), s=9, alpha=0.7, lw=0
        )
        self.discs = axes.scatter(
            *np.zeros((2, len(self.named))),
            c=class_colours(self.named),
            s=190,
            edgecolors="white",
        )  # cheaper than a box around each text
        words = dict(fontsize=11, fontweight="bold", ha="center", va="center_baseline")
        self.numerals = [
            axes.text(0, 0, str(label), color=figures.legible_on(colour), **words)
            for label, colour in zip(self.named, class_colours(self.named), strict=True)
        ]
        axes.tick_params(**TICKS)
        self.artists = [self.dots, self.discs, *self.numerals]

    def update(self, codes):
        """Show posterior means `codes` (n, latent_dim) of the images that the labels
        belong to.
        """
        strip = codes.shape[1] == 1
        if strip:
            place = np.searchsorted(self.classes, self.labels)
            jitter = np.random.default_rng(0).uniform(-0.35, 0.35, len(codes))
            points = np.stack([codes[:, 0], place + jitter], axis=1)
            names = [unit_name(0), "class"]
        else:
            units = most_active(codes)
            points, names = codes[:, units], [unit_name(unit) for unit in units]
        names[0] += " (the two most active units)" * (codes.shape[1] > 2)
        far = np.clip(np.quantile(np.abs(codes), 0.995) / 4, 1, 1e6)
        # in steps, so that the axes seldom change
        reach = 4 * 1.5 ** np.ceil(np.log(far) / np.log(1.5))
        self.axes.set(
            xlim=(-reach, reach),
            ylim=(len(self.classes) - 0.4, -0.6) if strip else (-reach, reach),
            xlabel=names[0],
            ylabel=names[1],
            aspect="auto" if strip else "equal",
        )
        if strip:
            self.axes.set_yticks(range(len(self.classes)), self.classes)
        self.dots.set_offsets(points)
        middles = np.array(
            [np.median(points[self.labels == c], axis=0) for c in self.named]
        )
        if not strip:
            middles = figures.spread(middles, 0.16 * reach)  # none hides another
        self.discs.set_offsets(middles)
        for numeral, middle in zip(self.numerals, middles, strict=True):
            numeral.set_position(middle)


def class_colours(labels):
    """Return the colour of each label."""
    return np.array(figures.COLOURS)[np.asarray(labels) % len(figures.COLOURS)]


class Live(ipywidgets.Box):
    """Curves, digits and codes of a run, side by side; `draw` may be called by any
    thread, one at a time.
    """

    def __init__(self, labels):
        figure, axes = figures.new_figure(2, 1, SIZE, sharex=True)
        self.curves = Curves(axes)
        self.curves_canvas = Canvas(figure, self.curves.artists)
        figure, axes = figures.new_figure(1, 1, (SIZE[0], SIZE[0]))
        self.codes = Codes(axes, labels)
        self.codes_canvas = Canvas(figure, self.codes.artists)
        titles = {
            "Curves of training (solid) and held-out images (dashed)": False,
            "Test digits, below each its reconstruction": True,
            "Samples, always from the same codes": True,
            f"Mean codes of {len(labels)} held-out digits": False,
        }
        self.images = [
            Picture(alt=title, sharp=sharp, width=226 if sharp else 282)
            for title, sharp in titles.items()
        ]
        super().__init__(
            [
                ipywidgets.VBox([ipywidgets.HTML(f"<b>{image.alt}</b>"), image])
                for image in self.images
            ]
        )
        self.add_class("vae-live")

    def draw(self, run):
        """Draw what `run` saw last."""
        seen = run.seen
        with np.errstate(all="ignore"):  # weights may be about to diverge
            self.curves.update(run.points, run.changes, run.training.epochs)
            self.codes.update(seen.codes)
            pngs = (
                self.curves_canvas.png(),
                reconstructions_png(run.observer.originals, seen.reconstructions),
                board_png(seen.samples),
                self.codes_canvas.png(),
            )
        for widget, value in zip(self.images, pngs, strict=True):
            widget.value = value

    def picture(self):
        """Return PNG bytes of the pictures as they are now, side by side."""
        curves, copies, samples, codes = [(one.alt, one.value) for one in self.images]
        return side_by_side([curves], [copies, samples], [codes])

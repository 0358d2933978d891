"""The pictures of the training panel: those that move while it trains, and a card for each run that ended."""

import html

import ipywidgets
import numpy as np

from vae_lib import figures
from vae_lib.widgets.background import guarded
from vae_lib.widgets.controls import NAMES
from vae_lib.widgets.pictures import SIZE, Canvas, Codes, Curves, reconstructions_png
from vae_lib.widgets.style import answering, beside, image


class Live(ipywidgets.Box):
    """Curves, digits and codes of a run, side by side; `draw` may be called by any thread, one at a time."""

    def __init__(self, labels):
        figure, axes = figures.new_figure(2, 1, SIZE, sharex=True)
        self.curves = Curves(axes)
        self.curves_canvas = Canvas(figure, self.curves.lines)
        figure, axes = figures.new_figure(1, 1, (SIZE[0], SIZE[0]))
        self.codes = Codes(axes, labels)
        self.codes_canvas = Canvas(
            figure, [self.codes.dots, self.codes.discs, *self.codes.numerals]
        )
        self.images = [
            image(b"", 282, "Curves of distortion, rate and held-out −ELBO"),
            image(b"", 226, "Test digits, below each its reconstruction", sharp=True),
            image(b"", 226, "Samples, always from the same codes", sharp=True),
            image(b"", 282, "Mean codes of held-out digits"),
        ]
        curves, reconstructions, samples, codes = self.images
        super().__init__(
            [
                captioned("Curves", curves),
                captioned(
                    "Test digits over their reconstructions",
                    reconstructions,
                    "Samples from fixed codes",
                    samples,
                ),
                captioned(f"Codes μ of {len(labels)} held-out digits", codes),
            ]
        )
        self.add_class("vae-row")

    def draw(self, run):
        """Draw what `run` has seen last."""
        with np.errstate(all="ignore"):  # weights may be about to diverge
            self.curves.update(run.points, run.training.epochs)
            self.codes.update(run.look.codes)
            pngs = (
                self.curves_canvas.png(),
                reconstructions_png(run.view, run.look),
                figures.digits_png(run.look.samples, columns=5, scale=2),
                self.codes_canvas.png(),
            )
        for widget, value in zip(self.images, pngs):
            widget.value = value

    def picture(self):
        """Return PNG bytes of the pictures as they are now, side by side."""
        curves, *digits, codes = self.images
        return beside(curves, tuple(digits), codes)


def captioned(*parts):
    """Return the captions and pictures one below the other."""
    rows = [
        ipywidgets.HTML(f"<b>{part}</b>") if isinstance(part, str) else part
        for part in parts
    ]
    return ipywidgets.VBox(rows, layout={"width": f"{parts[1].width}px"})


def card(run, codes, save, report):
    """Return a run that ended as a card: settings, terms, digits, codes (a PNG), and a button to save it."""
    settings, look = run.settings, run.look
    named = [
        NAMES[settings[name]].split(":")[0].split(",")[0]
        for name in ("posterior", "likelihood")
    ]
    text = (
        f"<b>Run {run.number}: β {settings['beta']:g}, {settings['latent_dim']} latent units</b><br>"
        f"{html.escape(', '.join(named))}, learning rate {settings['learning_rate']:g}, "
        f"{settings['images']:,} images, seed {settings['seed']}, "
        f"{run.training.done / run.training.steps:.3g} epochs in {run.seconds:.1f} s<br>"
        f"held-out: distortion <b>{look.distortion:.1f}</b>, rate <b>{look.rate:.2f}</b>, "
        f"−ELBO <b>{look.distortion + look.rate:.1f}</b> nats"
    )
    board = np.concatenate([look.reconstructions, look.samples])
    digits = image(
        figures.digits_png(board, columns=5, scale=2),
        200,
        "Reconstructions, samples",
        sharp=True,
    )
    button = ipywidgets.Button(description=f"Save run {run.number}", icon="save")
    button.on_click(guarded(save, report))
    rows = ipywidgets.HTML(text), digits, image(codes, 200, "Codes"), button
    return answering(ipywidgets.VBox(rows).add_class("vae-card"))

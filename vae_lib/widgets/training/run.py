"""One run of the training panel: its model, its training and what has been seen
of it.
"""

import html
import time
from typing import NamedTuple

import ipywidgets
import keras
import numpy as np

from vae_lib.data import subsample
from vae_lib.model import VAE
from vae_lib.training import History, Training
from vae_lib.widgets.shared.background import guarded
from vae_lib.widgets.shared.control import Picture, answering
from vae_lib.widgets.training.pictures import HELD_OUT, Observer, board_png
from vae_lib.widgets.training.settings import LIVE, NAMES

MODEL = ("beta", "latent_dim", "posterior", "likelihood")


class Result(NamedTuple):
    """A run that ended: the trained `vae`, its `History` (one value an epoch), and
    `settings` by name.

    `settings["changes"]` holds (epochs so far, name, value) for each setting that was
    moved while it trained; the others are those that it began with.
    """

    vae: VAE
    history: History
    settings: dict


class Run:
    """A `Training` made from the panel's settings, which give the same weights here as
    in a cell.

    In a cell: `keras.utils.set_random_seed(seed)`, then `VAE(...)`, then `train(vae,
    subsample(digits.train, images).images, ...)`. Raises ValueError with one sentence
    for settings that cannot work.
    """

    def __init__(self, number, settings, digits, hidden, batch_size):
        self.number, self.settings = number, settings
        self.points, self.changes, self.wanted = [], [], {}
        self.seen, self.codes = None, b""  # an Observation; the last map of codes, PNG
        self.seconds = 0.0  # of training and drawing, without compilation
        # since the last point: steps, and sums over them of distortion and rate
        self.recent = np.zeros(3)
        images = subsample(digits.train, settings["images"]).images
        keras.utils.set_random_seed(settings["seed"])
        model = {name: settings[name] for name in MODEL}
        self.vae = VAE(**model, hidden=hidden, image_shape=images.shape[1:])
        self.training = Training(
            self.vae,
            images,
            epochs=settings["epochs"],
            batch_size=min(batch_size, len(images)),
            learning_rate=settings["learning_rate"],
            seed=settings["seed"],
            # all of them would take longer than an epoch
            validation=digits.validation.images[:HELD_OUT],
        )
        self.observer = Observer(self.vae, digits)

    def compile(self):
        """Compile the gradient step; an iterable of one item."""
        self.training.compile()
        yield

    def chunks(self, compiling):
        """Yield None while the `Background` `compiling` compiles the shape, then the
        training's chunks.

        Compilation cannot be interrupted, but waiting for it can: that is why another
        thread does it.
        """
        while not compiling.start(self.compile()):  # still busy with another shape
            compiling.wait(0.1)
            yield None
        while not compiling.wait(0.1):
            yield None
        self.change()
        before, start, done = self.seconds, time.perf_counter(), self.training.done
        for chunk in self.training:
            self.seconds = before + time.perf_counter() - start
            terms = np.array([1.0, chunk.distortion, chunk.rate])
            self.recent += (self.training.done - done) * terms
            done = self.training.done
            yield chunk
            self.change()

    def want(self, name, value):
        """Ask for another beta or learning rate, from the next chunk on."""
        self.wanted[name] = value

    def change(self):
        """Apply what is wanted; both are variables, so nothing is compiled again."""
        variables = dict(
            beta=self.vae.beta, learning_rate=self.vae.optimizer.learning_rate
        )
        for name in LIVE:
            value = self.wanted.pop(name, None)
            if value is None or np.float32(value) == float(variables[name]):
                continue
            variables[name].assign(value)
            if self.training.done:
                self.changes.append((self.epochs, name, float(value)))
            else:
                self.settings[name] = float(value)

    def watch(self, chunk):
        """Observe the model after `chunk` (None: before the first step) and add a point
        to the curves.
        """
        self.seen = self.observer.observe()
        if chunk is None:
            return
        own = 1, chunk.distortion, chunk.rate
        steps, distortion, rate = self.recent if self.recent[0] else own
        self.recent = np.zeros(3)
        held_out = self.seen.distortion, self.seen.rate
        self.points.append((self.epochs, distortion / steps, rate / steps, *held_out))

    @property
    def epochs(self):
        """The epochs that are done, with the part of the last one."""
        return self.training.done / self.training.steps

    @property
    def done(self):
        """The finished share of the epochs, in [0, 1]."""
        return min(1.0, self.epochs / self.training.epochs)

    def line(self):
        """Say where the run is: epoch, times and terms."""
        training = self.training
        if not self.points:
            return (
                "Before the first step: compiling it; only the first run of each shape "
                "has to wait for this."
            )
        left = self.seconds * (1 / self.done - 1)
        _, distortion, rate, held_out, held_out_rate = self.points[-1]
        epoch = min(training.epoch + 1, training.epochs)
        step = training.step if training.epoch < training.epochs else training.steps
        left = f"{left / 60:.0f} min" if left > 99 else f"{left:.0f} s"
        left = f", about {left} left" if self.done < 1 else ""
        return (
            f"Epoch {epoch} of {training.epochs}, step {step} of {training.steps} · "
            f"{self.seconds:.1f} s so far{left} · "
            f"distortion {distortion:.1f}, rate {rate:.2f}; "
            f"held-out distortion {held_out:.1f}, rate {held_out_rate:.2f}, "
            f"−ELBO {held_out + held_out_rate:.1f} nats"
        )

    def result(self):
        """Return the `Result` as it is now."""
        settings = {**self.settings, "changes": list(self.changes)}
        return Result(self.vae, self.training.history, settings)

    def ending(self):
        """Say in one sentence where the run has ended."""
        training = self.training
        run = f"Run {self.number}"
        if training.epoch >= training.epochs:
            epochs = f"{training.epochs} epoch{'s' * (training.epochs > 1)}"
            return f"{run} is finished: {epochs} in {self.seconds:.1f} s."
        if not training.done:
            return f"{run} was stopped before its first step: Continue begins it."
        return (
            f"{run} was stopped after {self.epochs:.2f} of {training.epochs} epochs: "
            "Continue goes on from there."
        )

    def new_path(self, folder):
        """Return a path in `folder`, named after the run, where no existing file would
        be overwritten.
        """
        stem = (
            "vae-beta{beta:g}-z{latent_dim}-{posterior}-{likelihood}-seed{seed}".format(
                **self.settings
            )
        )
        name = f"{stem}-{self.training.done}steps"
        again = ("", *(f"-{i}" for i in range(2, 1000)))
        paths = (folder / f"{name}{number}.keras" for number in again)
        return next(path for path in paths if not path.exists())


def card(run, save, report):
    """Return a run that ended as a card: settings, terms, digits, codes, and a button
    to save it.
    """
    settings, seen = run.settings, run.seen
    maps = [
        NAMES[settings[name]].split(":")[0].split(",")[0]
        for name in ("posterior", "likelihood")
    ]
    words = dict(beta="β", learning_rate="learning rate")
    changes = "".join(
        f", then {words[name]} {value:g} from epoch {epochs:.2f}"
        for epochs, name, value in run.changes
    )
    beta, units = settings["beta"], settings["latent_dim"]
    text = (
        f"<b>Run {run.number}: β {beta:g}, {units} latent units</b>{changes}<br>"
        f"{html.escape(', '.join(maps))}, "
        f"learning rate {settings['learning_rate']:g}, "
        f"{settings['images']:,} images, seed {settings['seed']}, "
        f"{run.epochs:.3g} epoch{'s' * (run.epochs != 1)} in {run.seconds:.1f} s<br>"
        f"held-out: distortion <b>{seen.distortion:.1f}</b>, "
        f"rate <b>{seen.rate:.2f}</b>, "
        f"−ELBO <b>{seen.distortion + seen.rate:.1f}</b> nats"
    )
    board = np.concatenate([seen.reconstructions, seen.samples])
    digits = Picture(
        value=board_png(board),
        width=200,
        alt=f"Reconstructions and, below, samples of run {run.number}",
        sharp=True,
    )
    map_of_codes = Picture(value=run.codes, width=200, alt=f"Codes of run {run.number}")
    button = ipywidgets.Button(description=f"Save run {run.number}", icon="save")
    button.on_click(guarded(save, report))
    rows = ipywidgets.HTML(text), digits, map_of_codes, button
    return answering(ipywidgets.VBox(rows).add_class("vae-card"))

"""One run of the training panel: its model, its training and what has been seen of it."""

import time
from typing import NamedTuple

import keras
import numpy as np

from vae_lib.data import subsample
from vae_lib.model import VAE
from vae_lib.training import History, Training
from vae_lib.widgets.pictures import HELD_OUT, View

MODEL = ("beta", "latent_dim", "posterior", "likelihood")


class Result(NamedTuple):
    """A run that ended: the trained `vae`, its `History` (one value an epoch), and `settings` by name."""

    vae: VAE
    history: History
    settings: dict


class Run:
    """A `Training` made from the panel's settings, which give the same weights here as in a cell.

    In a cell: `keras.utils.set_random_seed(seed)`, then `VAE(...)`, then `train(vae, subsample(digits.train,
    images).images, ...)`. Raises ValueError with one sentence for settings that cannot work.
    """

    def __init__(self, number, settings, digits, hidden, batch_size):
        self.number, self.settings, self.points, self.look = number, settings, [], None
        self.seconds = 0.0  # of training and drawing, without compilation
        self.recent = np.zeros(
            3
        )  # since the last point: steps, and sums over them of distortion and rate
        images = subsample(digits.train, settings["images"]).images
        keras.utils.set_random_seed(settings["seed"])
        self.vae = VAE(**{name: settings[name] for name in MODEL}, hidden=hidden)
        self.training = Training(
            self.vae,
            images,
            epochs=settings["epochs"],
            batch_size=min(batch_size, len(images)),
            learning_rate=settings["learning_rate"],
            seed=settings["seed"],
            validation=digits.validation.images[
                :HELD_OUT
            ],  # all of them would take longer than an epoch
        )
        self.view = View(self.vae, digits)

    def compile(self):
        """Compile the gradient step, unless its shape was, by taking no steps; an iterable of one item."""
        self.training.compile()
        yield

    def chunks(self, compiling):
        """Yield None while the `Background` `compiling` compiles the shape, then the training's chunks.

        Compilation cannot be interrupted, but waiting for it can: that is why another thread does it.
        """
        while not compiling.start(self.compile()):  # still busy with another shape
            compiling.wait(0.1)
            yield None
        while not compiling.wait(0.1):
            yield None
        before, start, done = self.seconds, time.perf_counter(), self.training.done
        for chunk in self.training:
            self.seconds = before + time.perf_counter() - start
            self.recent += (self.training.done - done) * np.array(
                [1.0, chunk.distortion, chunk.rate]
            )
            done = self.training.done
            yield chunk

    def watch(self, chunk):
        """Look at the model after `chunk` (None: before the first step) and enter a point of the curves."""
        self.look = self.view.look()
        if chunk is not None:
            steps, distortion, rate = (
                self.recent if self.recent[0] else (1, chunk.distortion, chunk.rate)
            )
            self.recent = np.zeros(3)
            epochs = self.training.done / self.training.steps
            self.points.append(
                (
                    epochs,
                    distortion / steps,
                    rate / steps,
                    self.look.distortion + self.look.rate,
                )
            )

    @property
    def done(self):
        """The finished share of the epochs, in [0, 1]."""
        return min(
            1.0, self.training.done / (self.training.epochs * self.training.steps)
        )

    def line(self):
        """Say where the run is: epoch, times and terms."""
        training = self.training
        if not self.points:
            return "Before the first step: compiling it, for which only the first run of a shape has to wait."
        left = self.seconds * (1 / self.done - 1)
        _, distortion, rate, loss = self.points[-1]
        epoch = min(training.epoch + 1, training.epochs)
        step = training.step if training.epoch < training.epochs else training.steps
        left = (
            f"about {left / 60:.0f} min left"
            if left > 99
            else f"about {left:.0f} s left"
        )
        return (
            f"Epoch {epoch} of {training.epochs}, step {step} of {training.steps} · "
            f"{self.seconds:.1f} s so far{f', {left}' if self.done < 1 else ''} · "
            f"distortion {distortion:.1f}, rate {rate:.2f}, held-out −ELBO {loss:.1f} nats"
        )

    def result(self):
        """Return the `Result` as it is now."""
        return Result(self.vae, self.training.history, dict(self.settings))

    def ending(self):
        """Say in one sentence where the run has ended."""
        training = self.training
        if training.epoch >= training.epochs:
            plural = "s" * (training.epochs > 1)
            return f"Run {self.number} is finished: {training.epochs} epoch{plural} in {self.seconds:.1f} s."
        if not training.done:
            return f"Run {self.number} was stopped before its first step: Continue begins it."
        epochs = training.done / training.steps
        return (
            f"Run {self.number} was stopped after {epochs:.2f} of {training.epochs} epochs: "
            "Continue goes on from there."
        )

    def new_path(self, folder):
        """Return a path in `folder`, named after the run, at which nothing stands that could be lost."""
        stem = (
            "vae-beta{beta:g}-z{latent_dim}-{posterior}-{likelihood}-seed{seed}".format(
                **self.settings
            )
        )
        name = f"{stem}-{self.training.done}steps"
        paths = (
            folder / f"{name}{again}.keras"
            for again in ("", *(f"-{i}" for i in range(2, 1000)))
        )
        return next(path for path in paths if not path.exists())

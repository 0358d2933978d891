"""The training loop: fast, and made of short chunks, so that a caller can watch, stop and continue. Notebook 01."""

import time
import warnings
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from vae_lib.checks import check_training
from vae_lib.engine import CAPACITY, engine_for, state_variables
from vae_lib.evaluation import binarized, evaluate
from vae_lib.progress import interrupts_between_chunks, progress_bar, readable

SECONDS = 0.2  # what a chunk should last, so that Stop is heard and pictures move
TERMS = ("distortion", "rate", "loss")


class Progress(NamedTuple):
    """One finished chunk: steps so far in this epoch, means of the chunk in nats per image, seconds so far."""

    epoch: int  # from 1
    step: int  # finished steps of this epoch
    steps: int  # in an epoch
    distortion: float
    rate: float
    loss: float
    seconds: float  # spent in training since the start
    epoch_ended: bool


class History(dict):
    """Lists with one value an epoch: distortion, rate, loss, elbo and, with validation, `validation_…` of each."""


class DivergedError(ArithmeticError):
    """The loss or a weight stopped being finite; the model holds its last good weights, `history` the epochs."""

    history = None


class Training:
    """A training run of `vae` on `images` that can be watched, stopped and continued.

    Iterating takes the gradient steps and yields a `Progress` for each chunk of about 0.2 s. Leaving the loop,
    by whatever way, stops: the model holds the weights of the last finished chunk. Iterating again continues
    where it stopped, up to `epochs`, which may be raised. Notebook 01.

    images: (n, rows, columns), `uint8` or floats in [0, 1]. learning_rate: a float or a Keras schedule, for
    Adam. validation: held-out images, evaluated after each epoch. binarize: draw the pixels anew at each step.
    The last batch of an epoch is filled up from the epoch's first images. Raises ValueError, before anything
    runs, for settings that cannot work; DivergedError when the loss stops being finite.
    """

    def __init__(
        self,
        vae,
        images,
        *,
        epochs=15,
        batch_size=128,
        learning_rate=1e-3,
        validation=None,
        seed=0,
        binarize=False,
    ):
        check_training(vae, images, epochs, batch_size, learning_rate, validation, seed)
        self.vae, self.images, self.validation = vae, np.asarray(images), validation
        self.epochs, self.batch_size, self.seed, self.binarize = (
            epochs,
            batch_size,
            seed,
            binarize,
        )
        scheduled = isinstance(
            learning_rate, keras.optimizers.schedules.LearningRateSchedule
        )
        self.schedule = learning_rate if scheduled else None
        vae.compile(
            optimizer=keras.optimizers.Adam(
                float(learning_rate(0)) if scheduled else learning_rate
            )
        )
        vae.optimizer.build(vae.trainable_variables)
        self.steps = -(-len(images) // batch_size)  # in an epoch
        self.done = 0  # steps finished since the start
        self.seconds = 0.0
        self.sums = np.zeros(len(TERMS))  # over the steps of this epoch
        self.first_loss = None  # of the very first step: an untrained model's
        self.order = None  # of the images in this epoch
        self.history = History()

    @property
    def epoch(self):
        """The number of finished epochs."""
        return len(self.history.get("loss", ()))

    @property
    def step(self):
        """The number of finished steps of the current epoch."""
        return self.done - self.epoch * self.steps

    def __iter__(self):
        engine = engine_for(self.vae)
        length = 2  # the first chunk is short, so that something is seen at once
        while self.epoch < self.epochs:
            begin, epoch = time.perf_counter(), self.epoch
            count = min(length, self.steps - self.step)
            means = self._chunk(engine, count) if count else self.sums / self.steps
            took = time.perf_counter() - begin
            step = self.step
            if step == self.steps:
                self._end_epoch()
            self.seconds += time.perf_counter() - begin
            yield Progress(
                epoch + 1,
                step,
                self.steps,
                *map(float, means),
                self.seconds,
                self.epoch > epoch,
            )
            length = int(np.clip(length * SECONDS / took, 1, min(2 * length, CAPACITY)))

    def _chunk(self, engine, count):
        """Take `count` steps and return the means of the terms; the model changes only if all is finite."""
        images, epsilon = map(
            np.stack, zip(*(self._batch(self.step + i) for i in range(count)))
        )
        variables = state_variables(self.vae)
        before = [variable.read_value() for variable in variables]
        after, terms, finite = engine(
            before, images, epsilon, self._learning_rates(count)
        )
        bad = np.flatnonzero(~np.isfinite(terms).all(axis=1))
        if len(bad) or not finite:
            error = DivergedError(
                not_finite(self, self.step + (bad[0] if len(bad) else count - 1) + 1)
            )
            error.history = self.history
            raise error
        sums = (self.sums if self.step else 0.0) + terms.sum(axis=0, dtype="float64")
        done = self.done + count

        def commit():
            for variable, value in zip(variables, after):
                variable.assign(value)
            self.done, self.sums = done, sums
            self.first_loss = (
                float(terms[0, 2]) if self.first_loss is None else self.first_loss
            )

        try:
            commit()
        except KeyboardInterrupt:
            commit()  # from the start: all of the chunk or nothing of it
            raise
        return terms.mean(axis=0)

    def _batch(self, step):
        """Return the images and epsilon of a step: they depend on seed, epoch and step, not on the chunks."""
        if step == 0 or self.order is None:
            permutation = np.random.default_rng((self.seed, self.epoch)).permutation(
                len(self.images)
            )
            self.order = np.resize(permutation, self.steps * self.batch_size)
        rng = np.random.default_rng((self.seed, self.epoch, step))
        epsilon = rng.standard_normal((self.batch_size, self.vae.noise_dim), "float32")
        batch = self.images[
            self.order[step * self.batch_size : (step + 1) * self.batch_size]
        ]
        return binarized(batch, rng) if self.binarize else batch, epsilon

    def _learning_rates(self, count):
        """Return the learning rate of each of the next `count` steps."""
        if self.schedule is None:
            return np.full(
                count, float(self.vae.optimizer.learning_rate), "float32"
            )  # callbacks may change it
        first = int(self.vae.optimizer.iterations)
        return np.array(
            [float(self.schedule(first + i)) for i in range(count)], "float32"
        )

    def _end_epoch(self):
        """Enter the epoch's means and the held-out evaluation into the history, which ends the epoch."""
        means = dict(zip(TERMS, map(float, self.sums / self.steps)))
        means["elbo"] = -(means["distortion"] + means["rate"])
        if self.validation is not None:
            held_out = evaluate(
                self.vae, self.validation, seed=self.seed, binarize=self.binarize
            )._asdict()
            held_out["loss"] = (
                held_out["distortion"] + float(self.vae.beta) * held_out["rate"]
            )
            means.update(
                {f"validation_{name}": value for name, value in held_out.items()}
            )
        self.history.update(
            {
                name: self.history.get(name, []) + [value]
                for name, value in means.items()
            }
        )


def train(
    vae,
    images,
    *,
    epochs=15,
    batch_size=128,
    learning_rate=1e-3,
    validation=None,
    callbacks=(),
    seed=0,
    binarize=False,
    progress=True,
):
    """Train `vae` in place and return its `History`; the arguments are those of `Training`.

    `callbacks` are Keras' own, called at the start and end of training and of each epoch, and after each chunk
    as after a batch; they find the held-out terms under Keras' names, too, such as `val_loss`. An interrupt
    (Ctrl-C, or the stop button of the notebook) ends the training and keeps what was learned. A loss far above the
    untrained model's is warned of. `progress=False` draws no bar. Notebook 01.
    """
    training = Training(
        vae,
        images,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        validation=validation,
        seed=seed,
        binarize=binarize,
    )
    watchers = keras.callbacks.CallbackList(tf.nest.flatten(callbacks), model=vae)
    vae.stop_training = False
    bar = progress_bar(
        epochs * training.steps,
        disable=not progress,
        dynamic_ncols=True,
        bar_format="{desc} {percentage:3.0f} % |{bar:15}| {elapsed}, {remaining} left{postfix}",
    )
    watchers.on_train_begin()
    try:
        with bar, interrupts_between_chunks() as heard:
            _watched(training, watchers, bar, heard)
    except KeyboardInterrupt:
        print(
            f"Stopped by hand in epoch {training.epoch + 1} after {training.step} of {training.steps} steps; "
            "the model keeps what it has learned."
        )
    watchers.on_train_end()
    return training.history


def _watched(training, watchers, bar, heard):
    """Run `training` to its end or to an interrupt, telling the Keras callbacks and the progress bar."""
    chunks, history, warned = iter(training), training.history, False
    while training.epoch < training.epochs and not training.vae.stop_training:
        if training.step == 0:
            watchers.on_epoch_begin(training.epoch)
        chunk = next(chunks)
        bar.desc = f"epoch {chunk.epoch} of {training.epochs}"
        bar.postfix = f"distortion {readable(chunk.distortion, 1)}, rate {readable(chunk.rate, 2)} nats"
        bar.update(training.done - bar.n)
        watchers.on_train_batch_end(chunk.step - 1, chunk._asdict())
        if chunk.epoch_ended:
            logs = {name: values[-1] for name, values in history.items()}
            watchers.on_epoch_end(
                chunk.epoch - 1,
                logs
                | {
                    name.replace("validation_", "val_"): value
                    for name, value in logs.items()
                },
            )
            if exploded(training) and not warned:
                warnings.warn(exploded(training), stacklevel=3)
                warned = True
        if heard:
            raise KeyboardInterrupt


def not_finite(training, step):
    """Return the sentence for a `Training` whose loss or weights stopped being finite at `step` of its epoch."""
    return (
        f"The loss stopped being finite at step {step} of epoch {training.epoch + 1} ({settings(training)}); the "
        f"model holds the weights after step {training.step}: try {advice(training)}."
    )


def exploded(training):
    """Return a sentence if the last epoch's loss is far above an untrained model's, though finite; else None."""
    loss = training.history.get("loss", [0.0])[-1]
    if training.first_loss is None or loss <= 10 * training.first_loss:
        return None
    return (
        f"The loss of epoch {training.epoch}, {loss:.3g} nats, is far above the {training.first_loss:.3g} of the "
        f"untrained model ({settings(training)}): try {advice(training)}."
    )


def settings(training):
    """Return the settings of a `Training` that a loss may explode for."""
    vae, rate = training.vae, float(training.vae.optimizer.learning_rate)
    return (
        f"learning rate {rate:g}, beta {float(vae.beta):g}, posterior {vae.settings['posterior']!r}, likelihood "
        f"{vae.settings['likelihood']!r}"
    )


def advice(training):
    """Return what to try instead of the present settings."""
    rate, posterior = (
        float(training.vae.optimizer.learning_rate),
        training.vae.settings["posterior"],
    )
    better = [f"a learning rate of {1e-3 if rate > 1e-3 else rate / 10:g} or less"]
    return " or ".join(better + ["the softplus posterior"] * (posterior != "softplus"))

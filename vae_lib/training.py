"""The training loop: fast, and made of short chunks, so that it can be watched.

A caller can also stop it and continue. Notebook 01.
"""

import contextlib
import time
import warnings
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from vae_lib.checks import as_array, check_compiled, check_training
from vae_lib.engine import CAPACITY, TERMS, Steps, check_terms
from vae_lib.evaluation import binarized, evaluate_steps
from vae_lib.progress import interrupts_between_chunks, progress_bar, readable

SECONDS = 0.2  # what a chunk should last, so that Stop is heard and pictures move


class Progress(NamedTuple):
    """One finished chunk: steps so far in this epoch, and means of the chunk in
    nats.
    """

    epoch: int  # from 1
    step: int  # finished steps of this epoch
    steps: int  # in an epoch
    distortion: float
    rate: float
    loss: float
    seconds: float  # spent in training since the start
    epoch_ended: bool


class History(dict):
    """Lists with one value an epoch: what `train_step` returns by name, and `elbo`.

    These are distortion, rate and loss, in nats per image, and what a class adds; with
    validation also `validation_…` of what `test_step` returns.
    """


class DivergedError(ArithmeticError):
    """The loss or a weight stopped being finite.

    The model holds its last good weights, `history` the epochs.
    """

    history = None


class Training:
    """A training run of `vae` on `images` that can be watched, stopped and continued.

    Iterating takes gradient steps by the model's own `train_step`, and yields a
    `Progress` for each chunk of about 0.2 s. Leaving the loop, by whatever way, stops:
    the model holds the weights of the last finished chunk. Iterating again continues
    where it stopped, up to `epochs`, which may be raised. Each time the model is
    compiled as it stands then; `beta` and the optimizer's learning rate are variables
    and may be assigned while it trains. Notebook 01.

    images: (n, rows, columns), `uint8` or floats in [0, 1]. learning_rate: a float or a
    Keras schedule, of the optimizer that the caller has compiled into the model, else
    of a new Adam; None leaves a compiled one as it is, else it is 1e-3. validation:
    held-out images, evaluated after each epoch. binarize: draw the pixels anew at each
    step. The last batch of an epoch is filled up from the epoch's first images. Raises
    ValueError, before anything runs, for settings that cannot work; DivergedError when
    the loss stops being finite.
    """

    def __init__(
        self,
        vae,
        images,
        *,
        epochs=15,
        batch_size=128,
        learning_rate=None,
        validation=None,
        seed=0,
        binarize=False,
    ):
        images, validation = as_array(images), as_array(validation)
        check_training(vae, images, epochs, batch_size, learning_rate, validation, seed)
        self.vae, self.images, self.validation = vae, images, validation
        self.epochs, self.batch_size, self.seed = epochs, batch_size, seed
        self.binarize = binarize
        set_optimizer(vae, learning_rate)
        try_out(vae, images[:1], validation is not None)
        build_optimizer(vae)
        self.steps = -(-len(images) // batch_size)  # in an epoch
        self.first_epoch = 0  # epochs that a callback has restored
        self.done = 0  # steps finished since the start
        self.seconds = 0.0
        self.means = dict.fromkeys(TERMS, 0.0)  # running means over this epoch
        self.metrics = []  # what the metrics hold after the last chunk
        self.first_loss = None  # of the very first step: an untrained model's
        self.order = None  # of the images in this epoch
        self.history = History()
        self.watchers = keras.callbacks.CallbackList()  # none, unless `train` has some
        self._compiled = None

    @property
    def epoch(self):
        """The number of finished epochs."""
        return self.first_epoch + len(self.history.get("loss", ()))

    @property
    def step(self):
        """The number of finished steps of the current epoch."""
        return self.done - (self.epoch - self.first_epoch) * self.steps

    def compile(self):
        """Compile the model as it stands, without taking a step; iterating uses it
        once.

        Iterating does this by itself; call it from a thread, to have it done before.
        """
        compiled = Steps(self.vae, self.batch_size, self.images.dtype)
        with self._undone_unless_finished():
            compiled(*self._batches(0))
        self._compiled = compiled

    def __iter__(self):
        compiled, self._compiled = self._compiled, None
        length = 2  # the first chunk is short, so that something is seen at once
        while self.epoch < self.epochs:
            begin, epoch = time.perf_counter(), self.epoch
            if compiled is None:
                compiled = Steps(self.vae, self.batch_size, self.images.dtype)
            count = min(length, self.steps - self.step)
            chunk = self._chunk(compiled, count) if count else self.means
            took = time.perf_counter() - begin
            step = self.step
            if step == self.steps:
                self._end_epoch()
            self.seconds += time.perf_counter() - begin
            terms = [float(chunk[name]) for name in TERMS]
            ended = self.epoch > epoch
            yield Progress(epoch + 1, step, self.steps, *terms, self.seconds, ended)
            most = min(2 * length, CAPACITY)
            length = int(np.clip(length * SECONDS / took, 1, most))

    def _chunk(self, compiled, count):
        """Take `count` steps and return the means of the terms over them.

        The model changes only if all that comes out is finite.
        """
        images, epsilon = self._batches(count)
        with self._undone_unless_finished():
            terms, finite = compiled(images, epsilon)
            values = np.array(list(terms.values()))
            bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
            if len(bad) or not finite:
                step = self.step + (bad[0] if len(bad) else count - 1) + 1
                error = DivergedError(not_finite(self, step))
                error.history = self.history
                raise error
            chunk = self._means(terms, count)
            self.metrics = [v.value.read_value() for v in self.vae.metrics_variables]
            self.means = {name: float(values[-1]) for name, values in terms.items()}
            if self.first_loss is None:
                self.first_loss = float(terms["loss"][0])
            self.done += count
        return chunk

    def _means(self, terms, count):
        """Return the means over the last `count` steps, from running means of an
        epoch.
        """
        before, after = self.step, self.step + count
        return {
            name: (after * float(values[-1]) - before * self.means[name]) / count
            if before
            else float(values[-1])
            for name, values in terms.items()
        }

    @contextlib.contextmanager
    def _undone_unless_finished(self):
        """Put all variables of model and optimizer back unless `done` grows inside."""
        vae, done = self.vae, self.done
        if self.step == 0:
            vae.reset_metrics()
        else:  # somebody may have evaluated the model meanwhile
            for variable, value in zip(
                vae.metrics_variables, self.metrics, strict=True
            ):
                variable.assign(value)
        kept = {id(v): v for v in vae.variables + vae.optimizer.variables}
        kept = [(v.value, v.value.read_value()) for v in kept.values()]
        try:
            yield
        finally:
            if self.done == done:
                for variable, value in kept:
                    variable.assign(value)

    def _batches(self, count):
        """Return the images and epsilon of the next `count` steps, stacked."""
        batches = [self._batch(self.step + i) for i in range(max(count, 1))]
        return [np.stack(arrays)[:count] for arrays in zip(*batches, strict=True)]

    def _batch(self, step):
        """Return the images and epsilon of a step.

        They depend on seed, epoch and step, not on the chunks.
        """
        if step == 0 or self.order is None:
            rng = np.random.default_rng((self.seed, self.epoch))
            permutation = rng.permutation(len(self.images))
            self.order = np.resize(permutation, self.steps * self.batch_size)
        rng = np.random.default_rng((self.seed, self.epoch, step))
        shape = self.batch_size, self.vae.noise_dim
        epsilon = rng.standard_normal(shape, "float32")
        rows = self.order[step * self.batch_size : (step + 1) * self.batch_size]
        batch = self.images[rows]
        return binarized(batch, rng) if self.binarize else batch, epsilon

    def _end_epoch(self):
        """Enter the epoch's means and the held-out ones into the history."""
        means = with_elbo(self.means)
        if self.validation is not None:
            self.watchers.on_test_begin()
            held_out = evaluate_steps(
                self.vae, self.validation, seed=self.seed, binarize=self.binarize
            )
            self.watchers.on_test_end(held_out)
            means |= {f"validation_{n}": v for n, v in with_elbo(held_out).items()}
        for name, value in means.items():
            if name != "loss":
                self.history[name] = [*self.history.get(name, []), value]
        self.history["loss"] = [*self.history.get("loss", []), means["loss"]]  # last


def with_elbo(terms):
    """Return `terms` with `elbo` = -(distortion + rate), unless there is one."""
    return {"elbo": -(terms["distortion"] + terms["rate"])} | terms


def set_optimizer(vae, learning_rate):
    """Give `vae` an optimizer: the one its caller has compiled, or a new Adam.

    An Adam that an earlier training made is made anew. Raises ValueError where the
    compiled one cannot take the learning rate.
    """
    schedule = keras.optimizers.schedules.LearningRateSchedule
    check_compiled(vae)
    optimizer = getattr(vae, "optimizer", None)
    if optimizer is None or getattr(optimizer, "made_here", False):
        rate = 1e-3 if learning_rate is None else learning_rate
        vae.compile(optimizer=keras.optimizers.Adam(rate))
        vae.optimizer.made_here = True
    elif learning_rate is not None:
        has_schedule = isinstance(optimizer._learning_rate, schedule)
        if has_schedule != isinstance(learning_rate, schedule):
            raise ValueError(
                f"learning_rate is {learning_rate!r}, but the compiled optimizer has "
                f"{'a schedule' if has_schedule else 'a number'}: leave it out, or "
                "compile the model with another optimizer."
            )
        optimizer.learning_rate = learning_rate


def try_out(vae, images, validates):
    """Run the forward pass, which makes the weights of layers that have none yet.

    And `test_step`, if it will be needed: what fails, fails before the first step. All
    variables that were there keep their values.
    """
    kept = [(variable, variable.numpy()) for variable in vae.variables]
    with vae.noise(np.zeros((1, vae.noise_dim))):
        check_terms(vae.test_step((images,))) if validates else vae.terms(images)
    for variable, value in kept:
        variable.assign(value)


def build_optimizer(vae):
    """Make the optimizer's variables; ValueError if it belongs to other weights."""
    vae.optimizer.build(vae.trainable_variables)
    known = {id(variable) for variable in vae.optimizer._trainable_variables}
    if known != {id(variable) for variable in vae.trainable_variables}:
        raise ValueError(
            "the compiled optimizer belongs to other variables than those that are "
            "trainable now, since a part was frozen, thawed or replaced: compile the "
            "model again."
        )


def train(
    vae,
    images,
    *,
    epochs=15,
    batch_size=128,
    learning_rate=None,
    validation=None,
    callbacks=(),
    seed=0,
    binarize=False,
    progress=True,
):
    """Train `vae` in place and return its `History`; arguments as for `Training`.

    `callbacks` are Keras' own. They are called as in `fit` with `steps_per_execution`:
    at the start and end of training and of each epoch, and around each chunk as around
    a batch; they find held-out terms under Keras' names, too, such as `val_loss`. An
    interrupt (Ctrl-C, or the stop button of the notebook) ends the training and keeps
    what was learned. A loss far above the untrained model's is warned of.
    `progress=False` draws no bar. Notebook 01.
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
    training.watchers = watchers = keras.callbacks.CallbackList(
        tf.nest.flatten(callbacks or ()),
        model=vae,
        verbose=0,
        epochs=epochs,
        steps=training.steps,
    )
    bar = progress_bar(
        epochs * training.steps,
        disable=not progress,
        dynamic_ncols=True,
        bar_format="{desc} {percentage:3.0f} % |{bar:15}| {elapsed}, {remaining} left"
        "{postfix}",
    )
    vae.stop_training, vae._initial_epoch = False, None
    watchers.on_train_begin()
    training.first_epoch = vae._initial_epoch or 0  # BackupAndRestore sets it
    logs = None
    try:
        with bar, interrupts_between_chunks() as heard:
            logs = _watched(training, watchers, bar, heard)
    except KeyboardInterrupt:
        print(
            f"Stopped by hand in epoch {training.epoch + 1} after {training.step} of "
            f"{training.steps} steps; the model keeps what it has learned."
        )
    if epochs:
        vae.optimizer.finalize_variable_values(vae.trainable_weights)
    watchers.on_train_end(logs)
    return training.history


def _watched(training, watchers, bar, heard):
    """Run `training` to its end or an interrupt; tell callbacks and progress bar."""
    chunks, history, warned, logs = iter(training), training.history, False, None
    while training.epoch < training.epochs and not training.vae.stop_training:
        if training.step == 0:
            watchers.on_epoch_begin(training.epoch)
        watchers.on_train_batch_begin(training.step)
        chunk = next(chunks)
        bar.desc = f"epoch {chunk.epoch} of {training.epochs}"
        bar.postfix = (
            f"distortion {readable(chunk.distortion, 1)}, "
            f"rate {readable(chunk.rate, 2)} nats"
        )
        bar.update(training.done - bar.n)
        watchers.on_train_batch_end(chunk.step - 1, dict(training.means))
        if chunk.epoch_ended:
            logs = {name: values[-1] for name, values in history.items()}
            logs |= {n.replace("validation_", "val_", 1): v for n, v in logs.items()}
            watchers.on_epoch_end(chunk.epoch - 1, logs)
            if exploded(training) and not warned:
                warnings.warn(exploded(training), stacklevel=3)
                warned = True
        if heard:
            raise KeyboardInterrupt
    return logs


def not_finite(training, step):
    """Return the sentence for a `Training` whose loss or weights stopped being
    finite at `step` of its epoch.
    """
    return (
        f"The loss stopped being finite at step {step} of epoch {training.epoch + 1} "
        f"({settings(training)}); the "
        f"model holds the weights after step {training.step}: try {advice(training)}."
    )


def exploded(training):
    """Return a sentence if the last epoch's loss is far above an untrained model's,
    though finite; else None.
    """
    loss = training.history.get("loss", [0.0])[-1]
    first = training.first_loss
    if first is None or loss - first <= 9 * abs(first):
        return None
    return (
        f"The loss of epoch {training.epoch}, {loss:.3g} nats, is far above the "
        f"{training.first_loss:.3g} of the "
        f"untrained model ({settings(training)}): try {advice(training)}."
    )


def settings(training):
    """Return the settings of a `Training` that a loss may explode for."""
    vae, rate = training.vae, float(training.vae.optimizer.learning_rate)
    return (
        f"learning rate {rate:g}, beta {float(vae.beta):g}, posterior "
        f"{vae.settings['posterior']!r}, likelihood "
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

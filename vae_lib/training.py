"""The training loop: short chunks, so that it can be watched, stopped and continued."""

import contextlib
import io
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from IPython import get_ipython
from IPython.display import display
from tqdm import tqdm

from vae_lib.checks import Schedule, as_array, check_compiled, check_training
from vae_lib.engine import CAPACITY, TERMS, Steps, check_terms
from vae_lib.evaluation import binarized, evaluate_steps

MADE_HERE = "adam_of_train"  # the name, which is saved, of an optimizer of ours
SECONDS = 0.2  # what a chunk should last, so that Stop is heard and pictures move
BAR = "{desc} {percentage:3.0f} % |{bar:15}| {elapsed}, {remaining} left{postfix}"


class Progress(NamedTuple):
    """One finished chunk, and its means in nats."""

    epoch: int  # from 1
    step: int  # finished steps of this epoch
    steps: int  # in an epoch
    distortion: float
    rate: float
    loss: float
    seconds: float  # spent in training since the start
    epoch_ended: bool


class History(dict[str, list[float]]):
    """By name, one value an epoch in nats per image; held-out ones `validation_…`."""


class DivergedError(ArithmeticError):
    """The loss or a weight stopped being finite; the model holds its last good ones."""

    history: History | None = None


class Training:
    """A training run of `vae` on `images` that can be watched, stopped and continued.

    Iterating takes gradient steps by the model's own `train_step`, and yields a
    `Progress` for each chunk of about 0.2 s. Leaving the loop, by whatever way, stops:
    the model holds the weights of the last finished chunk. Iterating again continues
    there, up to `epochs`, which may be raised. Each time the model is compiled as it
    stands then, by XLA whatever `jit_compile` says; `beta` and the learning rate are
    variables and may be assigned while it trains.

    images: (n, rows, columns), `uint8` or floats in [0, 1]; the last batch of an epoch
    is filled up with its first images. learning_rate: a float or a Keras schedule, of
    the optimizer that the caller has compiled into the model, else of a new Adam; None
    leaves a compiled one as it is, else it is 1e-3. validation: held-out images,
    evaluated after each epoch. binarize: draw the pixels anew at each step. Raises
    ValueError, before anything runs, for settings that cannot work; DivergedError when
    the loss stops being finite. Notebook 01.
    """

    def __init__(
        self,
        vae: keras.Model,
        images: np.ndarray,
        *,
        epochs: int = 15,
        batch_size: int = 128,
        learning_rate: float | Schedule | None = None,
        validation: np.ndarray | None = None,
        seed: int = 0,
        binarize: bool = False,
    ):
        images, validation = as_array(images), as_array(validation)
        settings = dict(epochs=epochs, learning_rate=learning_rate, seed=seed)
        check_training(vae, images, validation, batch_size, **settings)
        self.vae, self.images, self.validation = vae, images, validation
        self.epochs, self.batch_size, self.seed = epochs, batch_size, seed
        self.binarize = binarize
        set_optimizer(vae, learning_rate)
        make_variables(vae, images[:1], validation is not None)
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
    def epoch(self) -> int:
        """The number of finished epochs."""
        return self.first_epoch + len(self.history.get("loss", ()))

    @property
    def step(self) -> int:
        """The number of finished steps of the current epoch."""
        return self.done - (self.epoch - self.first_epoch) * self.steps

    def compile(self) -> None:
        """Compile the model, from a thread perhaps, which iterating would do first."""
        compiled = Steps(self.vae, self.batch_size, self.images.dtype)
        with self._undone_unless_finished():
            compiled(*self._batches(0))
        self._compiled = compiled

    def __iter__(self) -> Iterator[Progress]:
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
        """Take `count` steps, if all stays finite, and return their mean terms."""
        images, epsilon = self._batches(count)
        with self._undone_unless_finished():
            terms, finite = compiled(images, epsilon)
            good = {name: np.isfinite(values) for name, values in terms.items()}
            good["weights of the model"] = np.arange(count) < count - (not finite)
            if bad := [name for name, steps in good.items() if not steps.all()]:
                what = "loss" if "loss" in bad else bad[0]
                error = DivergedError(
                    f"The {what} stopped being finite at step "
                    f"{self.step + int(np.argmin(good[what])) + 1} of epoch "
                    f"{self.epoch + 1}; the model holds the weights after step "
                    f"{self.step}. {advice(self.vae)}"
                )
                error.history = self.history
                raise error
            last = {name: float(values[-1]) for name, values in terms.items()}
            before, after = self.step, self.step + count
            chunk = {  # from running means of the epoch
                name: (after * mean - before * self.means.get(name, 0.0)) / count
                for name, mean in last.items()
            }
            self.metrics = [v.value.read_value() for v in self.vae.metrics_variables]
            self.means = last
            if self.first_loss is None:
                self.first_loss = float(terms["loss"][0])
            self.done += count
        return chunk

    @contextlib.contextmanager
    def _undone_unless_finished(self):
        """Put all variables of model and optimizer back unless `done` grows inside."""
        vae, done = self.vae, self.done
        if self.step == 0:
            vae.reset_metrics()
        else:  # somebody may have evaluated the model meanwhile
            for variable, value in zip(vae.metrics_variables, self.metrics):
                variable.assign(value)
        kept = {id(v): v.value for v in vae.variables + vae.optimizer.variables}
        kept = [(variable, variable.read_value()) for variable in kept.values()]
        try:
            yield
        finally:
            if self.done == done:
                for variable, value in kept:
                    variable.assign(value)

    def _batches(self, count):
        """Return the images and epsilon of the next `count` steps, stacked."""
        steps = [(self.step + i) % self.steps for i in range(max(count, 1))]
        batches = [self._batch(step) for step in steps]
        return [np.stack(arrays)[:count] for arrays in zip(*batches, strict=True)]

    def _batch(self, step):
        """Return images and epsilon of a step: from seed, epoch and step alone."""
        if step == 0 or self.order is None:
            order = epoch_order(self.seed, self.epoch, len(self.images))
            self.order = np.resize(order, self.steps * self.batch_size)
        rng = step_rng(self.seed, self.epoch, step)
        epsilon = rng.standard_normal((self.batch_size, self.vae.noise_dim), "float32")
        first = step * self.batch_size
        batch = self.images[self.order[first : first + self.batch_size]]
        return binarized(batch, rng) if self.binarize else batch, epsilon

    def _end_epoch(self):
        """Enter the epoch's means and the held-out ones into the history."""
        means = with_elbo(self.means)
        if self.validation is not None:
            self.watchers.on_test_begin()
            held = evaluate_steps(self.vae, self.validation, self.seed, self.binarize)
            self.watchers.on_test_end(held)
            means |= {f"validation_{n}": v for n, v in with_elbo(held).items()}
        means["loss"] = means.pop("loss")  # last, since it counts the epochs
        for name, value in means.items():
            self.history[name] = [*self.history.get(name, []), value]


def with_elbo(terms: dict[str, float]) -> dict[str, float]:
    """Return `terms` with `elbo` = -(distortion + rate), unless there is one."""
    return {"elbo": -(terms["distortion"] + terms["rate"])} | terms


def epoch_order(seed: int, epoch: int, n: int) -> np.ndarray:
    """Return the order in which an epoch takes `n` images."""
    return np.random.default_rng((seed, epoch)).permutation(n)


def step_rng(seed: int, epoch: int, step: int) -> np.random.Generator:
    """Return the generator that a step draws its noise from."""
    return np.random.default_rng((seed, epoch, step))


def set_optimizer(vae: keras.Model, learning_rate: float | Schedule | None) -> None:
    """Give `vae` an optimizer: the one its caller has compiled, or a new Adam.

    An Adam that an earlier training made is made anew. Keras raises TypeError for a
    number where the compiled one has a schedule.
    """
    check_compiled(vae)
    optimizer = getattr(vae, "optimizer", None)
    if optimizer is None or optimizer.name == MADE_HERE:
        rate = 1e-3 if learning_rate is None else learning_rate
        vae.compile(optimizer=keras.optimizers.Adam(rate, name=MADE_HERE))
    elif learning_rate is not None:
        optimizer.learning_rate = learning_rate


def make_variables(vae: keras.Model, images: np.ndarray, validates: bool) -> None:
    """Run once what will be needed, so that what fails, fails before the first step.

    Weights keep their values. Raises ValueError if the optimizer belongs to others.
    """
    kept = [(variable, variable.numpy()) for variable in vae.variables]
    with vae.noise(np.zeros((1, vae.noise_dim))):
        check_terms(vae.test_step((images,))) if validates else vae.terms(images)
    for variable, value in kept:
        variable.assign(value)
    vae.optimizer.build(vae.trainable_variables)
    known = {id(variable) for variable in vae.optimizer._trainable_variables}
    if known != {id(variable) for variable in vae.trainable_variables}:
        raise ValueError(
            "the compiled optimizer belongs to other variables than those that are "
            "trainable now, since a part was frozen, thawed or replaced: compile the "
            "model again."
        )


def train(
    vae: keras.Model,
    images: np.ndarray,
    *,
    epochs: int = 15,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: bool = True,
    **settings: Any,
) -> History:
    """Train `vae` in place on images (n, rows, columns) and return its `History`.

    `settings` are those of `Training`: batch_size, learning_rate, validation, seed and
    binarize. `callbacks` are Keras' own, called as in `fit`, with a chunk for a batch;
    they find held-out terms under Keras' names, too, such as `val_loss`. An interrupt
    (Ctrl-C, or the notebook's stop button) ends the training and keeps what was
    learned. A loss far above the untrained model's is warned of. Notebook 01.
    """
    training = Training(vae, images, epochs=epochs, **settings)
    callbacks = tf.nest.flatten(callbacks or ())
    told = dict(epochs=epochs, steps=training.steps, verbose=0)
    watchers = keras.callbacks.CallbackList(callbacks, model=vae, **told)
    training.watchers = watchers
    bar = progress_bar(epochs * training.steps, disable=not progress)
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
        distortion = f"{chunk.distortion:#.4g}".rstrip(".")
        bar.postfix = f"distortion {distortion}, rate {chunk.rate:#.3g} nats"
        bar.update(training.done - bar.n)
        watchers.on_train_batch_end(chunk.step - 1, dict(training.means))
        if chunk.epoch_ended:
            logs = {name: values[-1] for name, values in history.items()}
            logs |= {n.replace("validation_", "val_", 1): v for n, v in logs.items()}
            watchers.on_epoch_end(chunk.epoch - 1, logs)
            loss, first = logs["loss"], training.first_loss
            if loss - first > 9 * abs(first) and not warned:
                warned = True
                warnings.warn(
                    f"The loss of epoch {chunk.epoch}, {loss:.3g} nats, is far above "
                    f"the {first:.3g} of the untrained model. {advice(training.vae)}",
                    stacklevel=3,
                )
        if heard:
            raise KeyboardInterrupt
    return logs


def advice(vae: keras.Model) -> str:
    """Say with which settings a loss explodes, and what to try instead."""
    rate, posterior = float(vae.optimizer.learning_rate), vae.settings["posterior"]
    other = "" if posterior == "softplus" else " or the softplus posterior"
    return (
        f"With learning rate {rate:g}, beta {float(vae.beta):g}, posterior "
        f"{posterior!r} and likelihood {vae.settings['likelihood']!r}, try a learning "
        f"rate of {1e-3 if rate > 1.001e-3 else rate / 10:g} or less{other}."
    )


class NotebookBar(tqdm):
    """tqdm's line as one output that is replaced, so that only its last is stored."""

    handle = None

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Show the line under the cell."""
        line = {"text/plain": msg or str(self)}
        if self.handle is None:
            self.handle = display(line, raw=True, display_id=True)
        else:
            self.handle.update(line, raw=True)


def progress_bar(total: int, disable: bool) -> tqdm:
    """Return a bar over `total` steps: a line on standard output or under the cell."""
    options = dict(total=total, disable=disable, dynamic_ncols=True, bar_format=BAR)
    if hasattr(get_ipython(), "kernel"):
        return NotebookBar(file=io.StringIO(), ascii=False, **options)
    return tqdm(file=sys.stdout, **options)


@contextlib.contextmanager
def interrupts_between_chunks() -> Iterator[list[bool]]:
    """Yield a list that Ctrl-C adds to; an exception may be swallowed or cut short."""
    heard = []
    if threading.current_thread() is not threading.main_thread():
        yield heard  # only the main thread hears of Ctrl-C
        return
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)

"""Many gradient steps in one compiled function, shared by all models of the same shape. Notebook 01 measures it."""

import contextlib
import ctypes
import functools
import gc
import json
import random
import threading
import warnings
from collections import OrderedDict

import keras
import numpy as np
import tensorflow as tf

from vae_lib.meaning import class_meaning
from vae_lib.model import VAEBase

CAPACITY = 32  # steps that one call can take; the buffers have this length, so that fewer steps compile nothing
KEPT = 8  # compiled functions that stay in memory, the least recently used going first


class Engine:
    """Runs the model's own `train_step` up to `CAPACITY` times inside one XLA function.

    It works on a copy of the model: weights come in as arguments and go out as results, so that a model changes
    only when its caller decides so, and so that another model of the same shape, another beta, seed or learning
    rate reuses what was compiled. Where XLA is not to be had, it runs without, and says so once.
    """

    def __init__(self, vae):
        state = (
            random.getstate()
        )  # the copy's initial weights are of no use: it shall not cost a seed
        self.vae = type(vae).from_config(vae.get_config())
        random.setstate(state)
        self.vae.compile(optimizer=keras.optimizers.Adam(0.0))
        self.vae.optimizer.build(self.vae.trainable_variables)
        self.variables = state_variables(self.vae)
        self.fresh = True  # nothing compiled yet
        self.lock = threading.Lock()  # the copy serves one caller at a time
        self.steps = functools.partial(
            self._steps
        )  # no method: of those TensorFlow would say that it traces often
        self.compiled = tf.function(self.steps, jit_compile=True, autograph=False)

    def __call__(self, state, images, epsilon, learning_rates):
        """Take `len(images)` steps from `state` and return `(state, terms, finite)`.

        state: tensors in the order of `state_variables`. images: (steps, batch, rows, columns). epsilon: (steps,
        batch, latent_dim). learning_rates: (steps,). terms: NumPy (steps, 3), distortion, rate and loss of
        each step, in nats per image. finite: whether all weights are.
        """
        steps = len(images)
        padded = [
            tf.constant(_padded(array)) for array in (images, epsilon, learning_rates)
        ]
        with self.lock:
            try:
                state, terms, finite = self.compiled(state, *padded, tf.constant(steps))
            except (
                tf.errors.UnimplementedError,
                tf.errors.NotFoundError,
                tf.errors.InternalError,
            ) as error:
                warnings.warn(
                    f"XLA is not to be had here ({type(error).__name__}): training goes on without it, "
                    "at about half the speed.",
                    stacklevel=2,
                )
                self.compiled = tf.function(self.steps, autograph=False)
                state, terms, finite = self.compiled(state, *padded, tf.constant(steps))
        if self.fresh:
            self.fresh = False
            give_back_memory()
        return state, terms.numpy()[:steps], bool(finite)

    def _steps(self, state, images, epsilon, learning_rates, steps):
        vae = self.vae
        for variable, value in zip(self.variables, state):
            variable.assign(value)

        def step(i, terms):
            vae.reset_metrics()  # each step by itself, so that a sum of steps does not depend on the chunks
            vae.optimizer.learning_rate.assign(learning_rates[i])
            with vae.frozen(
                epsilon[i]
            ):  # drawn outside: random numbers inside XLA double the compile time
                means = vae.train_step((images[i],))
            row = tf.stack([means["distortion"], means["rate"], means["loss"]])
            return i + 1, tf.tensor_scatter_nd_update(terms, [[i]], [row])

        _, terms = tf.while_loop(
            lambda i, _: i < steps, step, (0, tf.zeros((CAPACITY, 3)))
        )
        finite = tf.reduce_all(
            [tf.reduce_all(tf.math.is_finite(v.value)) for v in vae.trainable_variables]
        )
        return [tf.identity(variable) for variable in self.variables], terms, finite


def state_variables(vae):
    """Return the TensorFlow variables that training changes: weights, beta, random state, the optimizer's own."""
    return [variable.value for variable in vae.variables + vae.optimizer.variables]


_engines = OrderedDict()
_engines_lock = threading.Lock()


def engine_for(vae):
    """Return the engine for models of the code and shape of `vae`, made at the first call."""
    config = {
        name: value
        for name, value in vae.get_config().items()
        if name not in ("beta", "name")
    }
    key = (
        class_meaning(type(vae), VAEBase),
        json.dumps(config, sort_keys=True, default=repr),
    )
    with _engines_lock:
        if key not in _engines:
            if len(_engines) >= KEPT:
                _engines.popitem(last=False)
                gc.collect()  # it refers to itself, and holds a model and its optimizer's state
            _engines[key] = Engine(vae)
        _engines.move_to_end(key)
        return _engines[key]


def give_back_memory():
    """Return what the compiler has freed to the system, 100 MB; the GNU C library would keep it otherwise."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _padded(array):
    """Return `array` with zeros appended up to CAPACITY rows."""
    array = np.asarray(array)
    return np.concatenate(
        [array, np.zeros((CAPACITY - len(array), *array.shape[1:]), array.dtype)]
    )

"""Many gradient steps of a model in one compiled function. Notebook 01 measures it.

Keras' `fit` with `jit_compile` and `steps_per_execution` is about as fast
(`docs/benchmarks.md`), but compiles anew for each model. Here the compiled function is
shared, chunks can be as short as one step, so that a training is watched and stopped
within a fraction of a second, and none is kept that is not finite.
"""

import contextlib
import ctypes
import functools
import hashlib
import pickle
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

CAPACITY = 32  # steps that one call can take; the buffers have this length
UNUSED = "_gradient_op_type"  # for graphs to be differentiated, which these are not
TERMS = ("distortion", "rate", "loss")  # what every `train_step` returns, by name
WITHOUT_XLA = (
    tf.errors.InternalError,
    tf.errors.InvalidArgumentError,
    tf.errors.NotFoundError,
    tf.errors.UnimplementedError,
)


class Compiled:
    """`function` of tensors like `signature`, compiled by XLA; returns a list of them.

    Its Python code runs once, here. What is compiled is shared with functions that were
    traced to the same graph; each is run on variables of its own. Where XLA is missing,
    or cannot compile an operation, it runs without XLA and says so once.
    """

    def __init__(self, function: Callable, signature: Sequence[tf.TensorSpec]):
        self._function, self._signature = function, signature
        self._trace(xla=True)

    def __call__(self, *tensors: tf.Tensor) -> list[tf.Tensor]:
        try:
            return self._run(tensors)
        except WITHOUT_XLA as error:
            if not self._xla:
                raise
            reason = str(error).split("\n")[0][:120]
            warnings.warn(
                f"XLA could not compile this ({type(error).__name__}: {reason}): "
                "training goes on without it, at about half the speed.",
                stacklevel=2,
            )
            self._trace(xla=False)
            return self._run(tensors)

    def _trace(self, xla):
        options = dict(jit_compile=xla or None, autograph=False)
        function = tf.function(self._function, self._signature, **options)
        before = pickle.dumps(np.random.get_state())
        traced = function.get_concrete_function()
        if pickle.dumps(np.random.get_state()) != before:
            raise ValueError(
                "the model draws from NumPy, whose numbers a compiled step keeps: use "
                "self.standard_normal or keras.random."
            )
        self._xla, self._own = xla, traced.captured_inputs
        known = compiled_for(fingerprint(traced.graph, xla))
        self._fresh = not known
        if self._fresh:
            known.append(traced)
        self._shared = known[0]

    def _run(self, tensors):
        results = self._shared.inference_fn.call_flat(*tensors, *self._own)
        if self._fresh:
            self._fresh = False
            with contextlib.suppress(OSError, AttributeError):
                ctypes.CDLL("libc.so.6").malloc_trim(0)  # the compiler has freed 100 MB
        return results


@functools.lru_cache(maxsize=8)  # compiled functions that stay in memory
def compiled_for(fingerprint: str) -> list:
    """Return a list for the one function that serves all graphs of a fingerprint."""
    return []


def fingerprint(graph: tf.Graph, *settings) -> str:
    """Return a digest that two graphs share if they differ in nothing but names."""
    definition = graph.as_graph_def()
    functions = {f.signature.name: f for f in definition.library.function}

    @functools.cache
    def of_function(name):
        function = functions[name]
        inputs, outputs = function.signature.input_arg, function.signature.output_arg
        ends = [function.ret[output.name] for output in outputs]
        return digest(inputs, function.node_def, ends, function.control_ret.values())

    def digest(inputs, nodes, ends, always):
        numbers = {node.name: str(i) for i, node in enumerate([*inputs, *nodes])}
        parts = [[argument.type for argument in inputs]]
        parts += [_renamed(ends, numbers), sorted(_renamed(always, numbers))]
        for node in nodes:
            parts.append((node.op, node.device, _renamed(node.input, numbers)))
            for name in sorted(set(node.attr) - {UNUSED}):
                value = node.attr[name]  # of a copy of the graph, which we may change
                own = [value.func] if value.HasField("func") else []
                for called in [*own, *value.list.func]:
                    called.name = of_function(called.name)
                parts.append((name, value.SerializeToString(deterministic=True)))
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    kinds = [(a.dtype, a.shape, b.dtype) for a, b in graph.captures]
    ends = [tensor.op.name for tensor in graph.outputs]
    return digest([], definition.node, ends, []) + repr((settings, kinds))


def _renamed(references, numbers):
    """Return references, each "name", "^name" or "name:output:0", by number."""
    found = (re.match(r"(\^?)([^:]+)(.*)", text) for text in references)
    return [part[1] + numbers[part[2]] + part[3] for part in found]


class Steps:
    """Up to `CAPACITY` calls of a model's own `train_step` in one compiled function.

    The steps are those of the model as it stands when this is made: its frozen parts,
    its layers, the attributes that its loss reads. `terms` are the names of what
    `train_step` returns; ValueError if it does not return numbers by name.
    """

    def __init__(self, vae: keras.Model, batch_size: int, dtype: str):
        self.vae, self.terms = vae, ()
        images = tf.TensorSpec((CAPACITY, batch_size, *vae.image_shape), dtype)
        epsilon = tf.TensorSpec((CAPACITY, batch_size, vae.noise_dim))
        steps = tf.TensorSpec((), "int32")
        self._compiled = Compiled(self._steps, [images, epsilon, steps])

    def __call__(
        self, images: np.ndarray, epsilon: np.ndarray
    ) -> tuple[dict[str, np.ndarray], bool]:
        """Take `len(images)` steps and return `(terms, finite)`.

        images: (steps, batch, rows, columns). epsilon: (steps, batch, noise_dim).
        terms: by name, (steps,), what `train_step` returned: running means in nats per
        image. finite: whether all weights are.
        """
        full = [np.resize(a, (CAPACITY, *a.shape[1:])) for a in (images, epsilon)]
        rows, finite = self._compiled(*map(tf.constant, [*full, len(images)]))
        rows = rows.numpy()[: len(images)]
        return dict(zip(self.terms, rows.T, strict=True)), bool(finite)

    def _steps(self, images, epsilon, steps):
        vae = self.vae

        def step(i, rows):
            # noise is drawn outside: random numbers inside XLA double the compile time
            with vae.noise(epsilon[i]):
                terms = vae.train_step((images[i],))
            self.terms = check_terms(terms)
            row = tf.stack([tf.cast(terms[name], "float32") for name in self.terms])
            return i + 1, rows.write(i, row)

        rows = tf.TensorArray("float32", CAPACITY, element_shape=(None,))
        _, rows = tf.while_loop(lambda i, _: i < steps, step, (0, rows))
        weights = [variable.value for variable in vae.trainable_variables]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(w)) for w in weights])
        return rows.stack(), finite


def check_terms(terms: Any) -> tuple[str, ...]:
    """Return the names of what a step returned; ValueError if it will not do."""
    missing = set(TERMS).difference(terms if isinstance(terms, dict) else ())
    if missing:
        raise ValueError(
            f"train_step returns no {' and no '.join(sorted(missing))}: end it with "
            "return self.track(distortion=distortion, rate=rate, loss=loss)."
        )
    for name, value in terms.items():
        if np.shape(value) != ():
            raise ValueError(
                f"train_step returns {name} = {value!r}: return one number for each "
                "name, such as the result of a metric."
            )
    return tuple(terms)

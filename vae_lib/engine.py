"""Many gradient steps of a model in one compiled function. Notebook 01 measures it.

What it gives over Keras' `fit` with `jit_compile` and `steps_per_execution`: on two
cores an epoch of 60,000 images takes `fit` 1.19 times as long (1.00 to 1.53), its first
progress comes after 5.3 s instead of 2.1 s, and every new model compiles anew
(`benchmarks/speed.py`). Chunks can be as short as one step, so that a training is heard
and stopped within a fraction of a second, and none is kept that is not finite.
"""

import contextlib
import ctypes
import hashlib
import threading
import warnings
from collections import OrderedDict

import numpy as np
import tensorflow as tf

CAPACITY = 32  # steps that one call can take; the buffers have this length
UNUSED = "_gradient_op_type"  # for graphs to be differentiated, which these are not
KEPT = 8  # compiled functions that stay in memory, the least recently used going first
TERMS = ("distortion", "rate", "loss")  # what every `train_step` returns, by name
WITHOUT_XLA = (
    tf.errors.InternalError,
    tf.errors.InvalidArgumentError,
    tf.errors.NotFoundError,
    tf.errors.UnimplementedError,
)


class Compiled:
    """`function` of tensors like `signature`, compiled by XLA.

    What is compiled is the function as it stands now: its Python code runs once, here.
    The result is shared only with functions that were traced to the same graph,
    operation by operation and constant by constant; each is run on the variables of its
    own. Calling it returns a list of tensors. Where XLA is not available, or cannot
    compile an operation, it runs without XLA and says so once.
    """

    def __init__(self, function, signature):
        self._function, self._signature = function, signature
        self._trace(xla=True)

    def __call__(self, *tensors):
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
        traced = tf.function(
            self._function,
            input_signature=self._signature,
            jit_compile=xla or None,
            autograph=False,
        ).get_concrete_function()
        self._xla, self._own = xla, traced.captured_inputs
        self._shared, self._fresh = _shared(fingerprint(traced.graph, xla), traced)

    def _run(self, tensors):
        results = self._shared.inference_fn.call_flat(*tensors, *self._own)
        if self._fresh:
            self._fresh = False
            give_back_memory()
        return results


_compiled = OrderedDict()
_compiled_lock = threading.Lock()


def _shared(key, traced):
    """Return the function compiled for a graph like that of `traced`, and if it is
    new.
    """
    with _compiled_lock:
        fresh = key not in _compiled
        if fresh:
            _compiled[key] = traced
            while len(_compiled) > KEPT:
                _compiled.popitem(last=False)
        _compiled.move_to_end(key)
        return _compiled[key], fresh


def fingerprint(graph, *settings):
    """Return a digest that two traced graphs share if they compute the same.

    Names of operations and functions have no part in it, all else has: operations,
    their order, inputs and attributes, constants, and the types of captured variables.
    """
    definition = graph.as_graph_def()
    functions = {f.signature.name: f for f in definition.library.function}
    digests = {}

    def digest_of(name):
        if name not in digests:
            digests[name] = ""  # for a function that calls itself
            digests[name] = _digest_of_function(functions[name], digest_of)
        return digests[name]

    inputs = [
        (tensor.dtype.name, str(tensor.shape), str(tf.as_dtype(inside.dtype)))
        for tensor, inside in graph.captures
    ]
    outputs = [str(tensor.op.name) for tensor in graph.outputs]
    names = {node.name: str(i) for i, node in enumerate(definition.node)}
    nodes = _digest_of_nodes(definition.node, names, digest_of)
    ends = [names[name] for name in outputs]
    text = repr((settings, inputs, ends, nodes))
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of_function(function, digest_of):
    arguments = [argument.name for argument in function.signature.input_arg]
    names = {name: f"argument {i}" for i, name in enumerate(arguments)}
    names |= {node.name: str(i) for i, node in enumerate(function.node_def)}
    nodes = _digest_of_nodes(function.node_def, names, digest_of)
    ends = [
        _renamed(function.ret[output.name], names)
        for output in function.signature.output_arg
    ]
    kinds = [argument.type for argument in function.signature.input_arg]
    control = sorted(_renamed(name, names) for name in function.control_ret.values())
    text = repr((kinds, ends, control, nodes))
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of_nodes(nodes, names, digest_of):
    """Return a digest of operations in their order, their names replaced by `names`."""
    digest = hashlib.sha256()
    for node in nodes:
        inputs = [_renamed(name, names) for name in node.input]
        digest.update(repr((node.op, node.device, inputs)).encode())
        for name in sorted(set(node.attr) - {UNUSED}):
            value = type(node.attr[name])()
            value.CopyFrom(node.attr[name])
            for function in [value.func] * value.HasField("func") + [*value.list.func]:
                function.name = digest_of(function.name)
            digest.update(name.encode() + value.SerializeToString(deterministic=True))
    return digest.hexdigest()


def _renamed(reference, names):
    """Return a reference to an output, `name`, `^name` or `name:output:0`, renamed."""
    control, name = reference.startswith("^"), reference.lstrip("^")
    name, *output = name.split(":")
    return "^" * control + ":".join([names[name], *output])


class Steps:
    """Up to `CAPACITY` calls of a model's own `train_step` in one compiled function.

    The steps are those of the model as it stands when this is made: its frozen parts,
    its layers, the attributes that its loss reads. They change the model's own
    variables. `terms` are the names of what `train_step` returns. Raises ValueError
    with one sentence for a `train_step` that does not return numbers by name.
    """

    def __init__(self, vae, batch_size, dtype):
        self.vae, self.terms = vae, ()
        images = tf.TensorSpec((CAPACITY, batch_size, *vae.image_shape), dtype)
        epsilon = tf.TensorSpec((CAPACITY, batch_size, vae.noise_dim))
        self._compiled = Compiled(
            self._steps, [images, epsilon, tf.TensorSpec((), "int32")]
        )

    def __call__(self, images, epsilon):
        """Take `len(images)` steps and return `(terms, finite)`.

        images: (steps, batch, rows, columns). epsilon: (steps, batch, noise_dim).
        terms: by name, NumPy (steps,), as `train_step` returned them: running means in
        nats per image since the metrics were reset. finite: whether all weights are.
        """
        padded = [tf.constant(_padded(array)) for array in (images, epsilon)]
        rows, finite = self._compiled(*padded, tf.constant(len(images)))
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


def check_terms(terms):
    """Return the names of what a `train_step` returned; raise ValueError if it
    cannot do.
    """
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


def give_back_memory():
    """Return what the compiler has freed to the system, 100 MB.

    The GNU C library would keep it; where there is another one, nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _padded(array):
    """Return `array` with zeros appended up to CAPACITY rows."""
    array = np.asarray(array)
    rest = np.zeros((CAPACITY - len(array), *array.shape[1:]), array.dtype)
    return np.concatenate([array, rest])

"""A network's weights as bytes, for widgets that compute in the browser. Notebook 04."""

from pathlib import Path

import keras
import numpy as np

SCRIPTS = Path(__file__).parent
ACTIVATIONS = ("linear", "relu", "gelu", "tanh", "sigmoid")  # those of decoder.js
DTYPES = ("float16", "float32")


def script(*names):
    """Return the scripts of these names beside this module as one text; the first ones may serve the last."""
    return "\n".join((SCRIPTS / f"{name}.js").read_text("utf-8") for name in names)


def dense_layers(network):
    """Return the `Dense` layers of a Keras model in order.

    Raises ValueError with one sentence where there are others, reshaping aside: the browser could not follow.
    """
    layers = [
        layer
        for layer in network.layers
        if not isinstance(layer, keras.layers.InputLayer)
    ]
    others = [
        layer
        for layer in layers
        if not isinstance(
            layer, (keras.layers.Dense, keras.layers.Flatten, keras.layers.Reshape)
        )
    ]
    if others:
        raise ValueError(
            f"the {network.name} has a {type(others[0]).__name__} layer, but the browser computes Dense "
            "ones only: use vae_lib.widgets.plane.LatentPlane, which decodes in the kernel."
        )
    return [layer for layer in layers if isinstance(layer, keras.layers.Dense)]


def packed_weights(network, dtype="float16"):
    """Return `weights, shapes` of a Keras model of `Dense` layers, or of a list of such layers.

    `weights` is bytes: layer by layer the kernel row by row, then the bias, little-endian `dtype` ("float16" or
    "float32"); `shapes` is [[n_in, n_out], ...]. `unpackWeights` of decoder.js undoes it. Raises ValueError for
    other layers, and for weights beyond float16's largest number, 65504.
    """
    if dtype not in DTYPES:
        raise ValueError(
            f"dtype is {dtype!r}: choose one of {', '.join(map(repr, DTYPES))}."
        )
    layers = network if isinstance(network, (list, tuple)) else dense_layers(network)
    parts, shapes = [], []
    for layer in layers:
        kernel = np.asarray(layer.kernel)
        bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(kernel.shape[1])
        parts += [packed(kernel, dtype), packed(bias, dtype)]
        shapes.append(list(kernel.shape))
    return b"".join(parts), shapes


def packed(values, dtype="float16"):
    """Return an array as bytes, row by row, little-endian `dtype`; raise ValueError where it does not fit."""
    with np.errstate(over="ignore"):
        values = np.asarray(values).astype(np.dtype(dtype).newbyteorder("<"))
    if not np.isfinite(values).all():
        raise ValueError(
            f"some weights are NaN or too large for {dtype}: train anew, or choose float32."
        )
    return values.tobytes()


def hidden_activation(layers):
    """Return the name of the activation that all hidden ones of these `Dense` layers share.

    Raises ValueError where they differ, the browser lacks it, or the last layer has one.
    """
    names = [layer.activation.__name__ for layer in layers]
    if (
        len(set(names[:-1])) > 1
        or not set(names) <= set(ACTIVATIONS)
        or names[-1] != "linear"
    ):
        raise ValueError(
            f"the activations are {', '.join(names)}: the browser needs one of {', '.join(ACTIVATIONS)} "
            "for all hidden layers and linear for the last."
        )
    return names[0] if len(names) > 1 else "linear"


def network_state(vae, dtype="float16"):
    """Return what the browser needs to decode like `vae`, as a mapping of traits.

    `weights`, `shapes`, `dtype` as from `packed_weights`; `activation` of the hidden layers; `output`, "sigmoid" or
    [scale, shift]; `columns` of an image.
    """
    layers = dense_layers(vae.decoder)
    weights, shapes = packed_weights(layers, dtype)
    shift, scale = (float(vae.likelihood.mean(np.float32(x))) for x in (0, 1))
    output = (
        "sigmoid"
        if vae.settings["likelihood"] == "bernoulli"
        else [scale - shift, shift]
    )
    return dict(
        weights=weights,
        shapes=shapes,
        dtype=dtype,
        activation=hidden_activation(layers),
        output=output,
        columns=vae.image_shape[1],
    )

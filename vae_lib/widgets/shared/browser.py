"""What the page gets: scripts, style sheets, and the weights of a network as bytes.
Notebook 04.
"""

from pathlib import Path

import keras
import numpy as np

from vae_lib.analysis.likelihood import check_likelihood

WIDGETS = Path(__file__).resolve().parents[1]
ACTIVATIONS = ("linear", "relu", "gelu", "tanh", "sigmoid")  # those of network.js
DTYPES = ("float16", "float32")


def script(name):
    """Return the script of this name, one file made from the modules in `js/`."""
    return (WIDGETS / "static" / f"{name}.js").read_text("utf-8")


def styles(*names):
    """Return the style sheets of these names as one text."""
    return "\n".join(
        (WIDGETS / "css" / f"{name}.css").read_text("utf-8") for name in names
    )


def dense_layers(network):
    """Return the `Dense` layers of a Keras model in order.

    Raises ValueError with one sentence if there are others, apart from reshaping: the
    page cannot compute them.
    """
    passed = keras.layers.InputLayer, keras.layers.Flatten, keras.layers.Reshape
    layers = [layer for layer in network.layers if not isinstance(layer, passed)]
    for layer in layers:
        if not isinstance(layer, keras.layers.Dense):
            raise ValueError(
                f"the {network.name} has a {type(layer).__name__} layer, but the page "
                "computes Dense ones "
                "only: use vae_lib.widgets.plane.LatentPlane, which decodes in the "
                "kernel."
            )
    return layers


def packed_weights(network, dtype="float16"):
    """Return `weights, shapes` of a Keras model of `Dense` layers, or of a list of such
    layers.

    `weights` is bytes: layer by layer the kernel row by row, then the bias,
    little-endian `dtype` ("float16" or "float32"); `shapes` is [[n_in, n_out], ...].
    `unpackLayers` of network.js undoes it. Raises ValueError for other layers, and for
    weights beyond float16's largest number, 65504.
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
    """Return an array as bytes, row by row, little-endian `dtype`; raise ValueError
    where it does not fit.
    """
    with np.errstate(over="ignore"):
        values = np.asarray(values).astype(np.dtype(dtype).newbyteorder("<"))
    if not np.isfinite(values).all():
        raise ValueError(
            f"some weights are NaN or too large for {dtype}: train again, or choose "
            "float32."
        )
    return values.tobytes()


def hidden_activation(layers):
    """Return the name of the activation that all hidden ones of these `Dense` layers
    share.

    Raises ValueError where they differ, the page lacks it, or the last layer has one.
    """
    *hidden, last = [layer.activation.__name__ for layer in layers]
    known = set(hidden) <= set(ACTIVATIONS)
    if len(set(hidden)) > 1 or not known or last != "linear":
        raise ValueError(
            f"the activations are {', '.join([*hidden, last])}: the page needs one of "
            f"{', '.join(ACTIVATIONS)} for all hidden layers and linear for the last."
        )
    return hidden[0] if hidden else "linear"


def output_of(vae):
    """Return how the page turns a decoder's outputs into pixels: "sigmoid" or [scale,
    shift].
    """
    if check_likelihood(vae) == "bernoulli":
        return "sigmoid"
    shift, one = (float(vae.likelihood.mean(np.float32(x))) for x in (0, 1))
    return [one - shift, shift]


def network_state(vae, dtype="float16"):
    """Return what the page needs to decode like `vae`, as a mapping of traits.

    `weights`, `shapes`, `dtype` as from `packed_weights`; `activation` of the hidden
    layers; `output`, "sigmoid" or [scale, shift]; `columns` of an image.
    """
    layers = dense_layers(vae.decoder)
    weights, shapes = packed_weights(layers, dtype)
    return dict(
        weights=weights,
        shapes=shapes,
        dtype=dtype,
        activation=hidden_activation(layers),
        output=output_of(vae),
        columns=vae.image_shape[1],
    )

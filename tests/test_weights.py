"""Weights as bytes: what network.js unpacks is what Keras holds."""

import keras
import numpy as np
import pytest

from vae_lib.model import VAE
from vae_lib.widgets.shared.browser import (
    hidden_activation,
    network_state,
    packed_weights,
)


@pytest.mark.parametrize(
    "dtype, size, error", [("float32", 4, 0), ("float16", 2, 5e-4)]
)
def test_the_bytes_hold_every_kernel_and_bias_in_order(dtype, size, error):
    vae = VAE(3, (8, 5))
    weights, shapes = packed_weights(vae.decoder, dtype)
    assert shapes == [[3, 5], [5, 8], [8, 784]]
    values = np.frombuffer(weights, f"<f{size}")
    expected = np.concatenate([np.ravel(w) for w in vae.decoder.get_weights()])
    np.testing.assert_allclose(values, expected, rtol=error, atol=error * 1e-3)


def test_the_default_network_fits_into_a_megabyte_of_float16():
    weights, _ = packed_weights(VAE().decoder)
    assert len(weights) == 2 * 534_544


def test_state_names_activation_and_output():
    state = network_state(VAE(activation="gelu"))
    assert (state["activation"], state["output"], state["columns"]) == (
        "gelu",
        "sigmoid",
        28,
    )
    state = network_state(VAE(likelihood="gaussian", hidden=()))
    assert state["activation"] == "linear"
    np.testing.assert_allclose(state["output"], [0.3081, 0.1307], rtol=1e-5)


def test_a_layer_that_the_browser_cannot_compute_is_refused_by_name():
    convolutional = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Conv2D(2, 3)]
    )
    with pytest.raises(ValueError, match="Conv2D.*LatentPlane"):
        packed_weights(convolutional)
    with pytest.raises(ValueError, match="float8"):
        packed_weights(VAE().decoder, "float8")


def test_an_activation_that_the_browser_lacks_is_refused():
    layers = [keras.layers.Dense(2, "selu"), keras.layers.Dense(2)]
    with pytest.raises(ValueError, match="selu"):
        hidden_activation(layers)


def test_weights_that_float16_cannot_hold_are_refused():
    vae = VAE(2, (3,))
    vae.decoder.layers[-2].bias.assign(np.full(784, 1e6))
    with pytest.raises(ValueError, match="float16"):
        packed_weights(vae.decoder)
    packed_weights(vae.decoder, "float32")

"""The arithmetic of decoder.js against Keras, in the browser."""

import base64

import keras
import numpy as np
import pytest

from vae_lib.model import VAE
from vae_lib.widgets.weights import network_state, packed_weights, script

pytestmark = pytest.mark.full

RUN = """({ weights, shapes, dtype, codes, options }) => {
    const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
    const layers = unpackWeights(new DataView(bytes.buffer), shapes, dtype);
    return codes.map((z) => Array.from(decode(layers, z, options)));
}"""
TOLERANCE = {"float32": 1e-5, "float16": 2e-3}


@pytest.fixture(scope="module")
def page(browser):
    """An empty page that knows decoder.js."""
    page = browser.new_page()
    page.add_script_tag(content=script("decoder"))
    yield page
    page.close()


def with_biases(network):
    """Give a network biases, which are zero at the start, so that no error can hide in zeros."""
    rng = np.random.default_rng(0)
    network.set_weights(
        [
            w if w.ndim == 2 else rng.normal(0, 0.5, w.shape)
            for w in network.get_weights()
        ]
    )


def in_browser(page, weights, shapes, dtype, codes, **options):
    arguments = dict(
        weights=base64.b64encode(weights).decode(),
        shapes=shapes,
        dtype=dtype,
        codes=codes.tolist(),
        options=options,
    )
    return np.array(page.evaluate(RUN, arguments))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    "settings",
    [
        dict(latent_dim=2),
        dict(latent_dim=10, activation="gelu"),
        dict(latent_dim=2, activation="tanh", hidden=(64,)),
        dict(latent_dim=2, likelihood="gaussian", activation="gelu"),
        dict(latent_dim=2, hidden=()),
    ],
    ids=str,
)
def test_decode_agrees_with_keras(page, settings, dtype):
    keras.utils.set_random_seed(0)
    vae = VAE(**settings)
    with_biases(vae.decoder)
    codes = (
        np.random.default_rng(1).normal(0, 1.5, (40, vae.latent_dim)).astype("float32")
    )
    state = network_state(vae, dtype)
    found = in_browser(
        page,
        state["weights"],
        state["shapes"],
        dtype,
        codes,
        activation=state["activation"],
        output=state["output"],
    )
    expected = vae.decode(codes).reshape(40, 784)
    if settings.get("likelihood") == "gaussian":
        expected, found = (
            a / np.abs(expected).max() for a in (expected, found)
        )  # not between 0 and 1
    assert np.std(expected) > 0.05
    assert np.abs(found - expected).max() <= TOLERANCE[dtype]


def test_modulated_layers_agree_with_numpy(page):
    """Scale and shift of each hidden layer, as a network for every beta has them."""
    keras.utils.set_random_seed(0)
    vae, rng = VAE(3, (9, 7)), np.random.default_rng(0)
    with_biases(vae.decoder)
    gates = [
        dict(scale=rng.normal(1, 0.5, n), shift=rng.normal(0, 1, n)) for n in (7, 9)
    ]
    codes = rng.normal(0, 1, (5, 3))
    hidden, weights = codes, vae.decoder.get_weights()
    for gate, kernel, bias in zip(gates, weights[0::2], weights[1::2]):
        hidden = np.maximum((hidden @ kernel + bias) * gate["scale"] + gate["shift"], 0)
    expected = 1 / (1 + np.exp(-(hidden @ weights[-2] + weights[-1])))
    modulation = [
        {name: list(values) for name, values in gate.items()} for gate in gates
    ]
    found = in_browser(
        page,
        *packed_weights(vae.decoder, "float32"),
        "float32",
        codes,
        modulation=modulation,
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_every_half_is_read_right(page):
    halves = np.arange(2**16, dtype="<u2").view("<f2")
    encoded = base64.b64encode(halves.tobytes()).decode()
    found = page.evaluate(
        """(text) => {
        const view = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
        return Array.from(unpackHalf(view), String);
    }""",
        encoded,
    )
    np.testing.assert_array_equal(
        np.array([float(text.replace("Infinity", "inf")) for text in found]), halves
    )


def test_a_digit_is_drawn_crisp_and_dark_on_light(page):
    levels = page.evaluate("""() => {
        const canvas = document.createElement("canvas");
        const ctx = fitCanvas(canvas, 280, 280);
        drawDigit(ctx, Float32Array.from({ length: 784 }, (_, i) => (i === 29 ? 1 : 0)), 0, 0, 280);
        const ratio = devicePixelRatio;
        return [[5, 5], [10, 10], [19, 19], [21, 15]].map(([x, y]) => ctx.getImageData(x * ratio, y * ratio, 1, 1).data[0]);
    }""")
    assert levels == [255, 0, 0, 255]

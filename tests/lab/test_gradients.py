"""Loss and every gradient of the laboratory equal those of Keras at the same weights,
images and noise.
"""

import base64
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from vae_lib.data import load_mnist
from vae_lib.experiments.laboratory_file import save_for_browser
from vae_lib.model import VAE
from vae_lib.objectives import LIKELIHOODS
from vae_lib.posterior import POSTERIORS
from vae_lib.training import train

pytestmark = pytest.mark.lab
TOLERANCE = 1e-5  # of the largest entry of each gradient
REAL = {"hidden": (256, 128), "latent_dim": 2}


def of_keras(vae, images, epsilon):
    """Return [loss, distortion, rate] and the gradients, in the order of the file."""
    with vae.noise(epsilon), tf.GradientTape() as tape:
        distortion, rate = (tf.reduce_mean(term) for term in vae.terms(images))
        loss = distortion + vae.beta * rate
    variables = [
        v.value
        for v in vae.encoder.trainable_variables + vae.decoder.trainable_variables
    ]
    return np.array([loss, distortion, rate]), [
        g.numpy() for g in tape.gradient(loss, variables)
    ]


def of_laboratory(run_node, vae, images, epsilon, folder):
    """Return the same from the laboratory's own modules, run in node."""
    save_for_browser(vae, folder / "network.vae.json")
    work = {
        "file": (folder / "network.vae.json").read_text(encoding="utf-8"),
        "pixels": images.astype("float32").ravel().tolist(),
        "epsilon": epsilon.ravel().tolist(),
    }
    (folder / "work.json").write_text(json.dumps(work), encoding="utf-8")
    found = json.loads(run_node("test/at_weights.mjs", folder / "work.json"))
    return np.array(found["numbers"]), [
        np.frombuffer(base64.b64decode(g), "<f4") for g in found["gradients"]
    ]


def assert_equal(run_node, vae, images, folder):
    epsilon = (
        np.random.default_rng(3)
        .standard_normal((len(images), vae.latent_dim))
        .astype("float32")
    )
    numbers, gradients = of_keras(vae, images, epsilon)
    theirs, found = of_laboratory(run_node, vae, images, epsilon, folder)
    np.testing.assert_allclose(theirs, numbers, rtol=TOLERANCE, atol=1e-5)
    assert len(found) == len(gradients)
    for mine, keras_gradient in zip(found, gradients):
        largest = np.abs(keras_gradient).max()
        assert np.abs(mine - keras_gradient.ravel()).max() <= TOLERANCE * largest


@pytest.fixture(scope="module")
def images():
    return load_mnist().train.images[:128].astype("float32") / np.float32(255)


@pytest.fixture(scope="module", params=LIKELIHOODS)
def trained(request):
    """A softplus network after two short epochs; its weights serve the other
    maps, too.
    """
    keras.utils.set_random_seed(1)
    vae = VAE(**REAL, likelihood=request.param, beta=4.0)
    train(
        vae,
        load_mnist().train.images[:2560],
        epochs=2,
        learning_rate=5e-4,
        progress=False,
    )
    return vae


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_gradients_at_a_trained_network(run_node, trained, posterior, images, tmp_path):
    vae = VAE.from_config({**trained.get_config(), "posterior": posterior})
    vae.set_weights(trained.get_weights())
    if posterior == "direct":  # off its pole, where rho's last digit decides 1 / rho
        bias = vae.encoder.get_layer("rho").bias
        bias.assign(bias - 5.0)
    assert_equal(run_node, vae, images, tmp_path)


@pytest.mark.parametrize("hidden", [(), (5,), (7, 4, 3)])
@pytest.mark.parametrize("posterior", POSTERIORS)
def test_gradients_of_small_networks(run_node, posterior, hidden, images, tmp_path):
    keras.utils.set_random_seed(2)
    vae = VAE(latent_dim=3, hidden=hidden, posterior=posterior, beta=0.1)
    assert_equal(run_node, vae, images[:7], tmp_path)


@pytest.mark.parametrize("shift", [-60.0, -20.0, -3.0, 5.0, 40.0])
@pytest.mark.parametrize("posterior", [name for name in POSTERIORS if name != "direct"])
def test_gradients_far_out_where_the_guards_stand(
    run_node, posterior, shift, images, tmp_path
):
    keras.utils.set_random_seed(4)
    vae = VAE(latent_dim=2, hidden=(5,), posterior=posterior, beta=1.0)
    vae.decoder.set_weights([0.01 * w for w in vae.decoder.get_weights()])
    vae.encoder.get_layer("rho").bias.assign(
        np.full(2, shift if posterior == "softplus" else shift / 10)
    )
    assert_equal(run_node, vae, images[:9], tmp_path)


def test_a_wrong_gradient_would_be_seen(run_node, images, tmp_path):
    """At another noise or beta the comparison fails, so that it does compare."""
    vae = VAE(latent_dim=2, hidden=(5,))
    epsilon = np.zeros((4, 2), "float32")
    _, gradients = of_keras(vae, images[:4], epsilon)
    _, found = of_laboratory(run_node, vae, images[:4], epsilon + 0.01, tmp_path)
    gaps = [
        np.abs(f - g.ravel()).max() / np.abs(g).max() for f, g in zip(found, gradients)
    ]
    assert max(gaps) > TOLERANCE

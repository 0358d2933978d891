"""One network for every beta: the same at each beta as the ordinary VAE it turns into,
and about as good.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from vae_lib import storage
from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.experiments.one_network import ConditionedVAE
from vae_lib.model import VAE
from vae_lib.training import train

DIGITS = load_mnist()
IMAGES = DIGITS.train.images[:2000]


def new(seed=0, **settings):
    keras.utils.set_random_seed(seed)
    return ConditionedVAE(**{"latent_dim": 3, "hidden": (24, 16), **settings})


@pytest.fixture(scope="module")
def trained():
    vae = new()
    train(vae, IMAGES, epochs=2, progress=False)
    return vae


@pytest.mark.full
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_at_beta_it_is_an_ordinary_vae(likelihood):
    network = new(likelihood=likelihood)
    train(network, IMAGES, epochs=1, progress=False)
    images = IMAGES[:7]
    beta = 17.0
    vae = network.at(beta)
    t = tf.fill((7, 1), network.standardised(tf.constant(np.log(beta), tf.float32)))
    mu, rho = network.encoder([network.prepare(images), t])
    np.testing.assert_allclose(
        vae.encode(images)[0], mu, atol=1e-5
    )  # float32, folded in another order
    np.testing.assert_allclose(
        vae.encode(images)[1], network.posterior(rho)[0], atol=1e-5
    )
    decoded = network.likelihood.mean(network.decoder([mu, t]))
    np.testing.assert_allclose(vae.decode(mu), decoded, atol=1e-4)
    assert type(vae) is VAE and float(vae.beta) == 17.0
    assert np.array_equal(network.decode(mu, beta), vae.decode(mu)) and network.encode(
        images, beta
    )[0].shape == (7, 3)


def test_shapes_and_the_range_of_drawn_betas(trained):
    noise = np.random.default_rng(0).standard_normal((500, 4)).astype("float32")
    with trained.noise(noise):
        (mu, sigma, log_sigma), logits, beta = trained(IMAGES[:500])
    assert mu.shape == sigma.shape == log_sigma.shape == (500, 3) and logits.shape == (
        500,
        28,
        28,
    )
    share = norm.cdf(noise[:, 3])
    np.testing.assert_allclose(beta, 0.05 * (300 / 0.05) ** share, rtol=1e-4)


def test_gradients_reach_every_variable():
    network = new()
    with tf.GradientTape() as tape:
        distortion, rate, beta = network.terms_and_beta(IMAGES[:64])
        loss = tf.reduce_mean(distortion + beta * rate)
    for variable, gradient in zip(
        network.trainable_variables, tape.gradient(loss, network.trainable_variables)
    ):
        assert gradient is not None and np.any(gradient != 0), variable.path


def test_the_engine_takes_the_same_step_as_keras():
    one, other = new(), new()
    train(one, IMAGES[:128], epochs=1, batch_size=128, progress=False)
    rng = np.random.default_rng((0, 0, 0))
    other.compile(optimizer=keras.optimizers.Adam(1e-3))
    with other.noise(rng.standard_normal((128, 4), "float32")):
        other.train_step(
            (IMAGES[:128][np.random.default_rng((0, 0)).permutation(128)],)
        )
    for a, b in zip(one.trainable_variables, other.trainable_variables):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_a_saved_network_comes_back_the_same(trained, tmp_path):
    storage.save(trained, tmp_path / "one.keras")
    loaded = storage.load(tmp_path / "one.keras")
    images = DIGITS.test.images[:300]
    assert evaluate(loaded.at(4.0), images) == evaluate(trained.at(4.0), images)
    assert loaded.settings == trained.settings


@pytest.mark.parametrize("beta", [0, -1.0, 0.01, 301, np.nan, np.inf, "4", None])
def test_a_beta_it_was_not_trained_for_is_refused(trained, beta):
    with pytest.raises(ValueError, match=f"beta is {beta!r}: "):
        trained.at(beta)


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(low=0), "low and high are"),
        (dict(low=2, high=1), "low and high"),
        (dict(hidden=()), "hidden is"),
        (dict(latent_dim=0), "latent_dim is"),
    ],
)
def test_settings_that_make_no_model_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ConditionedVAE(**settings)


def test_more_beta_less_rate_and_more_distortion(trained):
    found = [
        evaluate(trained.at(beta), DIGITS.test.images[:1000])
        for beta in (0.1, 1.0, 12.0, 200.0)
    ]
    assert all(np.diff([e.rate for e in found]) < 0)
    assert all(np.diff([e.distortion for e in found]) > 0)


@pytest.mark.slow
def test_it_stays_close_to_a_dedicated_network():
    """The gap of the notebook's table at one beta, small: 12,000 digits, 64-32 units,
    equally many steps.
    """
    images, beta = DIGITS.train.images[:12_000], 4.0

    def loss_of(vae):
        found = evaluate(vae, DIGITS.test.images)
        return found.distortion + beta * found.rate

    keras.utils.set_random_seed(0)
    dedicated = VAE(2, (64, 32), beta=beta)
    train(dedicated, images, epochs=10, progress=False)
    network = new(latent_dim=2, hidden=(64, 32))
    train(network, images, epochs=20, progress=False)
    assert loss_of(network.at(beta)) < 1.02 * loss_of(dedicated)

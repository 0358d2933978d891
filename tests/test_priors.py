"""The learned prior against SciPy's normal densities, and where its rate is known."""

import keras
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from vae_lib.evaluation import evaluate
from vae_lib.experiments.priors import VampVAE, log_mixture
from vae_lib.training import train

RNG = np.random.default_rng(0)
IMAGES = RNG.random((60, 4, 5)).astype("float32")


def test_a_mixture_has_the_density_that_scipy_says():
    z, mu = RNG.normal(size=(9, 3)), RNG.normal(size=(4, 3))
    sigma = RNG.uniform(0.1, 2.0, (4, 3))
    each = norm.logpdf(z[:, None], mu, sigma).sum(axis=-1)
    found = log_mixture(z, mu, sigma, np.log(sigma))
    np.testing.assert_allclose(found, logsumexp(each, axis=1) - np.log(4), rtol=1e-5)


def test_a_prior_that_is_every_posterior_costs_no_rate():
    vae = VampVAE(IMAGES[:3], latent_dim=2, hidden=(8,), image_shape=(4, 5))
    vae.encoder.set_weights([0.0 * part for part in vae.encoder.get_weights()])
    rate = np.asarray(vae.terms(IMAGES)[1])
    np.testing.assert_allclose(rate, 0.0, atol=1e-5)


@pytest.mark.slow
def test_training_moves_the_inputs_and_lowers_the_loss():
    keras.utils.set_random_seed(0)
    vae = VampVAE(IMAGES[:3], latent_dim=2, hidden=(8,), image_shape=(4, 5))
    before, inputs = evaluate(vae, IMAGES), np.asarray(vae.inputs.value)
    train(vae, IMAGES, epochs=60, batch_size=20, progress=False)
    assert evaluate(vae, IMAGES).elbo > before.elbo + 0.5
    assert np.abs(np.asarray(vae.inputs.value) - inputs).max() > 0.01


def test_codes_are_drawn_from_the_prior_itself():
    vae = VampVAE(IMAGES[:3], latent_dim=2, hidden=(8,), image_shape=(4, 5))
    mu, sigma, _ = map(np.asarray, vae.components())
    z = vae.draw(20_000)
    variance = (sigma**2 + mu**2).mean(axis=0) - mu.mean(axis=0) ** 2
    assert z.mean(axis=0) == pytest.approx(mu.mean(axis=0), abs=0.03)
    assert z.var(axis=0) == pytest.approx(variance, rel=0.05)

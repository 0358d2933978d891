"""log p(x) by quadrature against closed forms; means that do not hide their tails."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from vae_lib.analysis import gap
from vae_lib.analysis.bits_back import Coder
from vae_lib.analysis.likelihood import (
    check_likelihood,
    log_likelihood,
    quadrature_log_likelihood,
    tails,
)
from vae_lib.experiments.priors import VampVAE
from vae_lib.model import VAE
from vae_lib.objectives import LIKELIHOODS, rate

RNG = np.random.default_rng(0)
IMAGES = RNG.random((7, 4, 5)).astype("float32")


def exact_linear_vae(latent_dim):
    """Return a linear Gaussian VAE with its exact posterior as encoder, W and b."""
    vae = VAE(latent_dim, hidden=(), likelihood="gaussian", image_shape=(4, 5))
    axes = np.linalg.qr(RNG.normal(size=(20, latent_dim)))[0]
    kernel = axes * np.array([2.0, 0.7])[:latent_dim]
    bias = RNG.normal(size=20)
    vae.decoder.set_weights([kernel.T, bias])
    variance = 1.0 / (1.0 + 2.0 * (kernel**2).sum(axis=0))  # pixels have variance 1/2
    rho = np.log(np.expm1(np.sqrt(variance)))
    vae.encoder.set_weights(
        [
            2.0 * kernel * variance,
            -2.0 * bias @ kernel * variance,
            np.zeros_like(kernel),
            rho,
        ]
    )
    return vae, kernel, bias


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_three_exact_answers_agree_at_the_linear_optimum(latent_dim):
    vae, kernel, bias = exact_linear_vae(latent_dim)
    x = np.asarray(vae.prepare(IMAGES)).reshape(7, -1)
    covariance = kernel @ kernel.T + np.eye(20) / 2
    exact = multivariate_normal(bias, covariance).logpdf(x)
    exact += 10.0 * np.log(np.pi)  # the constant that the distortion leaves out
    np.testing.assert_allclose(
        quadrature_log_likelihood(vae, IMAGES, step=0.05), exact, atol=1e-3
    )
    np.testing.assert_allclose(log_likelihood(vae, IMAGES, samples=3), exact, atol=1e-3)


def test_a_mean_over_draws_of_the_prior_comes_to_the_quadrature():
    keras.utils.set_random_seed(0)
    vae = VAE(2, hidden=(8,), image_shape=(4, 5))
    found = quadrature_log_likelihood(vae, IMAGES)
    z = np.random.default_rng(1).standard_normal((100_000, 2), "float32")
    draws = vae.likelihood.distortion(IMAGES[:, None], vae.decoder(z))
    by_hand = logsumexp(-np.asarray(draws, "float64"), axis=1) - np.log(len(z))
    np.testing.assert_allclose(found, by_hand, atol=0.02)
    pixels = np.uint8(255 * IMAGES + 0.5)
    of_bytes = quadrature_log_likelihood(vae, pixels, step=0.1)
    np.testing.assert_allclose(of_bytes, found, atol=0.05)


def test_a_grid_that_is_too_small_is_refused():
    vae, *_ = exact_linear_vae(2)
    with pytest.raises(ValueError, match="raise extent"):
        quadrature_log_likelihood(vae, IMAGES, step=0.1, extent=0.5)


def test_a_grid_that_has_to_be_widened_sums_every_code_once():
    vae = VAE(1, hidden=(), likelihood="gaussian", image_shape=(4, 5))
    kernel, bias = np.full((20, 1), 0.5), np.full(20, -0.4)
    variance = 1.0 / 11.0  # of the posterior: 1 + 2 · 20 · 0.5² = 11
    rho = np.log(np.expm1(variance**0.5))
    mu = [2.0 * kernel * variance, np.array([8.0 * variance])]
    vae.encoder.set_weights([*mu, np.zeros((20, 1)), np.array([rho])])
    vae.decoder.set_weights([kernel.T, bias])
    images = IMAGES[:2] / 100 + 0.98  # codes near 6
    reach = float(np.abs(vae.encode(images)[0]).max() + 6 * variance**0.5)
    with pytest.raises(ValueError, match="raise extent"):
        quadrature_log_likelihood(vae, images, step=0.05, extent=reach)
    x = np.asarray(vae.prepare(images)).reshape(2, -1)
    exact = multivariate_normal(bias, kernel @ kernel.T + np.eye(20) / 2).logpdf(x)
    exact += 10.0 * np.log(np.pi)
    found = quadrature_log_likelihood(vae, images, step=0.05)
    np.testing.assert_allclose(found, exact, atol=1e-3)


@pytest.mark.parametrize(
    "settings, arguments, words",
    [
        ({"latent_dim": 3}, {}, "3 latent units"),
        ({}, {"step": 0}, "step is 0"),
        ({}, {"extent": -1.0}, "extent is -1.0"),
    ],
)
def test_what_no_grid_can_do_is_refused(settings, arguments, words):
    vae = VAE(**{"latent_dim": 2, **settings}, hidden=(), image_shape=(4, 5))
    with pytest.raises(ValueError, match=words):
        quadrature_log_likelihood(vae, IMAGES, **arguments)


def test_a_mean_is_told_with_its_tail():
    found = tails({"even": np.ones(100), "one large": np.r_[np.zeros(99), 500.0]})
    assert list(found.columns) == ["mean", "±", "median", "0.9", "0.99", "largest"]
    assert found.loc["even"].tolist() == [1, 0, 1, 1, 1, 1]
    row = found.loc["one large"]
    assert (row["mean"], row["median"], row["largest"]) == (5, 0, 500)
    assert row["±"] == pytest.approx(5)
    with pytest.raises(ValueError, match="not finite"):
        tails({"broken": [1.0, np.nan]})


def test_another_distortion_than_that_of_the_setting_is_refused():
    """The quadrature knows the library's two; replaced by a third, it was silent."""
    vae = VAE(hidden=(8,))
    sharp = lambda x, mean: ops.sum((x - mean) ** 2, axis=(-2, -1)) / 0.02  # noqa: E731
    vae.likelihood = vae.likelihood._replace(distortion=sharp)
    images = np.full((3, 28, 28), 100, "uint8")
    with pytest.raises(ValueError, match="is not that of vae_lib"):
        quadrature_log_likelihood(vae, images)
    assert np.isfinite(log_likelihood(vae, images, samples=5)).all()


@pytest.mark.parametrize("estimate", [log_likelihood, quadrature_log_likelihood])
def test_a_prior_of_its_own_is_refused(estimate):
    images = np.full((3, 28, 28), 100, "uint8")
    vamp = VampVAE(images / np.float32(255), hidden=(8,))
    with pytest.raises(ValueError, match="a prior of its own"):
        estimate(vamp, images)


def test_a_changed_entry_is_refused_and_an_equal_one_is_not(monkeypatch):
    """Notebook 01 enters functions of its own, before and after models are made."""
    images = np.full((1, 28, 28), 100, "uint8")
    before, entry = VAE(hidden=(8,)), LIKELIHOODS["bernoulli"]

    def equal(x, logits):
        return ops.sum(ops.softplus(logits) - x * logits, axis=(-2, -1))

    def square(x, logits):
        return ops.sum((x - ops.sigmoid(logits)) ** 2, axis=(-2, -1))

    monkeypatch.setitem(LIKELIHOODS, "bernoulli", entry._replace(distortion=equal))
    for vae in (before, VAE(hidden=(8,))):
        assert check_likelihood(vae) == "bernoulli"
    monkeypatch.setitem(LIKELIHOODS, "bernoulli", entry._replace(distortion=square))
    with pytest.raises(ValueError, match="'bernoulli' of this model is not that"):
        quadrature_log_likelihood(VAE(hidden=(8,)), images)
    monkeypatch.setitem(LIKELIHOODS, "mine", entry)
    with pytest.raises(ValueError, match="'mine' of this model is not that"):
        check_likelihood(VAE(hidden=(8,), likelihood="mine"))


@pytest.mark.parametrize(
    "use", [Coder, lambda v: gap.bound(v, np.zeros((1, 28, 28)), 0)]
)
def test_codes_are_not_priced_by_another_prior_than_the_models(use):
    vamp = VampVAE(np.full((3, 28, 28), 0.5), hidden=(8,))
    with pytest.raises(ValueError, match="a prior of its own"):
        use(vamp)


class Turned(VAE):
    """A learner's model that turns its codes on their way to the decoder."""

    def call(self, images, training=False):
        mu, rho = self.encoder(self.prepare(images))
        sigma, log_sigma = self.posterior(rho)
        z = mu + sigma * self.standard_normal(ops.shape(mu))
        return (mu, sigma, log_sigma), self.decoder(1.0 - z)


class Shifted(VAE):
    """A learner's model whose prior has its mean at 1, known to `terms` alone."""

    def terms(self, images, training=False):
        (mu, sigma, log_sigma), logits = self(images, training=training)
        distortion = self.likelihood.distortion(self.prepare(images), logits)
        return distortion, rate(mu - 1.0, sigma, log_sigma)


@pytest.mark.parametrize("kind", [Turned, Shifted])
@pytest.mark.parametrize(
    "estimate",
    [
        quadrature_log_likelihood,
        log_likelihood,
        lambda vae, images: Coder(vae),
        lambda vae, images: gap.bound(vae, images, 0),
    ],
)
def test_a_model_that_is_more_than_its_two_networks_is_refused(kind, estimate):
    keras.utils.set_random_seed(0)
    vae = kind(hidden=(4,), image_shape=(4, 5))
    with pytest.raises(ValueError, match=f"of this {kind.__name__} are not what"):
        estimate(vae, IMAGES)

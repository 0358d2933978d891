"""Rate, distortions and bounds against closed forms, Monte Carlo and SciPy."""

import numpy as np
import pytest
from scipy import stats

from vae_lib import objectives
from vae_lib.analysis import likelihood
from vae_lib.data import load_mnist

RNG = np.random.default_rng(0)


def as_float(tensor):
    return np.asarray(tensor, "float64")


def test_rate_of_closed_cases():
    mu, sigma = (
        np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 0.0]]),
        np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 1.0]]),
    )
    rates = as_float(objectives.rate(mu, sigma, np.log(sigma)))
    np.testing.assert_allclose(
        rates, [0.0, 2.0, 1.5 - np.log(2.0)], rtol=1e-12
    )  # float64 rounding


def test_rate_is_positive_and_agrees_with_monte_carlo():
    mu, sigma = RNG.normal(size=(20, 3)), np.exp(RNG.normal(size=(20, 3)))
    rates = as_float(objectives.rate(mu, sigma, np.log(sigma)))
    assert (rates > 0).all()  # the sign: a divergence, not its negative
    z = mu + sigma * RNG.normal(size=(50_000, 20, 3))
    draws = (stats.norm.logpdf(z, mu, sigma) - stats.norm.logpdf(z)).sum(-1)
    scores = (draws.mean(0) - rates) / (draws.std(0) / np.sqrt(len(draws)))
    assert (
        np.abs(scores).max() < 4
    )  # 20 z-scores: beyond 4 once in 800 seeds; the seed is fixed


def test_bernoulli_distortion_is_scipys_and_survives_any_logit():
    x, logits = RNG.uniform(size=(5, 28, 28)), RNG.normal(0, 3, size=(5, 28, 28))
    p = 1 / (1 + np.exp(-logits))
    expected = -(x * np.log(p) + (1 - x) * np.log1p(-p)).sum((1, 2))
    np.testing.assert_allclose(
        as_float(objectives.bernoulli_distortion(x, logits)), expected, rtol=1e-6
    )
    black = (RNG.uniform(size=(1, 28, 28)) < 0.5) * 1.0
    expected = -stats.bernoulli.logpmf(black, 0.3).sum((1, 2))
    logit = np.full((1, 28, 28), np.log(0.3 / 0.7))
    np.testing.assert_allclose(
        as_float(objectives.bernoulli_distortion(black, logit)), expected, rtol=1e-6
    )
    extreme = np.array([[[-1e4, 1e4]]], "float32")
    assert (
        as_float(
            objectives.bernoulli_distortion(
                np.array([[[0.0, 1.0]]], "float32"), extreme
            )
        )
        == 0.0
    )


def test_mean_image_of_all_training_digits_costs_206_nats():
    digits = load_mnist()
    x = np.concatenate([digits.train.images, digits.validation.images]).reshape(
        -1, 28, 28
    )
    mean = x.mean(0, dtype="float64")[None] / 255
    clipped = mean.clip(1e-7, 1 - 1e-7)
    cost = as_float(
        objectives.bernoulli_distortion(mean, np.log(clipped / (1 - clipped)))
    )  # linear in x
    assert cost[0] == pytest.approx(
        206.03, abs=0.01
    )  # the published digits of the figure


def test_gaussian_distortion_is_the_log_density_at_variance_one_half():
    x, mean = RNG.normal(size=(4, 28, 28)), RNG.normal(size=(4, 28, 28))
    constant = 784 / 2 * np.log(np.pi)
    expected = -stats.norm.logpdf(x, mean, np.sqrt(0.5)).sum((1, 2)) - constant
    np.testing.assert_allclose(
        as_float(objectives.gaussian_distortion(x, mean)), expected, rtol=1e-6
    )


def test_likelihoods_map_images_forth_and_back():
    images = RNG.uniform(size=(3, 28, 28))
    gaussian = objectives.LIKELIHOODS["gaussian"]
    np.testing.assert_allclose(
        as_float(gaussian.mean(gaussian.prepare(images))), images, atol=1e-7
    )
    logits = np.log(images / (1 - images))
    np.testing.assert_allclose(
        as_float(objectives.LIKELIHOODS["bernoulli"].mean(logits)), images, atol=1e-6
    )


def test_importance_weight_is_the_ratio_of_densities():
    mu, log_sigma, epsilon = RNG.normal(size=(3, 4, 2))
    z = mu + np.exp(log_sigma) * epsilon
    expected = (
        stats.norm.logpdf(z).sum(-1)
        - stats.norm.logpdf(z, mu, np.exp(log_sigma)).sum(-1)
        - 7.0
    )
    got = as_float(likelihood.log_importance_weight(7.0, z, log_sigma, epsilon))
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_importance_weighted_bound_of_known_weights():
    weights = np.log([[1.0, 2.0], [3.0, 2.0]])
    np.testing.assert_allclose(
        as_float(likelihood.importance_weighted_bound(weights)),
        np.log([2.0, 2.0]),
        rtol=1e-6,
    )

"""Five estimators of one gradient: equal means, variances apart, mistakes caught."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vae_lib.data import load_mnist
from vae_lib.experiments.gradient_estimators import (
    ESTIMATORS,
    distortion_and_slope,
    equality_scores,
    pathwise,
)
from vae_lib.model import VAE
from vae_lib.objectives import rate
from vae_lib.training import train

DIGITS = load_mnist().test.images[:24]
IMAGES = DIGITS[:8]


@pytest.fixture(scope="module")
def inputs():
    """What every estimator takes: 8 digits, 2,000 draws, an untrained model."""
    keras.utils.set_random_seed(0)
    vae = VAE(hidden=(32,))
    mu, sigma = vae.encode(IMAGES)
    epsilon = np.random.default_rng(0).standard_normal((2000, *mu.shape), "float32")
    return (
        *distortion_and_slope(vae, IMAGES, mu + sigma * epsilon),
        mu,
        sigma,
        epsilon,
        vae,
    )


@pytest.fixture(scope="module")
def trained():
    """A small model, briefly trained: its sigma are narrow, its mu far from 0."""
    keras.utils.set_random_seed(0)
    vae = VAE(hidden=(64,))
    train(vae, load_mnist().train.images[:10_000], epochs=2, progress=False)
    return vae


def mean_squares(vae, estimators):
    """Return the mean square of the z-scores, by "mu" and "sigma" and estimator."""
    scores = equality_scores(vae, DIGITS, estimators, draws=1000)
    return (scores**2).groupby("of").mean()


def test_all_means_are_that_of_automatic_differentiation(trained):
    scores = equality_scores(trained, DIGITS, draws=1000)
    assert scores.shape == (2 * 24 * 2, len(ESTIMATORS))
    squares = mean_squares(trained, ESTIMATORS)  # of 48 each: 1 ± 0.2
    assert (squares < 1.8).all(axis=None) and (squares > 0.4).all(axis=None)
    assert scores.abs().max(axis=None) < 5


MISTAKES = {"forgotten": 1.0, "reversed": 2.0, "halved": 0.5}  # KL gradients too few


def mistaken(estimator, share):
    """Return `estimator` with so many of the gradients of the KL taken away."""

    def estimate(distortion, slope, mu, sigma, epsilon):
        of_mu, of_sigma = estimator(distortion, slope, mu, sigma, epsilon)
        return of_mu - share * mu, of_sigma - share * (sigma - 1 / sigma)

    return estimate


def test_a_mistake_in_the_kl_of_any_estimator_is_caught(trained):
    wrong = {
        (name, mistake): mistaken(estimator, share)
        for name, estimator in ESTIMATORS.items()
        for mistake, share in MISTAKES.items()
    }
    squares = mean_squares(trained, wrong)
    assert squares.shape == (2, 15)
    assert (squares > 2).all(axis=None), squares.T


def test_too_few_draws_are_refused(trained):
    with pytest.raises(ValueError, match="draws is 3"):
        equality_scores(trained, IMAGES, draws=3)


def test_variances_are_in_the_order_of_the_notebook(inputs):
    variance = {
        name: np.median(estimator(*inputs[:5])[0].var(axis=0))
        for name, estimator in ESTIMATORS.items()
    }
    assert variance["score function"] > 100 * variance["score function, baseline"]
    assert (
        variance["score function, baseline"] > variance["pathwise, KL in closed form"]
    )


def test_pathwise_is_what_automatic_differentiation_gives(inputs):
    distortion, slope, mu, sigma, epsilon, vae = inputs
    variables = tf.constant(mu), tf.constant(sigma)
    with tf.GradientTape() as tape:
        tape.watch(variables)
        logits = vae.decoder(variables[0] + variables[1] * epsilon[0])
        loss = vae.likelihood.distortion(vae.prepare(IMAGES), logits)
        loss += rate(*variables, tf.math.log(variables[1]))
    by_hand = pathwise(distortion[0], slope[0], mu, sigma, epsilon[0])
    for ours, theirs in zip(by_hand, tape.gradient(loss, variables), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-2)


def test_the_slope_agrees_with_finite_differences(inputs):
    vae = inputs[-1]
    z, step = (
        np.random.default_rng(1).standard_normal((1, 8, 2)).astype("float32"),
        1e-2,
    )
    slope = distortion_and_slope(vae, IMAGES, z)[1]
    for unit in range(2):
        move = step * np.eye(2, dtype="float32")[unit]
        above, below = (
            distortion_and_slope(vae, IMAGES, z + side)[0] for side in (move, -move)
        )
        chord = (above - below)[..., 0] / (2 * step)
        np.testing.assert_allclose(chord, slope[..., unit], rtol=0.05, atol=0.3)

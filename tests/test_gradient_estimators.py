"""Five estimators of one gradient: the same mean, different variances, the pathwise one that of autodiff."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vae_lib.data import load_mnist
from vae_lib.experiments.gradient_estimators import (
    ESTIMATORS,
    distortion_and_slope,
    pathwise,
)
from vae_lib.model import VAE
from vae_lib.objectives import rate

IMAGES = load_mnist().test.images[:8]


@pytest.fixture(scope="module")
def inputs():
    """What every estimator takes, for 8 digits and 2,000 draws of an untrained model."""
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


@pytest.mark.parametrize("name", list(ESTIMATORS)[:-1])
def test_means_agree(name, inputs):
    pair = ESTIMATORS[name], pathwise
    ours, theirs = (
        np.concatenate(estimator(*inputs[:5]), axis=-1) for estimator in pair
    )
    assert ours.shape == theirs.shape == (2000, 8, 4)
    difference = ours.astype("float64") - theirs
    z_scores = (
        difference.mean(axis=0)
        / difference.std(axis=0, ddof=1)
        * np.sqrt(len(difference))
    )
    assert np.abs(z_scores).max() < 5 and np.mean(z_scores**2) < 2


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
    for ours, theirs in zip(by_hand, tape.gradient(loss, variables)):
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

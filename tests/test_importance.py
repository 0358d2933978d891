"""Gradients of importance-weighted bounds: against the tape, and known at K = 1."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_likelihood import IMAGES, exact_linear_vae

from vae_lib.analysis.likelihood import (
    importance_weighted_bound,
    log_importance_weight,
)
from vae_lib.evaluation import evaluate
from vae_lib.experiments import gradient_estimators
from vae_lib.experiments.importance import IWAE, encoder_gradients, signal_to_noise
from vae_lib.model import VAE
from vae_lib.training import train


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(0)
    return VAE(2, hidden=(8,), image_shape=(4, 5), activation="tanh")


def test_one_sample_gives_the_estimates_of_the_elbo(vae):
    mu, sigma = (codes.astype("float64") for codes in vae.encode(IMAGES))
    epsilon = np.random.default_rng(0).standard_normal((30, *mu.shape))
    terms = gradient_estimators.distortion_and_slope(vae, IMAGES, mu + sigma * epsilon)
    names = (
        gradient_estimators.pathwise_sampled_kl,
        gradient_estimators.sticking_the_landing,
    )
    found = encoder_gradients(vae, IMAGES, samples=1, draws=30)
    for estimator, gradients in zip(names, found):
        known = np.concatenate(estimator(*terms, mu, sigma, epsilon), axis=-1)
        np.testing.assert_allclose(gradients, -known, rtol=1e-4, atol=1e-5)


def test_many_samples_give_what_the_tape_gives(vae):
    samples, draws = 5, 3
    found, _ = encoder_gradients(vae, IMAGES, samples, draws)
    values = [tf.constant(codes) for codes in vae.encode(IMAGES)]
    shape = draws, samples, *values[0].shape
    epsilon = np.random.default_rng(0).standard_normal(shape).astype("float32")
    for draw in range(draws):
        with tf.GradientTape() as tape:
            tape.watch(values)
            mu, sigma = values
            z = mu + sigma * epsilon[draw]
            logits = tf.reshape(vae.decoder(tf.reshape(z, (-1, 2))), (samples, 7, 4, 5))
            distortion = vae.likelihood.distortion(IMAGES, logits)
            logs = log_importance_weight(
                distortion, z, tf.math.log(sigma), epsilon[draw]
            )
            total = tf.reduce_sum(importance_weighted_bound(logs))
        exact = np.concatenate(tape.gradient(total, values), axis=-1)
        np.testing.assert_allclose(found[draw], exact, rtol=1e-3, atol=1e-4)


def test_both_estimates_have_the_same_mean(vae):
    plain, double = encoder_gradients(vae, IMAGES[:2], 4, 4000)
    error = np.hypot(plain.std(axis=0), double.std(axis=0)) / np.sqrt(4000)
    assert (np.abs(plain.mean(axis=0) - double.mean(axis=0)) < 4.5 * error).all()


def test_at_the_linear_optimum_nothing_is_left_but_noise():
    exact, *_ = exact_linear_vae(2)
    plain, double = encoder_gradients(exact, IMAGES, samples=8, draws=400)
    np.testing.assert_allclose(double, 0, atol=1e-4)
    assert (signal_to_noise(plain) < 0.2).all() and plain.std() > 0.1


def test_the_ratio_of_normal_gradients_is_known():
    rng = np.random.default_rng(0)
    mean, deviation = np.array([[3.0, 4.0], [0.3, 0.4]]), np.array([1.0, 2.0])
    gradients = mean + deviation * rng.standard_normal((20_000, 2, 2))
    wanted = np.linalg.norm(mean, axis=1) / np.sqrt(5)
    assert signal_to_noise(gradients) == pytest.approx(wanted, rel=0.02)


@pytest.mark.slow
def test_training_on_more_samples_tracks_a_tighter_bound():
    keras.utils.set_random_seed(0)
    model = IWAE(2, hidden=(8,), image_shape=(4, 5))
    model.samples = 20
    before = evaluate(model, IMAGES).elbo
    history = train(model, IMAGES, epochs=100, batch_size=7, progress=False)
    assert history["loss"][-1] < -history["elbo"][-1]
    assert evaluate(model, IMAGES).elbo > before

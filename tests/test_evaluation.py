"""Evaluation against quadrature, closed forms and the order of bounds."""

import keras
import numpy as np
import pytest
from scipy.special import logsumexp

from vae_lib.analysis.likelihood import log_likelihood, log_weights
from vae_lib.analysis.theory import pca_eigenvalues
from vae_lib.data import load_mnist
from vae_lib.evaluation import binarized, evaluate, negative_elbos
from vae_lib.model import VAE
from vae_lib.training import train

DIGITS = load_mnist()


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(0)
    vae = VAE(hidden=(64,))
    train(vae, DIGITS.train.images[:10_000], epochs=4, progress=False)
    return vae


def test_evaluation_is_a_seeded_mean_in_nats(trained):
    images = DIGITS.test.images[:1500]
    whole = evaluate(trained, images, seed=3)
    assert (
        whole == evaluate(trained, images, seed=3) != evaluate(trained, images, seed=4)
    )
    assert whole.elbo == -(whole.distortion + whole.rate) and all(
        isinstance(value, float) for value in whole
    )
    assert evaluate(trained, images / np.float32(255), seed=3).elbo == pytest.approx(
        whole.elbo, rel=1e-5
    )


def test_evaluation_samples_z(trained):
    images = DIGITS.test.images[:500]
    mu, _ = trained.encode(images)
    logits = trained.decoder(mu)
    at_the_mean = float(
        np.mean(trained.likelihood.distortion(images / np.float32(255), logits))
    )
    assert evaluate(trained, images).distortion > at_the_mean + 0.5


@pytest.mark.slow
def test_importance_weighting_agrees_with_quadrature():
    small = (
        DIGITS.train.images[:5000].reshape(-1, 7, 4, 7, 4).mean((2, 4)) / 255
    ).astype("float32")  # 7 x 7
    keras.utils.set_random_seed(0)
    vae = VAE(hidden=(32,), activation="gelu", image_shape=(7, 7))
    train(vae, small, epochs=5, progress=False)
    x, axis = small[:50].reshape(50, 49), np.linspace(-7, 7, 281)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    logits = np.asarray(vae.decoder(grid.astype("float32")), "float64").reshape(-1, 49)
    log_joint = (
        x @ logits.T
        - np.logaddexp(0, logits).sum(1)
        - (grid**2).sum(1) / 2
        - np.log(2 * np.pi)
    )
    integral = logsumexp(log_joint, axis=1) + 2 * np.log(axis[1] - axis[0])
    bound = log_likelihood(vae, small[:50], samples=2000)
    assert (
        np.median(np.abs(bound - integral)) < 0.05
    )  # 2,000 codes; a single heavy weight may move one image
    assert bound.mean() == pytest.approx(
        integral.mean(), abs=0.1
    )  # by half a nat, their mean by 0.01


def test_bounds_rise_with_the_number_of_samples(trained):
    images = DIGITS.test.images[:300]
    bounds = [
        log_likelihood(trained, images, samples=k).mean() for k in (1, 5, 25, 125)
    ]
    assert all(np.diff(bounds) > 0)
    elbos = [evaluate(trained, images, seed=seed).elbo for seed in range(5)]
    assert bounds[0] == pytest.approx(
        np.mean(elbos), abs=1.0
    )  # one draw of 300 images: deviation about 0.3


def test_every_k_gives_the_same_at_the_linear_optimum():
    rng = np.random.default_rng(0)
    vae = VAE(latent_dim=2, hidden=(), likelihood="gaussian", image_shape=(3, 3))
    basis = np.linalg.qr(rng.normal(size=(9, 9)))[0][:, :2]
    eigenvalues, v = (
        np.array([4.0, 2.0]),
        0.5,
    )  # noise variance 1/2 is the Gaussian likelihood's own
    loadings = basis * np.sqrt(eigenvalues - v)
    precision = loadings.T @ loadings / v + np.eye(2)
    sigma = 1 / np.sqrt(np.diag(precision))
    rho = np.log(np.expm1(sigma))
    zeros = np.zeros(9)
    to_mu = (np.linalg.inv(precision) @ loadings.T / v).T
    vae.encoder.set_weights([to_mu, np.zeros(2), np.zeros((9, 2)), rho])
    vae.decoder.set_weights([loadings.T, zeros])
    standardised = rng.normal(size=(50, 2)) @ loadings.T + rng.normal(
        size=(50, 9)
    ) * np.sqrt(v)
    images = (standardised * 0.3081 * 0.1 + 0.5).clip(0, 1).reshape(-1, 3, 3)
    weights = log_weights(vae, images.astype("float32"), 50, rng)
    assert weights.std(axis=0).max() < 1e-4  # float32
    assert pca_eigenvalues(images).shape == (9,)


def test_bounded_memory_blocks_do_not_change_the_number_of_samples(trained):
    assert log_weights(
        trained, DIGITS.test.images[:1000], 7, np.random.default_rng(0)
    ).shape == (7, 1000)


@pytest.mark.parametrize("samples", [0, -1, 2.5, "many"])
def test_a_wrong_number_of_samples_is_refused(trained, samples):
    with pytest.raises(ValueError, match="samples is"):
        log_likelihood(trained, DIGITS.test.images[:2], samples=samples)


def test_dynamic_binarization_costs_as_much_on_average(trained):
    images = DIGITS.test.images[:1000]
    grey = evaluate(trained, images).distortion
    drawn = binarized(images, np.random.default_rng(0))
    assert set(np.unique(drawn)) == {0, 255} and drawn.dtype == np.uint8
    assert drawn.mean() == pytest.approx(images.mean(), rel=0.01)
    assert evaluate(trained, images, binarize=True).distortion == pytest.approx(
        grey, rel=0.05
    )  # linear in x


class Averaged(VAE):
    """A learner's model whose terms are means over the batch."""

    def terms(self, images, training=False):
        return tuple(map(keras.ops.mean, super().terms(images, training)))


@pytest.mark.parametrize("measure", [evaluate, negative_elbos])
def test_terms_that_are_no_number_for_each_image_are_refused(measure):
    images = DIGITS.test.images[:30]
    with pytest.raises(ValueError, match=r"terms returns the shape \(\): .* 30 images"):
        measure(Averaged(hidden=(4,)), images)

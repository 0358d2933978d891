"""What a trained model is measured by, in nats per image. Notebook 01."""

from typing import NamedTuple

import numpy as np
from keras import ops

from vae_lib.checks import check_images, whole
from vae_lib.model import in_batches
from vae_lib.objectives import elbo, importance_weighted_bound, log_importance_weight


class Evaluation(NamedTuple):
    """Means over images, in nats: `distortion`, `rate` and `elbo` = -(distortion + rate), whatever beta is."""

    distortion: float
    rate: float
    elbo: float


def evaluate(vae, images, *, seed=0, binarize=False):
    """Return the `Evaluation` of `vae` on `images` (n, rows, columns), `uint8` or in [0, 1], with z sampled once.

    At the posterior mean, without sampling, the number would be no ELBO. The same seed gives the same numbers;
    `binarize` draws each pixel as 0 or 1 with its grey value as probability. Raises ValueError for other images.
    Notebook 01.
    """
    check_images(images, vae.image_shape)
    rng, sums = np.random.default_rng(seed), np.zeros(2)
    for part in in_batches(images):
        epsilon = rng.standard_normal((len(part), vae.noise_dim), "float32")
        with vae.frozen(epsilon):
            terms = vae.terms(binarized(part, rng) if binarize else part)
        sums += [float(ops.sum(term)) for term in terms]
    distortion, rate = map(float, sums / len(images))
    return Evaluation(distortion, rate, elbo(distortion, rate))


def negative_elbos(vae, images, draws=8, seed=0):
    """Return −ELBO of each of the images (n, rows, columns) in nats, (n,), as the mean over `draws` of z.

    Notebook 04 lays drawings beside them.
    """
    rng, parts = np.random.default_rng(seed), []
    for part in in_batches(images):
        total = np.zeros(len(part))
        for _ in range(draws):
            with vae.frozen(
                rng.standard_normal((len(part), vae.latent_dim), "float32")
            ):
                distortion, rate = vae.terms(part)
            total += ops.convert_to_numpy(distortion + rate)
        parts.append(total / draws)
    return np.concatenate(parts)


def log_likelihood(vae, images, *, samples=100, seed=0, binarize=False):
    """Return the importance-weighted bound of log p(x) with K = `samples`, in nats, of shape (n,), as float64.

    For the Gaussian likelihood up to the constant that its distortion leaves out. About 2,000 codes are decoded
    at a time, so that memory does not grow with n or K. Burda, Grosse & Salakhutdinov 2016; notebook 01.
    """
    check_images(images, vae.image_shape)
    if not whole(samples):
        raise ValueError(f"samples is {samples!r}: pass a whole number of 1 or more.")
    rng = np.random.default_rng(seed)
    bounds = [
        importance_weighted_bound(
            log_weights(vae, binarized(part, rng) if binarize else part, samples, rng)
        )
        for part in in_batches(images, 100)
    ]
    return np.concatenate(bounds)


def log_weights(vae, images, samples, rng):
    """Return the log importance weights (samples, n) in nats, as float64, of `n` images that fit into memory."""
    x = vae.prepare(images)
    mu, rho = vae.encoder(x)
    sigma, log_sigma = vae.posterior(rho)
    parts = []
    for block in in_batches(range(samples), max(1, 2000 // len(images))):
        epsilon = rng.standard_normal((len(block), *mu.shape), "float32")
        z = mu + sigma * epsilon  # (samples of the block, n, latent_dim)
        logits = ops.reshape(
            vae.decoder(ops.reshape(z, (-1, vae.latent_dim))), (len(block), *x.shape)
        )
        distortion = vae.likelihood.distortion(x, logits)
        parts.append(
            np.asarray(
                log_importance_weight(distortion, z, log_sigma, epsilon), "float64"
            )
        )
    return np.concatenate(parts)


def binarized(images, rng):
    """Return `images` with every pixel drawn as 0 or 1 of their dtype's range, its grey value the probability."""
    top = 255 if images.dtype == np.uint8 else 1
    return ((rng.random(images.shape, "float32") * top < images) * top).astype(
        images.dtype
    )

"""What a trained model is measured by, in nats per image. Notebook 01."""

from typing import NamedTuple

import numpy as np
from keras import ops

from vae_lib.checks import check_images, check_precision, whole
from vae_lib.model import in_batches
from vae_lib.objectives import elbo, importance_weighted_bound, log_importance_weight


class Evaluation(NamedTuple):
    """Means over images, in nats: `distortion`, `rate` and `elbo` = -(distortion +
    rate), whatever beta is.
    """

    distortion: float
    rate: float
    elbo: float


def evaluate(vae, images, *, seed=0, binarize=False):
    """Return the `Evaluation` of `vae` on `images` (n, rows, columns), `uint8` or in
    [0, 1], with z sampled once.

    At the posterior mean, without sampling, the number would be no ELBO. The same seed
    gives the same numbers; `binarize` draws each pixel as 0 or 1 with its grey value as
    probability. Raises ValueError for other images. Notebook 01.
    """
    check_images(images, vae.image_shape)
    check_precision(vae)
    sums = np.zeros(2)
    for part in parts_with_noise(vae, images, seed, binarize):
        sums += [float(ops.sum(term)) for term in vae.terms(part)]
    distortion, rate = map(float, sums / len(images))
    return Evaluation(distortion, rate, elbo(distortion, rate))


def evaluate_steps(vae, images, *, seed=0, binarize=False):
    """Return what the model's own `test_step` says of `images`, floats by name.

    Images, seed and binarize are those of `evaluate`, which draws the same z.
    """
    vae.reset_metrics()
    for part in parts_with_noise(vae, images, seed, binarize):
        terms = vae.test_step((part,))
    return {name: float(value) for name, value in terms.items()}


def parts_with_noise(vae, images, seed, binarize=False):
    """Yield batches of `images`; a forward pass before the next uses seeded noise."""
    rng = np.random.default_rng(seed)
    for part in in_batches(images):
        epsilon = rng.standard_normal((len(part), vae.noise_dim), "float32")
        with vae.noise(epsilon):
            yield binarized(part, rng) if binarize else part


def negative_elbos(vae, images, draws=8, seed=0):
    """Return −ELBO of each of the images in nats, (n,), as the mean over `draws` of z.

    images: (n, rows, columns), `uint8` or in [0, 1]; ValueError for others. Notebook 04
    lays drawings beside them.
    """
    check_images(images, vae.image_shape)
    check_precision(vae)
    total = np.zeros(len(images))
    for draw in range(draws):
        parts = parts_with_noise(vae, images, (seed, draw))
        total += np.concatenate([np.add(*vae.terms(part)) for part in parts])
    return total / draws


def log_likelihood(vae, images, *, samples=100, seed=0, binarize=False):
    """Return the importance-weighted bound of log p(x) with K = `samples`, in nats, of
    shape (n,), as float64.

    For the Gaussian likelihood up to the constant that its distortion leaves out. About
    2,000 codes are decoded at a time, so that memory does not grow with n or K. Burda,
    Grosse & Salakhutdinov 2016; notebook 01.
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
    """Return the log importance weights (samples, n) in nats, as float64, of `n`
    images that fit into memory.
    """
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
    """Return `images` with every pixel drawn as 0 or 1 of their dtype's range, its
    grey value the probability.
    """
    top = 255 if images.dtype == np.uint8 else 1
    return ((rng.random(images.shape, "float32") * top < images) * top).astype(
        images.dtype
    )

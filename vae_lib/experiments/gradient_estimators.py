"""Five unbiased estimates of the gradient of -ELBO with respect to mu and sigma.

Each takes `distortion` (draws, n, 1) in nats, its derivative `slope` with respect to
z = mu + sigma * epsilon, `mu` and `sigma` (n, latent_dim), and `epsilon`; slope and
epsilon are (draws, n, latent_dim). It returns one estimate for each draw: the gradients
for mu and for sigma, each (draws, n, latent_dim), in nats per unit. Notebook 02.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import tensorflow as tf

from vae_lib.checks import check_images
from vae_lib.model import VAEBase, in_batches
from vae_lib.objectives import rate

Gradients = tuple[np.ndarray, np.ndarray]  # for mu and for sigma
Estimator = Callable[..., Gradients]


def score_function(distortion, slope, mu, sigma, epsilon) -> Gradients:
    """Return the score-function estimate (Williams 1992), KL in closed form."""
    of_mu = distortion * epsilon / sigma + mu
    of_sigma = distortion * (epsilon**2 - 1) / sigma + sigma - 1 / sigma
    return of_mu, of_sigma


def score_with_baseline(distortion, slope, mu, sigma, epsilon) -> Gradients:
    """Return the score-function estimate, less the mean distortion of the other draws.

    This baseline does not depend on the draw itself, so the mean stays the same.
    """
    draws = len(distortion)
    baseline = (distortion.sum(axis=0) - distortion) / (draws - 1)
    return score_function(distortion - baseline, slope, mu, sigma, epsilon)


def pathwise(distortion, slope, mu, sigma, epsilon) -> Gradients:
    """Return the pathwise estimate, KL in closed form (Kingma & Welling 2014)."""
    return slope + mu, slope * epsilon + sigma - 1 / sigma


def pathwise_sampled_kl(distortion, slope, mu, sigma, epsilon) -> Gradients:
    """Return the pathwise estimate with log q(z|x) - log p(z) at the draw as its KL."""
    z = mu + sigma * epsilon
    return slope + z, (slope + z) * epsilon - 1 / sigma


def sticking_the_landing(distortion, slope, mu, sigma, epsilon) -> Gradients:
    """Return the pathwise estimate without the score of q (Roeder et al. 2017)."""
    z = mu + sigma * epsilon
    path = slope + z - epsilon / sigma
    return path, path * epsilon


ESTIMATORS = {
    "score function": score_function,
    "score function, baseline": score_with_baseline,
    "pathwise, KL sampled": pathwise_sampled_kl,
    "sticking the landing": sticking_the_landing,
    "pathwise, KL in closed form": pathwise,
}


def distortion_and_slope(vae: VAEBase, images: np.ndarray, z: np.ndarray) -> Gradients:
    """Return the distortion (draws, n, 1) in nats and its derivative at `z`.

    images: (n, rows, columns), the same for every draw; z and the derivative: (draws,
    n, latent_dim). About 2,000 codes are decoded at a time.
    """
    x = vae.prepare(images)
    parts = []
    for block in in_batches(z, max(1, 2000 // len(images))):
        codes = tf.reshape(tf.constant(block, "float32"), (-1, vae.latent_dim))
        with tf.GradientTape() as tape:
            tape.watch(codes)
            distortion = vae.likelihood.distortion(
                tf.tile(x, (len(block), 1, 1)), vae.decoder(codes)
            )
        slope = tape.gradient(distortion, codes)
        parts.append(
            (
                distortion.numpy().reshape(*block.shape[:2], 1),
                slope.numpy().reshape(block.shape),
            )
        )
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def equality_scores(
    vae: VAEBase,
    images: np.ndarray,
    estimators: Mapping[str, Estimator] = ESTIMATORS,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how far each estimator's mean is from automatic differentiation's.

    The z-scores have a column for each estimator and a row for each coordinate, indexed
    by `of` ("mu" or "sigma"), `image` and `unit`. If the means are equal, the squares
    of a column average 1; a mistake makes them grow with the number of draws.

    The reference differentiates distortion and `rate` with a gradient tape, at as many
    draws of its own, in pairs epsilon, -epsilon. The score function would drown any
    mistake in its noise, so the distortion at z = mu is subtracted from each image's
    distortion: a constant has no gradient, so only noise is removed. Raises ValueError
    for fewer than 100 draws. Notebook 02.
    """
    check_images(images, vae.image_shape)
    if draws < 100:
        raise ValueError(f"draws is {draws}: pass 100 or more.")
    mu, sigma = (codes.astype("float64") for codes in vae.encode(images))
    rng = np.random.default_rng(seed)
    centre = distortion_and_slope(vae, images, mu[None])[0]
    epsilon = rng.standard_normal((draws, *mu.shape))
    distortion, slope = distortion_and_slope(vae, images, mu + sigma * epsilon)
    inputs = distortion.astype("float64") - centre, slope, mu, sigma, epsilon
    exact, error = _reference(vae, images, mu, sigma, rng, draws // 2)
    scores = {}
    for name, estimator in estimators.items():
        found = np.stack(estimator(*inputs), axis=1)  # (draws, 2, n, latent_dim)
        variance = found.var(axis=0, ddof=1) / draws + error**2
        scores[name] = ((found.mean(axis=0) - exact) / np.sqrt(variance)).ravel()
    index = pd.MultiIndex.from_product(
        [("mu", "sigma"), *map(range, mu.shape)], names=("of", "image", "unit")
    )
    return pd.DataFrame(scores, index)


def _reference(vae, images, mu, sigma, rng, pairs):
    """Return the gradient of -ELBO (2, n, latent_dim) and its standard error."""
    variables = tf.constant(mu), tf.constant(sigma)
    with tf.GradientTape() as tape:
        tape.watch(variables)
        kl = rate(*variables, tf.math.log(variables[1]))
    of_kl = np.stack(tape.gradient(kl, variables))
    epsilon = rng.standard_normal((pairs, *mu.shape))
    ahead, behind = (
        distortion_and_slope(vae, images, mu + sigma * sign * epsilon)[1]
        for sign in (1.0, -1.0)
    )
    of_distortion = np.stack(
        [(ahead + behind) / 2.0, (ahead - behind) * epsilon / 2.0], axis=1
    )
    error = of_distortion.std(axis=0, ddof=1) / np.sqrt(pairs)
    return of_distortion.mean(axis=0) + of_kl, error

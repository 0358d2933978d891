"""Five unbiased estimates of the gradient of -ELBO with respect to mu and sigma. Notebook 02 compares them.

All take arrays (draws, n, latent_dim), `distortion` (draws, n, 1), and return one estimate a draw, the pair
(gradient for mu, gradient for sigma) in nats per unit, each of shape (draws, n, latent_dim). `slope` is the
derivative of the distortion with respect to z = mu + sigma * epsilon.
"""

import numpy as np
import tensorflow as tf

from vae_lib.model import in_batches


def score_function(distortion, slope, mu, sigma, epsilon):
    """Return the score-function estimate (Williams 1992), which needs no slope; KL in closed form."""
    return distortion * epsilon / sigma + mu, distortion * (
        epsilon**2 - 1
    ) / sigma + sigma - 1 / sigma


def score_with_baseline(distortion, slope, mu, sigma, epsilon):
    """Return the score-function estimate with the mean distortion of the other draws as its baseline."""
    draws = len(distortion)
    baseline = (distortion.sum(axis=0) - distortion) / (
        draws - 1
    )  # of the others: independent of this one
    return score_function(distortion - baseline, slope, mu, sigma, epsilon)


def pathwise(distortion, slope, mu, sigma, epsilon):
    """Return the pathwise (reparametrized) estimate with the KL in closed form (Kingma & Welling 2014)."""
    return slope + mu, slope * epsilon + sigma - 1 / sigma


def pathwise_sampled_kl(distortion, slope, mu, sigma, epsilon):
    """Return the pathwise estimate with the KL as log q(z|x) - log p(z) at the same draw."""
    z = mu + sigma * epsilon
    return slope + z, (slope + z) * epsilon - 1 / sigma


def sticking_the_landing(distortion, slope, mu, sigma, epsilon):
    """Return the pathwise estimate without the score of q (Roeder, Wu & Duvenaud 2017)."""
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


def distortion_and_slope(vae, images, z):
    """Return the distortion (draws, n, 1) in nats and its derivative at `z` (draws, n, latent_dim).

    images: (n, rows, columns), the same for every draw. About 2,000 codes are decoded at a time.
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
    return tuple(np.concatenate(arrays) for arrays in zip(*parts))

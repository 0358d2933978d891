"""Rate, distortion and the bounds made of them, in nats per image.

Notebook 01 explains rate, distortion and ELBO; notebook 03 what beta means.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from keras import ops

MEAN, DEVIATION = (
    0.1307,
    0.3081,
)  # of MNIST's training pixels in [0, 1]; constants, whatever the data set


def rate(mu, sigma, log_sigma):
    """Return KL(N(mu, sigma²) ‖ N(0, I)) in nats, of shape (batch,), from arrays
    (batch, latent_dim).

    Kingma & Welling 2014, appendix B; notebook 01.
    """
    return ops.sum((mu**2 + sigma**2 - 1.0) / 2.0 - log_sigma, axis=-1)


def bernoulli_distortion(x, logits):
    """Return -log p(x|z) in nats, of shape (batch,), for pixels `x` in [0, 1] and
    `logits`, (batch, rows, columns).

    The cross-entropy summed over pixels; stable for any logit. Notebook 01.
    """
    return ops.sum(ops.softplus(logits) - x * logits, axis=(-2, -1))


def gaussian_distortion(x, x_mean):
    """Return the squared error summed over pixels, of shape (batch,), for standardised
    `x` and `x_mean`.

    Up to a constant -log p(x|z) in nats for pixels of variance 1/2; the original
    project's loss. Notebook 03.
    """
    return ops.sum((x - x_mean) ** 2, axis=(-2, -1))


class Likelihood(NamedTuple):
    """A model of the pixels: `prepare` maps images in [0, 1] to its x, `mean` the
    decoder's output back.
    """

    prepare: Callable
    distortion: Callable
    mean: Callable


LIKELIHOODS = {
    "bernoulli": Likelihood(lambda images: images, bernoulli_distortion, ops.sigmoid),
    "gaussian": Likelihood(
        lambda images: (images - MEAN) / DEVIATION,
        gaussian_distortion,
        lambda x_mean: x_mean * DEVIATION + MEAN,
    ),
}


def elbo(distortion, rate):
    """Return the evidence lower bound -(distortion + rate) in nats: at beta = 1,
    higher is better. Notebook 01.
    """
    return -(distortion + rate)


def log_importance_weight(distortion, z, log_sigma, epsilon):
    """Return log p(x|z) p(z) / q(z|x) in nats, of shape (...,), for `z = mu + sigma *
    epsilon`, (..., latent_dim).

    The constants of the two normal densities cancel. Its mean over epsilon is the ELBO.
    Notebook 01.
    """
    return -distortion + ops.sum((epsilon**2 - z**2) / 2.0 + log_sigma, axis=-1)


def importance_weighted_bound(log_weights):
    """Return log(1/K Σ exp(log_weights)) over the first axis, in nats: a lower bound of
    log p(x) that rises with K.

    Burda, Grosse & Salakhutdinov 2016; notebook 01.
    """
    return ops.logsumexp(log_weights, axis=0) - float(np.log(log_weights.shape[0]))

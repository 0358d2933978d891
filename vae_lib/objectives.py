"""Rate and distortion in nats per image. Notebook 01 explains them, 03 beta."""

from collections.abc import Callable
from typing import NamedTuple

from keras import KerasTensor as Tensor  # stands for a tensor of any kind, or an array
from keras import ops

MEAN, DEVIATION = 0.1307, 0.3081  # of MNIST's training pixels; used for every data set


def rate(mu: Tensor, sigma: Tensor, log_sigma: Tensor) -> Tensor:
    """Return KL(N(mu, sigma²) ‖ N(0, I)) in nats, (batch,).

    mu, sigma, log_sigma: (batch, latent_dim). Kingma & Welling 2014, appendix B.
    """
    return ops.sum((mu**2 + sigma**2 - 1.0) / 2.0 - log_sigma, axis=-1)


def bernoulli_distortion(x: Tensor, logits: Tensor) -> Tensor:
    """Return -log p(x|z) in nats, (batch,): the cross-entropy summed over pixels.

    x: pixels in [0, 1], and logits: (batch, rows, columns). Stable for any logit.
    """
    return ops.sum(ops.softplus(logits) - x * logits, axis=(-2, -1))


def gaussian_distortion(x: Tensor, x_mean: Tensor) -> Tensor:
    """Return the squared error of standardised pixels, summed over them, (batch,).

    Up to a constant, -log p(x|z) in nats for pixels of variance 1/2. Notebook 03.
    """
    return ops.sum((x - x_mean) ** 2, axis=(-2, -1))


class Likelihood(NamedTuple):
    """A model of the pixels."""

    prepare: Callable[[Tensor], Tensor]  # from images in [0, 1] to the x it sees
    distortion: Callable[[Tensor, Tensor], Tensor]
    mean: Callable[[Tensor], Tensor]  # from the decoder's output to images


LIKELIHOODS = {
    "bernoulli": Likelihood(lambda images: images, bernoulli_distortion, ops.sigmoid),
    "gaussian": Likelihood(
        lambda images: (images - MEAN) / DEVIATION,
        gaussian_distortion,
        lambda x_mean: x_mean * DEVIATION + MEAN,
    ),
}

"""What a trained model is measured by, in nats per image. Notebook 01."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from keras import ops

from vae_lib.checks import check, check_images, check_precision
from vae_lib.model import VAEBase, in_batches


class Evaluation(NamedTuple):
    """Means over images, in nats; `elbo` is -(distortion + rate), whatever beta is."""

    distortion: float
    rate: float
    elbo: float


def evaluate(
    vae: VAEBase, images: np.ndarray, *, seed: int = 0, binarize: bool = False
) -> Evaluation:
    """Return the `Evaluation` of `vae` on images, with z sampled once for each.

    images: (n, rows, columns), `uint8` or in [0, 1]; ValueError for others. binarize:
    draw each pixel as 0 or 1, its grey value the probability. Notebook 01.
    """
    check_images(images, vae.image_shape)
    check_precision(vae)
    sums = np.zeros(2)
    for part in parts_with_noise(vae, images, seed, binarize):
        sums += [float(ops.sum(term)) for term in terms_of(vae, part)]
    distortion, rate = map(float, sums / len(images))
    return Evaluation(distortion, rate, -(distortion + rate))


def evaluate_steps(vae: VAEBase, images: np.ndarray, seed: int, binarize: bool) -> dict:
    """Return what the model's `test_step` says, with the z that `evaluate` draws."""
    vae.reset_metrics()
    for part in parts_with_noise(vae, images, seed, binarize):
        terms = vae.test_step((part,))
    return {name: float(value) for name, value in terms.items()}


def parts_with_noise(
    vae: VAEBase, images: np.ndarray, seed, binarize: bool = False
) -> Iterator[np.ndarray]:
    """Yield batches of `images`; a forward pass before the next uses seeded noise."""
    rng = np.random.default_rng(seed)
    for part in in_batches(images):
        epsilon = rng.standard_normal((len(part), vae.noise_dim), "float32")
        with vae.noise(epsilon):
            yield binarized(part, rng) if binarize else part


def negative_elbos(
    vae: VAEBase, images: np.ndarray, draws: int = 8, seed: int = 0
) -> np.ndarray:
    """Return −ELBO of each of the images in nats, (n,), as the mean of `draws`."""
    check(draws=draws)
    check_images(images, vae.image_shape)
    check_precision(vae)
    total = np.zeros(len(images))
    for draw in range(draws):
        parts = parts_with_noise(vae, images, (seed, draw))
        total += np.concatenate([np.add(*terms_of(vae, part)) for part in parts])
    return total / draws


def terms_of(vae: VAEBase, images: np.ndarray) -> tuple:
    """Return the model's distortion and rate; ValueError unless each is (batch,)."""
    terms = vae.terms(images)
    for term in terms:
        if tuple(term.shape) != (len(images),):
            raise ValueError(
                f"terms returns the shape {tuple(term.shape)}: return a number for "
                f"each of the {len(images)} images."
            )
    return terms


def binarized(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return `images` with each pixel 0 or the brightest, its grey the probability."""
    top = 255 if images.dtype == np.uint8 else 1
    drawn = rng.random(images.shape, "float32") * top < images
    return (drawn * top).astype(images.dtype)

"""What is known without training: the linear VAE's optimum, and where a VAE collapses.

With the loss `squared error + beta * rate`, a VAE with a linear encoder and decoder is
probabilistic PCA with noise variance v = beta / 2. Its optimum follows from the
eigenvalues of the pixels' covariance alone, by reverse water-filling: a latent unit
carries information only if its eigenvalue exceeds v.

Tipping & Bishop 1999, "Probabilistic principal component analysis"; Cover & Thomas
2006, "Elements of information theory", chapter 10; Lucas et al. 2019, "Don't blame the
ELBO!". Notebooks 01 and 03.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy
from sklearn.utils import gen_batches

from vae_lib.checks import check, check_images
from vae_lib.objectives import DEVIATION

BLOCK = 4000  # images turned into float64 at a time: 25 MB


class LinearOptimum(NamedTuple):
    """The best a linear VAE can do, in nats: `loss = distortion + beta * rate`.

    `distortion` is a squared error summed over standardised pixels. Floats, or arrays
    with one entry for each beta.
    """

    distortion: float
    rate: float
    loss: float


def pca_eigenvalues(images: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of the pixels' covariance, float64 (pixels,), descending.

    `images` is (n, ...), uint8 or floats in [0, 1]; pixels are standardised as
    (x - 0.1307) / 0.3081 and the covariance is divided by n. Raises ValueError for
    other images. Notebook 03.
    """
    _, covariance = _moments(images)
    return np.linalg.eigvalsh(covariance / DEVIATION**2)[::-1].clip(min=0.0)


def linear_optimum(
    eigenvalues: ArrayLike, latent_dim: int, beta: float
) -> LinearOptimum:
    """Return the `LinearOptimum` of a VAE with `hidden=()`, in nats per image.

    `eigenvalues` is (pixels,) as from `pca_eigenvalues`; the likelihood is "gaussian".
    At `beta = 0` the rate is infinite, and the loss is its limit, the distortion.
    Raises ValueError unless eigenvalues and beta are finite and not negative and
    latent_dim is 1 or more. Tipping & Bishop 1999; notebooks 01 and 03.
    """
    check(beta=beta, latent_dim=latent_dim)
    kept, discarded = np.split(_checked_eigenvalues(eigenvalues), [latent_dim])
    noise = float(beta) / 2.0
    active = kept[kept > noise]
    distortion = float(np.minimum(kept, noise).sum() + discarded.sum())
    if noise == 0.0:
        return LinearOptimum(distortion, np.inf if len(active) else 0.0, distortion)
    rate = float(np.sum(np.log(active) - np.log(noise)) / 2.0)
    return LinearOptimum(distortion, rate, distortion + float(beta) * rate)


def rate_distortion_curve(
    eigenvalues: ArrayLike, latent_dim: int, betas: Sequence[float]
) -> LinearOptimum:
    """Return the `LinearOptimum` of every beta in `betas` (n,), its fields (n,).

    Arguments and errors as in `linear_optimum`. The curve's slope dD/dR is -beta.
    Notebook 03.
    """
    if np.ndim(betas) != 1 or len(betas) == 0:
        raise ValueError(
            f"betas has the shape {np.shape(betas)}: pass a list of one beta or more."
        )
    optima = [linear_optimum(eigenvalues, latent_dim, beta) for beta in betas]
    return LinearOptimum(*np.array(optima, dtype="float64").T)


def critical_beta_gaussian(eigenvalues: ArrayLike) -> float:
    """Return the beta from which a VAE with likelihood "gaussian" may collapse.

    It is twice the largest eigenvalue. `eigenvalues` is (pixels,) as from
    `pca_eigenvalues`; ValueError as in `linear_optimum`. For a linear VAE this is
    exact; for any other it is where the collapsed state turns stable. Lucas et al.
    2019; notebook 03.
    """
    return 2.0 * float(_checked_eigenvalues(eigenvalues)[0])


def critical_beta_bernoulli(images: np.ndarray) -> float:
    """Return the beta from which a VAE with likelihood "bernoulli" may collapse.

    It is the largest eigenvalue of P^(-1/2) C P^(-1/2), C the covariance of the pixels
    of `images` in [0, 1] and P = diag(p (1 - p)) with p the mean image: the loss to
    second order around the collapsed state. `images` is (n, ...), uint8 or floats in
    [0, 1]; ValueError otherwise. Returns 0 if no pixel varies. Notebook 03.

    Pixels that never vary say nothing and are left out. Rarely inked ones need no
    special care: a pixel in [0, 1] has a variance of at most p (1 - p), so none counts
    for more than 1.
    """
    mean, covariance = _moments(images)
    # Rounding leaves less than 1e-14; the faintest ink in 1 of 60,000 images, 3e-10.
    varies = np.diag(covariance) > 1e-14
    if not varies.any():
        return 0.0
    mean, covariance = mean[varies], covariance[np.ix_(varies, varies)]
    scale = np.sqrt(mean * (1.0 - mean))
    return float(np.linalg.eigvalsh(covariance / np.outer(scale, scale))[-1])


def mean_image_distortion(
    train_images: np.ndarray, test_images: np.ndarray | None = None
) -> float:
    """Return the cost of a decoder that always draws the mean image, in nats per image.

    The mean image is that of `train_images`, the Bernoulli distortion that of
    `test_images`, or of `train_images` if there are none. Both are (n, ...), uint8 or
    floats in [0, 1]; ValueError otherwise. A decoder that ignores z does no better. The
    mean is kept half an image away from 0 and 1, so that a pixel that no training image
    inks costs a test image many nats, not infinitely many. Notebooks 01, 03, 05.
    """
    train_mean = _mean(_flat(train_images))
    test_mean = train_mean if test_images is None else _mean(_flat(test_images))
    if test_mean.shape != train_mean.shape:
        raise ValueError(
            f"test_images have {len(test_mean)} pixels, but train_images "
            f"{len(train_mean)}: use one size."
        )
    half = 0.5 / len(train_images)
    p = train_mean.clip(half, 1.0 - half)
    return float(-np.sum(xlogy(test_mean, p) + xlogy(1.0 - test_mean, 1.0 - p)))


def _moments(images):
    """Return the mean (pixels,) and the covariance (pixels, pixels) of pixels, over n.

    Block by block: scikit-learn's PCA would need 400 MB for what takes 25 here.
    """
    images = _flat(images)
    mean = _mean(images)
    covariance = np.zeros((len(mean), len(mean)))
    for part in gen_batches(len(images), BLOCK):
        centred = images[part] / _white(images) - mean
        covariance += centred.T @ centred
    return mean, covariance / len(images)


def _mean(images):
    return images.mean(axis=0, dtype="float64") / _white(images)


def _white(images):
    return np.float64(255.0 if images.dtype == np.uint8 else 1.0)


def _flat(images):
    """Return `images` as (n, pixels); raise ValueError for what `check_images` does."""
    images = np.asarray(images)
    if images.ndim < 2 or images.size == 0:
        raise ValueError(f"images have shape {images.shape}: pass a batch, (n, ...).")
    flat = images.reshape(len(images), -1)
    check_images(flat[:, None], (1, flat.shape[1]))
    return flat


def _checked_eigenvalues(eigenvalues):
    """Return `eigenvalues` as float64, descending; raise ValueError for bad ones."""
    values = np.asarray(eigenvalues, dtype="float64")
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(
            f"eigenvalues have the shape {values.shape}: pass one for each pixel."
        )
    if not (values.min() >= 0.0 and values.max() < np.inf):
        raise ValueError(
            f"eigenvalues range from {values.min()} to {values.max()}: pass finite "
            "ones of 0 or more."
        )
    return np.sort(values)[::-1]

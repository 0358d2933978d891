"""What can be known without training: the linear VAE's optimum and the β at which a VAE collapses.

With the loss `squared error + beta * rate`, a VAE with a linear encoder and decoder is probabilistic PCA with
noise variance v = beta / 2, so that its optimum follows from the eigenvalues of the pixels' covariance alone:
reverse water-filling, in which a latent unit carries information only if its eigenvalue stands above v.

Tipping & Bishop 1999, "Probabilistic principal component analysis"; Cover & Thomas 2006, "Elements of
information theory", chapter 10; Lucas et al. 2019, "Don't blame the ELBO!". Notebooks 01 and 03.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

DEVIATION = 0.3081  # of the standardised pixels; their mean, 0.1307, leaves a covariance as it is
BLOCK = 4000  # images turned into float64 at a time: 25 MB


class LinearOptimum(NamedTuple):
    """The best a linear VAE can do, in nats per image: `loss = distortion + beta * rate`.

    `distortion` is a squared error summed over standardised pixels. Floats, or arrays with one entry a beta.
    """

    distortion: float
    rate: float
    loss: float


def pca_eigenvalues(images):
    """Return the covariance eigenvalues of standardised `images`, float64 (pixels,), the largest first.

    `images` is (n, ...), uint8 or floats in [0, 1]; pixels are standardised as (x - 0.1307) / 0.3081 and the
    covariance is divided by n. Raises ValueError for other images. Notebook 03.
    """
    _, covariance = _moments(images)
    return np.linalg.eigvalsh(covariance / DEVIATION**2)[::-1].clip(min=0.0)


def linear_optimum(eigenvalues, latent_dim, beta):
    """Return LinearOptimum(distortion, rate, loss), in nats per image, of a VAE with `hidden=()`.

    `eigenvalues` is (pixels,) as from `pca_eigenvalues`; the likelihood is "gaussian". At `beta = 0` the rate
    is infinite, and the loss is the distortion, its limit. Raises ValueError unless eigenvalues and beta are
    finite and not negative and latent_dim is 1 or more. Tipping & Bishop 1999; notebooks 01 and 03.
    """
    eigenvalues = _checked_eigenvalues(eigenvalues)
    kept, discarded = np.split(eigenvalues, [_checked_latent_dim(latent_dim)])
    if not 0.0 <= beta < np.inf:
        raise ValueError(
            f"beta is {beta}, but must be a finite number from 0 up: choose another beta."
        )
    beta = float(beta)
    noise = beta / 2.0
    active = kept[kept > noise]
    distortion = float(np.minimum(kept, noise).sum() + discarded.sum())
    if noise == 0.0:
        return LinearOptimum(distortion, np.inf if len(active) else 0.0, distortion)
    rate = float(np.sum(np.log(active) - np.log(noise)) / 2.0)
    return LinearOptimum(distortion, rate, distortion + beta * rate)


def rate_distortion_curve(eigenvalues, latent_dim, betas):
    """Return the LinearOptimum of every beta in `betas` (n,), its three fields float64 arrays (n,).

    Arguments and errors as in `linear_optimum`. The curve's slope dD/dR is -beta. Notebook 03.
    """
    if np.ndim(betas) != 1 or len(betas) == 0:
        raise ValueError(
            f"betas has the shape {np.shape(betas)}, but must be a list of one beta or more."
        )
    optima = [linear_optimum(eigenvalues, latent_dim, beta) for beta in betas]
    return LinearOptimum(*np.array(optima, dtype=np.float64).T)


def critical_beta_gaussian(eigenvalues):
    """Return the beta from which a VAE with likelihood "gaussian" may collapse: twice the largest eigenvalue.

    `eigenvalues` is (pixels,) as from `pca_eigenvalues`; ValueError as in `linear_optimum`. For a linear VAE
    this is exact; for any other it is where the collapsed state turns stable. Lucas et al. 2019; notebook 03.
    """
    return 2.0 * float(_checked_eigenvalues(eigenvalues)[0])


def critical_beta_bernoulli(images):
    """Return the beta from which a VAE with likelihood "bernoulli" (summed over pixels) may collapse.

    It is the largest eigenvalue of P^(-1/2) C P^(-1/2), C the covariance of the pixels of `images` in [0, 1]
    and P = diag(p (1 - p)) with p the mean image: the loss to second order around the collapsed state.
    `images` is (n, ...), uint8 or floats in [0, 1]; ValueError otherwise. Returns 0 if no pixel varies.
    Notebook 03.

    Pixels that never vary say nothing and are left out. Rarely inked ones need no care: a pixel in [0, 1] has
    a variance of at most p (1 - p), so that none counts for more than 1.
    """
    mean, covariance = _moments(images)
    varies = (
        np.diag(covariance) > 1e-14
    )  # rounding; the faintest ink in 1 of 60,000 images makes 3e-10
    if not varies.any():
        return 0.0
    mean, covariance = mean[varies], covariance[np.ix_(varies, varies)]
    scale = np.sqrt(mean * (1.0 - mean))
    return float(np.linalg.eigvalsh(covariance / np.outer(scale, scale))[-1])


def noise_variance_ml(eigenvalues, latent_dim):
    """Return probabilistic PCA's maximum-likelihood noise variance, the mean of the discarded eigenvalues.

    `eigenvalues` is (pixels,) as from `pca_eigenvalues`, and the variance is that of a standardised pixel.
    Raises ValueError unless 1 <= latent_dim < pixels. Tipping & Bishop 1999; notebook 03.
    """
    _, discarded = np.split(
        _checked_eigenvalues(eigenvalues), [_checked_latent_dim(latent_dim)]
    )
    if len(discarded) == 0:
        raise ValueError(
            f"latent_dim is {latent_dim}, but must be below {len(eigenvalues)}, the number of eigenvalues."
        )
    return float(discarded.mean())


def mean_image_distortion(train_images, test_images=None):
    """Return the Bernoulli distortion, in nats per image, of a decoder that always returns the mean image.

    The mean image is that of `train_images`, the distortion that of `test_images`, or of `train_images`
    itself when they are left out. Both are (n, ...), uint8 or floats in [0, 1]; ValueError otherwise. A
    decoder that ignores z does no better. The mean is kept half an image away from 0 and 1, so that a pixel
    that no training image inks costs a test image many nats, not infinitely many. Notebook 03.
    """
    train_mean = _mean(_flat(train_images))
    test_mean = train_mean if test_images is None else _mean(_flat(test_images))
    if test_mean.shape != train_mean.shape:
        raise ValueError(
            f"test_images have {len(test_mean)} pixels, but train_images {len(train_mean)}: use one size."
        )
    half = 0.5 / len(train_images)
    p = train_mean.clip(half, 1.0 - half)
    return float(-np.sum(xlogy(test_mean, p) + xlogy(1.0 - test_mean, 1.0 - p)))


def _moments(images):
    """Return the mean (pixels,) and the covariance (pixels, pixels), divided by n, of pixels in [0, 1]."""
    images = _flat(images)
    mean = _mean(images)
    covariance = np.zeros((len(mean), len(mean)))
    for start in range(0, len(images), BLOCK):
        centred = images[start : start + BLOCK] / _white(images) - mean
        covariance += centred.T @ centred
    return mean, covariance / len(images)


def _mean(images):
    return images.mean(axis=0, dtype=np.float64) / _white(images)


def _white(images):
    return np.float64(255.0 if images.dtype == np.uint8 else 1.0)


def _flat(images):
    """Return `images` as (n, pixels); raise ValueError unless they are uint8 or floats in [0, 1]."""
    images = np.asarray(images)
    if images.ndim < 2 or images.size == 0:
        raise ValueError(
            f"images have the shape {images.shape}, but must be (n, ...): pass a batch."
        )
    if images.dtype != np.uint8:
        if images.dtype.kind != "f":
            raise ValueError(
                f"images are {images.dtype}, but must be uint8 or floats: convert them."
            )
        if not (images.min() >= 0.0 and images.max() <= 1.0):  # False for NaN, too
            raise ValueError(
                f"images range from {images.min()} to {images.max()}, but must be uint8 or lie in [0, 1]: "
                "rescale them."
            )
    return images.reshape(len(images), -1)


def _checked_eigenvalues(eigenvalues):
    """Return `eigenvalues` as float64, the largest first; raise ValueError if no covariance can have them."""
    values = np.asarray(eigenvalues, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(
            f"eigenvalues have the shape {values.shape}, but must be (pixels,): flatten them."
        )
    if not (values.min() >= 0.0 and values.max() < np.inf):
        raise ValueError(
            f"eigenvalues range from {values.min()} to {values.max()}, but must be finite and not negative: "
            "clip them."
        )
    return np.sort(values)[::-1]


def _checked_latent_dim(latent_dim):
    if not isinstance(latent_dim, Integral) or latent_dim < 1:
        raise ValueError(
            f"latent_dim is {latent_dim!r}, but must be a whole number from 1 up: choose another."
        )
    return latent_dim

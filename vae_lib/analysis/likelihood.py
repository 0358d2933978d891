"""How likely is an image? Quadrature, importance weights, and gaps with their tails.

At one or two latent units the integral over z can be computed on a grid, without the
encoder: the yardstick for the ELBO and the importance-weighted bounds. Notebook 01.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from keras import KerasTensor as Tensor  # stands for a tensor of any kind, or an array
from keras import ops
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from vae_lib.checks import check, check_images
from vae_lib.evaluation import binarized
from vae_lib.model import VAEBase, in_batches
from vae_lib.objectives import LIKELIHOODS, rate

OURS = dict(LIKELIHOODS)  # whatever a notebook enters there later
STEP = 0.025  # a step of 0.05 misses up to 2 nats of single digits
BLOCK = 2000  # codes decoded at a time
TAIL = 1e-4  # share of the integral that may lie in the outermost tenth of the grid


def log_importance_weight(
    distortion: Tensor, z: Tensor, log_sigma: Tensor, epsilon: Tensor
) -> Tensor:
    """Return log p(x|z) p(z) / q(z|x) in nats at `z = mu + sigma * epsilon`.

    The constants of the two normal densities cancel. Its mean over epsilon is the ELBO.
    """
    return -distortion + ops.sum((epsilon**2 - z**2) / 2.0 + log_sigma, axis=-1)


def importance_weighted_bound(log_weights: Tensor) -> Tensor:
    """Return log(1/K Σ exp(log_weights)) over the first axis, in nats.

    A lower bound on log p(x) that rises with K. Burda, Grosse & Salakhutdinov 2016.
    """
    return ops.logsumexp(log_weights, axis=0) - float(np.log(log_weights.shape[0]))


def quadrature_log_likelihood(
    vae: VAEBase, images: np.ndarray, *, step: float = STEP, extent: float | None = None
) -> np.ndarray:
    """Return log p(x) of each image in nats, float64 (n,), by summing over a grid of z.

    For models with one or two latent units. The grid reaches from -`extent` to `extent`
    on each axis in equal steps; by default it covers the prior and every posterior of
    `images` (n, rows, columns), uint8 or in [0, 1], out to six standard deviations, and
    is widened up to twice where that cuts off part of the integral. With the Gaussian
    likelihood, as in `log_likelihood`, the result leaves out the same constant as the
    distortion. Memory grows only with n. Raises ValueError for more latent units, a
    step or an extent that is not positive, and a grid that cuts off part of the
    integral.
    """
    check_images(images, vae.image_shape)
    if vae.latent_dim > 2:
        raise ValueError(
            f"the model has {vae.latent_dim} latent units: a grid is fine enough for 1 "
            "or 2 only; use log_likelihood for more."
        )
    mu, sigma = vae.encode(images)
    reaches = max(6.0, float((np.abs(mu) + 6.0 * sigma).max())) * np.array([1, 1.5, 2])
    if extent is not None:
        reaches = [extent]
    for name, value in (("step", step), ("extent", reaches[0])):
        if not 0.0 < value < np.inf:
            raise ValueError(f"{name} is {value!r}: pass a positive, finite number.")
    total, done = np.full(len(images), -np.inf), -1.0
    for reach in reaches:
        half = int(np.ceil(reach / step))
        axis = step * np.arange(-half, half + 1)
        codes = np.stack(np.meshgrid(*[axis] * vae.latent_dim), axis=-1)
        codes = codes.reshape(-1, vae.latent_dim)
        distance = np.abs(codes).max(axis=1)
        outer = distance > 0.9 * reach
        new = codes[(distance > done) & ~outer]  # what no narrower grid has summed
        inside = np.logaddexp(total, _log_sum(vae, images, new))
        outside = _log_sum(vae, images, codes[outer])
        total, done = np.logaddexp(inside, outside), distance.max()
        worst = float(np.exp(outside - total).max())
        if worst <= TAIL:
            break
    else:
        raise ValueError(
            f"extent is {reach:.3g}, but {worst:.1%} of an image's p(x) lies in the "
            "outermost tenth of the grid: raise extent."
        )
    return total + vae.latent_dim * np.log(step)


def log_joint(vae: VAEBase, images: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return log p(x|z) + log p(z) in nats of each image at each code, float32 (n, m).

    images: (n, rows, columns), uint8 or in [0, 1]; codes: (m, latent_dim). As a
    function of z it is the log posterior, up to log p(x). Notebook 06.
    """
    parts = _prepared(vae, images)
    logs = np.empty((len(images), len(codes)), "float32")
    for start in range(0, len(codes), BLOCK):
        part = slice(start, start + BLOCK)
        logs[:, part] = np.concatenate(_joint(vae, parts, codes[part]))
    return logs


def _log_sum(vae, images, codes):
    """Return log Σ p(x|z) p(z) over `codes` (m, latent_dim), float64 (n,)."""
    parts = _prepared(vae, images)
    sums = [np.full(len(x), -np.inf) for x in parts]
    for z in in_batches(codes, BLOCK):
        for i, logs in enumerate(_joint(vae, parts, z)):
            sums[i] = np.logaddexp(sums[i], logsumexp(logs, axis=1))
    return np.concatenate(sums)


def _prepared(vae, images):
    """Return the images in parts, flattened, as the likelihood sees them; raise
    ValueError where `_joint` would compute another likelihood than the model's.
    """
    check_model(vae)
    check_likelihood(vae)
    return [
        np.asarray(vae.prepare(part)).reshape(len(part), -1)
        for part in in_batches(images)
    ]


def check_likelihood(vae: VAEBase) -> str:
    """Return the name of the model's likelihood if it computes what ours does."""
    name, given, ours = vae.settings["likelihood"], vae.likelihood, OURS
    x, output = np.float32([[[0.0, 0.3, 1.0]], [[-2.0, 0.5, 3.0]]])[:, None]
    if not (
        name in ours
        and np.allclose(given.distortion(x, output), ours[name].distortion(x, output))
        and np.allclose(given.mean(output), ours[name].mean(output))
    ):
        raise ValueError(
            f"the likelihood {name!r} of this model is not that of vae_lib, for which "
            "alone this can be computed."
        )
    return name


def check_prior(vae: VAEBase) -> None:
    """Raise ValueError for a model whose prior is not the standard normal one."""
    if hasattr(vae, "log_prior"):
        raise ValueError(
            f"A {type(vae).__name__} has a prior of its own (log_prior), and log p(x) "
            "is computed for N(0, I) here: report its ELBO instead (evaluate)."
        )


def check_model(vae: VAEBase) -> None:
    """Raise ValueError for a model that is more than encoder, decoder and N(0, I)."""
    check_prior(vae)
    image = np.random.default_rng(0).random((1, *vae.image_shape), "float32")
    x, zero = vae.prepare(image), np.zeros((1, vae.noise_dim), "float32")
    mu, rho = vae.encoder(x)
    ours = vae.likelihood.distortion(x, vae.decoder(mu)), rate(mu, *vae.posterior(rho))
    with vae.noise(zero):
        own = vae.terms(image)
    if not np.allclose(own, ours, rtol=1e-3, atol=1e-3):
        raise ValueError(
            f"distortion and rate of this {type(vae).__name__} are not what its "
            "encoder, its decoder and the prior N(0, I) give, of which log p(x) is "
            "computed here: report its ELBO instead (evaluate)."
        )


def _joint(vae, parts, z):
    """Return log p(x|z) + log p(z) of each part's images, float64 (n, codes).

    The distortion is quadratic in x: that of a black image, less `slope` times the
    product of x and the decoder's output, plus `square` times x². So one matrix product
    serves all pairs of images and codes.
    """
    slope, square = {"bernoulli": (1.0, 0.0), "gaussian": (2.0, 1.0)}[
        vae.settings["likelihood"]
    ]
    output = vae.decoder(z.astype("float32"))
    black = np.asarray(vae.likelihood.distortion(0.0, output), "float64")
    log_prior = -np.sum(z**2 + np.log(2.0 * np.pi), axis=1) / 2.0
    output = np.asarray(output).reshape(len(z), -1)
    return [
        slope * (x @ output.T).astype("float64")
        + (log_prior - black)
        - square * np.sum(x.astype("float64") ** 2, axis=1, keepdims=True)
        for x in parts
    ]


def tails(
    samples: Mapping[str, ArrayLike], quantiles: tuple[float, ...] = (0.5, 0.9, 0.99)
) -> pd.DataFrame:
    """Return a row for each name of `samples`: mean, its error, quantiles, and maximum.

    `samples` maps names to values (n,), for example the gap between log p(x) and a
    bound on it, in nats. A mean far above the median is dominated by a few values: its
    standard error, `±`, says how well n values determine it. Raises ValueError for
    fewer than two values or one that is not finite.
    """
    rows = {}
    for name, values in samples.items():
        values = np.asarray(values, "float64")
        if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
            raise ValueError(
                f"{name!r} has the shape {values.shape} or holds values that are not "
                "finite: pass two finite numbers or more."
            )
        rows[name] = {
            "mean": values.mean(),
            "±": values.std(ddof=1) / np.sqrt(len(values)),
            **{
                "median" if q == 0.5 else f"{q:.4g}": np.quantile(values, q)
                for q in quantiles
            },
            "largest": values.max(),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def log_likelihood(
    vae: VAEBase,
    images: np.ndarray,
    *,
    samples: int = 100,
    seed: int = 0,
    binarize: bool = False,
) -> np.ndarray:
    """Return the importance-weighted bound of log p(x) in nats, float64 (n,).

    `samples` is its K. For the Gaussian likelihood it holds up to the constant that the
    distortion leaves out. Burda, Grosse & Salakhutdinov 2016; notebook 01.
    """
    check_images(images, vae.image_shape)
    check(samples=samples)
    check_model(vae)
    rng, bounds = np.random.default_rng(seed), []
    for part in in_batches(images, 100):
        x = binarized(part, rng) if binarize else part
        bounds.append(importance_weighted_bound(log_weights(vae, x, samples, rng)))
    return np.concatenate(bounds)


def log_weights(
    vae: VAEBase, images: np.ndarray, samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Return log importance weights in nats, float64 (samples, n)."""
    x = vae.prepare(images)
    mu, rho = vae.encoder(x)
    sigma, log_sigma = vae.posterior(rho)
    parts, size = [], max(1, 2000 // len(images))  # so that memory does not grow with K
    for block in in_batches(range(samples), size):
        epsilon = rng.standard_normal((len(block), *mu.shape), "float32")
        z = mu + sigma * epsilon  # (samples of the block, n, latent_dim)
        logits = vae.decoder(ops.reshape(z, (-1, vae.latent_dim)))
        logits = ops.reshape(logits, (len(block), *x.shape))
        distortion = vae.likelihood.distortion(x, logits)
        weights = log_importance_weight(distortion, z, log_sigma, epsilon)
        parts.append(np.asarray(weights, "float64"))
    return np.concatenate(parts)

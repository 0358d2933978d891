"""Whose fault is the gap between log p(x) and the ELBO? For two latent units.

log p(x, z) is tabulated over the plane, so that log p(x), the islands of the posterior
p(z|x) and the best Gaussian q(z) for each image can be found without an encoder.
Cremer, Li & Duvenaud 2018; notebook 06.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from keras import ops
from scipy.ndimage import label, map_coordinates
from scipy.special import logsumexp

from vae_lib.analysis.likelihood import STEP, log_joint
from vae_lib.checks import check_images
from vae_lib.model import VAEBase, in_batches
from vae_lib.objectives import log_importance_weight

LEVEL = 5.0  # nats below its peak where the shore of an island of p(z|x) is drawn
STEPS, PACE = 60, 0.3  # of the climb towards the best q
TOGETHER = 250  # images whose tables are held at once: 150 to 250 MB


class Gaussians(NamedTuple):
    """A normal density of z for each image: `mean` (n, 2) and the lower-triangular
    `factor` (n, 2, 2) of its covariance.
    """

    mean: np.ndarray
    factor: np.ndarray


class Plane(NamedTuple):
    """log p(x, z) in nats over the square grid of `axis`, `logs` (n, z_2, z_1)."""

    axis: np.ndarray
    logs: np.ndarray

    def log_likelihood(self) -> np.ndarray:
        """Return log p(x) of each image in nats, float64 (n,)."""
        step = self.axis[1] - self.axis[0]
        sums = [logsumexp(logs.astype("float64")) for logs in self.logs]
        return np.array(sums) + 2.0 * np.log(step)

    def islands(self, image: int) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """Return the islands of an image's p(z|x), the largest share first.

        Each is given by its share of the posterior, its mean (2,) and its covariance
        (2, 2). An island is a connected part of the plane whose density is within
        `LEVEL` nats of the peak.
        """
        density = np.exp(self.logs[image] - self.logs[image].max())
        parts, count = label(density > np.exp(-LEVEL), np.ones((3, 3)))
        found = []
        for part in range(1, count + 1):
            rows, columns = np.nonzero(parts == part)
            weights = density[rows, columns]
            codes = self.axis[np.stack([columns, rows])]  # (2, places)
            mean = np.average(codes, axis=1, weights=weights)
            spread = np.cov(codes, aweights=weights, ddof=0) if len(rows) > 2 else 0.0
            floor = (self.axis[1] - self.axis[0]) ** 2 * np.eye(2)
            found.append((weights.sum() / density.sum(), mean, spread + floor))
        return sorted(found, key=lambda island: -island[0])


def plane(vae: VAEBase, images: np.ndarray, step: float = STEP) -> Plane:
    """Return the `Plane` of images (n, rows, columns): a megabyte for each image.

    It extends to four standard deviations of the prior and of every posterior. Raises
    ValueError unless the model has two latent units.
    """
    check_images(images, vae.image_shape)
    if vae.latent_dim != 2:
        raise ValueError(
            f"the model has {vae.latent_dim} latent units: the plane of codes needs a "
            "model with 2."
        )
    mu, sigma = vae.encode(images)
    half = int(np.ceil(max(4.0, (np.abs(mu) + 4.0 * sigma).max()) / step))
    axis = step * np.arange(-half, half + 1)
    codes = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    logs = log_joint(vae, images, codes)
    return Plane(axis, logs.reshape(len(images), len(axis), len(axis)))


def encoded(vae: VAEBase, images: np.ndarray) -> Gaussians:
    """Return the encoder's q(z|x) of each image."""
    mu, sigma = (codes.astype("float64") for codes in vae.encode(images))
    return Gaussians(mu, sigma[:, :, None] * np.eye(2))


def bound(vae: VAEBase, images: np.ndarray, q: Gaussians, nodes: int = 9) -> np.ndarray:
    """Return the ELBO of each image with its own `q`, in nats, float64 (n,).

    The mean over z is a Gauss-Hermite sum over nodes² codes, without sampling.
    """
    epsilon, weights = _nodes(nodes)
    bounds = []
    for start in range(0, len(images), 25):
        mean, factor = (part[start : start + 25] for part in q)
        z = mean[:, None] + epsilon @ factor.transpose(0, 2, 1)  # (n, nodes², 2)
        x = vae.prepare(images[start : start + 25])
        logits = vae.decoder(z.reshape(-1, 2).astype("float32"))
        x = ops.repeat(x, len(epsilon), axis=0)
        distortion = np.reshape(vae.likelihood.distortion(x, logits), z.shape[:2])
        log_sigma = np.log(np.diagonal(factor, axis1=1, axis2=2))[:, None]
        logs = log_importance_weight(distortion, z, log_sigma, epsilon)
        bounds.append(np.asarray(logs, "float64") @ weights)
    return np.concatenate(bounds)


def climb(
    surface: Plane, start: Gaussians, diagonal: bool, steps: int = STEPS
) -> tuple[list[Gaussians], np.ndarray]:
    """Return q at every step from `start` to the best one nearby, and the ELBOs.

    Natural-gradient ascent: with z = mean + factor · ε, the gradient of the ELBO in the
    mean is E[log p(x, z) ε], and in the covariance E[log p(x, z) (εεᵀ - I)] + I, both
    in units of q itself (Bonnet's and Price's theorems). With `diagonal` the covariance
    stays diagonal. ELBOs are (steps + 1, n), in nats, read from the table.
    """
    epsilon, weights = _nodes(7)
    square = epsilon[:, :, None] * epsilon[:, None] - np.eye(2)
    kept = np.eye(2) / 2.0 if diagonal else np.array([[0.5, 0.0], [1.0, 0.5]])
    origin, step = surface.axis[0], surface.axis[1] - surface.axis[0]
    images = np.repeat(np.arange(len(surface.logs))[:, None], len(epsilon), axis=1)
    (mean, factor), way, bounds = start, [], []
    for _ in range(steps + 1):
        z = mean[:, None] + epsilon @ factor.transpose(0, 2, 1)  # (n, nodes, 2)
        place = [images, *np.moveaxis((z[:, :, ::-1] - origin) / step, -1, 0)]
        logs = map_coordinates(surface.logs, place, order=1, mode="nearest") * weights
        entropy = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        way.append(Gaussians(mean, factor))
        bounds.append(logs.sum(axis=1) + entropy + np.log(2.0 * np.pi) + 1.0)
        of_mean = np.clip(logs @ epsilon, -1.0, 1.0)
        of_covariance = np.einsum("nk,kij->nij", logs, square) + np.eye(2)
        mean = mean + PACE * np.einsum("nij,nj->ni", factor, of_mean)
        growth = kept * np.clip(of_covariance, -1.0, 1.0)
        factor = factor @ (np.eye(2) + PACE * growth)
    return way, np.array(bounds)


def best_gaussians(
    surface: Plane, islands: list[list], diagonal: bool, *starts: Gaussians
) -> Gaussians:
    """Return the best q found for each image.

    The climbs begin at each of `starts`, and at the two largest of each image's
    `islands`, with the mean and covariance of the island.
    """
    for place in range(2):
        chosen = [found[min(place, len(found) - 1)] for found in islands]
        mean, covariance = (np.stack([one[i] for one in chosen]) for i in (1, 2))
        covariance = covariance * np.eye(2) if diagonal else covariance
        starts = *starts, Gaussians(mean, np.linalg.cholesky(covariance))
    climbs = [climb(surface, start, diagonal) for start in starts]
    best = np.argmax([bounds[-1] for _, bounds in climbs], axis=0)
    ends = [np.stack([way[-1][i] for way, _ in climbs]) for i in (0, 1)]
    return Gaussians(*(end[best, np.arange(len(best))] for end in ends))


def split_gap(vae: VAEBase, images: np.ndarray) -> pd.DataFrame:
    """Return a row for each image: log p(x), three bounds and the parts of the gap.

    `log p(x)`; the ELBO with the `encoder`'s q, with the best `diagonal` and the best
    `full` covariance; `gap`, between the first two, and its parts `amortization`,
    `slant` and `form`; all in nats. `second` is the share of p(z|x) on its
    second-largest island.
    """
    rows = []
    for part in in_batches(images, TOGETHER):
        surface, own = plane(vae, part), encoded(vae, part)
        islands = [surface.islands(image) for image in range(len(part))]
        diagonal = best_gaussians(surface, islands, True, own)
        full = best_gaussians(surface, islands, False, own, diagonal)
        bounds = [bound(vae, part, q) for q in (own, diagonal, full)]
        bounds = np.maximum.accumulate(bounds)  # each kind contains the one before
        second = [found[1][0] if len(found) > 1 else 0.0 for found in islands]
        rows.append([surface.log_likelihood(), *bounds, second])
    names = ["log p(x)", "encoder", "diagonal", "full", "second"]
    table = pd.DataFrame(np.concatenate(rows, axis=1).T, columns=names)
    return table.assign(
        gap=table["log p(x)"] - table.encoder,
        amortization=table.diagonal - table.encoder,
        slant=table.full - table.diagonal,
        form=table["log p(x)"] - table.full,
    )


def _nodes(count):
    """Return Gauss-Hermite nodes of a standard normal pair (count², 2), and weights."""
    points, weights = np.polynomial.hermite_e.hermegauss(count)
    pairs = np.stack(np.meshgrid(points, points), axis=-1).reshape(-1, 2)
    return pairs, np.outer(weights, weights).ravel() / (2.0 * np.pi)

"""Whose fault is the gap between log p(x) and the ELBO? For two latent units.

log p(x, z) is tabulated over the plane: from it log p(x), the islands of p(z|x) and the
best Gaussian q(z) of each image are found without an encoder. Cremer, Li & Duvenaud
2018; notebook 06.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from keras import ops
from scipy.ndimage import label, map_coordinates
from scipy.special import logsumexp

from vae_lib.analysis.information import log_prior
from vae_lib.analysis.likelihood import STEP, check_model, log_joint
from vae_lib.model import VAEBase, in_batches

LEVEL = 5.0  # nats below its peak where the shore of an island of p(z|x) is drawn
STEPS, PACE = 60, 0.3  # of the climb towards the best q
TOGETHER = 250  # images whose tables are held at once: 150 to 250 MB


class Gaussians(NamedTuple):
    """A normal q(z) for each image: `mean` (n, 2) and a lower-triangular `factor` of
    its covariance, (n, 2, 2).
    """

    mean: np.ndarray
    factor: np.ndarray

    def codes(self, epsilon: np.ndarray) -> np.ndarray:
        """Return z = mean + factor · ε, (n, count, 2), for `epsilon` (count, 2)."""
        return self.mean[:, None] + epsilon @ self.factor.transpose(0, 2, 1)

    def entropy(self) -> np.ndarray:
        """Return E[-log q(z)] in nats, (n,)."""
        return np.log(np.linalg.det(self.factor)) + np.log(2.0 * np.pi) + 1.0


class Plane(NamedTuple):
    """log p(x, z) in nats over the square grid of `axis`, `logs` (n, z_2, z_1)."""

    axis: np.ndarray
    logs: np.ndarray

    def log_likelihood(self) -> np.ndarray:
        """Return log p(x) of each image in nats, float64 (n,)."""
        sums = [logsumexp(logs.astype("float64")) for logs in self.logs]
        return np.array(sums) + 2.0 * np.log(self.axis[1] - self.axis[0])

    def islands(self, image: int) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """Return share, mean (2,) and covariance (2, 2) of the islands of p(z|x), the
        largest first: connected places whose density is within `LEVEL` of the peak.
        """
        density = np.exp(self.logs[image] - self.logs[image].max())
        parts, count = label(density > np.exp(-LEVEL), np.ones((3, 3)))
        cell, found = (self.axis[1] - self.axis[0]) ** 2 * np.eye(2), []
        for part in range(1, count + 1):
            places = np.nonzero(parts == part)
            weights, codes = density[places], self.axis[np.stack(places[::-1])]
            mean = np.average(codes, axis=1, weights=weights)
            spread = np.cov(codes, aweights=weights, ddof=0)
            found.append((weights.sum() / density.sum(), mean, spread + cell))
        return sorted(found, key=lambda island: -island[0])


def plane(vae: VAEBase, images: np.ndarray) -> Plane:
    """Return the `Plane` of images (n, rows, columns): a megabyte for each.

    It extends to four standard deviations of the prior and of every posterior. Raises
    ValueError unless the model has two latent units.
    """
    if vae.latent_dim != 2:
        count = vae.latent_dim
        raise ValueError(f"the model has {count} latent units: pass one with 2.")
    mu, sigma = vae.encode(images)
    half = int(np.ceil(max(4.0, (np.abs(mu) + 4.0 * sigma).max()) / STEP))
    axis = STEP * np.arange(-half, half + 1)
    codes = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return Plane(axis, log_joint(vae, images, codes).reshape(-1, len(axis), len(axis)))


def encoded(vae: VAEBase, images: np.ndarray) -> Gaussians:
    """Return the encoder's q(z|x) of each image."""
    mu, sigma = (codes.astype("float64") for codes in vae.encode(images))
    return Gaussians(mu, sigma[:, :, None] * np.eye(2))


def bound(vae: VAEBase, images: np.ndarray, q: Gaussians) -> np.ndarray:
    """Return the ELBO of each image with its own `q`, in nats, float64 (n,).

    The mean over z is a Gauss-Hermite sum over 81 codes, without sampling.
    """
    check_model(vae)
    (epsilon, weights), means = _nodes(9), []
    for part in in_batches(np.arange(len(images)), 25):
        z = Gaussians(*(values[part] for values in q)).codes(epsilon).reshape(-1, 2)
        x = ops.repeat(vae.prepare(images[part]), len(epsilon), axis=0)
        distortion = vae.likelihood.distortion(x, vae.decoder(z.astype("float32")))
        logs = log_prior(z) - np.asarray(distortion)
        means.append(logs.reshape(-1, len(epsilon)) @ weights)
    return np.concatenate(means) + q.entropy()


def climb(
    surface: Plane, start: Gaussians, diagonal: bool
) -> tuple[list[Gaussians], np.ndarray]:
    """Return q at every step from `start` to the best one nearby, and its ELBOs in
    nats, (steps + 1, n), read from the table.

    Natural-gradient ascent: the ELBO's gradient in the mean is E[log p(x, z) ε], and in
    the covariance E[log p(x, z) (εεᵀ - I)] + I, both in units of q itself (theorems of
    Bonnet and Price). With `diagonal` the covariance stays diagonal.
    """
    epsilon, weights = _nodes(7)
    square = epsilon[:, :, None] * epsilon[:, None] - np.eye(2)
    kept = np.eye(2) / 2.0 if diagonal else np.array([[0.5, 0.0], [1.0, 0.5]])
    origin, step = surface.axis[0], surface.axis[1] - surface.axis[0]
    images = np.repeat(np.arange(len(surface.logs))[:, None], len(epsilon), axis=1)
    way, bounds = [start], []
    for _ in range(STEPS + 1):
        mean, factor = q = way[-1]
        place = (q.codes(epsilon)[:, :, ::-1] - origin) / step  # rows are z_2
        place = [images, *np.moveaxis(place, -1, 0)]
        logs = map_coordinates(surface.logs, place, order=1, mode="nearest") * weights
        bounds.append(logs.sum(axis=1) + q.entropy())
        of_mean = np.clip(logs @ epsilon, -1.0, 1.0)
        of_covariance = np.einsum("nk,kij->nij", logs, square) + np.eye(2)
        growth = PACE * kept * np.clip(of_covariance, -1.0, 1.0)
        mean = mean + PACE * np.einsum("nij,nj->ni", factor, of_mean)
        way.append(Gaussians(mean, factor + factor @ growth))
    return way[:-1], np.array(bounds)


def best_gaussians(
    surface: Plane, islands: list[list], diagonal: bool, *starts: Gaussians
) -> Gaussians:
    """Return the best q found for each image, in climbs from each of `starts` and from
    the two largest of each image's `islands`.
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
    """Return a row of nats for each image: `log p(x)`; the ELBO with the `encoder`'s q,
    the best `diagonal` and the best `full` one; `gap` and its parts `amortization`,
    `slant` and `form`. `second` is the share of p(z|x) on its second-largest island.
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
        rows.append([*bounds, surface.log_likelihood(), second])
    levels = ["encoder", "diagonal", "full", "log p(x)"]
    table = pd.DataFrame(np.hstack(rows).T, columns=[*levels, "second"])
    table[["amortization", "slant", "form"]] = np.diff(table[levels], axis=1)
    return table.assign(gap=table["log p(x)"] - table["encoder"])


def _nodes(count):
    """Return Gauss-Hermite nodes of a standard normal pair (count², 2), and weights."""
    points, weights = np.polynomial.hermite_e.hermegauss(count)
    pairs = np.stack(np.meshgrid(points, points), axis=-1).reshape(-1, 2)
    return pairs, np.outer(weights, weights).ravel() / (2.0 * np.pi)

"""How good are samples? Fast measures that compare one cloud of images with another.

None of these numbers is an FID: that needs the features of an Inception network, and
these are principal components. Notebook 04.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from vae_lib.data import Split
from vae_lib.figures import unit
from vae_lib.model import VAEBase

FEATURES = 50  # principal components
NEIGHBOURS = 5


class Quality(NamedTuple):
    """What `fakes` share with `reals`: shares in [0, 1], and a density near 1 for
    reals.
    """

    precision: float  # share of fakes that lie near a real
    density: float  # reals near a fake, as a multiple of the reals near a real
    recall: float  # share of reals that lie near a fake
    coverage: float  # share of reals that have a fake nearer than their own neighbours


def features(
    images: np.ndarray, n: int = FEATURES
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from images (m, rows, columns) to `n` components, (m, n).

    They are the first principal components of `images`, `uint8` or in [0, 1].
    """
    flat = _flat(images)
    pca = PCA(min(n, *flat.shape), svd_solver="covariance_eigh").fit(flat)
    return lambda images: pca.transform(_flat(images))


class Reader:
    """Labels images by a vote of the most similar images that it knows.

    `known` is a Split; `space` maps images to its 50 principal components, in which
    similarity is measured. Notebooks 04 and 05.
    """

    def __init__(self, known: Split, neighbours: int = NEIGHBOURS):
        self.space = features(known.images)
        self.votes = KNeighborsClassifier(neighbours, algorithm="brute")
        self.votes.fit(self.space(known.images), known.labels)

    def read(self, images: np.ndarray) -> np.ndarray:
        """Return most neighbours' label, (n,), for images `uint8` or in [0, 1]."""
        return self.votes.predict(self.space(images))

    def clear(self, images: np.ndarray) -> np.ndarray:
        """Return whether all neighbours of an image have the same label, bool (n,)."""
        return self.votes.predict_proba(self.space(images)).max(axis=1) == 1


def compare(
    reals: np.ndarray, fakes: np.ndarray, neighbours: int = NEIGHBOURS
) -> Quality:
    """Return the `Quality` of features `fakes` (m, k), measured by `reals` (n, k).

    A point is near another if it is no farther away than that point's fifth neighbour
    of its own kind. Raises ValueError for clouds of different widths or with too few
    points. Kynkäänniemi et al. 2019 for precision and recall, Naeem et al. 2020 for
    density and coverage; notebook 04.
    """
    if reals.ndim != 2 or fakes.ndim != 2 or reals.shape[1] != fakes.shape[1]:
        raise ValueError(
            f"the features have shapes {reals.shape} and {fakes.shape}: pass (n, k) "
            "and (m, k)."
        )
    if min(len(reals), len(fakes)) <= neighbours:
        raise ValueError(
            f"there are {len(reals)} reals and {len(fakes)} fakes: pass more than "
            f"{neighbours} of each."
        )
    around_reals, around_fakes = (
        radii(points, neighbours) for points in (reals, fakes)
    )
    near_a_fake, covered = np.zeros(len(reals), bool), np.zeros(len(reals), bool)
    near_reals, start = [], 0
    for distances in pairwise_distances_chunked(fakes, reals):  # (some fakes, n)
        within = distances <= around_reals
        near_reals.append(within.sum(axis=1))
        covered |= within.any(axis=0)
        around = around_fakes[start : start + len(distances), None]
        near_a_fake |= (distances <= around).any(axis=0)
        start += len(distances)
    near_reals = np.concatenate(near_reals)
    return Quality(
        precision=float((near_reals > 0).mean()),
        density=float(near_reals.mean() / neighbours),
        recall=float(near_a_fake.mean()),
        coverage=float(covered.mean()),
    )


def radii(points: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """Return the distance of each of `points` (n, k) to its last neighbour, (n,)."""
    search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(points)
    return search.kneighbors()[0][:, -1]  # no point is its own neighbour here


def ppca_samples(
    images: np.ndarray, latent_dim: int, n: int, seed: int = 0
) -> np.ndarray:
    """Return `n` images, in [0, 1], drawn from probabilistic PCA fitted to `images`.

    The maximum-likelihood solution of Tipping & Bishop 1999 with `latent_dim` units:
    mean + W z, without the pixel noise, since a decoder's mean has none either, and
    clipped to [0, 1]. Notebook 04.
    """
    pca = PCA(latent_dim, svd_solver="covariance_eigh").fit(_flat(images))
    scales = np.sqrt(np.maximum(pca.explained_variance_ - pca.noise_variance_, 0.0))
    z = np.random.default_rng(seed).standard_normal((n, latent_dim))
    drawn = pca.mean_ + (z * scales) @ pca.components_
    return np.clip(drawn, 0.0, 1.0).reshape(n, *images.shape[1:])


def aggregate_samples(
    vae: VAEBase, images: np.ndarray, n: int, seed: int = 0
) -> np.ndarray:
    """Return `n` images decoded from codes of q(z), each drawn from a random image's
    q(z|x).
    """
    rng = np.random.default_rng(seed)
    mu, sigma = vae.encode(images[rng.integers(len(images), size=n)])
    return vae.decode(mu + sigma * rng.standard_normal(mu.shape))


def _flat(images):
    """Return images as rows of pixels in [0, 1], float32."""
    return unit(np.asarray(images)).astype("float32").reshape(len(images), -1)

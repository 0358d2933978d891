"""How good are samples? Seconds-cheap measures that compare clouds of images with clouds of images. Notebook 04.

No number here is an FID: that needs the features of an Inception network, these are principal components.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

FEATURES = 50  # principal components
NEIGHBOURS = 5
BLOCK = 500  # samples compared with all others at a time


class Quality(NamedTuple):
    """What `fakes` share with `reals`: precision, recall and coverage in [0, 1]; density around 1 for reals."""

    precision: float  # share of fakes that lie near a real
    recall: float  # share of reals that lie near a fake
    density: (
        float  # how many reals a fake lies near, where a real lies near one on average
    )
    coverage: float  # share of reals that have a fake nearer than their own neighbours


def features(images, n=FEATURES):
    """Return a function that maps images (m, rows, columns) to their first `n` principal components, (m, n).

    The components are those of `images`, `uint8` or in [0, 1].
    """
    pca = PCA(min(n, len(images)), svd_solver="covariance_eigh").fit(_flat(images))
    return lambda images: pca.transform(_flat(images))


class Reader:
    """Names an image by a vote of the five most similar images of a `Split`, in 50 principal components.

    `space` maps images to these components, `known` is the split. Notebooks 04 and 05.
    """

    def __init__(self, known, neighbours=NEIGHBOURS):
        self.known, self.space = known, features(known.images)
        self.votes = KNeighborsClassifier(neighbours, algorithm="brute")
        self.votes.fit(self.space(known.images), known.labels)

    def read(self, images):
        """Return the label that most of the neighbours have, (n,), of images `uint8` or in [0, 1]."""
        return self.votes.predict(self.space(images))

    def clear(self, images):
        """Return whether all neighbours of an image have the same label, bool (n,)."""
        return self.votes.predict_proba(self.space(images)).max(axis=1) == 1


def compare(reals, fakes, neighbours=NEIGHBOURS):
    """Return the `Quality` of features `fakes` (m, k) measured against features `reals` (n, k).

    A point is near another if it is no farther than that one's fifth neighbour of its own kind. Raises ValueError
    for clouds of different widths or with too few points. Kynkäänniemi et al. 2019 for precision and recall,
    Naeem et al. 2020 for density and coverage; notebook 04.
    """
    if reals.ndim != 2 or fakes.ndim != 2 or reals.shape[1] != fakes.shape[1]:
        raise ValueError(
            f"the features have shapes {reals.shape} and {fakes.shape}: pass (n, k) and (m, k)."
        )
    if min(len(reals), len(fakes)) <= neighbours:
        raise ValueError(
            f"there are {len(reals)} reals and {len(fakes)} fakes: pass more than {neighbours} of each."
        )
    around_reals, around_fakes = (
        radii(points, neighbours) for points in (reals, fakes)
    )
    near_a_fake, covered = np.zeros(len(reals), bool), np.zeros(len(reals), bool)
    near_reals = np.zeros(len(fakes))
    for start in range(0, len(fakes), BLOCK):
        part = slice(start, start + BLOCK)
        distances = cdist(fakes[part], reals)  # (block, n)
        within = distances <= around_reals
        near_reals[part] = within.sum(axis=1)
        covered |= within.any(axis=0)
        near_a_fake |= (distances <= around_fakes[part, None]).any(axis=0)
    precision, density = (near_reals > 0).mean(), near_reals.mean() / neighbours
    return Quality(
        *map(float, (precision, near_a_fake.mean(), density, covered.mean()))
    )


def radii(points, neighbours=NEIGHBOURS):
    """Return the distance from each of `points` (n, k) to its `neighbours`-th nearest other one, (n,)."""
    blocks = (
        cdist(points[start : start + BLOCK], points)
        for start in range(0, len(points), BLOCK)
    )
    return np.concatenate(
        [
            np.partition(distances, neighbours, axis=1)[:, neighbours]
            for distances in blocks
        ]
    )


def ppca_samples(images, latent_dim, n, seed=0):
    """Return `n` images, in [0, 1], drawn from probabilistic PCA with `latent_dim` units fitted to `images`.

    The maximum-likelihood solution of Tipping & Bishop 1999: mean + W z, without the pixel noise, as a decoder's
    mean has none, and clipped to [0, 1]. Notebook 04.
    """
    flat = _flat(images).astype("float64")
    mean = flat.mean(axis=0)
    eigenvalues, axes = np.linalg.eigh(np.cov(flat, rowvar=False))
    noise = eigenvalues[:-latent_dim].mean()
    scales = np.sqrt(np.maximum(eigenvalues[-latent_dim:] - noise, 0.0))
    z = np.random.default_rng(seed).standard_normal((n, latent_dim))
    return np.clip(mean + (z * scales) @ axes[:, -latent_dim:].T, 0.0, 1.0).reshape(
        n, *images.shape[1:]
    )


def aggregate_samples(vae, images, n, seed=0):
    """Return `n` images decoded from codes of the aggregate posterior: of a random image's q(z|x) each."""
    rng = np.random.default_rng(seed)
    mu, sigma = vae.encode(images[rng.integers(len(images), size=n)])
    return vae.decode(mu + sigma * rng.standard_normal(mu.shape))


def _flat(images):
    """Return images as rows of pixels in [0, 1], float32."""
    flat = np.asarray(images, "float32").reshape(len(images), -1)
    return flat / 255 if images.dtype == np.uint8 else flat

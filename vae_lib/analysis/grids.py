"""Codes to decode and codes to look at: grids, traversals, interpolations and
embeddings.
"""

from numbers import Integral

import numpy as np
from scipy.special import ndtri
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

METHODS = ("pca", "t-SNE", "openTSNE")
# up to this many codes, one thread lays them out; on a busy machine threads wait for
# one another and take up to ten times as long
FEW = 5_000


def quantile_grid(n, low=0.05, high=0.95):
    """Return float32 codes (n * n, 2) at equispaced quantiles of the prior, `low` to
    `high` on each axis.

    z = Φ⁻¹(u) for n equispaced u, so that equal steps hold equal shares of N(0, 1).
    Tiled row by row, z_1 rises to the right and z_2 upwards: the first row holds the
    largest z_2. Raises ValueError unless n >= 2 and 0 < low < high < 1. Kingma &
    Welling 2014, figure 4; notebook 04.
    """
    if not 0.0 < low < high < 1.0:
        raise ValueError(
            f"low and high are {low} and {high}, but must satisfy 0 < low < high < 1: "
            "choose others."
        )
    return _square(ndtri(np.linspace(low, high, _at_least(2, n, "n"))))


def linear_grid(n, extent):
    """Return float32 codes (n * n, 2), equispaced from -`extent` to `extent` on each
    axis.

    The order is that of `quantile_grid`. Raises ValueError unless n >= 2 and extent is
    positive and finite. Notebook 04.
    """
    if not 0.0 < extent < np.inf:
        raise ValueError(
            f"extent is {extent}, but must be positive and finite: 3 spans 99.7 % of "
            "the prior."
        )
    return _square(np.linspace(-extent, extent, _at_least(2, n, "n")))


def traverse(code, unit, values):
    """Return float32 codes (len(values), latent_dim): copies of `code` with latent
    `unit` set to each value.

    `code` is (latent_dim,), `unit` counts from 0. Raises ValueError for another shape,
    an empty or non-finite list or a unit that does not exist. Higgins et al. 2017;
    notebook 04.
    """
    code = _finite("code", code, ndim=1)
    values = _finite("values", values, ndim=1)
    if not isinstance(unit, Integral) or not 0 <= unit < len(code):
        raise ValueError(
            f"unit is {unit!r}, but must be from 0 to {len(code) - 1}: units count "
            "from 0."
        )
    codes = np.tile(code, (len(values), 1))
    codes[:, unit] = values
    return codes.astype(np.float32)


def interpolate(start, end, steps, spherical=False):
    """Return float32 codes (steps, latent_dim) from `start` to `end`, both included.

    `start` and `end` are (latent_dim,). The path is straight or, with `spherical`,
    along a great circle (slerp), which keeps codes of equal length at that length.
    Where no great circle is defined, because a code is zero or the two point in the
    same or in opposite directions, it is straight anyway. Raises ValueError for unequal
    shapes, non-finite codes or steps < 2. White 2016, "Sampling generative networks";
    notebook 04.
    """
    start = _finite("start", start, ndim=1)
    end = _finite("end", end, ndim=1)
    if start.shape != end.shape:
        raise ValueError(
            f"start and end have {len(start)} and {len(end)} units, but must have the "
            "same number: use one size."
        )
    share = np.linspace(0.0, 1.0, _at_least(2, steps, "steps"))[:, None]  # (steps, 1)
    angle = _angle(start, end) if spherical else 0.0
    if np.sin(angle) < 1e-6:
        codes = (1.0 - share) * start + share * end
    else:
        codes = (
            np.sin((1.0 - share) * angle) * start + np.sin(share * angle) * end
        ) / np.sin(angle)
    return codes.astype(np.float32)


def embed(codes, method, seed=0):
    """Return `codes` laid out in the plane, float32 (n, 2), by `method` "pca", "t-SNE"
    or "openTSNE".

    `codes` is (n, latent_dim) with n >= 2; "pca" keeps their units and distances, the
    others only their neighbours. "t-SNE" is scikit-learn's, about half a minute for
    3,000 codes; "openTSNE" takes 60,000 in two minutes, with approximate neighbours and
    forces. Codes that are all the same come out as zeros; with one latent unit "pca"
    returns zeros as the second coordinate. The same `seed` gives the same picture.
    Raises ValueError for another method, another shape or non-finite codes. van der
    Maaten & Hinton 2008; Poličar et al. 2024; notebook 03.
    """
    if method not in METHODS:
        raise ValueError(
            f"method is {method!r}, but must be {' or '.join(map(repr, METHODS))}: "
            "choose one."
        )
    codes = _finite("codes", codes, ndim=2)
    _at_least(2, len(codes), "the number of codes")
    if (codes == codes[0]).all():
        return np.zeros((len(codes), 2), dtype=np.float32)
    plane = _principal_plane(codes)
    if method == "pca":
        return plane.astype(np.float32)
    scale = plane[:, 0].std()
    start = (1e-4 * plane / scale).astype(
        np.float32
    )  # as init="pca", for one latent unit as well
    standardised = (
        codes - codes.mean(axis=0)
    ) / scale  # t-SNE is scale-free, its float32 distances are not
    perplexity = min(
        30.0, (len(codes) - 1) / 3.0
    )  # scikit-learn's 30, or all there is of a tiny set
    settings = dict(perplexity=perplexity, learning_rate="auto", random_state=seed)
    with threadpool_limits(1 if len(codes) <= FEW else None):
        if method == "t-SNE" or len(codes) < 100:  # openTSNE stumbles over tiny sets
            return (
                TSNE(2, init=start, max_iter=1000, **settings)
                .fit_transform(standardised)
                .astype(np.float32)
            )
        # only here: it takes a second, and most readers do not need it
        import openTSNE

        tsne = openTSNE.TSNE(
            initialization=start, n_jobs=1 if len(codes) <= FEW else -1, **settings
        )
        return np.asarray(tsne.fit(standardised), dtype=np.float32)


def _principal_plane(codes):
    """Return the first two principal components of `codes`, (n, 2), the second zero
    if there is only one.
    """
    plane = np.zeros((len(codes), 2))
    n_components = min(2, codes.shape[1])
    plane[:, :n_components] = PCA(n_components, svd_solver="full").fit_transform(codes)
    return plane


def _square(axis):
    """Return float32 codes (n * n, 2) of the square grid over `axis`, in the order
    of a picture's rows.
    """
    rightwards, downwards = np.meshgrid(axis, axis[::-1])
    return np.stack([rightwards, downwards], axis=-1).reshape(-1, 2).astype(np.float32)


def _angle(start, end):
    """Return the angle between two codes, 0 if one is zero; unlike arccos, accurate
    near 0 and π as well.
    """
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) == 0.0:
        return 0.0
    start, end = start / lengths[0], end / lengths[1]
    return 2.0 * np.arctan2(np.linalg.norm(start - end), np.linalg.norm(start + end))


def _at_least(least, value, name):
    if not isinstance(value, Integral) or value < least:
        raise ValueError(
            f"{name} is {value!r}, but must be a whole number from {least} up: choose "
            "another."
        )
    return value


def _finite(name, values, ndim):
    """Return `values` as float64; raise ValueError unless they are finite, not empty
    and have `ndim` axes.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != ndim or values.size == 0:
        raise ValueError(
            f"{name} has the shape {values.shape}, but must have {ndim} axes and not "
            "be empty: reshape it."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"{name} has NaN or infinite entries, but must be finite: check its source."
        )
    return values

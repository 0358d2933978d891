"""How the decoder stretches the space of codes: its metric, lengths, and shortest ways. Notebook 04.

The metric G(z) is the Fisher information of p(x|z): a small step dz changes p(x|z) by a KL divergence of
½ dzᵀ G(z) dz nats. For pixels of probabilities p and the Jacobian J of their logits, G = Jᵀ diag(p(1 − p)) J.
"""

from math import gcd

import numpy as np
import tensorflow as tf
from scipy.interpolate import RectBivariateSpline
from scipy.ndimage import maximum_filter, minimum_filter
from scipy.optimize import minimize
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from vae_lib.grids import linear_grid
from vae_lib.model import in_batches
from vae_lib.objectives import DEVIATION

REACH = (
    3  # grid steps, along each axis, of the longest edge of the graph: 32 directions
)


def decoder_metric(vae, codes):
    """Return the metric G of the decoder at `codes` (n, latent_dim), float64 (n, latent_dim, latent_dim).

    For the Gaussian likelihood, whose pixels have variance ½, G = 2 JᵀJ. Prefer a smooth activation: with ReLU
    the metric jumps from one linear piece to the next. Arvanitidis et al. 2018; notebook 04.
    """
    if vae.settings["likelihood"] == "bernoulli":
        return _pulled_back(vae, codes, variance)
    return _pulled_back(vae, codes, lambda logits: tf.constant(2.0))


def pixel_metric(vae, codes):
    """Return J_xᵀJ_x at `codes` (n, latent_dim), float64 (n, latent_dim, latent_dim), J_x the Jacobian of the image.

    It measures images with a ruler, by their Euclidean distance, whatever the likelihood says of pixels.
    Shao, Kumar & Fletcher 2018; notebook 04.
    """
    if vae.settings["likelihood"] == "bernoulli":
        return _pulled_back(vae, codes, lambda logits: variance(logits) ** 2)
    return _pulled_back(vae, codes, lambda logits: tf.constant(DEVIATION**2))


def variance(logits):
    """Return p(1 − p) of Bernoulli pixels, which is also the slope of p by their logits."""
    p = tf.sigmoid(logits)
    return p * (1.0 - p)


def _pulled_back(vae, codes, weights):
    """Return Jᵀ diag(weights(logits)) J at `codes`, J the Jacobian of the logits."""
    parts = in_batches(np.asarray(codes, "float32"))
    return np.concatenate([_metric(vae, part, weights) for part in parts])


def _metric(vae, codes, weights):
    z, slopes = tf.constant(codes), []
    for unit in range(vae.latent_dim):
        direction = tf.one_hot(tf.fill([len(codes)], unit), vae.latent_dim)
        with tf.autodiff.ForwardAccumulator(z, direction) as accumulator:
            logits = tf.reshape(vae.decoder(z), (len(codes), -1))
        slopes.append(accumulator.jvp(logits))  # a column of the Jacobian, (n, pixels)
    of_pixels = weights(logits)
    rows = [
        [tf.reduce_sum(one * of_pixels * other, axis=1) for other in slopes]
        for one in slopes
    ]
    return np.moveaxis(np.asarray(rows, "float64"), -1, 0)


def magnification(metrics):
    """Return √det G, (n,): the factor by which the decoder stretches a small area around each code."""
    return np.sqrt(np.maximum(np.linalg.det(metrics), 0.0))


def anisotropy(metrics):
    """Return by what factor the decoder stretches lengths more in one direction than in another, (n,), 1 or more."""
    eigenvalues = np.linalg.eigvalsh(metrics)
    return np.sqrt(eigenvalues[:, -1] / np.maximum(eigenvalues[:, 0], 1e-12))


def borders(names):
    """Return where the names (n * n,) of a square grid differ from one of their eight neighbours, bool (n * n,)."""
    n = round(len(names) ** 0.5)
    board = np.reshape(names, (n, n))
    return (maximum_filter(board, 3) != minimum_filter(board, 3)).ravel()


def twins(values, chosen):
    """Return for each entry that is `chosen` the place of the other entry whose value is nearest.

    `values` (n,) and bool `chosen` (n,): whatever differs between entries and their twins is not due to `values`.
    """
    others = np.flatnonzero(~chosen)
    order = np.argsort(values[others], kind="stable")
    ranked = values[others][order]
    right = np.clip(np.searchsorted(ranked, values[chosen]), 1, len(others) - 1)
    left_is_nearer = (
        values[chosen] - ranked[right - 1] <= ranked[right] - values[chosen]
    )
    return others[order[right - left_is_nearer]]


def detours(surface, pairs):
    """Return the geodesics between pairs of codes (n, 2, 2), and by what share straight lines are longer, (n,)."""
    paths = [surface.geodesics(start, [end])[0] for start, end in pairs]
    shortest = np.array([path_length(path, surface) for path in paths])
    straight = [path_length(path[[0, -1]], surface, pieces=200) for path in paths]
    return paths, straight / shortest - 1


def path_length(path, metric, pieces=8):
    """Return the length of the polygon `path` (steps, latent_dim) under `metric`, codes (n, d) -> (n, d, d).

    Each step is cut into `pieces`, with the metric taken at their middles.
    """
    path = np.asarray(path, "float64")
    if len(path) < 2:
        return 0.0
    share = (np.arange(pieces) + 0.5) / pieces
    steps = np.diff(path, axis=0)
    middles = (path[:-1, None] + share[:, None] * steps[:, None]).reshape(
        -1, path.shape[1]
    )
    pieces_of_steps = np.repeat(steps / pieces, pieces, axis=0)
    squares = np.einsum(
        "ni,nij,nj->n", pieces_of_steps, metric(middles), pieces_of_steps
    )
    return float(np.sqrt(np.maximum(squares, 0.0)).sum())


class Surface:
    """A square of the plane with a metric, known on a grid of codes, and the shortest ways across it.

    `metric` maps codes (n, 2) to (n, 2, 2); it is asked once for each of the `n` × `n` codes from -`extent` to
    `extent`, and splines lie between them. Raises ValueError for less than 4 codes an axis. Notebook 04.
    """

    def __init__(self, metric, extent, n=81):
        if n < 4:
            raise ValueError(
                f"n is {n!r}, but splines need a grid of 4 × 4 codes or more: raise it."
            )
        self.codes, self.axis = (
            linear_grid(n, extent).astype("float64"),
            np.linspace(-extent, extent, n),
        )
        self.metrics = metric(self.codes)
        boards = self.metrics.reshape(n, n, 2, 2)[::-1].swapaxes(
            0, 1
        )  # (z_1, z_2, 2, 2), both rising
        self.splines = [
            [
                RectBivariateSpline(self.axis, self.axis, boards[..., i, j])
                for j in range(2)
            ]
            for i in range(2)
        ]
        self.graph = grid_graph(self.codes, self.metrics)

    def __call__(self, codes, **derivative):
        """Return the metric at codes (m, 2), (m, 2, 2), or its derivative: `dx=1` by z_1, `dy=1` by z_2."""
        rows = [
            [spline.ev(*codes.T, **derivative) for spline in row]
            for row in self.splines
        ]
        return np.moveaxis(np.asarray(rows), -1, 0)

    def geodesics(self, start, ends, points=25):
        """Return the shortest way from `start` to each of `ends`, (m, 2), as polygons (points, 2).

        Dijkstra's algorithm finds a way along the grid, which can go round what a descent from the straight line
        could not; a descent on its energy, the sum of the steps' squared lengths, then lets it leave the grid.
        """
        first, *goals = (
            int(np.argmin(((self.codes - z) ** 2).sum(axis=1))) for z in (start, *ends)
        )
        _, before = dijkstra(
            self.graph, directed=False, indices=first, return_predecessors=True
        )
        ways = (self.codes[_way(before, goal)][1:-1] for goal in goals)
        return [
            self.relaxed(np.vstack([start, way, end]), points)
            for way, end in zip(ways, ends)
        ]

    def relaxed(self, path, points=25):
        """Return a path (points, 2) with the ends of `path`, moved to where its energy is least."""
        path = _resampled(np.asarray(path, "float64"), points)

        def energy(inner):
            whole = np.vstack([path[:1], inner.reshape(-1, 2), path[-1:]])
            steps, middles = np.diff(whole, axis=0), (whole[1:] + whole[:-1]) / 2
            pulls = np.einsum("nij,nj->ni", self(middles), steps)
            bends = [
                np.einsum("ni,nij,nj->n", steps, self(middles, **by), steps)
                for by in ({"dx": 1}, {"dy": 1})
            ]
            bends = np.stack(bends, axis=1) / 2
            slope = 2 * (pulls[:-1] - pulls[1:]) + bends[:-1] + bends[1:]
            return np.sum(pulls * steps), slope.ravel()

        best = minimize(
            energy,
            path[1:-1].ravel(),
            jac=True,
            method="CG",
            options={"maxiter": 200, "gtol": 1e-3},
        )
        return np.vstack([path[:1], best.x.reshape(-1, 2), path[-1:]])


def grid_graph(codes, metrics):
    """Return the graph of a square grid, sparse (n·n, n·n): edges to neighbours with their lengths under `metrics`.

    `codes` (n·n, 2) are a grid of `latents.linear_grid`, `metrics` (n·n, 2, 2). Edges go into 32 directions.
    """
    n = round(len(codes) ** 0.5)
    nodes, starts, ends = np.arange(n * n).reshape(n, n), [], []
    for down in range(REACH + 1):
        for right in range(-REACH, REACH + 1):
            if gcd(down, abs(right)) != 1 or (down == 0 and right < 0):
                continue
            left, over = max(0, -right), max(0, right)
            starts.append(nodes[: n - down, left : n - over].ravel())
            ends.append(nodes[down:, left + right : n - over + right].ravel())
    start, end = np.concatenate(starts), np.concatenate(ends)
    step = codes[end] - codes[start]
    lengths = np.sqrt(
        np.einsum("ni,nij,nj->n", step, (metrics[start] + metrics[end]) / 2.0, step)
    )
    return coo_array((lengths, (start, end)), shape=(n * n, n * n)).tocsr()


def _way(before, goal):
    """Return the nodes from the start to `goal`, read backwards from each node's predecessor."""
    nodes = [goal]
    while before[nodes[-1]] >= 0:
        nodes.append(int(before[nodes[-1]]))
    return nodes[::-1]


def _resampled(path, points):
    """Return `points` codes along the polygon `path`, in equal steps of its length in the plane."""
    along = np.concatenate(
        [[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))]
    )
    return np.stack(
        [
            np.interp(np.linspace(0, along[-1], points), along, values)
            for values in path.T
        ],
        axis=1,
    )

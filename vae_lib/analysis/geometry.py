"""How the decoder stretches the space of codes: its metric, lengths, shortest paths.

The metric G(z) is the Fisher information of p(x|z): a small step dz changes p(x|z) by
a KL divergence of ½ dzᵀ G(z) dz nats. For pixels of probabilities p and the Jacobian J
of their logits, G = Jᵀ diag(p(1 − p)) J. Notebook 04.
"""

from collections.abc import Callable, Sequence
from math import gcd

import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.interpolate import NdBSpline, RectBivariateSpline
from scipy.ndimage import maximum_filter, minimum_filter
from scipy.optimize import minimize
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from vae_lib.analysis.grids import linear_grid
from vae_lib.analysis.likelihood import check_likelihood
from vae_lib.model import VAEBase, in_batches
from vae_lib.objectives import DEVIATION

REACH = 3  # grid steps along each axis of the graph's longest edge: 32 directions
RINGS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)  # radii of rings to compare in

Metric = Callable[[np.ndarray], np.ndarray]  # codes (n, d) -> (n, d, d)


def decoder_metric(vae: VAEBase, codes: np.ndarray) -> np.ndarray:
    """Return the metric G of the decoder, float64 (n, latent_dim, latent_dim).

    codes: (n, latent_dim). For the Gaussian likelihood, whose pixels have variance ½,
    G = 2 JᵀJ. Prefer a smooth activation: with ReLU the metric jumps from one linear
    piece to the next. Arvanitidis et al. 2018; notebook 04.
    """
    if check_likelihood(vae) == "bernoulli":
        return _pulled_back(vae, codes, variance)
    return _pulled_back(vae, codes, lambda logits: tf.constant(2.0))


def pixel_metric(vae: VAEBase, codes: np.ndarray) -> np.ndarray:
    """Return the Euclidean metric of decoded images, (n, latent_dim, latent_dim).

    It is J_xᵀJ_x, float64, with J_x the Jacobian of the image at each of `codes`,
    (n, latent_dim): it measures distances between pixel values, whatever the likelihood
    says about pixels. Shao, Kumar & Fletcher 2018; notebook 04.
    """
    if check_likelihood(vae) == "bernoulli":
        return _pulled_back(vae, codes, lambda logits: variance(logits) ** 2)
    return _pulled_back(vae, codes, lambda logits: tf.constant(DEVIATION**2))


def variance(logits: tf.Tensor) -> tf.Tensor:
    """Return p(1 − p) of Bernoulli pixels, which is also dp / dlogits."""
    p = tf.sigmoid(logits)
    return p * (1.0 - p)


def _pulled_back(
    vae: VAEBase, codes: np.ndarray, weights: Callable[[tf.Tensor], tf.Tensor]
) -> np.ndarray:
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


def magnification(metrics: np.ndarray) -> np.ndarray:
    """Return √det G, (n,): the factor by which the decoder stretches a small area
    there.
    """
    return np.sqrt(np.maximum(np.linalg.det(metrics), 0.0))


def at_borders(classes: np.ndarray) -> np.ndarray:
    """Return which codes of a square grid have a neighbour in another class, (n·n,).

    classes: (n·n,), in the order of `linear_grid`; a code has up to eight neighbours.
    Raises ValueError unless their number is a square. Notebook 04.
    """
    n = round(len(classes) ** 0.5)
    if n * n != len(classes):
        raise ValueError(
            f"there are {len(classes)} classes: pass one for each code of a square "
            "grid."
        )
    board = np.unique(classes, return_inverse=True)[1].reshape(n, n)
    return (maximum_filter(board, 3) != minimum_filter(board, 3)).ravel()


def detours(
    surface: "Surface", pairs: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the geodesics between `pairs` of codes, and how much longer straight lines
    are.

    pairs: (n, 2, 2). The second result, (n,), is a share: 0.1 for a straight line that
    is 10 % longer than the geodesic. Notebook 04.
    """
    paths = [surface.geodesics(start, [end])[0] for start, end in pairs]
    shortest = np.array([path_length(path, surface) for path in paths])
    straight = [path_length(path[[0, -1]], surface, pieces=200) for path in paths]
    longer = np.divide(straight, shortest, out=np.ones(len(pairs)), where=shortest > 0)
    return paths, longer - 1


def compare_at_radius(
    codes: np.ndarray,
    values: np.ndarray,
    border: np.ndarray,
    edges: Sequence[float] = RINGS,
) -> pd.DataFrame:
    """Return medians of `values` at borders and inside classes, ring by ring.

    codes: (n, latent_dim). values: (n,), for example the magnification. border: bool
    (n,), as from `at_borders`. Borders and interiors lie at different radii, so
    anything that falls with the radius would differ between them for that reason alone.
    They are therefore compared within rings around the origin, whose radii are `edges`.
    Columns: `border`, `interior`, `ratio` of the two, and the number of codes of each;
    NaN where a ring has none. Notebook 04.
    """
    radius = np.linalg.norm(codes, axis=1)
    frame = pd.DataFrame(
        {
            "radius": pd.cut(radius, list(edges), right=False),
            "place": np.where(border, "border", "interior"),
            "value": np.asarray(values, "float64"),
        }
    )
    groups = frame.groupby(["radius", "place"], observed=False)["value"]
    places = ["border", "interior"]
    medians = groups.median().unstack().reindex(columns=places)
    counts = groups.size().unstack(fill_value=0).reindex(columns=places, fill_value=0)
    medians["ratio"] = medians.border / medians.interior
    return medians.join(counts.add_prefix("codes, "))


def path_length(path: np.ndarray, metric: Metric, pieces: int = 8) -> float:
    """Return the length of the polygon `path` (steps, latent_dim) under `metric`.

    Each step is cut into `pieces`, with the metric evaluated at their midpoints.
    Notebook 04.
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
    """A square of the plane with a metric, and the shortest paths across it.

    `metric` maps codes (n, 2) to (n, 2, 2); of matrices that are not symmetric, the
    symmetric part counts, as it does in a length. It is evaluated once at each of the
    `n` × `n` codes from -`extent` to `extent`; splines interpolate between them. Raises
    ValueError for fewer than 4 codes per axis, or where the metric is not finite.
    Notebook 04.
    """

    def __init__(self, metric: Metric, extent: float, n: int = 81):
        if n < 4:
            raise ValueError(
                f"n is {n!r}: splines need a grid of 4 × 4 codes or more; raise n."
            )
        self.codes = linear_grid(n, extent).astype("float64")
        self.axis = np.linspace(-extent, extent, n)
        metrics = metric(self.codes)
        if not np.isfinite(metrics).all():
            raise ValueError(
                "the metric is not finite everywhere on the square: lower extent, or "
                "pass another metric."
            )
        self.metrics = (metrics + metrics.swapaxes(1, 2)) / 2
        boards = self.metrics.reshape(n, n, 2, 2)[::-1]
        boards = boards.swapaxes(0, 1)  # (z_1, z_2, 2, 2), both ascending
        splines = [
            RectBivariateSpline(self.axis, self.axis, boards[..., i, j]).tck
            for i, j in ((0, 0), (0, 1), (1, 1))
        ]
        *knots, _ = splines[0]
        weights = [np.reshape(c, (n, n)) for *_, c in splines]
        self.spline = NdBSpline(tuple(knots), np.stack(weights, axis=-1), k=3)
        self.graph = grid_graph(self.codes, self.metrics)

    def __call__(self, codes: np.ndarray, dx: int = 0, dy: int = 0) -> np.ndarray:
        """Return the metric at codes (m, 2), (m, 2, 2), or its derivative.

        `dx` and `dy` are the orders of the derivative in z_1 and in z_2. Beyond the
        square it stays what it is at the edge.
        """
        inside = np.clip(codes, self.axis[0], self.axis[-1])
        return self.spline(inside, nu=(dx, dy))[:, [[0, 1], [1, 2]]]

    def geodesics(
        self, start: np.ndarray, ends: np.ndarray, points: int = 25
    ) -> list[np.ndarray]:
        """Return the shortest path from `start` to each of `ends` (m, 2), (points, 2).

        Dijkstra's algorithm finds a path along the grid, which can go round an obstacle
        where a descent from the straight line could not. Minimising its energy, the sum
        of the steps' squared lengths, then lets it leave the grid. Raises ValueError
        for a code outside of the square, and where a spline through a jump of the
        metric makes lengths negative.
        """
        for code in (start, *ends):
            if np.abs(code).max() > self.axis[-1]:
                raise ValueError(
                    f"the code {np.round(code, 2).tolist()} lies outside of the "
                    f"square, from {self.axis[0]:g} to {self.axis[-1]:g}: make a "
                    "Surface with a larger extent."
                )
        first, *goals = (
            int(np.argmin(((self.codes - z) ** 2).sum(axis=1))) for z in (start, *ends)
        )
        _, before = dijkstra(
            self.graph, directed=False, indices=first, return_predecessors=True
        )
        inner = (self.codes[_path_to(goal, before)][1:-1] for goal in goals)
        return [
            self.relaxed(np.vstack([start, path, end]), points)
            for path, end in zip(inner, ends, strict=True)
        ]

    def relaxed(self, path: np.ndarray, points: int = 25) -> np.ndarray:
        """Return the path (points, 2) of least energy between the ends of `path`."""
        path, extent = _resampled(np.asarray(path, "float64"), points), self.axis[-1]

        def whole(inner):
            return np.vstack([path[:1], extent * inner.reshape(-1, 2), path[-1:]])

        def energies(codes):
            steps, middles = np.diff(codes, axis=0), (codes[1:] + codes[:-1]) / 2
            pulls = np.einsum("nij,nj->ni", self(middles), steps)
            return steps, middles, pulls, (pulls * steps).sum(axis=1)

        def energy(inner):
            steps, middles, pulls, squares = energies(whole(inner))
            bends = [
                np.einsum("ni,nij,nj->n", steps, self(middles, **by), steps)
                for by in ({"dx": 1}, {"dy": 1})
            ]
            bends = np.stack(bends, axis=1) / 2
            slope = 2 * (pulls[:-1] - pulls[1:]) + bends[:-1] + bends[1:]
            return squares.sum() / unit, extent * slope.ravel() / unit

        # in units of the square and of the first energy, so that neither unit matters
        inner = (path[1:-1] / extent).clip(-1, 1).ravel()
        unit = energies(whole(inner))[-1].sum() or 1.0
        best = minimize(
            energy,
            inner,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-1, 1)] * len(inner),  # the metric is unknown beyond
            options={"maxcor": 30, "gtol": 1e-4, "ftol": 1e-9},
        )
        found = whole(best.x)
        if unit < 0 or energies(found)[-1].min() < 0:
            raise ValueError(
                "between the codes of the grid the metric is not positive, as beside a "
                "jump: raise n, or take a decoder with a smooth activation."
            )
        return found


def grid_graph(codes: np.ndarray, metrics: np.ndarray) -> csr_array:
    """Return a square grid as a sparse graph (n·n, n·n) of lengths under `metrics`.

    codes: (n·n, 2), as from `linear_grid`; metrics: (n·n, 2, 2). Edges run from each
    code in 32 directions.
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


def _path_to(goal, before):
    """Return the nodes from the start to `goal`; `before` holds each predecessor."""
    nodes = [goal]
    while before[nodes[-1]] >= 0:
        nodes.append(int(before[nodes[-1]]))
    return nodes[::-1]


def _resampled(path, points):
    """Return `points` codes along the polygon `path`, in equal steps in the plane."""
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, along[-1], points)
    return np.stack([np.interp(at, along, values) for values in path.T], axis=1)

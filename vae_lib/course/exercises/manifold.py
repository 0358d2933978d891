"""The exercises of notebook 04: grids, paths through the latent space, its metric, its
holes.
"""

import numpy as np
from scipy.special import logsumexp

from vae_lib.course.exercises.checking import Exercise

RNG = np.random.default_rng(4)

inside = Exercise(
    right="0.9 of the prior along each axis, and the axes are independent: almost one "
    "random code in five lies "
    "outside the picture.",
    solution=0.81,
    tolerance=1e-3,
    mistakes={
        "That is along one axis: the other has to be inside as well.": 0.90,
        "The grid leaves out 5 % at both ends, 10 % along each axis.": 0.95**2,
        (
            "That leaves out 5 % at one end of one axis; there are two ends and two "
            "axes."
        ): 0.95,
        "That is the share outside.": 0.19,
        (
            "You have subtracted both axes' shares, and the corners twice: "
            "multiply 0.9 "
            "by 0.9."
        ): 0.80,
    },
)


def _slerp(start, end, share, angle, divide=True):
    """Return the great circle's point for an angle between the two codes."""
    way = np.sin((1 - share) * angle) * start + np.sin(share * angle) * end
    return way / np.sin(angle) if divide else way


def _angle(start, end):
    """Return the angle between two codes."""
    return np.arccos(start @ end / (np.linalg.norm(start) * np.linalg.norm(end)))


starts, ends = (RNG.standard_normal((2, 10)).astype("float32") for _ in range(2))
slerp = Exercise(
    right=(
        "It keeps the length that random codes have; the straight line dips to about "
        "0.71 of it half-way."
    ),
    names="start end share",
    solution=lambda a, b, t: _slerp(a, b, t, _angle(a, b)),
    cases=[
        (starts[0], ends[0], 0.25),
        (starts[1], ends[1], 0.5),
        (starts[0], ends[1], 0.9),
    ],
    mistakes={
        "That is the straight line.": lambda a, b, t: (1 - t) * a + t * b,
        "Divide by the sine of the angle.": lambda a, b, t: _slerp(
            a, b, t, _angle(a, b), divide=False
        ),
        (
            "The cosine of the angle is the dot product divided by both lengths: "
            "yours is not divided."
        ): lambda a, b, t: _slerp(a, b, t, np.arccos(np.clip(a @ b, -1, 1))),
        "You have swapped start and end: share 0 is the start.": lambda a, b, t: _slerp(
            b, a, t, _angle(a, b)
        ),
        "You have scaled the code to length 1: others are longer.": lambda a, b, t: (
            _slerp(a / np.linalg.norm(a), b / np.linalg.norm(b), t, _angle(a, b))
        ),
        (
            "You have stretched the straight line to the great circle's length: equal "
            "shares are then not equal angles."
        ): lambda a, b, t: (
            ((1 - t) * a + t * b)
            * np.linalg.norm(_slerp(a, b, t, _angle(a, b)))
            / np.linalg.norm((1 - t) * a + t * b)
        ),
        "The angle is in degrees: NumPy's sine wants radians.": lambda a, b, t: _slerp(
            a, b, t, np.degrees(_angle(a, b))
        ),
    },
)


def metric_of(jacobian, weights):
    """Return Jᵀ diag(weights) J."""
    return jacobian.T @ (weights[:, None] * jacobian)


jacobians, chances = RNG.standard_normal((2, 12, 2)), RNG.uniform(0.05, 0.95, (2, 12))
magnification = Exercise(
    right="The factor by which the decoder stretches the area of a small square of "
    "codes, in units that an eye for pixels can tell apart: bright where a small step "
    "changes the picture most.",
    names="jacobian p",
    solution=lambda j, p: np.sqrt(np.linalg.det(metric_of(j, p * (1 - p)))),
    cases=[(jacobians[0], chances[0]), (jacobians[1], chances[1])],
    mistakes={
        "The root is missing: det G is the square of the area.": lambda j, p: (
            np.linalg.det(metric_of(j, p * (1 - p)))
        ),
        "The pixels' weights p(1 − p) are missing.": lambda j, p: np.sqrt(
            np.linalg.det(j.T @ j)
        ),
        "The weights are p(1 − p), not p.": lambda j, p: np.sqrt(
            np.linalg.det(metric_of(j, p))
        ),
        (
            "Take the weight once: p(1 − p) is in the middle of Jᵀ … J, not in each J."
        ): lambda j, p: np.sqrt(np.linalg.det(metric_of(j, (p * (1 - p)) ** 2))),
        "You divide by p(1 − p): J is that of the logits, so multiply.": lambda j, p: (
            np.sqrt(np.linalg.det(metric_of(j, 1 / (p * (1 - p)))))
        ),
        (
            "J Jᵀ is a matrix of pixels and has determinant 0: use the small one, Jᵀ … "
            "J."
        ): lambda j, p: np.sqrt(abs(np.linalg.det(j @ j.T))),
        (
            "That is the trace, the sum of squared lengths; the area is the root "
            "of the "
            "determinant."
        ): lambda j, p: np.trace(metric_of(j, p * (1 - p))),
    },
)


def normal_log_density(z, mu, sigma):
    """Return log N(z; mu, sigma²) of every z (m, d) under every code (n, d), of shape
    (m, n).
    """
    square = (z[:, None] - mu) / sigma
    return -np.sum(square**2 / 2 + np.log(sigma) + np.log(2 * np.pi) / 2, axis=-1)


points, centres = RNG.standard_normal((2, 5, 2)).astype("float32")
widths = RNG.uniform(0.1, 0.6, (5, 2)).astype("float32")
log_aggregate = Exercise(
    right=(
        "Where it is far below log p(z) lies a hole: random codes fall there, and few "
        "digits did."
    ),
    names="z mu sigma",
    solution=lambda z, m, s: (
        logsumexp(normal_log_density(z, m, s), axis=1) - np.log(len(m))
    ),
    cases=[(points[:4], centres, widths), (points[:3] + 30, centres, widths)],
    mistakes={
        (
            "The number of images is missing: q(z) is the mean of the q(z|x), so "
            "subtract "
            "log N."
        ): lambda z, m, s: logsumexp(normal_log_density(z, m, s), axis=1),
        (
            "That is the mean of the logarithms: take the logarithm of the mean."
        ): lambda z, m, s: normal_log_density(z, m, s).mean(axis=1),
        "The term −log σ is missing from the normal density.": lambda z, m, s: (
            logsumexp(normal_log_density(z, m, s) + np.log(s).sum(-1), axis=1)
            - np.log(len(m))
        ),
        "The constant ½ log 2π, once for each unit, is missing.": lambda z, m, s: (
            logsumexp(normal_log_density(z, m, s), axis=1)
            - np.log(len(m))
            + z.shape[1] * np.log(2 * np.pi) / 2
        ),
        "You have used σ as if it were a variance.": lambda z, m, s: (
            logsumexp(normal_log_density(z, m, np.sqrt(s)), axis=1) - np.log(len(m))
        ),
        "The ½ in front of the square is missing.": lambda z, m, s: (
            logsumexp(
                normal_log_density(z, m, s)
                - np.sum(((z[:, None] - m) / s) ** 2 / 2, -1),
                axis=1,
            )
            - np.log(len(m))
        ),
        (
            "Right on paper, but far from all codes exp is 0 and its logarithm −∞: use "
            "scipy.special.logsumexp."
        ): lambda z, m, s: np.log(np.exp(normal_log_density(z, m, s)).mean(axis=1)),
        (
            "You have averaged over z instead of the images: one value for each z is "
            "wanted."
        ): lambda z, m, s: (
            logsumexp(normal_log_density(z, m, s), axis=0) - np.log(len(z))
        ),
    },
)


def half_plane(z):
    """Return the metric I / z_2² of Poincaré's half plane at codes (n, 2), of shape (n,
    2, 2).
    """
    return np.eye(2) / np.asarray(z)[:, 1, None, None] ** 2


def length(path, metric):
    """Return the length of a path (n, 2) under a metric, taken at the middle of each
    step.
    """
    steps, middles = np.diff(path, axis=0), (path[1:] + path[:-1]) / 2
    return np.sum(np.sqrt(np.einsum("ni,nij,nj->n", steps, metric(middles), steps)))


def _path(result, arguments):
    """Say what is wrong with a path meant to be the shortest in the half plane, whose
    distances are known.
    """
    start, end, metric = arguments
    try:
        path = np.asarray(result, "float64")
    except (TypeError, ValueError):
        return (
            "The function does not return numbers: return the path as an array (n, 2)."
        )
    if path.ndim != 2 or path.shape[1] != 2 or len(path) < 5:
        return (
            f"The path has the shape {path.shape}: return (n, 2) codes with n of 5 or "
            "more."
        )
    if not np.isfinite(path).all():
        return (
            "The path has NaN or infinite codes: does the search step over z₂ = 0, "
            "where the metric ends?"
        )
    if not (
        np.allclose(path[0], start, atol=1e-3) and np.allclose(path[-1], end, atol=1e-3)
    ):
        return (
            "The path has to begin at start and end at end: move only the codes "
            "between them."
        )
    (across, up), away = end - start, path - start
    if np.abs(across * away[:, 1] - up * away[:, 0]).max() < 1e-3:
        return (
            "That is the straight line: under this metric an arc through larger z₂ is "
            "shorter."
        )
    square = np.sum((end - start) ** 2)
    if np.linalg.norm(np.diff(path, axis=0), axis=1).max() > 0.5 * np.sqrt(square):
        return (
            "One step covers more than half of the way: spread the codes along the "
            "path."
        )
    shortest = np.arccosh(1 + square / (2 * start[1] * end[1]))
    share = length(path, metric) / shortest
    if share > 1.02:
        return (
            f"The path is {share:.2f} times as long as the shortest: go on until it is "
            "within 2 %."
        )
    return None


geodesic = Exercise(
    right="Within 2 % of the exact distance, which this metric has in closed form.",
    names="start end metric",
    solution=lambda start, end, metric: (
        None
    ),  # judged by its length: many discretizations are right
    cases=[
        (np.array([-1.0, 0.5]), np.array([1.0, 0.5]), half_plane),
        (np.array([0.0, 0.3]), np.array([1.0, 0.8]), half_plane),
    ],
    read=lambda result: np.zeros(0),
    judge=_path,
    mistakes={},
)

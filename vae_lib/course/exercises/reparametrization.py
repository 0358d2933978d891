"""The exercises of notebook 02: maps from rho to sigma, gradients through a draw, and
what a failure rate says.
"""

import numpy as np
from scipy.special import expit

from vae_lib.course.exercises.checking import Exercise

RNG = np.random.default_rng(2)

unit_width = Exercise(
    right="σ = 1 is where the rate is least: the encoder that says nothing has ρ = "
    "0.541, not 0.",
    solution=np.log(np.expm1(1.0)),
    tolerance=5e-3,
    mistakes={
        "That is where the exponential maps reach σ = 1; softplus(0) is log 2 = "
        "0.693.": 0.0,
        "softplus(1) is 1.313: the two are close only for large ρ.": 1.0,
        "0.693 is softplus(0): you have put in 0 where σ = 1 belongs, so invert the "
        "map.": np.log(2.0),
        "The sign is wrong: log(e − 1), and e − 1 is larger than 1.": -np.log(
            np.expm1(1.0)
        ),
        "That is e − 1: its logarithm is missing.": np.expm1(1.0),
        "That is log(e + 1), which is softplus(1): inverting the map gives a "
        "minus.": np.log1p(np.e),
    },
)


def _pair(result):
    """Return a pair (sigma, log_sigma) as one float64 array (2, ...)."""
    sigma, log_sigma = result
    return np.stack([np.asarray(sigma, "float64"), np.asarray(log_sigma, "float64")])


def _two(result, arguments):
    """Say so if the result is not a pair."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        return "Return two things, sigma and log_sigma: return sigma, log_sigma"
    return None


def half_linear(rho):
    """Return sigma = exp(rho) below 0 and 1 + rho above, and log sigma, both finite for
    any float32.
    """
    sigma = np.where(rho < 0, np.exp(np.minimum(rho, 0)), 1 + np.maximum(rho, 0))
    return sigma, np.where(rho < 0, rho, np.log1p(np.maximum(rho, 0)))


guarded = Exercise(
    right="Finite for every ρ, and log σ is exact where σ itself is rounded to 0.",
    names="rho",
    solution=half_linear,
    cases=[
        (np.array([-200, -120, -20, -1, -0.5, 0, 0.5, 1, 20, 200, 1e20], "float32"),)
    ],
    read=_pair,
    judge=_two,
    mistakes={
        "You take the logarithm of the rounded σ: at ρ = −120 it is −∞. There log σ "
        "is ρ itself.": lambda r: (
            half_linear(r)[0],
            np.log(half_linear(r)[0]),
        ),
        "The second result is log σ², twice what is wanted.": lambda r: (
            half_linear(r)[0],
            2 * half_linear(r)[1],
        ),
        "The second result is the variance σ²; return log σ.": lambda r: (
            half_linear(r)[0],
            half_linear(r)[0] ** 2,
        ),
        "The first result is the variance; return the standard deviation "
        "σ.": lambda r: (
            half_linear(r)[0] ** 2,
            half_linear(r)[1],
        ),
        "For positive ρ the line is 1 + ρ, so that the pieces "
        "meet at 0: yours is ρ.": lambda r: (
            np.where(r < 0, np.exp(np.minimum(r, 0)), r),
            np.where(r < 0, r, np.log(np.maximum(r, 1e-45))),
        ),
        "That is exp(ρ) everywhere: it overflows on the right, where the line 1 + ρ is "
        "needed.": lambda r: (
            np.exp(r),
            r,
        ),
        "Adding a small constant makes σ positive, and log σ wrong: at ρ = −120 it is"
        " −120.": lambda r: (
            half_linear(r)[0],
            np.log(half_linear(r)[0] + np.float32(1e-8)),
        ),
        "Clipping keeps log σ finite, and wrong: at ρ = −120 it is −120.": lambda r: (
            half_linear(r)[0],
            np.log(np.maximum(half_linear(r)[0], 1e-30)),
        ),
    },
)


slope = Exercise(
    right="It tends to −1 on the left and grows like σ on the right: no wall where "
    "networks start, and no explosion.",
    names="rho",
    solution=lambda rho: np.where(
        rho < 0,
        np.expm1(2 * np.minimum(rho, 0)),
        1 + rho - 1 / (1 + np.maximum(rho, 0)),
    ),
    cases=[(np.linspace(-4, 4, 9).astype("float32"),)],
    mistakes={
        "On the left the chain rule's factor is missing: there dσ/dρ = σ.": lambda r: (
            half_linear(r)[0] - 1 / half_linear(r)[0]
        ),
        "The factor σ belongs only to the left piece: on the right dσ/dρ = "
        "1.": lambda r: half_linear(r)[0] ** 2 - 1,
        "That is for σ = exp(ρ) everywhere: on the right σ = 1 + ρ.": lambda r: (
            np.expm1(2 * r)
        ),
        "The sign is reversed: the rate falls as a narrow q widens.": lambda r: (
            -slope.solution(r)
        ),
        "The term from −log σ is missing: its derivative is −1/σ.": lambda r: np.where(
            r < 0, np.exp(2 * np.minimum(r, 0)), 1 + r
        ),
        "The ½ and the 2 of σ² cancel: the first term is σ.": lambda r: (
            slope.solution(r) - np.where(r < 0, np.exp(2 * np.minimum(r, 0)), 1 + r) / 2
        ),
        "log σ² = 2 log σ: with the ½ its derivative is 1/σ, not 1/(2σ).": lambda r: (
            slope.solution(r) + np.where(r < 0, 0.5, 0.5 / (1 + np.maximum(r, 0)))
        ),
        "Return one slope for each ρ, not their sum.": lambda r: slope.solution(
            r
        ).sum(),
    },
)


def wilson(failures, runs, z=1.96):
    """Return the Wilson interval of a share as a pair."""
    share, denominator = failures / runs, 1 + z**2 / runs
    middle = (share + z**2 / (2 * runs)) / denominator
    half = z * np.sqrt(share * (1 - share) / runs + z**2 / (4 * runs**2)) / denominator
    return middle - half, middle + half


def _without_z(failures, runs, z=1.96):
    """Return the interval with the last term under the root forgotten."""
    share, denominator = failures / runs, 1 + z**2 / runs
    half = z * np.sqrt(share * (1 - share) / runs) / denominator
    middle = (share + z**2 / (2 * runs)) / denominator
    return middle - half, middle + half


def _wald(failures, runs, z=1.96):
    """Return the textbook interval that has no width at 0 failures."""
    share = failures / runs
    half = z * np.sqrt(share * (1 - share) / runs)
    return share - half, share + half


interval = Exercise(
    right="Five runs without a failure leave up to 43 % possible: absence of failures "
    "is weak evidence.",
    names="failures runs",
    solution=wilson,
    cases=[(0, 5), (3, 5), (17, 40)],
    read=_pair,
    judge=lambda result, arguments: (
        None
        if isinstance(result, tuple | list) and len(result) == 2
        else "Return two numbers: return low, high"
    ),
    tolerance=2e-3,
    mistakes={
        "That is the interval share ± 1.96 √(share (1 − share)/n), which claims "
        "certainty after 0 of 5: Wilson's "
        "does not.": _wald,
        "That is one standard deviation: for 95 % use z = 1.96.": lambda k, n: wilson(
            k, n, 1.0
        ),
        "The factor z in front of the root is missing.": lambda k, n: tuple(
            np.mean(wilson(k, n))
            + np.array([-1, 1]) * (wilson(k, n)[1] - np.mean(wilson(k, n))) / 1.96
        ),
        "Under the root the term z²/(4n²) is missing.": _without_z,
        "Divide by 1 + z²/n.": lambda k, n: tuple(
            bound * (1 + 1.96**2 / n) for bound in wilson(k, n)
        ),
        "You return the middle and the half-width; return the two ends.": lambda k, n: (
            np.mean(wilson(k, n)),
            (wilson(k, n)[1] - wilson(k, n)[0]) / 2,
        ),
        "The ends are swapped: the lower one comes first.": lambda k, n: wilson(k, n)[
            ::-1
        ],
    },
)

coins = (RNG.random(40) < 0.7).astype("float32")
score = Exercise(
    right="It needs no derivative of f and no formula for the draw; its price is its "
    "variance.",
    names="f_z z logit",
    solution=lambda f, z, logit: f * (z - expit(logit)),
    cases=[
        (3 + 2 * coins, coins, 0.8),
        (RNG.standard_normal(40).astype("float32"), coins, -1.5),
    ],
    mistakes={
        "That is the derivative with respect to p: the chain rule's factor dp/dlogit "
        "= p (1 − p) is missing.": lambda f, z, a: (
            f * (z - expit(a)) / (expit(a) * (1 - expit(a)))
        ),
        "The sign is reversed: log q of a head rises with the logit.": lambda f, z, a: (
            f * (expit(a) - z)
        ),
        "That is only the slope of log q: multiply by f(z).": lambda f, z, a: (
            z - expit(a)
        ),
        "Compare z with the probability sigmoid(logit), not with "
        "the logit.": lambda f, z, a: f * (z - a),
        "That is f(z) times log q; return f(z) times its derivative.": lambda f, z, a: (
            f * np.log(np.where(z == 1, expit(a), 1 - expit(a)))
        ),
        "You have differentiated log p, the logarithm for a head,"
        " whatever was drawn.": lambda f, z, a: f * (1 - expit(a)),
        "That is the slope for a head and 0 for a tail: tails "
        "move the logit, too.": lambda f, z, a: f * z * (1 - expit(a)),
        "Return one estimate for each draw: their mean hides the variance that matters "
        "here.": lambda f, z, a: np.mean(f * (z - expit(a))),
    },
)

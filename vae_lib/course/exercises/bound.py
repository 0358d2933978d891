"""The exercises of notebook 06: parts of a gap, islands, a stack, samples, grey."""

import numpy as np

from vae_lib.course.exercises.checking import Exercise

RNG = np.random.default_rng(6)


def split(log_p, encoder, diagonal, full):
    """Return the three parts of the gap between `log_p` and `encoder`, one below the
    other.
    """
    return np.stack([diagonal - encoder, full - diagonal, log_p - full])


def _bounds(n):
    """Return log p(x) and three bounds of n images that rise from worst to best."""
    steps = RNG.uniform(0.1, 5.0, (4, n))
    return tuple((-150 + np.cumsum(steps, axis=0))[[3, 0, 1, 2]])


parts = Exercise(
    right="Three differences between four numbers in a row: they add up by "
    "construction, and each has one cause.",
    names="log_p encoder diagonal full",
    solution=split,
    cases=[_bounds(4), _bounds(1)],
    mistakes={
        "The signs are reversed: a part of the gap is what the better bound gains, so "
        "subtract the worse one.": lambda p, e, d, f: -split(p, e, d, f),
        "Each of your parts begins at the encoder's bound, so they overlap: take the "
        "step from one bound to the next.": lambda p, e, d, f: np.stack(
            [d - e, f - e, p - e]
        ),
        "Each of your parts ends at log p(x), so they overlap: take the step from one "
        "bound to the next.": lambda p, e, d, f: np.stack([p - e, p - d, p - f]),
        "The order is reversed: first what the encoder misses, last what no Gaussian "
        "can do.": lambda p, e, d, f: split(p, e, d, f)[::-1],
        "Return the three parts one below the other, not their "
        "sum.": lambda p, e, d, f: p - e,
    },
)

islands = Exercise(
    right="A q that covers one island alone has lost the other for good, and pays the "
    "negative logarithm of the share it has kept.",
    solution=float(-np.log(0.8)),
    tolerance=5e-3,
    mistakes={
        "That is the price of choosing the smaller island: choose the larger "
        "one.": float(-np.log(0.2)),
        "That is in bits: we count in nats.": float(-np.log2(0.8)),
        "That is the entropy of the choice, but q need not name the island: it covers "
        "one of them.": float(-0.8 * np.log(0.8) - 0.2 * np.log(0.2)),
        "That is for two islands of equal shares.": float(np.log(2)),
        "That is the share that is lost; its price is a logarithm.": 0.2,
        "A q that covers one island is not a perfect copy of p(z|x): it pays for the "
        "other one.": 0.0,
    },
)


def pushed(top, start, size, bits):
    """Return the number `top` after a symbol was pushed onto it."""
    return (top // size << bits) + start + top % size


push = Exercise(
    right="The number grows by the factor 2**bits / size, one over the probability: "
    "in bits, by the symbol's information.",
    names="top start size bits",
    solution=pushed,
    cases=[(1000, 3, 5, 4), (77, 0, 1, 3), (12345, 96, 160, 8)],
    tolerance=1e-9,
    mistakes={
        "The remainder of top by size is missing: without it the push cannot be "
        "undone.": lambda t, s, f, b: (t // f << b) + s,
        "start is missing: without it nobody can tell which symbol it "
        "was.": lambda t, s, f, b: (t // f << b) + t % f,
        "You have multiplied by size instead of dividing: that is how a symbol is "
        "taken off.": lambda t, s, f, b: f * (t >> b) + (t & ((1 << b) - 1)) - s,
        "The quotient has to move up by bits: that makes room for "
        "start + remainder.": lambda t, s, f, b: t // f + s + t % f,
        "You have moved up by size; it is 2**bits, the sum of all "
        "sizes.": lambda t, s, f, b: t // f * f + s + t % f,
        "That is the ordinary quotient t / size, not rounded down: use "
        "//.": lambda t, s, f, b: t / f * 2**b + s + t % f,
    },
)

tighter = Exercise(
    right="Without the score of q the estimate's noise shrinks faster than its signal "
    "once K is large, so that more samples help.",
    solution="c",
    mistakes={
        "A smaller learning rate averages over more steps, which helps any noisy "
        "gradient a little, but the ratio goes on falling with K.": "a",
        "More samples tighten the bound further, and make the encoder's signal weaker "
        "still.": "b",
        "The decoder's gradient is not what suffers: its ratio rises with K.": "d",
    },
)


def normalizer(p):
    """Return log C(p) of the continuous Bernoulli for p in (0, 1)."""
    d = 1 - 2 * np.asarray(p, "float64")
    near = np.abs(d) < 1e-3
    safe = np.where(near, 0.5, d)
    exact = np.log(2 * np.arctanh(safe) / safe)
    return np.where(near, np.log(2) + d**2 / 3, exact)


def _plain(p):
    with np.errstate(all="ignore"):
        return np.log(2 * np.arctanh(1 - 2 * p) / (1 - 2 * p))


normalized = Exercise(
    right="At ½ the formula is 0 / 0, and its limit is ln 2: half of the density had "
    "been missing.",
    names="p",
    solution=normalizer,
    cases=[
        (np.array([0.5, 0.3, 0.7, 0.01, 0.99]),),
        (np.array([0.5 + 1e-12, 0.4999, 0.2]),),
    ],
    tolerance=1e-4,
    mistakes={
        "At p = ½ your result is not finite: the formula is 0 / 0 there, its limit "
        "ln 2.": _plain,
        "That is C, not its logarithm.": lambda p: np.exp(normalizer(p)),
        "The sign is reversed: the area under p^x (1 − p)^(1 − x) is 1 / C, so log C "
        "is its negative logarithm.": lambda p: -normalizer(p),
        "The 2 before artanh is missing.": lambda p: normalizer(p) - np.log(2),
        "Near ½ you have returned 0; the limit is ln 2.": lambda p: np.where(
            np.abs(p - 0.5) < 1e-3, 0.0, normalizer(p)
        ),
    },
)

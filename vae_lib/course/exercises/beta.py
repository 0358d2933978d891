"""The exercises of notebook 03: what beta means, when a VAE collapses, active units."""

import numpy as np

from vae_lib.course.exercises.checking import Exercise

RNG = np.random.default_rng(3)

noise = Exercise(
    right="v = β/2: the less noise you allow a pixel, the more an error costs, and the "
    "smaller is β.",
    solution=2 * 0.1**2,
    tolerance=1e-4,
    mistakes={
        "That is the variance, 0.1²: a squared error without the ½ "
        "belongs to β = 2v.": 0.1**2,
        "That is twice the deviation: β is twice the variance, 0.1².": 2 * 0.1,
        "That is half the variance: solve v = β/2 for β.": 0.1**2 / 2,
        "That is 1/(2v), the weight of the squared error where the rate has weight 1; "
        "β is its inverse.": 1 / (2 * 0.1**2),
        "That is 1/v: multiply the Gaussian's ½ (x − x̂)²/v through by 2v.": 1 / 0.1**2,
    },
)

effective_beta = Exercise(
    right="A mean over pixels hides a factor of 784 in β; a mean over units takes a "
    "part of it back.",
    names="beta pixels latent_dim",
    solution=lambda beta, pixels, latent_dim: beta * pixels / latent_dim,
    cases=[(1.0, 784, 2), (0.5, 100, 10), (3.0, 1024, 16)],
    mistakes={
        "You have divided by the number of pixels: multiply the whole loss by it "
        "instead.": lambda b, p, d: b / (p * d),
        "The mean over the latent units is left out: it makes the rate smaller by "
        "latent_dim.": lambda b, p, d: b * p,
        "The mean over the pixels is left out: it makes the distortion smaller by "
        "their number.": lambda b, p, d: b / d,
        "A mean over the units divides the rate: divide by latent_dim instead of "
        "multiplying.": lambda b, p, d: b * p * d,
        "You have swapped the two: pixels belong to the distortion, units to the "
        "rate.": lambda b, p, d: b * d / p,
    },
)


def largest(covariance, variance):
    """Return the largest eigenvalue of V^(-1/2) C V^(-1/2), V = diag(variance)."""
    scale = np.sqrt(variance)
    return np.linalg.eigvalsh(covariance / np.outer(scale, scale))[-1]


def _moments(x):
    """Return the mean and the covariance, divided by n, of x (n, pixels)."""
    return x.mean(axis=0), np.cov(x.T, bias=True)


def critical_beta(x):
    """Return the beta from which a VAE with a Poisson likelihood may collapse."""
    mean, covariance = _moments(x)
    return largest(covariance, mean)


counts = RNG.poisson(
    np.exp(RNG.standard_normal((400, 2)) @ RNG.standard_normal((2, 6)) / 2 + 1)
).astype("float64")
critical_beta_poisson = Exercise(
    right="Bernoulli has p(1 − p) in its place, Poisson its mean: the likelihood's own "
    "variance is the unit in which "
    "the data's variance is measured.",
    names="x",
    solution=critical_beta,
    cases=[(counts,), (counts[:150, :4],)],
    mistakes={
        "That is the largest eigenvalue of the covariance: divide by the likelihood's "
        "own variance first.": lambda x: largest(_moments(x)[1], np.ones(x.shape[1])),
        "You divide by the data's own variance, which leaves the correlations: divide "
        "by the Poisson variance, which is the mean.": lambda x: largest(
            _moments(x)[1], x.var(axis=0)
        ),
        "You divide by the mean instead of its square root: V^(−1/2) is on both "
        "sides.": lambda x: np.linalg.eigvalsh(
            _moments(x)[1] / np.outer(x.mean(0), x.mean(0))
        )[-1],
        "That is the Bernoulli's variance p(1 − p): a Poisson variable has variance "
        "equal to its mean.": lambda x: largest(
            _moments(x)[1], np.abs(x.mean(0) * (1 - x.mean(0)))
        ),
        "That is twice the threshold: there is no ½ to cancel, since the Poisson's "
        "−log p has weight 1.": lambda x: 2 * critical_beta(x),
        "That is the sum of all eigenvalues: only the direction of largest variance "
        "decides.": lambda x: np.sum(x.var(axis=0) / x.mean(axis=0)),
        "That is the smallest eigenvalue: eigvalsh sorts from the smallest to the "
        "largest.": lambda x: np.linalg.eigvalsh(
            _moments(x)[1] / np.sqrt(np.outer(x.mean(0), x.mean(0)))
        )[0],
        "Centre the data first: the covariance, not the second moments.": lambda x: (
            largest(x.T @ x / len(x), x.mean(axis=0))
        ),
    },
)

spread = np.array([1.2, 0.5, 0.05, 0.02, 0.3, 0.08])
means = (
    RNG.standard_normal((500, 6)) * spread + np.array([0, 0, 0.8, 0, 2.0, 0])
).astype("float32")
active_units = Exercise(
    right="A unit whose mean is the same for every image carries nothing, and t-SNE, "
    "free of scale, does not show it.",
    names="mu",
    solution=lambda mu: np.sum(mu.var(axis=0) > 0.01),
    cases=[(means,), (means[:, 2:],)],
    mistakes={
        "You have compared the standard deviation with the limit: 0.01 is a "
        "variance.": lambda m: np.sum(m.std(axis=0) > 0.01),
        "You have taken the mean of μ², which is large even for a unit that is 0.8 "
        "for every image: take the variance.": lambda m: np.sum(
            (m**2).mean(axis=0) > 0.01
        ),
        "You have taken the variance over the units of one image: take it over the "
        "images, axis 0.": lambda m: np.sum(m.var(axis=1) > 0.01),
        "You have counted the collapsed ones.": lambda m: np.sum(m.var(axis=0) <= 0.01),
        "You have returned the share: return the number.": lambda m: np.mean(
            m.var(axis=0) > 0.01
        ),
        "You have taken one variance of all entries: take one for "
        "each unit.": lambda m: float(m.var() > 0.01),
        "You have returned which units are active: return how many.": lambda m: (
            m.var(axis=0) > 0.01
        ),
    },
)

rates = RNG.gamma(0.7, 0.6, (8, 4)).astype("float32") * np.array(
    [3, 1, 0.2, 0.01], "float32"
)
free_bits = Exercise(
    right="Below the floor the charge has no slope: nothing pushes the "
    "unit further down.",
    names="rates floor",
    solution=lambda rates, floor: np.sum(np.maximum(rates.mean(axis=0), floor)),
    cases=[(rates, 0.3), (rates, 1.0), (rates, 20.0)],
    mistakes={
        "You take the smaller of the two: a unit pays at least the "
        "floor.": lambda r, f: np.sum(np.minimum(r.mean(axis=0), f)),
        "You apply the floor to each image: average over the batch first, then "
        "compare.": lambda r, f: np.sum(np.maximum(r, f).mean(axis=0)),
        "You apply the floor to the sum: each unit has a floor of its "
        "own.": lambda r, f: np.maximum(r.mean(axis=0).sum(), f),
        "You have subtracted the floor: a unit below it pays the "
        "floor, not nothing.": lambda r, f: np.sum(np.maximum(r.mean(axis=0) - f, 0)),
        "You have averaged over the units: their rates add up.": lambda r, f: np.mean(
            np.maximum(r.mean(axis=0), f)
        ),
        "You have summed over the images: take the mean over the batch.": lambda r, f: (
            np.sum(np.maximum(r.sum(axis=0), f))
        ),
        "Return one number: sum over the units.": lambda r, f: np.maximum(
            r.mean(axis=0), f
        ),
        "The floor is not used.": lambda r, f: r.mean(axis=0).sum(),
    },
)

why_variance = Exercise(
    right="t-SNE looks only at who is whose neighbour, and a cloud shrunk by 1,000 has "
    "the same neighbours. The variance of μ, beside a σ near 1, says whether these "
    "neighbours can be told apart after sampling.",
    solution="b",
    mistakes={
        "A longer run rearranges the points, and still knows nothing about their "
        "size.": "a",
        "Perplexity chooses how many neighbours count; it cannot bring the scale "
        "back.": "c",
        "PCA keeps the scale, but only for readers who look at the numbers on its "
        "axes; Var(μ) is that number.": "d",
    },
)

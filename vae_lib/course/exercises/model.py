"""The exercises of notebook 01: what a code costs, what a picture costs, and the
bounds.
"""

import numpy as np
from scipy.special import expit, logsumexp

from vae_lib.course.exercises.checking import Exercise

RNG = np.random.default_rng(1)


def normal(*shape):
    """Return seeded float32 standard normal numbers of this shape."""
    return RNG.standard_normal(shape).astype("float32")


ten_units = Exercise(
    right="The rate is a sum over the numbers of the code: ten equal ones cost ten "
    "times as much.",
    solution=10 * ((0.2**2 - 1) / 2 - np.log(0.2)),
    tolerance=0.01,
    mistakes={
        "That is the rate of one number of the code; there are ten here, and their "
        "rates add up.": (0.2**2 - 1) / 2 - np.log(0.2),
        "That is ten times −log σ: the term ½(σ² − 1), which is negative here, is "
        "missing.": -10 * np.log(0.2),
        "That is in bits: nats use the natural logarithm.": 10
        * ((0.2**2 - 1) / 2 - np.log(0.2))
        / np.log(2),
        "You have forgotten the ½ in front of σ² − 1.": 10 * (0.2**2 - 1 - np.log(0.2)),
        "You have used the variance, 0.04, instead of the standard deviation, 0.2.": 10
        * ((0.04**2 - 1) / 2 - np.log(0.04)),
    },
)

entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
floor = Exercise(
    right="Even the best answer, π = ¼ for every pixel, pays the entropy of a coin that"
    " falls on dark in one case "
    "of four, 784 times.",
    solution=784 * entropy,
    tolerance=1e-3,
    mistakes={
        "A perfect copy costs nothing only where every pixel is 0 or 1: put x = π = ¼"
        " into D.": 0.0,
        "That is the cost of one pixel: D is summed over all 784.": entropy,
        "You have kept only −x log π: the light part of each pixel, −(1 − x) log(1 − "
        "π), costs as well.": -784 * 0.25 * np.log(0.25),
        "That is in bits: nats use the natural logarithm.": 784 * entropy / np.log(2),
        "That is the cost of answering ½ for every pixel; ¼ is the better answer.": 784
        * np.log(2),
    },
)

slope = Exercise(
    right="dD/dℓ = π − x: each pixel pulls its logit up where the picture is darker "
    "than drawn. No exploding, no "
    "vanishing, which is why the loss is computed from logits.",
    names="x logits",
    solution=lambda x, logits: expit(logits) - x,
    cases=[(RNG.random((2, 3, 3)).astype("float32"), 3 * normal(2, 3, 3))],
    mistakes={
        "The sign is reversed: D falls when the logit moves towards the "
        "pixel.": lambda x, logits: x - expit(logits),
        "You compare x with the logit itself: the derivative of log(1 + e^ℓ) is "
        "sigmoid(ℓ).": lambda x, logits: logits - x,
        "You have differentiated with respect to π; the chain rule's factor π(1 − π) "
        "is missing.": lambda x, logits: (
            (expit(logits) - x) / (expit(logits) * (1 - expit(logits)))
        ),
        "You have multiplied by π(1 − π): the derivative with respect to π already "
        "cancels that factor.": lambda x, logits: (
            (expit(logits) - x) * expit(logits) * (1 - expit(logits))
        ),
        "You have averaged over the pixels: D is a sum.": lambda x, logits: (
            (expit(logits) - x) / x[0].size
        ),
        "Return one slope for each logit, not their sum.": lambda x, logits: (
            expit(logits) - x
        ).sum(axis=(-2, -1)),
    },
)


def kl(mu, sigma, prior_mu, prior_sigma):
    """Return KL(N(mu, sigma²) ‖ N(prior_mu, prior_sigma²)) in nats, of shape
    (batch,).
    """
    square = (sigma**2 + (mu - prior_mu) ** 2) / prior_sigma**2
    return np.sum((square - 1) / 2 + np.log(prior_sigma / sigma), axis=-1)


kl_to_prior = Exercise(
    right="With prior_mu = 0 and prior_sigma = 1 it is the rate of this notebook.",
    names="mu sigma prior_mu prior_sigma",
    solution=kl,
    cases=[
        (
            normal(3, 2),
            0.2 + RNG.random((3, 2)).astype("float32"),
            normal(2),
            0.5 + 2 * RNG.random(2).astype("float32"),
        )
    ],
    mistakes={
        "You have forgotten the ½ in front of the squares.": lambda m, s, a, b: np.sum(
            (s**2 + (m - a) ** 2) / b**2 - 1 + np.log(b / s), axis=-1
        ),
        "You have averaged over the numbers of the code: their "
        "rates add up.": lambda m, s, a, b: kl(m, s, a, b) / m.shape[-1],
        "Sum over the numbers of the code: return one value for each "
        "image.": lambda m, s, a, b: (
            ((s**2 + (m - a) ** 2) / b**2 - 1) / 2 + np.log(b / s)
        ),
        "You have summed over the batch as well: return one value for each "
        "image.": lambda m, s, a, b: kl(m, s, a, b).sum(),
        "The sign is reversed: a KL divergence is never negative.": lambda m, s, a, b: (
            -kl(m, s, a, b)
        ),
        "The sign of the logarithm is reversed: a narrow q costs "
        "more, not less.": lambda m, s, a, b: np.sum(
            ((s**2 + (m - a) ** 2) / b**2 - 1) / 2 - np.log(b / s), axis=-1
        ),
        "You have used σ as if it were a variance: the arguments are standard "
        "deviations.": lambda m, s, a, b: kl(m, np.sqrt(s), a, np.sqrt(b)),
        "Divide by the prior's variance, prior_sigma², not by its standard "
        "deviation.": lambda m, s, a, b: np.sum(
            ((s**2 + (m - a) ** 2) / b - 1) / 2 + np.log(b / s), axis=-1
        ),
        "The logarithm of prior_sigma is missing.": lambda m, s, a, b: np.sum(
            ((s**2 + (m - a) ** 2) / b**2 - 1) / 2 - np.log(s), axis=-1
        ),
        "Your logarithm counts twice: log σ² = 2 log σ, and the ½ cancels the "
        "2.": lambda m, s, a, b: np.sum(
            ((s**2 + (m - a) ** 2) / b**2 - 1) / 2 + 2 * np.log(b / s), axis=-1
        ),
        "You have swapped q and p: that is KL(p ‖ q).": lambda m, s, a, b: kl(
            a, b, m, s
        ),
        "You have left the prior out: that is the rate against "
        "N(0, I).": lambda m, s, a, b: kl(m, s, np.zeros_like(a), np.ones_like(b)),
    },
)

bound = Exercise(
    right="With K = 1 it is an estimate of the ELBO, and logsumexp keeps it finite "
    "where exp alone would be 0.",
    names="log_weights",
    solution=lambda w: logsumexp(w, axis=0) - np.log(len(w)),
    cases=[(3 * normal(5, 4) - 140,), (3 * normal(5, 4) - 1000,)],
    mistakes={
        "That is the mean of the logarithms, the ELBO: take the logarithm of the "
        "mean.": lambda w: w.mean(axis=0),
        "You have forgotten to divide by K inside the logarithm.": lambda w: logsumexp(
            w, axis=0
        ),
        "Right on paper, but exp(−1000) is 0 in the computer and its logarithm −∞: "
        "subtract the largest log weight "
        "first, or use scipy.special.logsumexp.": lambda w: np.log(
            np.mean(np.exp(w), axis=0)
        ),
        "You have averaged over the images: K is the first axis.": lambda w: (
            logsumexp(w, axis=1) - np.log(w.shape[1])
        ),
        "The sign is reversed: the bound of log p(x) is negative here.": lambda w: (
            np.log(len(w)) - logsumexp(w, axis=0)
        ),
        "You have averaged over images, too: return one value for each "
        "image.": lambda w: logsumexp(w) - np.log(w.size),
        "That is only the largest log weight: the other codes count as "
        "well.": lambda w: w.max(axis=0),
    },
)

why_sample = Exercise(
    right="At the mean alone the decoder never has to cope with the width of q: the "
    "number is better than the ELBO, "
    "and bounds nothing.",
    solution="c",
    mistakes={
        "The distortion at z = μ is lower than the average over q, not higher: μ is "
        "where q points.": "a",
        "They differ: the average of D over q is not D at the average of q.": "b",
        "The rate has a closed form and does not depend on the sample.": "d",
    },
)

"""What the codes of a trained model hold: the two parts of the rate, active units, and what a probe reads.

All functions take arrays: posterior means `mu` and deviations `sigma`, each (n, latent_dim), as `encode` returns
them. Notebook 03.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp
from sklearn.neighbors import KNeighborsClassifier

ACTIVE = 0.01  # variance of a unit's mean above which Burda et al. call the unit active
BLOCK = 250  # codes compared at a time with all posteriors: 20 MB for 10,000 images


class Surgery(NamedTuple):
    """The mean rate and its two parts, in nats: rate = mutual_information + marginal_kl, up to sampling."""

    rate: float
    mutual_information: (
        float  # between image and code: what the code says about which image it was
    )
    marginal_kl: float  # KL(q(z) ‖ p(z)): how far all codes together are from the prior


def unit_rates(mu, sigma):
    """Return the mean rate of each latent unit over the images, in nats, float64 (latent_dim,). Notebook 03."""
    mu, sigma = _codes(mu, sigma)
    return ((mu**2 + sigma**2 - 1.0) / 2.0 - np.log(sigma)).mean(axis=0)


def active_units(mu, least=ACTIVE):
    """Return for each unit whether its mean varies over the images by more than `least`, bool (latent_dim,).

    Burda, Grosse & Salakhutdinov 2016; notebook 03.
    """
    return np.var(np.asarray(mu, "float64"), axis=0) > least


def surgery(mu, sigma, *, codes=2000, seed=0):
    """Return the `Surgery` of the rate, from `codes` codes drawn from the posteriors of as many images.

    q(z) is the mixture of all n posteriors, so that the mutual information is at most ln n; the draws leave an
    error of about its deviation over images divided by √codes. Raises ValueError for arrays that do not fit
    together. Hoffman & Johnson 2016, "ELBO surgery"; notebook 03.
    """
    mu, sigma = _codes(mu, sigma)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(mu))[:codes]
    z = mu[drawn] + sigma[drawn] * rng.standard_normal((len(drawn), mu.shape[1]))
    own = _log_normal(z, mu[drawn], sigma[drawn])
    mixture = log_aggregate(z, mu, sigma)
    information = float((own - mixture).mean())
    marginal = float((mixture - _log_normal(z, 0.0, 1.0)).mean())
    return Surgery(float(unit_rates(mu, sigma).sum()), information, marginal)


def log_aggregate(z, mu, sigma):
    """Return log q(z) of codes `z` (m, latent_dim) in nats, float64 (m,): q is the mean of all n posteriors.

    Where it is far below log p(z) lies a hole. Notebook 04.
    """
    mu, sigma = _codes(mu, sigma)
    z = np.asarray(z, "float64")
    return np.concatenate(
        [_log_mixture(z[i : i + BLOCK], mu, sigma) for i in range(0, len(z), BLOCK)]
    )


def knn_accuracy(
    codes, labels, test_codes, test_labels, *, neighbours=10, shuffled=False, seed=0
):
    """Return the share of test codes whose label the nearest codes vote for, in [0, 1].

    With `shuffled` the labels of `codes` (n, latent_dim) are permuted first: the control, which must come out
    near chance whatever the codes are. Notebook 03.
    """
    if shuffled:
        labels = np.random.default_rng(seed).permutation(labels)
    probe = KNeighborsClassifier(min(neighbours, len(codes)), algorithm="brute").fit(
        codes, labels
    )
    return float(probe.score(test_codes, test_labels))


def _log_normal(z, mu, sigma):
    """Return log N(z; mu, sigma²) summed over units, (n,)."""
    terms = -(((z - mu) / sigma) ** 2) / 2.0 - np.log(sigma) - np.log(2.0 * np.pi) / 2.0
    return np.broadcast_to(terms, z.shape).sum(axis=1)


def _log_mixture(z, mu, sigma):
    """Return log q(z), (m,), q the mixture of the normals `mu`, `sigma` (n, latent_dim), for codes z (m, latent_dim)."""
    logs = np.full((len(z), len(mu)), -np.log(len(mu)))
    for unit in range(
        mu.shape[1]
    ):  # unit by unit: the expanded square would cancel where sigma is small
        logs -= ((z[:, unit, None] - mu[:, unit]) / sigma[:, unit]) ** 2 / 2.0
        logs -= np.log(sigma[:, unit]) + np.log(2.0 * np.pi) / 2.0
    return logsumexp(logs, axis=1)


def _codes(mu, sigma):
    """Return both as float64; raise ValueError with one sentence unless they are means and deviations of codes."""
    mu, sigma = np.asarray(mu, "float64"), np.asarray(sigma, "float64")
    if mu.ndim != 2 or mu.shape != sigma.shape or len(mu) == 0:
        raise ValueError(
            f"mu and sigma have shapes {mu.shape} and {sigma.shape}: pass two of (n, latent_dim)."
        )
    if not (np.isfinite(mu).all() and np.isfinite(sigma).all() and (sigma > 0).all()):
        raise ValueError(
            "mu or sigma holds a value that is not finite, or a sigma of 0: pass codes of a model "
            "that has not diverged."
        )
    return mu, sigma

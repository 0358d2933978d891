"""What the codes of a trained model hold: parts of the rate, units, holes, probes.

All functions take arrays: posterior means `mu` and deviations `sigma`, each (n,
latent_dim), as `encode` returns them. Notebooks 03 and 04.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import gen_batches

ACTIVE = 0.01  # variance of a unit's mean above which Burda et al. call the unit active
DEPTH = 2.0  # nats by which q(z) is below p(z) in a hole: it is under a seventh of it
BLOCK = 250  # codes compared at a time with all posteriors: 20 MB for 10,000 images


class RateParts(NamedTuple):
    """The mean rate and its two parts, in nats, and what limits their estimates.

    rate = mutual_information + marginal_kl, up to sampling. The mutual information of n
    images is at most `ceiling` = ln n. Near this ceiling the true value may be larger,
    and the true marginal KL smaller: `marginal_kl` is then an upper limit, about rate -
    ceiling.
    """

    rate: float
    mutual_information: float  # what a code says about which image it belongs to
    marginal_kl: float  # KL(q(z) ‖ p(z)): how far all codes together are from the prior
    ceiling: float

    @property
    def at_ceiling(self) -> bool:
        """Whether the mutual information is within half a nat of its ceiling."""
        return self.mutual_information > self.ceiling - 0.5


def unit_rates(mu: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Return the mean rate of each latent unit over the images in nats, (latent_dim,).

    Raises ValueError for arrays that are not codes. Notebook 03.
    """
    mu, sigma = _codes(mu, sigma)
    return ((mu**2 + sigma**2 - 1.0) / 2.0 - np.log(sigma)).mean(axis=0)


def active_units(mu: np.ndarray, least: float = ACTIVE) -> np.ndarray:
    """Return whether each unit's mean varies by more than `least`, bool (latent_dim,).

    The variance is taken over the images. Burda, Grosse & Salakhutdinov 2016; notebook
    03.
    """
    return np.var(np.asarray(mu, "float64"), axis=0) > least


def rate_parts(
    mu: np.ndarray, sigma: np.ndarray, *, codes: int = 2000, seed: int = 0
) -> RateParts:
    """Return the `RateParts`, from `codes` codes drawn from as many of the posteriors.

    q(z) is the mixture of all n posteriors. The draws leave an error of about their
    standard deviation over images divided by √codes. Raises ValueError for arrays that
    are not codes. Hoffman & Johnson 2016, "ELBO surgery"; notebook 03.
    """
    mu, sigma = _codes(mu, sigma)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(mu))[:codes]
    z = mu[drawn] + sigma[drawn] * rng.standard_normal((len(drawn), mu.shape[1]))
    own = _log_density(z, mu[drawn], sigma[drawn]).sum(axis=1)
    mixture = log_aggregate(z, mu, sigma)
    return RateParts(
        rate=float(unit_rates(mu, sigma).sum()),
        mutual_information=float((own - mixture).mean()),
        marginal_kl=float((mixture - log_prior(z)).mean()),
        ceiling=float(np.log(len(mu))),
    )


def log_prior(z: np.ndarray) -> np.ndarray:
    """Return log N(z; 0, I) of codes `z` (m, latent_dim) in nats, (m,)."""
    return _log_density(np.asarray(z, "float64"), 0.0, 1.0).sum(axis=1)


def log_aggregate(z: np.ndarray, mu: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Return log q(z) of codes `z` (m, latent_dim) in nats, float64 (m,).

    q(z) is the mean of all n posteriors. Raises ValueError for arrays that are not
    codes. Notebook 04.
    """
    mu, sigma = _codes(mu, sigma)
    z = np.asarray(z, "float64")
    parts = [
        logsumexp(
            sum(  # unit by unit, to save memory
                _log_density(z[part, unit, None], mu[:, unit], sigma[:, unit])
                for unit in range(mu.shape[1])
            ),
            axis=1,
        )
        for part in gen_batches(len(z), BLOCK)
    ]
    return np.concatenate(parts) - np.log(len(mu))


def hole_shares(
    mu: np.ndarray,
    sigma: np.ndarray,
    posteriors: Sequence[int] | None = None,
    *,
    depth: float = DEPTH,
    codes: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the share of the prior's codes that lie in holes, by number of posteriors.

    A code lies in a hole where log q(z) < log p(z) - `depth`. The more posteriors q(z)
    is made of, the fewer holes it has, so the share means little without their number.
    Rows are indexed by `posteriors`, an eighth, a quarter, a half and all by default,
    each drawn at random and contained in the next. Columns: `share`, its standard error
    `±` for `codes` draws of the prior, the same in each row, and `limit`, the share for
    infinitely many posteriors, where a straight line in 1/√posteriors through the rows
    ends: an extrapolation that was found to fit, not a theorem. Raises ValueError for
    arrays that are not codes and for numbers outside 1 ... n. Notebook 04.
    """
    mu, sigma = _codes(mu, sigma)
    n = len(mu)
    counts = [n // 8, n // 4, n // 2, n] if posteriors is None else list(posteriors)
    if not counts or min(counts) < 1 or max(counts) > n:
        raise ValueError(
            f"posteriors are {counts}: pass whole numbers from 1 to {n}, the images."
        )
    rng = np.random.default_rng(seed)
    order, z = rng.permutation(n), rng.standard_normal((codes, mu.shape[1]))
    floor = log_prior(z) - depth
    drawn = (order[:count] for count in counts)
    shares = np.array(
        [np.mean(log_aggregate(z, mu[part], sigma[part]) < floor) for part in drawn]
    )
    limit = np.nan
    if len(set(counts)) > 1:
        limit = np.clip(np.polyfit(np.array(counts) ** -0.5, shares, 1)[1], 0.0, 1.0)
    errors = np.sqrt(shares * (1.0 - shares) / codes)
    return pd.DataFrame(
        {"share": shares, "±": errors, "limit": limit},
        pd.Index(counts, name="posteriors"),
    )


def knn_accuracy(
    codes: np.ndarray,
    labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    *,
    neighbours: int = 10,
    shuffled: bool = False,
    seed: int = 0,
) -> float:
    """Return the share of test codes whose neighbours vote for their label, in [0, 1].

    With `shuffled` the labels of `codes` (n, latent_dim) are permuted first: the
    control, which must come out near chance whatever the codes are. Notebook 03.
    """
    if shuffled:
        labels = np.random.default_rng(seed).permutation(labels)
    probe = KNeighborsClassifier(min(neighbours, len(codes)), algorithm="brute")
    return float(probe.fit(codes, labels).score(test_codes, test_labels))


def _log_density(z, mu, sigma):
    """Return log N(z; mu, sigma²) of each entry; exact where sigma is tiny."""
    return -(((z - mu) / sigma) ** 2 + np.log(2.0 * np.pi)) / 2.0 - np.log(sigma)


def _codes(mu, sigma):
    """Return both as float64; raise ValueError unless they are means and deviations."""
    mu, sigma = np.asarray(mu, "float64"), np.asarray(sigma, "float64")
    if mu.ndim != 2 or mu.shape != sigma.shape or len(mu) == 0:
        raise ValueError(
            f"mu and sigma have shapes {mu.shape} and {sigma.shape}: pass two of "
            "(n, latent_dim)."
        )
    if not (np.isfinite(mu).all() and np.isfinite(sigma).all() and (sigma > 0).all()):
        raise ValueError(
            "mu or sigma holds a value that is not finite, or a sigma of 0: pass codes "
            "of a model that has not diverged."
        )
    return mu, sigma

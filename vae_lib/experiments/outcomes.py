"""What became of training runs: failures, spikes, tails. NaN and infinity are outcomes here. Notebook 02.

Losses and gradient norms are arrays (runs, steps) in nats per image.
"""

import numpy as np
from scipy.stats import binomtest

FAILS_ABOVE = 1111.0  # nats: twice what drawing the mean image costs in the original's loss


def finite_steps(*series):
    """Return how many steps each run took before any of `series` stopped being finite, of shape (runs,)."""
    finite = np.logical_and.reduce([np.isfinite(values) for values in series])
    return np.where(finite.all(axis=1), finite.shape[1], np.argmin(finite, axis=1))


def failed(*series):
    """Return whether each run has a step at which any of `series` is not finite, of shape (runs,)."""
    return finite_steps(*series) < series[0].shape[1]


def final_loss(loss, steps=20):
    """Return the mean loss of the last `steps` steps, of shape (runs,); infinity where that is not finite."""
    last = loss[:, -steps:]
    finite = np.isfinite(last).all(axis=1)
    return np.where(finite, np.where(finite[:, None], last, 0.0).mean(axis=1), np.inf)


def jumps(norms, window=50):
    """Return, a list for each run, how many medians of the `window` norms before it each later norm is.

    The step at which the norm stops being finite jumps by infinity; those after it do not count. Notebook 02.
    """
    runs = []
    for row, length in zip(norms, finite_steps(norms)):
        ratios = np.zeros(0)
        if length > window:
            medians = np.median(
                np.lib.stride_tricks.sliding_window_view(row[: length - 1], window),
                axis=1,
            )
            ratios = row[window:length] / np.maximum(medians, np.finfo("float32").tiny)
        runs.append(np.append(ratios, [np.inf] * int(length < len(row))))
    return runs


def spikes(norms, window=50, factor=10.0):
    """Return for each run the number of `jumps` above `factor`, of shape (runs,). Notebook 02."""
    return np.array([np.sum(ratios > factor) for ratios in jumps(norms, window)])


def tail_index(values, share=0.02):
    """Return Hill's estimate of the tail index a of P(|value| > t) ~ t^-a from the largest `share` of values.

    With a <= 2 the variance is infinite, with a <= 1 the mean, too. Raises ValueError when the share is fewer
    than 10 values or one is not finite. Hill 1975; notebook 02.
    """
    ordered = np.sort(np.abs(np.ravel(values)).astype("float64"))[::-1]
    count = int(share * len(ordered))
    if count < 10 or not np.isfinite(ordered).all():
        raise ValueError(
            f"{count} of {len(ordered)} values: pass finite ones, and a share of 10 or more."
        )
    return 1.0 / np.mean(np.log(ordered[:count] / ordered[count]))


def wilson(failures, runs, confidence=0.95):
    """Return the Wilson interval (low, high) of the probability of failure, from `failures` in `runs`.

    Wilson 1927, by SciPy; it stays inside [0, 1] and says something even at 0 or all failures. Notebook 02.
    """
    interval = binomtest(int(failures), int(runs)).proportion_ci(
        confidence, method="wilson"
    )
    return interval.low, interval.high


def outcome(record):
    """Return what became of each run of a `Record`, lists in a dict that JSON can hold, None for not finite.

    `failed`: not finite, or a final loss above `FAILS_ABOVE`; `spikes`, their number; `largest_jump` of the norm of
    the gradient; `final_loss` in nats per image.
    """
    largest = [ratios.max(initial=1.0) for ratios in jumps(record.gradient_norm)]
    not_finite = failed(record.loss, record.gradient_norm)
    return {
        "failed": (not_finite | (final_loss(record.loss) > FAILS_ABOVE)).tolist(),
        "spikes": spikes(record.gradient_norm).tolist(),
        "largest_jump": finite_or_none(largest),
        "final_loss": finite_or_none(final_loss(record.loss)),
    }


def finite_or_none(values):
    """Return the values as a list of floats to two decimals, with None for those that are not finite."""
    return [round(float(value), 2) if np.isfinite(value) else None for value in values]


def failing(rows):
    """Return how many runs of `rows`, made by `outcome`, failed, and how many there are. Notebook 02."""
    runs = [failure for row in rows for failure in row["failed"]]
    return sum(runs), len(runs)


def unstable(rows):
    """Return how many runs of `rows`, made by `outcome`, failed or had a spike, and how many there are. Notebook 02."""
    runs = [
        bool(failure or count)
        for row in rows
        for failure, count in zip(row["failed"], row["spikes"])
    ]
    return sum(runs), len(runs)


def separated(worse, better):
    """Return whether the Wilson interval of `worse` lies above that of `better`, each (unstable runs, runs)."""
    return wilson(*worse)[0] > wilson(*better)[1]


VERDICTS = {
    (True, True): "less stable",
    (True, False): "less stable as it comes, not from the same initial σ",
    (False, True): "less stable from the same initial σ only",
    (False, False): "not shown to be less stable",
}


def verdict(worse, better):
    """Return the one of `VERDICTS` that (unstable runs, runs) by arm, "native" and "matched", lead to. Notebook 02."""
    return VERDICTS[
        tuple(separated(worse[arm], better[arm]) for arm in ("native", "matched"))
    ]

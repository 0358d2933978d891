"""What became of training runs: failures, spikes, tails. NaN and infinity are outcomes here. Notebook 02.

Losses and gradient norms are arrays (runs, steps) in nats per image.
"""

import numpy as np
from scipy.stats import binomtest


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


def spikes(norms, window=50, factor=10.0):
    """Return for each run the number of steps with a norm above `factor` medians of the steps before.

    `window` steps are looked back upon, so that the first ones cannot be spikes.

    The step at which the norm stops being finite counts as one, those after it do not. Notebook 02.
    """
    counts = []
    for row, length in zip(norms, finite_steps(norms)):
        counts.append(int(length < len(row)))
        if length > window:
            medians = np.median(np.lib.stride_tricks.sliding_window_view(row[: length - 1], window), axis=1)
            counts[-1] += int(np.sum(row[window:length] > factor * medians))
    return np.array(counts)


def tail_index(values, share=0.02):
    """Return Hill's estimate of the tail index a of P(|value| > t) ~ t^-a from the largest `share` of values.

    With a <= 2 the variance is infinite, with a <= 1 the mean, too. Raises ValueError when the share is fewer
    than 10 values or one is not finite. Hill 1975; notebook 02.
    """
    ordered = np.sort(np.abs(np.ravel(values)).astype("float64"))[::-1]
    count = int(share * len(ordered))
    if count < 10 or not np.isfinite(ordered).all():
        raise ValueError(f"{count} of {len(ordered)} values: pass finite ones, and a share of 10 or more.")
    return 1.0 / np.mean(np.log(ordered[:count] / ordered[count]))


def wilson(failures, runs, confidence=0.95):
    """Return the Wilson interval (low, high) of the probability of failure, from `failures` in `runs`.

    Wilson 1927, by SciPy; it stays inside [0, 1] and says something even at 0 or all failures. Notebook 02.
    """
    interval = binomtest(int(failures), int(runs)).proportion_ci(confidence, method="wilson")
    return interval.low, interval.high

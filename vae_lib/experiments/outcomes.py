"""What became of training runs: failures, spikes, tails, and a verdict on two maps.

NaN and infinity are outcomes here, not errors. Losses and gradient norms are arrays
(runs, steps): the loss that was trained, D + beta R, and its gradient's norm, a mean
over the images of a batch. Notebook 02.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy.stats import binomtest

ARMS = ["native", "matched"]  # initial σ as it comes, or the same for every map
CONDITION = ["optimizer", "learning_rate", "posterior", "arm"]
OF_RUNS = ["failed", "not_finite", "exploded", "spikes", "largest_jump", "final_loss"]


def finite_steps(*series: np.ndarray) -> np.ndarray:
    """Return how many steps each run took before a series was not finite, (runs,)."""
    finite = np.logical_and.reduce([np.isfinite(values) for values in series])
    return np.where(finite.all(axis=1), finite.shape[1], np.argmin(finite, axis=1))


def not_finite(*series: np.ndarray) -> np.ndarray:
    """Return whether any of `series` stopped being finite in each run, bool (runs,)."""
    return finite_steps(*series) < series[0].shape[1]


def final_loss(loss: np.ndarray, steps: int = 20) -> np.ndarray:
    """Return the mean of the last `steps` losses, (runs,), infinity if not finite."""
    last = loss[:, -steps:]
    finite = np.isfinite(last).all(axis=1)
    return np.where(finite, np.where(finite[:, None], last, 0.0).mean(axis=1), np.inf)


def exploded(loss: np.ndarray) -> np.ndarray:
    """Return whether each run ends above its untrained loss, but finite, (runs,)."""
    final = final_loss(loss)
    return np.isfinite(final) & (final > loss[:, 0])


def jumps(norms: np.ndarray, window: int = 50) -> list[np.ndarray]:
    """Return for each run its gradient norms as multiples of the median before them.

    The median is that of the `window` norms before. The step at which the norm stops
    being finite jumps by infinity; those after it do not count. Notebook 02.
    """
    runs = []
    for row, length in zip(norms, finite_steps(norms), strict=True):
        ratios = np.zeros(0)
        if length > window:
            medians = np.median(
                np.lib.stride_tricks.sliding_window_view(row[: length - 1], window),
                axis=1,
            )
            ratios = row[window:length] / np.maximum(medians, np.finfo("float32").tiny)
        runs.append(np.append(ratios, [np.inf] * int(length < len(row))))
    return runs


def spikes(norms: np.ndarray, window: int = 50, factor: float = 10.0) -> np.ndarray:
    """Return the number of each run's `jumps` above `factor`, (runs,). Notebook 02."""
    return np.array([np.sum(ratios > factor) for ratios in jumps(norms, window)])


def tail_index(values: np.ndarray, share: float = 0.02) -> float:
    """Return Hill's estimate of a in P(|value| > t) ~ t^-a from the largest values.

    These are the largest `share` of all values. With a <= 2 the variance is infinite,
    with a <= 1 the mean as well. Raises ValueError when the share is fewer than 10
    values or one is not finite. Hill 1975; notebook 02.
    """
    ordered = np.sort(np.abs(np.ravel(values)).astype("float64"))[::-1]
    count = int(share * len(ordered))
    if count < 10 or not np.isfinite(ordered).all():
        raise ValueError(
            f"{count} of {len(ordered)} values: pass finite ones, and a share of 10 or "
            "more."
        )
    return 1.0 / np.mean(np.log(ordered[:count] / ordered[count]))


def wilson(failures: int, runs: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson interval (low, high) of a share: `failures` of `runs`.

    It stays inside [0, 1] and is informative even for none or all. Wilson 1927,
    computed by SciPy; notebook 02.
    """
    test = binomtest(int(failures), int(runs))
    return tuple(test.proportion_ci(confidence, method="wilson"))


def outcome(record) -> dict[str, list]:
    """Return what became of each run of a `Record`, as lists that JSON can hold.

    `not_finite`: the loss or the gradient stopped being finite. `exploded`: it ended
    finite, but above the loss of the untrained model. `failed`: one of the two.
    `spikes`: how many. `largest_jump` of the norm of the gradient and `final_loss`:
    None where not finite.
    """
    largest = [ratios.max(initial=1.0) for ratios in jumps(record.gradient_norm)]
    stopped = not_finite(record.loss, record.gradient_norm)
    above = exploded(record.loss)
    return {
        "failed": (stopped | above).tolist(),
        "not_finite": stopped.tolist(),
        "exploded": above.tolist(),
        "spikes": spikes(record.gradient_norm).tolist(),
        "largest_jump": finite_or_none(largest),
        "final_loss": finite_or_none(final_loss(record.loss)),
    }


def failures(record, steps: int | None = None) -> int:
    """Return how many runs of a `Record` failed.

    Before the last of `steps`, those that are not finite: a loss that is higher than at
    the start may still come down. Notebook 02.
    """
    if steps is not None and record.loss.shape[1] < steps:
        return int(not_finite(record.loss, record.gradient_norm).sum())
    return sum(outcome(record)["failed"])


def finite_or_none(values: Iterable[float]) -> list[float | None]:
    """Return values to two decimals, with None for those that are not finite."""
    return [round(float(value), 2) if np.isfinite(value) else None for value in values]


def run_table(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Return a row for each run, from one for each condition, as stored.

    A condition of `rows` has `posterior`, `arm`, `optimizer`, `learning_rate`, a list
    `seeds`, and the lists of `outcome`; other entries are copied to each of its runs.
    `seeds` becomes `seed`, a None becomes infinity, and `unstable` is added: failed or
    spiking. Raises ValueError if a seed appears twice in a condition: the same run
    would be counted twice.
    """
    frame = pd.DataFrame(list(rows)).explode(["seeds", *OF_RUNS], ignore_index=True)
    frame = frame.rename(columns={"seeds": "seed"})
    for name in ("largest_jump", "final_loss"):
        frame[name] = frame[name].astype("float64").fillna(np.inf)
    flags = dict.fromkeys(["failed", "not_finite", "exploded"], bool)
    frame = frame.astype({**flags, "spikes": int, "seed": int})
    frame["unstable"] = frame.failed | (frame.spikes > 0)
    twice = frame.duplicated([*CONDITION, "seed"])
    if twice.any():
        first = frame[twice].iloc[0]
        raise ValueError(
            f"seed {first.seed} of {first.posterior}, {first.arm}, appears twice at "
            f"learning rate {first.learning_rate:g}: pass each run once, and networks "
            "of one size."
        )
    return frame


def shares(runs: pd.DataFrame, of: str = "failed") -> pd.DataFrame:
    """Return the share of `runs` that failed, by condition, with its Wilson interval.

    `runs` is made by `run_table`; `of` may be another of its Boolean columns:
    "not_finite", "exploded", "unstable". Rows are indexed by optimizer, learning rate,
    map and arm; nothing is pooled. Columns: `bad`, `runs`, `low` and `high`, the last
    two in [0, 1].
    """
    found = runs.groupby(CONDITION, sort=False)[of].agg(bad="sum", runs="size")
    intervals = [wilson(*pair) for pair in found.itertuples(index=False)]
    found[["low", "high"]] = np.array(intervals).reshape(-1, 2)
    return found


def verdicts(
    runs: pd.DataFrame,
    of: str = "unstable",
    *,
    worse: str = "direct",
    better: str = "softplus",
) -> pd.DataFrame:
    """Return what the runs say about the claim that one map is less stable than
    another.

    One row for each optimizer and learning rate: the two maps are compared within that
    row only, by runs with different seeds. Columns: bad runs as text for each map and
    arm, and `verdict`, one of `VERDICTS`: `worse` is less stable if its Wilson interval
    lies above that of `better`, in the native arm and in the matched one. Settings that
    lack one of the four conditions are left out.
    """
    found = shares(runs, of)
    rows = {}
    for setting, group in found.groupby(CONDITION[:2], sort=False):
        group = group.droplevel(CONDITION[:2])
        wanted = [(name, arm) for name in (worse, better) for arm in ARMS]
        if not all(pair in group.index for pair in wanted):
            continue
        pairs = {
            key: tuple(map(int, group.loc[key, ["bad", "runs"]])) for key in wanted
        }
        rows[setting] = {
            **{
                ", ".join(key): f"{bad} of {count}"
                for key, (bad, count) in pairs.items()
            },
            "verdict": verdict(
                *({arm: pairs[name, arm] for arm in ARMS} for name in (worse, better))
            ),
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    if rows:
        table.index = pd.MultiIndex.from_tuples(rows, names=CONDITION[:2])
    return table


def separated(worse: tuple[int, int], better: tuple[int, int]) -> bool:
    """Return whether the Wilson interval of `worse` lies above that of `better`.

    Each is a pair (bad runs, runs). Notebook 02.
    """
    return wilson(*worse)[0] > wilson(*better)[1]


VERDICTS = {
    (True, True): "less stable",
    (True, False): "not shown: in the native arm only",
    (False, True): "not shown: in the matched arm only",
    (False, False): "not shown to be less stable",
}


def verdict(worse: Mapping, better: Mapping) -> str:
    """Return one of `VERDICTS` from pairs (bad runs, runs) by arm. Notebook 02."""
    return VERDICTS[
        tuple(separated(worse[arm], better[arm]) for arm in ("native", "matched"))
    ]

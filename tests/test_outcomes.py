"""Statistics of runs, in which NaN and infinity are counted, not averaged."""

import json

import numpy as np
import pytest

from vae_lib.experiments.outcomes import (
    final_loss,
    finite_steps,
    jumps,
    not_finite,
    outcome,
    run_table,
    separated,
    shares,
    spikes,
    tail_index,
    verdict,
    verdicts,
    wilson,
)
from vae_lib.experiments.parallel_training import Record

pytestmark = pytest.mark.filterwarnings("error")
GOOD, NAN, INFINITE = (
    [3.0, 2.0, 1.0, 1.0],
    [3.0, np.nan, np.nan, np.nan],
    [3.0, 2.0, np.inf, 1.0],
)
RUNS = np.array([GOOD, NAN, INFINITE])


def test_steps_before_the_first_failure():
    assert list(finite_steps(RUNS)) == [4, 1, 2]
    assert list(finite_steps(RUNS, RUNS[::-1])) == [2, 1, 2]
    assert list(finite_steps(np.full((1, 3), np.nan))) == [0]


def test_not_finite_looks_at_every_series_and_step():
    assert list(not_finite(RUNS)) == [False, True, True]
    assert list(not_finite(np.ones((3, 4)), RUNS)) == [False, True, True]


def test_a_failed_run_ends_with_infinity_and_does_not_drop_out():
    losses = final_loss(RUNS, steps=2)
    np.testing.assert_array_equal(losses, [1, np.inf, np.inf])
    assert np.median(losses) == np.inf


def test_wilson_against_published_values():
    # Newcombe 1998, Statistics in Medicine 17, table I
    for failures, runs, interval in (
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ):
        np.testing.assert_allclose(wilson(failures, runs), interval, atol=5e-5)


@pytest.mark.parametrize("index", [0.5, 1.0, 2.0, 4.0])
def test_tail_index_of_known_tails(index):
    values = np.random.default_rng(0).random(200_000) ** (-1 / index)  # Pareto
    assert tail_index(values) == pytest.approx(index, rel=0.05)
    assert tail_index(-values) == tail_index(values)


def test_tail_index_of_one_over_a_normal_number_is_one():
    assert tail_index(
        1 / np.random.default_rng(1).standard_normal(200_000)
    ) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize(
    "values",
    [np.ones(100), np.r_[np.inf, np.ones(9_999)], np.r_[np.nan, np.ones(9_999)]],
)
def test_tail_index_refuses_too_few_and_infinite_values(values):
    with pytest.raises(ValueError, match="finite ones"):
        tail_index(values)


def test_spikes_are_counted_against_the_median_before():
    norms = np.ones((3, 100))
    norms[1, [60, 80]] = 11
    norms[2, 10] = 11  # inside the first window: nothing to compare it with
    assert list(spikes(norms)) == [0, 2, 0]


def test_a_failure_is_one_spike():
    norms = np.ones((3, 100))
    norms[0, 70:] = np.nan
    norms[1, 5:] = np.inf
    norms[2, 60], norms[2, 90:] = 50, np.nan
    assert list(spikes(norms)) == [1, 1, 2]


def test_jumps_are_medians_of_the_window_before():
    norms = np.array([[1.0, 3, 2, 8, np.nan, 5], [2.0, 2, 2, 2, 2, 0]])
    expected = ([4, np.inf], [1, 1, 0])
    for found, wanted in zip(jumps(norms, window=3), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(jumps(np.zeros((1, 6)), window=3)[0], [0, 0, 0])


def test_an_outcome_keeps_failures_and_can_be_stored():
    loss, norms = np.full((4, 60), 7.0), np.ones((4, 60))
    norms[1, 55] = 30
    loss[2, 40:], norms[2, 40:] = np.nan, np.inf
    loss[3, 1:] = 900.0  # finite, and far above where it started
    found = outcome(Record(loss, loss, loss, norms))
    assert (
        json.loads(json.dumps(found, allow_nan=False))
        == found
        == {
            "failed": [False, False, True, True],
            "not_finite": [False, False, True, False],
            "exploded": [False, False, False, True],
            "spikes": [0, 1, 1, 0],
            "largest_jump": [1.0, 30.0, None, 1.0],
            "final_loss": [7.0, 7.0, None, 900.0],
        }
    )


def condition(posterior, arm, learning_rate, bad, runs=20, first=0):
    """Return the stored row of a condition, `bad` of whose runs exploded."""
    flags = [run < bad for run in range(runs)]
    return {
        "posterior": posterior,
        "arm": arm,
        "optimizer": "adam",
        "learning_rate": learning_rate,
        "seeds": list(range(first, first + runs)),
        "failed": flags,
        "not_finite": [False] * runs,
        "exploded": flags,
        "spikes": [0] * runs,
        "largest_jump": [1.0] * runs,
        "final_loss": [None if flag else 500.0 for flag in flags],
    }


def rows_at(learning_rate, native, matched, **options):
    """Return four conditions: the direct map's bad runs by arm, none of softplus."""
    return [
        condition("direct", "native", learning_rate, native, **options),
        condition("direct", "matched", learning_rate, matched, **options),
        condition("softplus", "native", learning_rate, 0, **options),
        condition("softplus", "matched", learning_rate, 0, **options),
    ]


def test_runs_are_rows_and_a_loss_that_is_not_finite_is_infinite():
    runs = run_table(rows_at(1e-3, 2, 0))
    assert len(runs) == 80 and runs.unstable.sum() == 2
    assert runs.final_loss.tolist()[:3] == [np.inf, np.inf, 500.0]
    assert runs.groupby(["posterior", "arm"]).seed.nunique().eq(20).all()


def test_no_run_is_counted_twice():
    again = [condition("direct", "native", 1e-3, 2, first=19)]
    with pytest.raises(ValueError, match="seed 19 of direct, native, appears twice"):
        run_table(rows_at(1e-3, 2, 0) + again)
    more = [condition("direct", "native", 1e-3, 2, first=20)]
    assert shares(run_table(rows_at(1e-3, 2, 0) + more)).iloc[0].runs == 40


def test_shares_and_verdicts_stand_by_learning_rate():
    """Pooled, 12 of 40 against none would be less stable at both."""
    runs = run_table(rows_at(1e-3, 18, 2) + rows_at(1e-2, 20, 10))
    found = shares(runs)
    assert found.loc[("adam", 1e-3, "direct", "native"), ["bad", "runs"]].tolist() == [
        18,
        20,
    ]
    assert found.loc["adam", 1e-3].loc["direct", "matched"].high == pytest.approx(
        wilson(2, 20)[1]
    )
    table = verdicts(runs)
    assert table.verdict.to_dict() == {
        ("adam", 1e-3): "not shown: in the native arm only",
        ("adam", 1e-2): "less stable",
    }
    assert table.loc[("adam", 1e-2), "direct, matched"] == "10 of 20"
    assert set(verdicts(runs, "not_finite").verdict) == {"not shown to be less stable"}


def test_a_setting_without_all_four_conditions_has_no_verdict():
    runs = run_table(rows_at(1e-3, 18, 2)[:3])
    assert verdicts(runs).empty


def test_the_verdict_follows_from_intervals_that_separate():
    many, few = (9, 10), (0, 10)  # [60 %, 98 %] and [0, 28 %]
    assert (
        separated(many, few)
        and not separated(few, many)
        and not separated((5, 10), few)
    )
    arms = {
        "both": (many, many),
        "start": (many, few),
        "map": (few, many),
        "neither": (few, few),
    }
    calm = {"native": few, "matched": few}
    found = {
        name: verdict(dict(zip(("native", "matched"), pair, strict=True)), calm)
        for name, pair in arms.items()
    }
    assert found == {
        "both": "less stable",
        "start": "not shown: in the native arm only",
        "map": "not shown: in the matched arm only",
        "neither": "not shown to be less stable",
    }

"""What notebook 02 concludes follows from what is stored in data/ by benchmarks/."""

import numpy as np
import pandas as pd
import pytest

from vae_lib import storage
from vae_lib.course.results import (
    load_results,
    load_rows,
    pack_images,
    unpack_images,
    where,
)
from vae_lib.data import FOLDER, load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.experiments.outcomes import VERDICTS, run_table, shares, verdicts

RATES = [1e-3, 1e-2, 3e-2]
SAID = [  # by the notebook, of runs that fail or spike, at these rates
    VERDICTS[True, True],
    VERDICTS[True, True],
    VERDICTS[False, False],
]


def test_stored_runs_are_counted_once_and_every_share_is_of_ten_or_more():
    rows = pd.DataFrame(load_results("stability")["rows"])
    rows["hidden"] = rows.hidden.map(tuple)
    for _, group in rows.groupby(["hidden", "steps"]):
        found = shares(run_table(group.to_dict("records")), "unstable")
        assert found.runs.min() >= 10
        assert found.low.between(0, found.bad / found.runs).all()


@pytest.fixture(scope="module")
def runs():
    """Return the runs at the original's size, one a row: each seed of a
    condition once.
    """
    rows = where(load_results("stability")["rows"], hidden=[500, 120], steps=200)
    return run_table(row for row in rows if row["optimizer"] == "adam")


def test_the_verdict_at_each_learning_rate_is_what_the_notebook_says(runs):
    found = verdicts(runs, "unstable").loc["adam"]
    assert [found.verdict[rate] for rate in RATES] == SAID
    assert set(verdicts(runs, "failed").verdict) == {VERDICTS[False, False]}


def test_a_smaller_network_has_the_same_verdicts():
    rows = where(load_results("stability")["rows"], hidden=[128, 64], steps=200)
    found = verdicts(run_table(where(rows, optimizer="adam")), "unstable")
    assert [found.loc["adam"].verdict[rate] for rate in RATES] == SAID


@pytest.mark.parametrize("factor", [5, 10, 20])
def test_the_verdict_does_not_hang_on_the_factor_that_makes_a_spike(runs, factor):
    spiking = runs.assign(spiking=runs.largest_jump > factor)
    assert verdicts(spiking, "spiking").loc["adam"].verdict[1e-3] == SAID[0]


def test_the_guard_takes_all_nan_away(runs):
    shares = runs.groupby(["posterior", "learning_rate"]).not_finite.sum()
    assert shares["softplus", 3e-2] == 80 and not shares["softplus, guarded"].any()
    assert shares["softplus", 1e-2] == 18 and shares["direct"].sum() == 0


@pytest.fixture(scope="module")
def ends():
    """Return {(map, arm): rows} of the full trainings."""
    rows = load_results("final_nats")["rows"]
    return {
        key: where(rows, posterior=key[0], arm=key[1])
        for key in {(row["posterior"], row["arm"]) for row in rows}
    }


def test_the_arms_are_complete_and_their_terms_add_up(ends):
    assert set(ends) >= {
        ("direct", "native"),
        ("direct", "matched"),
        ("direct", "clipped"),
        ("log_variance", "native"),
        ("softplus", "native"),
        ("softplus", "matched"),
    }
    for key, rows in ends.items():
        assert len({row["seed"] for row in rows}) == len(rows), key
        assert all(
            row["negative_elbo"]
            == pytest.approx(row["distortion"] + row["rate"], rel=1e-5)
            for row in rows
        )


def test_the_direct_map_ends_worse_unless_gradients_are_clipped_or_forgotten(ends):
    values = {key: [row["negative_elbo"] for row in rows] for key, rows in ends.items()}
    assert ("direct", "short memory") in values and ("direct", "clipped") in values
    worse = values.pop(("direct", "native")) + values.pop(("direct", "matched"))
    assert min(worse) > max(sum(values.values(), [])) + 8


def test_what_the_notebook_says_about_the_reason_is_in_the_data(ends):
    direct, softplus = (
        ends[name, "native"] + ends[name, "matched"] for name in ("direct", "softplus")
    )
    divisors, sigmas, variances = (
        [
            [read(row) for row in rows]
            for rows in (direct, softplus, ends["direct", "clipped"])
        ]
        for read in (
            lambda row: row["adam_denominators"]["rho/kernel"],
            lambda row: row["end"]["sigma_median"],
            lambda row: min(row["variance_of_mu"]),
        )
    )
    assert min(divisors[0]) > 20 * max(divisors[1] + divisors[2]), (
        "Adam is braked by spikes"
    )
    assert min(sigmas[0]) > 2 * max(sigmas[1] + sigmas[2]), (
        "sigma stays away from the wall"
    )
    assert min(map(min, variances)) > 0.1, "no unit is dead"


def test_the_wall_between_the_images_does_no_harm_by_itself(ends):
    def minority(row):
        return max(min(share, 1 - share) for share in row["end"]["negative_rho"])

    free = ends["direct", "native"] + ends["direct", "matched"]
    assert min(map(minority, free)) > 0.4
    assert max(map(minority, ends["direct", "clipped"])) < 0.1
    for row in ends["direct", "short memory"]:  # across the wall, without harm
        assert minority(row) > 0.15 and row["negative_elbo"] < 145


def test_images_are_stored_for_one_seed_of_each_arm(ends):
    for key, rows in ends.items():
        (row,) = where(rows, seed=0)
        for kind in ("reconstructions", "generated"):
            images = unpack_images(row[kind])
            assert images.shape == (10, 28, 28) and images.max() > 100, key


def test_stored_rows_are_a_frame_that_can_be_narrowed():
    rows = load_rows("nats", setting="plain", latent_dim=2)
    assert set(rows.setting) == {"plain"} and rows.seed.is_unique
    stored = where(load_results("nats")["rows"], setting="plain", latent_dim=2)
    assert rows.negative_elbo.tolist() == [row["negative_elbo"] for row in stored]
    with pytest.raises(KeyError, match="depth"):
        load_rows("nats", depth=3)


def test_packed_images_come_back():
    images = np.random.default_rng(0).random((3, 28, 28))
    np.testing.assert_array_equal(
        unpack_images(pack_images(images)), np.round(255 * images)
    )


def test_missing_results_are_named_in_one_sentence():
    with pytest.raises(
        FileNotFoundError,
        match="nothing.json is not in data/: restore it .* or measure it",
    ):
        load_results("nothing")


def test_the_label_leaves_the_code_as_the_notebook_says():
    rows = pd.DataFrame(load_results("labels")["rows"])
    assert sorted(rows.groupby(["latent_dim", "seed"]).size()) == [3] * 6
    for (units, _), runs in rows.sort_values("epochs").groupby(["latent_dim", "seed"]):
        assert (np.diff(runs.label_read) < 0).all() and (np.diff(runs.obeyed) > 0).all()
        if units == 2:  # gone at the first look already, and −ELBO rises in the end
            assert runs.label_read.max() < 0.2 and runs.obeyed.min() > 0.95
            assert np.diff(runs.negative_elbo)[-1] > 0
        else:
            first, *_, last = runs.label_read
            assert first > 0.7 and 0.35 < last < 0.45
            assert np.diff(runs.negative_elbo).max() < -1


@pytest.mark.parametrize("name, units, elbo", [("two", 2, -144.0), ("ten", 10, -104.7)])
def test_the_stored_models_have_the_nats_that_notebook_04_states(name, units, elbo):
    vae = storage.load(FOLDER / f"{name}_units.keras")
    asked = {"latent_dim": units, "activation": "gelu", "posterior": "softplus"}
    assert asked.items() <= vae.settings.items() and vae.beta == 1
    measured = evaluate(vae, load_mnist().test.images, seed=0).elbo
    assert measured == pytest.approx(elbo, abs=0.1)

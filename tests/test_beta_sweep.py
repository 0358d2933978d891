"""The stored sweep over beta keeps what theory demands, and is complete."""

import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from vae_lib.analysis import theory
from vae_lib.course.results import load_results, where
from vae_lib.data import load_mnist

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
SERIES = [("bernoulli", 2), ("bernoulli", 10), ("gaussian", 2), ("gaussian", 10)]


@pytest.fixture(scope="module")
def rows():
    return load_results("beta_sweep")["rows"]


def series(rows, likelihood, latent_dim):
    found = where(
        rows, part="dedicated", likelihood=likelihood, latent_dim=latent_dim, seed=0
    )
    return sorted(found, key=lambda row: row["beta"])


def test_the_file_holds_all_that_the_command_measures(rows):
    import beta_sweep

    for part, arguments in beta_sweep.wanted(Namespace(seeds=2)):
        assert where(rows, part=part, **arguments), (part, arguments)


@pytest.mark.parametrize("likelihood, latent_dim", SERIES)
def test_with_beta_the_rate_falls_and_the_distortion_rises(
    rows, likelihood, latent_dim
):
    found = series(rows, likelihood, latent_dim)
    assert len(found) >= (5 if (likelihood, latent_dim) == ("gaussian", 10) else 8)
    rates, distortions = (
        np.array([row[name] for row in found]) for name in ("rate", "distortion")
    )
    assert all(np.diff(rates) <= 0.02 + 0.02 * rates[:-1])
    # networks of one seed differ by 0.6 nats; a lower beta also overfits a little
    assert all(np.diff(distortions) >= -0.01 * distortions[:-1])


@pytest.mark.parametrize("latent_dim", [2, 10])
def test_training_reaches_the_linear_optimum_or_less(rows, latent_dim):
    eigenvalues = theory.pca_eigenvalues(load_mnist().train.images)
    for row in series(rows, "gaussian", latent_dim):
        optimum = theory.linear_optimum(eigenvalues, latent_dim, row["beta"])
        assert row["train_loss"] <= 1.002 * optimum.loss, row["beta"]


@pytest.mark.parametrize("likelihood, latent_dim", SERIES)
def test_the_rate_is_information_and_marginal_kl(rows, likelihood, latent_dim):
    for row in series(rows, likelihood, latent_dim):
        # 2,000 draws of a quantity with a deviation below 4 nats: three standard errors
        assert row["mutual_information"] + row["marginal_kl"] == pytest.approx(
            row["rate"], abs=0.3
        )
        assert 0 <= row["mutual_information"] + 0.02 and row[
            "mutual_information"
        ] <= np.log(10_000)
        assert sum(row["unit_rates"]) == pytest.approx(row["rate"], abs=1e-2)


@pytest.mark.parametrize("latent_dim, bound", [(2, 1.02), (10, 1.04)])
def test_one_network_is_close_to_dedicated_ones(rows, latent_dim, bound):
    for i, beta in enumerate((0.1, 1, 4, 12, 200)):
        ours = [
            network["at"][i]["loss"]
            for network in where(rows, part="conditioned", latent_dim=latent_dim)
        ]
        theirs = [
            row["loss"]
            for row in where(rows, part="peer", latent_dim=latent_dim, beta=beta)
        ]
        assert len(ours) == len(theirs) >= 2
        assert np.mean(ours) <= bound * np.mean(theirs), beta


def test_every_network_falls_silent_below_the_predicted_beta(rows):
    images = load_mnist().train.images
    limits = {
        "gaussian": theory.critical_beta_gaussian(theory.pca_eigenvalues(images)),
        "bernoulli": theory.critical_beta_bernoulli(images),
    }
    shares = []
    for likelihood, latent_dim in SERIES:
        found, limit = series(rows, likelihood, latent_dim), limits[likelihood]
        alive = max(row["beta"] for row in found if row["active"])
        shares += [
            alive / limit,
            min(row["beta"] for row in found if row["beta"] > alive) / limit,
        ]
    assert max(shares) < 1
    assert (min(shares), max(shares)) == pytest.approx((0.62, 0.93), abs=0.005)


def test_networks_above_the_linear_optimum_are_silent_but_for_one(rows):
    eigenvalues = theory.pca_eigenvalues(load_mnist().train.images)
    above = [
        (row["latent_dim"], row["beta"], row["active"] > 0)
        for latent_dim in (2, 10)
        for row in series(rows, "gaussian", latent_dim)
        if row["train_loss"]
        > theory.linear_optimum(eigenvalues, latent_dim, row["beta"]).loss
    ]
    assert len(above) == 7
    assert [place for *place, speaks in above if speaks] == [[10, 80]]


def test_three_of_nineteen_chords_miss(rows):
    misses = []
    for likelihood, latent_dim in SERIES:
        found = [row for row in series(rows, likelihood, latent_dim) if row["active"]]
        for one, two in zip(found, found[1:]):
            fall = two["train_distortion"] - one["train_distortion"]
            chord = fall / (one["train_rate"] - two["train_rate"])
            misses.append(not one["beta"] <= chord <= two["beta"])
    assert (sum(misses), len(misses)) == (3, 19)

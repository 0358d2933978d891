"""What notebook 03 says of several seeds stands in the file that its command writes."""

import sys
from pathlib import Path

import numpy as np
import pytest

from vae_lib.analysis import theory
from vae_lib.course.results import load_results, where
from vae_lib.data import load_mnist

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))


SEEDS = range(3)


@pytest.fixture(scope="module")
def rows():
    return load_results("beta_trials")["rows"]


def test_the_file_holds_all_that_the_command_measures(rows):
    import beta_trials

    for part, arguments in beta_trials.wanted(beta_trials.SEEDS):
        assert len(where(rows, part=part, **arguments)) == 1, (part, arguments)


def test_the_linear_network_reaches_its_optimum(rows):
    eigenvalues = theory.pca_eigenvalues(load_mnist().train.images)
    for row in where(rows, part="offset", likelihood="gaussian", way="linear"):
        best = theory.linear_optimum(eigenvalues, 2, row["beta"])
        assert row["train_loss"] == pytest.approx(best.loss, rel=2e-3)
        assert row["train_rate"] > 0.7 * best.rate


def test_more_posteriors_lower_an_estimate_at_its_bound(rows):
    (row,) = where(rows, part="samples", latent_dim=10, beta=1, seed=0)
    estimates = {int(n): marginal for n, (_, marginal) in row["split"].items()}
    assert estimates[1_000] > estimates[10_000] + 1 > estimates[55_000] + 2
    for n, (information, marginal) in row["split"].items():
        assert information <= np.log(int(n)) + 1e-6
        assert information + marginal == pytest.approx(row["rate"], abs=0.6)


def test_with_two_units_coverage_falls_while_the_prior_comes_closer(rows):
    means = {}
    for beta in (1, 4, 12):
        group = where(rows, part="samples", latent_dim=2, beta=beta)
        means[beta] = [
            np.mean([row["coverage"] for row in group]),
            np.mean([row["split"]["55000"][1] for row in group]),
        ]
    (first, near), (_, nearer), (last, nearest) = means.values()
    assert first > last + 0.1 and near > nearer > nearest


@pytest.mark.parametrize("seed", SEEDS)
def test_with_ten_units_coverage_has_its_peak_in_between(rows, seed):
    found = where(rows, part="samples", latent_dim=10, seed=seed)
    coverage = {row["beta"]: row["coverage"] for row in found}
    assert max(coverage, key=coverage.get) == 4
    assert coverage[4] - coverage[0.5] > 0.1 and coverage[4] - coverage[12] > 0.5
    costs = {row["beta"]: row["distortion"] + row["rate"] for row in found}
    assert min(costs, key=costs.get) == 1


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_what_is_silent_after_a_cold_start_speaks_after_a_warm_up(
    rows, likelihood, seed
):
    found = where(rows, part="offset", likelihood=likelihood, seed=seed)
    ways = {row["way"]: row for row in found}
    cold, warm = ways["deep, ReLU"], ways["deep, ReLU, warm-up"]
    assert cold["active"] == 0 and warm["active"] > 0
    assert warm["train_loss"] < cold["train_loss"] - 0.3
    assert ways["deep, linear"]["active"] > 0
    longer = ways["deep, ReLU, 30 epochs"]  # helps in two of the three seeds, or never
    assert (longer["active"] > 0) == (likelihood == "bernoulli" and seed != 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_remedies_wake_units_and_do_not_lower_the_loss(rows, seed):
    found = {row["remedy"]: row for row in where(rows, part="remedies", seed=seed)}
    none, warm, free = found["none"], found["warm-up"], found["free bits"]
    assert none["loss"] < warm["loss"] < free["loss"]
    assert none["active"] < warm["active"] <= free["active"] == 20
    assert free["least"] > 0.19 > 0.1 > warm["least"]
    elbo = {name: row["distortion"] + row["rate"] for name, row in found.items()}
    assert elbo["none"] - elbo["warm-up"] > 1.5


@pytest.mark.parametrize("seed", SEEDS)
def test_few_digits_overfit_and_forty_units_last(rows, seed):
    best, lost = {}, {}
    for latent_dim in (2, 10, 40):
        (row,) = where(rows, part="few", latent_dim=latent_dim, seed=seed)
        held_out = np.array(row["held_out"])
        best[latent_dim] = held_out.argmin() + 1
        lost[latent_dim] = held_out[-1] - held_out.min()
    assert 24 <= best[10] <= 33 and lost[10] == pytest.approx(5, abs=0.2)
    assert 31 <= best[2] <= 55 and 0.4 < lost[2] < 2.4
    assert best[40] >= 58 and lost[40] < 1.3

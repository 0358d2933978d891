"""What notebook 03 says of several seeds stands in the file that its command writes."""

import sys
from pathlib import Path

import numpy as np
import pytest

from vae_lib.analysis import theory
from vae_lib.course.results import load_results, where
from vae_lib.data import load_mnist

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))


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

"""The stored experiment of the original is whole and says what notebook 03 says."""

import sys
from pathlib import Path

import numpy as np
import pytest

from vae_lib.analysis.information import active_units, knn_accuracy
from vae_lib.course.results import FOLDER, load_arrays, load_results, where
from vae_lib.data import load_mnist

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))


@pytest.fixture(scope="module")
def report():
    return load_results("original")


def regime(report, beta):
    """Return the row of the network with 15 units at `beta`, after 15 epochs."""
    (row,) = where(report["rows"], latent_dim=15, beta=beta, seed=0, epochs=15)
    return row


def test_the_file_holds_all_that_the_command_measures(report):
    import original

    for run in original.RUNS:
        wanted = dict(zip(("latent_dim", "beta", "seed", "epochs"), run))
        (row,) = where(report["rows"], **wanted)
        assert {len(values) for values in row["history"].values()} == {run[3]}


def test_the_setting_is_the_originals(report):
    settings = report["settings"]
    assert settings["hidden"] == [500, 120] and settings["batch_size"] == 64
    assert settings["likelihood"] == "gaussian" and settings["beta"] == 12.0
    assert settings["learning_rate"] == 1e-3 and settings["epochs"] == 15
    assert settings["start"] == "glorot_uniform" and settings["latent_dim"] == 2


def test_the_files_stay_small():
    size = sum((FOLDER / f"original.{kind}").stat().st_size for kind in ("json", "npz"))
    assert size <= 1.5e6


def test_the_three_regimes(report):
    copy, both, silent = (regime(report, beta) for beta in (0, 12, 200))
    assert copy["distortion"] < both["distortion"] < silent["distortion"]
    assert copy["rate"] > 10 * both["rate"] and silent["rate"] < 0.01
    assert copy["sigma"] < 0.01 and silent["sigma"] == pytest.approx(1, abs=0.01)
    assert both["knn_z"] > 0.7 and silent["knn_z"] < 0.2
    assert all(row["control"] < 0.15 for row in (copy, both, silent))


@pytest.mark.parametrize("beta", [0, 12, 200])
def test_every_training_code_is_laid_out_and_pictures_are_whole(beta):
    run = load_arrays("original", f"z15_beta{beta}_")
    assert run["tsne"].shape == (len(load_mnist().train.images), 2)
    assert len(np.unique(run["tsne"], axis=0)) > 20_000
    assert run["digits"].shape == run["new"].shape == (20, 28, 28)
    spread = run["new"].astype(float).std(axis=0).max()
    assert spread < 5 if beta == 200 else spread > 25


def test_the_manifold_is_the_whole_grid():
    plane = load_arrays("original", "z2_beta12_")
    assert plane["manifold"].shape == (400, 28, 28)
    assert plane["codes"].shape == (10_000, 2) and plane["looks"].shape[0] == 4


def test_small_codes_keep_their_neighbours_and_noise_hides_them():
    """Why a t-SNE picture does not show a collapse."""
    mu = load_arrays("original", "z15_beta12_")["codes"][:2000].astype("float32") / 1000
    labels = load_mnist().test.labels[:2000]
    z = mu + np.random.default_rng(1).standard_normal(mu.shape)
    found = [
        knn_accuracy(c[:1000], labels[:1000], c[1000:], labels[1000:]) for c in (mu, z)
    ]
    assert found[0] > 0.8 and found[1] < 0.15


@pytest.mark.parametrize("latent_dim", [2, 15])
def test_held_out_loss_has_not_turned_after_thirty_epochs(report, latent_dim):
    (row,) = where(report["rows"], latent_dim=latent_dim, epochs=30)
    terms = {name: np.array(values) for name, values in row["history"].items()}
    held_out = terms["validation_distortion"] + 12 * terms["validation_rate"]
    assert held_out.argmin() + 1 >= 28 and 5 < held_out[14] - held_out.min() < 7
    training = terms["distortion"] + 12 * terms["rate"]
    assert (held_out - training)[-1] > (held_out - training)[14] > 0


def test_six_units_are_active_and_a_unit_that_means_something_would_be_seen(report):
    """The test of notebook 03 on rotations has the power that it claims."""
    mu = load_arrays("original", "z15_beta12_")["codes"].astype("float64")
    mu = mu[:, active_units(mu)]
    assert mu.shape[1] == regime(report, 12)["active"] == 6
    rng = np.random.default_rng(2)

    def best(codes, values):
        return max(np.corrcoef(codes.T, values)[-1, :-1] ** 2)

    control = mu[:, 3] + rng.standard_normal(len(mu)) * mu[:, 3].std()
    turns = [np.linalg.qr(rng.standard_normal((6, 6)))[0] for _ in range(100)]
    turned = [best(mu @ turn, control) for turn in turns]
    assert best(mu, control) > np.quantile(turned, 0.95) + 0.05


def test_what_is_missing_is_said_in_one_sentence():
    with pytest.raises(FileNotFoundError, match="absent.npz is not in data/"):
        load_arrays("absent")

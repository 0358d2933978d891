"""Stored results: what notebook 02 draws is there, whole, and says how it was made."""

import numpy as np
import pytest

from vae_lib.results import load_results, pack_images, unpack_images, where


def test_images_survive_packing():
    images = np.random.default_rng(0).random((3, 28, 28))
    assert np.abs(unpack_images(pack_images(images)) / 255 - images).max() < 0.5 / 255 + 1e-9


def test_where_selects_by_all_values():
    rows = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    assert where(rows, a=1) == rows and where(rows, a=1, b=2) == rows[1:] and where(rows, a=2) == []


def test_a_missing_file_is_named_with_its_remedy():
    with pytest.raises(FileNotFoundError, match="python benchmarks/nothing.py"):
        load_results("nothing")


def test_final_nats_are_complete_and_make_sense():
    report = load_results("final_nats")
    assert report["epochs"] == 15 and report["train_images"] == 55_000
    for posterior, arm in {(row["posterior"], row["arm"]) for row in report["rows"]}:
        rows = where(report["rows"], posterior=posterior, arm=arm)
        assert sorted(row["seed"] for row in rows)[:3] == [0, 1, 2]
        assert all(len(row["validation_negative_elbo"]) == 15 for row in rows)
    for row in report["rows"]:
        assert row["negative_elbo"] == pytest.approx(row["distortion"] + row["rate"])
        assert 130 < row["negative_elbo"] < 210
    first = where(report["rows"], posterior="direct", arm="native", seed=0)[0]
    assert all(unpack_images(first[name]).shape == (10, 28, 28) for name in ("generated", "reconstructions"))


def test_stability_has_every_condition_with_as_many_runs_as_seeds():
    report = load_results("stability")
    assert len(report["rows"]) == 32 and report["hidden"] == [500, 120]
    for row in report["rows"]:
        lengths = {len(row[name]) for name in ("failed", "final_loss", "spikes")}
        assert lengths == {len(report["seeds"])} and len(report["seeds"]) >= 10
        assert all(fails or loss is not None for fails, loss in zip(row["failed"], row["final_loss"]))

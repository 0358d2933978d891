"""The tables of the page of benchmarks are those that the benchmarks wrote."""

from pathlib import Path

from vae_lib.course.results import (
    laboratory_table,
    load_results,
    memory_table,
    nats_table,
    speed_table,
)

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")


def test_table_of_nats_is_the_measured_one():
    rows = load_results("nats")["rows"]
    assert nats_table(rows) in PAGE
    assert all(
        sum(row["latent_dim"] == dim and row["setting"] == "plain" for row in rows) >= 5
        for dim in (2, 5, 10, 20)
    )


def test_table_of_speed_is_the_measured_one():
    assert speed_table(load_results("speed")) in PAGE


def test_table_of_memory_is_the_measured_one():
    assert memory_table(load_results("memory")["rows"]) in PAGE


def test_table_of_the_laboratory_is_the_measured_one():
    assert laboratory_table(load_results("laboratory")) in PAGE

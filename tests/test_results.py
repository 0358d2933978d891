"""What notebook 02 concludes follows from its own table and from stored results."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from vae_lib.course.results import (
    load_results,
    pack_images,
    unpack_images,
    where,
)
from vae_lib.experiments.outcomes import failing, unstable, verdict

NOTEBOOK = nbformat.read(
    Path(__file__).parents[1] / "notebooks" / "02_reparametrization.ipynb", as_version=4
)
READINGS = {"fail": failing, "fail or spike": unstable}


def outputs(kind):
    """Return the texts of all outputs of a kind, in their order."""
    cells = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]
    found = [output for cell in cells for output in cell.outputs]
    return [
        output.text if kind == "stream" else output.data[kind]
        for output in found
        if (
            output.output_type == "stream"
            if kind == "stream"
            else kind in output.get("data", {})
        )
    ]


def pooled_table():
    """Return {reading: {(map, arm): (bad runs, runs)}} from the notebook's table."""
    (text,) = [
        text
        for text in outputs("text/markdown")
        if text.startswith("| map, arm | fail | fail or spike |")
    ]
    found = {reading: {} for reading in READINGS}
    for line in text.splitlines()[2:]:
        label, *cells = [part.strip() for part in line.strip("|").split("|")]
        for reading, content in zip(READINGS, cells, strict=True):
            bad, runs = re.match(r"(\d+) of (\d+) ", content).groups()
            found[reading][tuple(label.split(", "))] = int(bad), int(runs)
    return found


def stored_verdicts():
    """Return the verdicts that the notebook printed: its own, the benchmark's."""
    pattern = r"counting runs that ([\w ]+): the direct map is (.+) than the softplus"
    lines = [line for text in outputs("stream") for line in text.splitlines()]
    found = [
        match.groups() for match in map(re.compile(pattern).fullmatch, lines) if match
    ]
    assert [reading for reading, _ in found] == 2 * list(READINGS)
    return dict(found[:2]), dict(found[2:])


def test_the_verdict_follows_from_the_stored_table_by_the_rule():
    own, _ = stored_verdicts()
    for reading, shares in pooled_table().items():
        arms = ("native", "matched")
        direct, softplus = (
            {arm: shares[name, arm] for arm in arms} for name in ("direct", "softplus")
        )
        assert all(runs >= 10 for _, runs in shares.values())
        assert own[reading] == verdict(direct, softplus)


def test_other_seeds_at_another_size_lead_to_the_same_verdict():
    own, printed = stored_verdicts()
    rows = [
        row
        for row in load_results("stability")["rows"]
        if row["optimizer"] == "adam" and row["learning_rate"] <= 1e-2
    ]
    for reading, count in READINGS.items():
        direct, softplus = (
            {
                arm: count(where(rows, posterior=name, arm=arm))
                for arm in ("native", "matched")
            }
            for name in ("direct", "softplus")
        )
        assert direct["native"][1] >= 20
        assert verdict(direct, softplus) == printed[reading] == own[reading]


@pytest.mark.parametrize("factor", [5, 8, 10, 15])
def test_the_verdict_does_not_hang_on_the_factor_that_makes_a_spike(factor):
    rows = [
        row
        for row in load_results("stability")["rows"]
        if row["optimizer"] == "adam" and row["learning_rate"] <= 1e-2
    ]

    def count(chosen):
        jumps = [jump for row in chosen for jump in row["largest_jump"]]
        return sum(jump is None or jump > factor for jump in jumps), len(jumps)

    direct, softplus = (
        {
            arm: count(where(rows, posterior=name, arm=arm))
            for arm in ("native", "matched")
        }
        for name in ("direct", "softplus")
    )
    assert verdict(direct, softplus) == "less stable"


@pytest.fixture(scope="module")
def ends():
    """Return {(map, arm): rows} of the full trainings."""
    rows = load_results("final_nats")["rows"]
    return {
        key: where(rows, posterior=key[0], arm=key[1])
        for key in {(row["posterior"], row["arm"]) for row in rows}
    }


def test_the_arms_are_complete_and_their_terms_add_up(ends):
    assert set(ends) == {
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
            row["negative_elbo"] == pytest.approx(row["distortion"] + row["rate"])
            for row in rows
        )


def test_the_direct_map_ends_worse_unless_its_gradients_are_clipped(ends):
    values = {key: [row["negative_elbo"] for row in rows] for key, rows in ends.items()}
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
        "sigma stays away from the pole"
    )
    assert min(map(min, variances)) > 0.1, "no unit is dead"


def test_images_are_stored_for_one_seed_of_each_arm(ends):
    for key, rows in ends.items():
        (row,) = where(rows, seed=0)
        for kind in ("reconstructions", "generated"):
            images = unpack_images(row[kind])
            assert images.shape == (10, 28, 28) and images.max() > 100, key


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

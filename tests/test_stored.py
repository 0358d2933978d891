"""Measurements are stored row by row, with their command, and read again."""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
import stored  # noqa: E402


def test_rows_come_back_and_afresh_forgets_them(tmp_path):
    out = ["--out", str(tmp_path / "x.json")]
    options = stored.parser("x", "Measure.").parse_args(out)
    assert stored.rows_in(options) == []
    rows = [{"β": 1, "loss": np.float64(1 / 3)}, {"β": 2, "loss": [None, 0.5]}]
    stored.write(options, "python benchmarks/x.py", rows, epochs=3)
    assert stored.rows_in(options) == [
        {"β": 1, "loss": 0.333333},
        {"β": 2, "loss": [None, 0.5]},
    ]
    report = json.loads(options.out.read_text(encoding="utf-8"))
    assert report["command"] == "python benchmarks/x.py" and report["epochs"] == 3
    again = stored.parser("x", "Measure.").parse_args([*out, "--afresh"])
    assert stored.rows_in(again) == []


def test_an_empty_file_of_rows_is_json(tmp_path):
    options = stored.parser("x", "").parse_args(["--out", str(tmp_path / "x.json")])
    stored.write(options, "python benchmarks/x.py", [])
    assert stored.rows_in(options) == []


@pytest.mark.parametrize(
    "name", sorted(path.name for path in (ROOT / "data").glob("*.json"))
)
def test_the_command_that_measures_a_stored_file_stands_in_the_readme(name):
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    (script,) = re.findall(rf"^\| `{name}` \| `python (\S+)` \|", text, re.MULTILINE)
    assert name in (ROOT / script).read_text(encoding="utf-8")


def test_only_what_no_row_has_is_due_and_only_in_time():
    options = SimpleNamespace(minutes=np.inf)
    rows, keys = [{"beta": 1, "loss": 2.0}], [{"beta": beta} for beta in (1, 2, 3)]
    found = stored.due(options, rows, keys)
    assert next(found) == {"beta": 2}
    rows.append({"beta": 3, "loss": 1.0})  # measured meanwhile
    assert list(found) == []
    options.minutes = -1
    assert list(stored.due(options, [], keys)) == []

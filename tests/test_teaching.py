"""The teacher's guide: every section of every notebook has its row, with the seconds
that were measured.
"""

import importlib.util
import json
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("0[1-6]*.ipynb"))
specification = importlib.util.spec_from_file_location(
    "section_minutes", ROOT / "benchmarks" / "section_minutes.py"
)
timing = importlib.util.module_from_spec(specification)
specification.loader.exec_module(timing)


def rows(number):
    """Return {section: [run, teach, …]} of the guide's table for a notebook."""
    part = re.search(
        rf"^### Notebook {number}.*?(?=^##)", GUIDE, re.MULTILINE | re.DOTALL
    )[0]
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in part.splitlines()
        if line[:1] == "|"
    ]
    return {line[0]: line[1:] for line in lines[2:]}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_section_has_its_row_in_order(path):
    found = list(timing.sections(nbformat.read(path, 4)))
    wanted = [
        heading
        for heading in found
        if heading not in ("References", "What was measured here")
    ]
    assert [heading for heading in rows(path.name[:2]) if heading in wanted] == wanted


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_rows_ask_a_question_or_say_that_there_is_none(path):
    for _run, teach, ask, expect in rows(path.name[:2]).values():
        assert (
            teach.isdigit()
            and (ask.endswith("?") or ask.endswith(".") or ask == "–")
            and expect
        )


def test_measured_seconds_stand_in_the_guide():
    if timing.RESULTS.exists():
        results = json.loads(timing.RESULTS.read_text(encoding="utf-8"))["seconds"]
        assert timing.write_guide(GUIDE, results) == GUIDE


def test_seconds_are_written_into_the_right_row():
    row = "| A + b? | – | 3 | x |"
    text = f"### Notebook 01: one\n\n{row}\n\n### Notebook 02: two\n\n{row}\n"
    written = timing.write_guide(text, {"02": {"A + b?": 12.4, "Other": 1.0}})
    assert (
        written
        == text[: text.index("### Notebook 02")]
        + "### Notebook 02: two\n\n| A + b? | 12 | 3 | x |\n"
    )


@pytest.mark.slow
def test_a_notebook_is_timed_section_by_section(tmp_path):
    cells = [
        nbformat.v4.new_markdown_cell("# Title"),
        nbformat.v4.new_code_cell("import time"),
        nbformat.v4.new_markdown_cell("## Slow\n\ntext"),
        nbformat.v4.new_code_cell("time.sleep(0.5)"),
        nbformat.v4.new_markdown_cell("## Quick"),
        nbformat.v4.new_code_cell("1 + 1"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    path = tmp_path / "small.ipynb"
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path
    )
    seconds = timing.measure(path)
    assert (
        list(seconds) == ["Opening", "Slow", "Quick"]
        and seconds["Slow"] >= 0.5 > seconds["Quick"]
    )

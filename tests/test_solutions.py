"""Exercises in the notebooks and their solutions: the same texts, every check used,
stubs open, solutions right.
"""

import importlib
import re
from pathlib import Path

import nbformat
import pytest

from vae_lib.course.exercises.checking import Exercise

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
CHAPTERS = sorted(FOLDER.glob("0[1-6]*.ipynb"))
SOLUTIONS = sorted(FOLDER.glob("solutions/*.ipynb"))
CALL = re.compile(r"^(?:verdict = )?check\.(\w+)\(", re.MULTILINE)


def parts(path):
    """Return the exercise texts of a notebook, the code below them, and the names of
    checks called there.
    """
    cells = nbformat.read(path, as_version=4).cells
    places = [
        i for i, cell in enumerate(cells) if cell.source.startswith("**Exercise ")
    ]
    below = [cells[i + 1] for i in places]
    return (
        [cells[i].source for i in places],
        below,
        [name for cell in below for name in CALL.findall(cell.source)],
    )


def notebook_of(path):
    """Return the notebook that a file of solutions belongs to."""
    return next(FOLDER.glob(f"{path.name[:2]}_*.ipynb"))


def lines(cell):
    """Return the lines of a cell that are not blank."""
    return [line for line in cell.source.splitlines() if line.strip()]


def said(cell):
    """Return what a check put out as text."""
    return "".join(
        output.get("data", {}).get("text/plain", "") for output in cell.outputs
    )


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_every_notebook_has_its_solutions(path):
    assert path.name in [solutions.name for solutions in SOLUTIONS]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_exercises_stand_before_the_references_and_link_to_the_solutions(path):
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    headings = [i for i, text in enumerate(texts) if text.startswith("## ")]
    start = next(i for i in headings if texts[i].startswith("## Exercises"))
    end = next(i for i in headings if i > start)  # the references, or projects
    assert f"(solutions/{path.name})" in texts[start]
    asked = texts[start + 1 : end : 2]
    assert all(text.startswith(f"**Exercise {i}. ") for i, text in enumerate(asked, 1))
    assert asked == parts(path)[0]


@pytest.mark.parametrize(
    "path", [*CHAPTERS, *SOLUTIONS], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_the_cell_below_an_exercise_is_short_code_that_ends_with_the_check(path):
    for cell in parts(path)[1]:
        assert cell.cell_type == "code" and len(lines(cell)) <= 12
        assert CALL.match(lines(cell)[-1]) and len(CALL.findall(cell.source)) == 1


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.name)
def test_every_solution_is_explained_and_compared_when_it_runs_again(path):
    cells = nbformat.read(path, as_version=4).cells
    for i in (
        i for i, cell in enumerate(cells) if cell.source.startswith("**Exercise ")
    ):
        assert cells[i + 1].source.endswith("  # NBVAL_CHECK_OUTPUT")
        assert (
            cells[i + 2].cell_type == "markdown"
            and len(cells[i + 2].source.split()) > 30
        )


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.name)
def test_solutions_have_a_navigation_bar_at_both_ends(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[-1].source and cells[0].source.startswith(
        cells[-1].source + "\n\n# Solutions "
    )
    assert f"](../{path.name})" in cells[-1].source


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.name)
def test_texts_and_checks_are_those_of_the_notebook(path):
    texts, _, checks = parts(path)
    asked, _, called = parts(notebook_of(path))
    assert texts == asked and 4 <= len(texts) <= 6
    assert checks == called


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.name)
def test_every_exercise_of_the_module_is_used_once(path):
    source = "\n".join(cell.source for cell in nbformat.read(path, 4).cells)
    name = re.search(r"from vae_lib\.course\.exercises import (\w+) as check", source)[
        1
    ]
    module = importlib.import_module(f"vae_lib.course.exercises.{name}")
    exercises = [
        key for key, value in vars(module).items() if isinstance(value, Exercise)
    ]
    assert sorted(parts(path)[2]) == sorted(exercises)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.name)
def test_solutions_are_right_and_stubs_open(path):
    assert all(said(cell).startswith("Right. ") for cell in parts(path)[1])
    assert all(said(cell).startswith("Open. ") for cell in parts(notebook_of(path))[1])


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.name)
def test_stubs_are_stubs(path):
    assert all("..." in cell.source for cell in parts(notebook_of(path))[1])

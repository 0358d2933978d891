"""The core path of each notebook stands alone: nothing in it needs a folded section."""

import ast
import builtins
import re
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("0*.ipynb"))
ASIDE = "Going deeper", "Exercises", "References"


def core(cells):
    """Yield the cells outside folded sections, exercises and references."""
    aside = False
    for cell in cells:
        if heading := re.match(r"##? (.+)", cell.source):
            if cell.cell_type == "markdown":
                aside = heading[1].startswith(ASIDE)
        if not aside:
            yield cell


def names(tree):
    """Return the names that a cell defines, and those that it needs when it runs."""
    defined, needed = set(), set()
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.Lambda):
            node.body = ast.Constant(None)  # runs later
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            stored = isinstance(node.ctx, ast.Store)
            (defined if stored else needed).add(node.id)
        elif isinstance(node, ast.alias):
            defined.add(node.asname or node.name.split(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            defined.add(node.name)
    return defined, needed - defined


def missing(cells):
    """Return the names that code cells use before any of them defines it."""
    known, found = set(dir(builtins)), set()
    for cell in cells:
        if cell.cell_type == "code":
            defined, needed = names(ast.parse(cell.source))
            found |= needed - known
            known |= defined
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_core_needs_no_folded_section(path):
    cells = nbformat.read(path, as_version=4).cells
    assert missing(core(cells)) == set()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_folded_sections_begin_a_cell_that_jupyterlab_folds(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown" and "## Going deeper" in cell.source:
            assert cell.source.startswith("## Going deeper: ")
            assert cell.metadata["jp-MarkdownHeadingCollapsed"] is True
            assert "deeper" in cell.metadata["tags"]


def minutes(cells):
    """Return how long cells take: 200 words of prose a minute, half a minute a cell.

    Nobody needs to read what is folded, the line of links, or cells that only import.
    """
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert prose.count("<details>") == prose.count("</details>")
    prose = re.sub(r"<details>.*?</details>", "", prose, flags=re.DOTALL)
    prose = re.sub(r"^\[About the series\].*$", "", prose, flags=re.MULTILINE)
    return len(prose.split()) / 200 + sum(map(shown, cells)) / 2


def shown(cell):
    """Return whether a cell has code that a reader sees, and not only imports."""
    if cell.cell_type != "code" or cell.metadata.get("jupyter", {}).get(
        "source_hidden"
    ):
        return False
    imports = ast.Import, ast.ImportFrom
    return not all(isinstance(node, imports) for node in ast.parse(cell.source).body)


@pytest.mark.parametrize(
    ("name", "stated"), {"01": 25, "02": 25, "03": 30, "04": 30, "06": 20}.items()
)
def test_the_core_takes_the_minutes_that_are_stated_in_fives(name, stated):
    (path,) = FOLDER.glob(f"{name}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    assert f"core takes about {stated} minutes" in " ".join(cells[0].source.split())
    assert abs(minutes(list(core(cells))) - stated) <= 2.5


def all_minutes(cells):
    """Return the same with every word and every cell counted, folded or not."""
    prose = [cell for cell in cells if cell.cell_type == "markdown"]
    words = sum(len(cell.source.split()) for cell in prose)
    return words / 200 + (len(cells) - len(prose)) / 2


def test_notebook_06_takes_the_minutes_that_it_states():
    """They count the guesses and the controls as cells, exercises and references not
    at all.
    """
    cells = nbformat.read(FOLDER / "06_bound.ipynb", as_version=4).cells
    inner = list(core(cells))
    texts = [
        cell.source.startswith(("## Exercises", "## References")) for cell in cells
    ]
    rest = [cell for cell in cells[: texts.index(True)] if cell not in inner]
    assert all_minutes(inner) <= 20 and all_minutes(rest) <= 30


def test_a_name_from_a_folded_section_is_found():
    texts = "# Title", "a = 1", "## Going deeper: b", "b = a", "## On", "b + a"
    make = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [make[i % 2](text) for i, text in enumerate(texts)]
    assert missing(core(cells)) == {"b"}

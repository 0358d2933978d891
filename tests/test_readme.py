"""The README's picture and table are the notebooks', its links lead somewhere."""

import base64
import html
import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SPECIFICATION = importlib.util.spec_from_file_location("cards", ROOT / "docs/cards.py")
cards = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(cards)


def test_picture_is_made_by_notebook_01():
    notebook = nbformat.read(ROOT / "notebooks" / "01_model.ipynb", 4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    pictures = [
        output["data"]["image/png"]
        for output in outputs
        if "image/png" in output.get("data", ())
    ]
    stored = (ROOT / "docs" / "plane.png").read_bytes()
    found = stored in map(base64.b64decode, pictures)
    assert found, "store the notebook's picture of plane and grid as docs/plane.png"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_to_files(link):
    assert link.startswith("http") or (ROOT / link).exists()


def row(path):
    """Return the row of the README's table that a notebook's own opening asks for."""
    card = cards.card(path)
    question, title = html.unescape(card["question"]), html.unescape(card["title"])
    return (
        f"| [{card['number']} {title}](notebooks/{path.name}) | {question} "
        f"| {card['read']} | {card['run']} |"
    )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("0*.ipynb")), ids=lambda path: path.name
)
def test_table_says_what_each_notebook_says_of_itself(path):
    assert row(path) in README.splitlines()

"""The README's picture is the notebook's, its links lead somewhere."""

import base64
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_picture_is_made_by_notebook_01():
    notebook = nbformat.read(ROOT / "notebooks" / "01_model.ipynb", 4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    pictures = [
        output["data"]["image/png"]
        for output in outputs
        if "image/png" in output.get("data", ())
    ]
    assert (ROOT / "docs" / "plane.png").read_bytes() in [
        base64.b64decode(picture) for picture in pictures
    ]


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_to_files(link):
    assert link.startswith("http") or (ROOT / link).exists()


def test_every_notebook_stands_in_the_table():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"](notebooks/{path.name})" in README

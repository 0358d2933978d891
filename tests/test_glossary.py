"""The glossary: in order, its own links lead somewhere, and so do the notebooks' links
to it.
"""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
TERMS = re.findall(r"^### (.+)$", TEXT, re.MULTILINE)
LINK = re.compile(r"docs/glossary\.md#([\w-]+)")


def anchor(heading):
    """Return the name by which a heading is linked, on code hosts and in MyST alike."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


ANCHORS = {anchor(heading) for heading in re.findall("^##+ (.+)$", TEXT, re.MULTILINE)}


def test_terms_stand_in_order_once():
    assert TERMS == sorted(
        TERMS, key=lambda term: term.lower().replace("-", "").replace("–", "")
    )
    assert len(set(map(anchor, TERMS))) == len(TERMS)


@pytest.mark.parametrize("term", TERMS)
def test_every_term_names_its_notebook(term):
    entry = re.search(rf"^### {re.escape(term)}\n\n(.+)$", TEXT, re.MULTILINE)[1]
    assert re.search(r"[Nn]otebooks? 0[1-6]", entry)


def test_every_term_has_its_place_in_jupyterlab():
    """JupyterLab keeps capitals in the ids of headings, so that each term brings its
    own.
    """
    assert re.findall(r'^<a id="(.+)"></a>\n\n### ', TEXT, re.MULTILINE) == list(
        map(anchor, TERMS)
    )


def test_links_within_the_glossary_lead_somewhere():
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= ANCHORS


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name
)
def test_links_of_the_notebooks_lead_to_terms(path):
    texts = [
        cell.source
        for cell in nbformat.read(path, 4).cells
        if cell.cell_type == "markdown"
    ]
    found = LINK.findall("\n".join(texts))
    assert set(found) <= ANCHORS
    assert len(found) == len(set(found)), "a term is linked at its first use alone"

"""Links of the notebooks to the glossary lead to their term in JupyterLab, too."""

import shutil

import nbformat
import pytest
from pages import PROJECTOR, Page
from servers import ROOT

pytestmark = pytest.mark.full

TERM = "kl-divergence"  # far down, and its heading has capitals
PLACE = """term => {
  const place = document.querySelector(`.jp-MarkdownViewer [data-jupyter-id="${term}"]`);
  const top = place?.getBoundingClientRect().top;
  return top > 0 && top < innerHeight / 2;
}"""


def test_link_leads_to_its_term(browser, jupyterlab):
    series = jupyterlab.root / "series"
    (series / "notebooks").mkdir(parents=True)
    (series / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "glossary.md", series / "docs")
    link = nbformat.v4.new_markdown_cell(f"[term](../docs/glossary.md#{TERM})")
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    notebook = nbformat.v4.new_notebook(
        cells=[link], metadata={"kernelspec": kernel | {"language": "python"}}
    )
    nbformat.write(notebook, series / "notebooks" / "link.ipynb")
    address = jupyterlab.address("series/notebooks/link.ipynb")
    opened = Page(browser, address, PROJECTOR)
    try:
        opened.page.locator(".jp-RenderedMarkdown a", has_text="term").first.click(
            timeout=120_000
        )
        opened.page.wait_for_function(PLACE, arg=TERM, timeout=60_000)
    finally:
        opened.close()

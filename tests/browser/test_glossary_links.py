"""Links of the notebooks to the glossary lead to their term in JupyterLab, too."""

import shutil

import nbformat
import pytest
from pages import PROJECTOR, Page
from servers import ROOT

pytestmark = pytest.mark.full

PLACE = """term => {
  const place = document.querySelector(`.jp-MarkdownViewer [data-jupyter-id="${term}"]`);
  const top = place?.getBoundingClientRect().top;
  return top > 0 && top < innerHeight / 2;
}"""


@pytest.mark.parametrize("term", ["kl-divergence", "reparametrization"])
def test_link_leads_to_its_term(browser, jupyterlab, term):
    series = jupyterlab.root / f"series-{term}"
    (series / "notebooks").mkdir(parents=True)
    (series / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "glossary.md", series / "docs")
    link = nbformat.v4.new_markdown_cell(f"[term](../docs/glossary.md#{term})")
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    notebook = nbformat.v4.new_notebook(
        cells=[link], metadata={"kernelspec": kernel | {"language": "python"}}
    )
    nbformat.write(notebook, series / "notebooks" / "link.ipynb")
    address = jupyterlab.address(f"series-{term}/notebooks/link.ipynb")
    opened = Page(browser, address, PROJECTOR)
    try:
        opened.page.locator(".jp-RenderedMarkdown a", has_text="term").first.click(
            timeout=120_000
        )
        opened.page.wait_for_function(PLACE, arg=term, timeout=60_000)
    finally:
        opened.close()

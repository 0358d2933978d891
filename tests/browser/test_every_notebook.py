"""Every notebook, as a reader runs it: nothing alarming on the page."""

import pytest
from latencies import Latency
from servers import NOTEBOOKS

every_notebook = pytest.mark.parametrize(
    "notebook", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")), indirect=True)


@every_notebook
def test_every_notebook_runs(notebook, latencies, results):
    if notebook.first_picture:
        latencies[f"{notebook.name}: opened to first picture"] = Latency.of([1000 * notebook.first_picture])
    notebook.screenshot(results / f"{notebook.name}.png")
    assert notebook.alarms() == []
    assert notebook.errors == []

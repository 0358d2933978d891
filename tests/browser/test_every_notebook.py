"""Every notebook, as a reader runs it: nothing alarming on the page or in the console."""

import pytest
from latencies import Latency
from servers import NOTEBOOKS


@pytest.mark.parametrize("notebook", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")), indirect=True)
def test_every_notebook_runs(notebook, latencies, results):
    if notebook.first_picture:
        latencies[f"{notebook.name}: opened to first picture"] = Latency.of([1000 * notebook.first_picture])
    notebook.screenshot(results / f"{notebook.name}.png")
    assert notebook.alarms() == []
    assert notebook.errors == []

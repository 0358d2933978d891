"""Every notebook, as a reader runs it: nothing alarming on the page, and every control reacts."""

import time

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




def reacts(notebook, control, action, timeout=60):
    """Do something to the control and wait until a picture, number or sentence of it is another, and no complaint."""

    def state():
        return control.inner_text(), notebook.look(control)

    before, end = state(), time.monotonic() + timeout
    action()
    while state() == before:
        assert time.monotonic() < end, f"Nothing has changed in {control.inner_text()[:200]!r}"
        time.sleep(0.05)
    assert control.locator(".vae-error").all_text_contents() == []

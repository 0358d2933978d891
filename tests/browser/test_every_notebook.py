"""Every notebook, as a reader runs it: nothing alarming on the page, and every control reacts."""

import re
import time

import pytest
from latencies import Latency
from servers import NOTEBOOKS

EXCEPTION = re.compile(r"\b[A-Z]\w*(Error|Exception|Warning): ")  # how a sentence begins that nobody has written
every_notebook = pytest.mark.parametrize(
    "notebook", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")), indirect=True)


@every_notebook
def test_every_notebook_runs(notebook, latencies, results):
    if notebook.first_picture:
        latencies[f"{notebook.name}: opened to first picture"] = Latency.of([1000 * notebook.first_picture])
    notebook.screenshot(results / f"{notebook.name}.png")
    assert notebook.alarms() == []
    assert notebook.errors == []


@every_notebook
def test_every_slider_can_be_moved_and_every_button_pressed(notebook):
    for control in notebook.controls().all():
        control.scroll_into_view_if_needed()
        for handle in control.locator(".noUi-handle").all():
            for key in notebook.slider_keys(handle):
                reacts(notebook, control, lambda: handle.press(key))
        buttons, number = control.locator(".jupyter-button"), 0
        while number < buttons.count():  # some make others appear or go
            if buttons.nth(number).is_enabled():  # one that stops is, once the one before has started something
                reacts(notebook, control, buttons.nth(number).click)
                notebook.page.wait_for_timeout(500)  # Reset also takes away the buttons of the cards
            number += 1
    assert notebook.alarms() == [] and notebook.errors == []


def reacts(notebook, control, action, timeout=60):
    """Do something to the control; wait until a picture or word of it is another, which is to name no exception."""

    def state():
        return control.inner_text(), notebook.look(control)

    before, end = state(), time.monotonic() + timeout
    action()
    while state() == before:
        assert time.monotonic() < end, f"Nothing has changed in {control.inner_text()[:200]!r}"
        time.sleep(0.05)
    assert not EXCEPTION.search(control.inner_text())

"""The controls of every notebook, and the cells that they need: nothing alarming on the
page, and every control reacts.
"""

import re
import time

import pytest
from latencies import Latency
from playwright.sync_api import TimeoutError, expect
from servers import NOTEBOOKS

EXCEPTION = re.compile(
    r"\b[A-Z]\w*(Error|Exception|Warning): "
)  # how a sentence begins that nobody ever wrote
every_notebook = pytest.mark.parametrize(
    "notebook", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")), indirect=True
)

ATTACHED = [
    path.name
    for path in NOTEBOOKS.glob("*.ipynb")
    if '"attachments"' in path.read_text("utf-8")
]


@every_notebook
def test_every_notebook_runs(notebook, latencies, results):
    if notebook.first_picture:
        latencies[f"{notebook.name}: opened to first picture"] = Latency.of(
            [1000 * notebook.first_picture]
        )
    notebook.screenshot(results / f"{notebook.name}.png")
    assert notebook.alarms() == []
    assert notebook.errors == []


@every_notebook
def test_every_slider_can_be_moved_and_every_button_pressed(notebook):
    notebook.command("notebook:expand-all-headings")
    for control in notebook.controls().all():
        control.scroll_into_view_if_needed()
        for folded in control.get_by_text("More settings", exact=True).all():
            folded.click()  # a key on a hidden handle goes to the one before
        for handle in control.locator(".noUi-handle").all():
            ends = [handle.get_attribute(f"aria-value{end}") for end in ("min", "max")]
            if ends[0] == ends[1]:
                continue  # few images leave but one number of them to choose
            for key in notebook.slider_keys(handle):
                reacts(notebook, control, move, handle, key)
        buttons, number = control.locator(".jupyter-button"), 0
        while number < buttons.count():  # some make others appear or go
            reacts(notebook, control, press, buttons.nth(number))
            number += 1
    assert notebook.alarms() == [] and notebook.errors == []


@every_notebook
def test_every_picture_of_a_control_has_a_description(notebook):
    nameless = notebook.controls().evaluate_all(
        """controls => controls.flatMap(control => [...control.querySelectorAll("img, canvas")])
          .filter(part => part.checkVisibility({ visibilityProperty: true }) && part.offsetWidth > 4)
          .filter(part => !part.alt && !part.ariaLabel && part.ariaHidden !== "true")
          .map(part => part.outerHTML.slice(0, 90))"""
    )
    assert nameless == []


@pytest.mark.parametrize("name", sorted(ATTACHED))
def test_pictures_in_the_text_are_seen(open_notebook, name):
    pictures = open_notebook(name).page.locator(".jp-MarkdownOutput img")
    expect(pictures).to_have_attribute("src", re.compile("^data:image/png"))
    assert pictures.first.evaluate("picture => picture.naturalWidth") > 1000
    assert pictures.first.get_attribute("alt")


def move(handle, key):
    """Press a key on the handle of a slider and wait until it stands elsewhere, so that
    the next key does not meet this one on its way to the kernel.
    """
    place = handle.locator("..")  # its style is exact; the value is rounded to print
    before = place.get_attribute("style")
    handle.press(key)
    expect(place).not_to_have_attribute("style", before)


def press(button, trials=5):
    """Press the button and return whether that was possible: one that stops is only
    while something goes on.
    """
    while button.count() and button.is_enabled():
        try:
            button.click(timeout=6000)
            button.page.wait_for_timeout(
                500
            )  # Reset also takes away the buttons of the cards
            return True
        # what was going on may have ended in between, and with it the button's purpose
        except TimeoutError:
            trials -= 1
            assert trials, f"{button.inner_text()!r} is enabled, and cannot be pressed"
    return False


def reacts(notebook, control, action, *arguments, timeout=60):
    """Do something to the control; wait until a picture or word of it is another, which
    is to name no exception.

    Nothing is waited for where the action returns False: it was not possible.
    """

    def state():
        return control.inner_text(), notebook.look(control)

    before, end = state(), time.monotonic() + timeout
    if action(*arguments) is False:
        return
    while state() == before:
        assert time.monotonic() < end, (
            f"Nothing has changed in {control.inner_text()[:200]!r}"
        )
        time.sleep(0.05)
    assert not EXCEPTION.search(control.inner_text())

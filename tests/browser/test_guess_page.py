"""A guess in JupyterLab: chosen and committed by mouse and by keyboard, and kept when
its cell is run again.
"""

import pytest

pytestmark = pytest.mark.full

CELLS = [
    "from vae_lib.course import questions\nfrom vae_lib.course.questions import Question\nfrom vae_lib.widgets.guess import Guess",
    "Guess(questions.UNTRAINED)",
    "Guess(Question('How far is it?', 'It is measured.'), lambda: far)",
    "far = 12.5",
]


@pytest.fixture
def tiny(jupyterlab, open_notebook):
    """The small notebook, run."""
    jupyterlab.write("guess.ipynb", CELLS)
    notebook = open_notebook("guess.ipynb", viewport={"width": 900, "height": 1400})
    notebook.run_all()
    return notebook


def test_guesses_by_mouse_and_by_keyboard(tiny, results):
    choice, number = (tiny.page.locator(".vae-guess").nth(i) for i in range(2))
    commit = choice.get_by_role("button", name="Commit")
    commit.click()
    choice.get_by_text("Choose one of the answers first.").wait_for()
    assert choice.get_by_text("784 · log 2").count() == 0
    choice.get_by_text("near 543 nats, like a coin toss").click()
    commit.click()
    choice.get_by_text("✓ Right.").wait_for()
    assert commit.is_disabled()

    field = number.locator("input")
    field.focus()
    tiny.page.keyboard.type("10")
    tiny.page.keyboard.press("Enter")
    number.get_by_text(
        "✗ Not yet: you guessed 10 nats; it is 12.5 nats. It is measured."
    ).wait_for()
    colours = [
        part.locator("[role=status]").evaluate(
            "e => getComputedStyle(e).borderLeftColor"
        )
        for part in (choice, number)
    ]
    assert len(set(colours)) == 2
    tiny.screenshot(results / "guess.png")
    for element in choice, number:  # nothing is cut off
        assert element.evaluate(
            "e => [...e.querySelectorAll('*')].every(x => x.scrollWidth <= x.clientWidth + 1 "
            "|| getComputedStyle(x).overflowX === 'visible')"
        )
    assert tiny.alarms() == tiny.errors == []


def test_a_guess_survives_that_its_cell_is_run_again(tiny):
    number = tiny.page.locator(".vae-guess").nth(1)
    number.locator("input").focus()
    tiny.page.keyboard.type("13")
    tiny.page.keyboard.press("Enter")
    number.get_by_text("✓ Right").wait_for()
    tiny.command("notebook:run-all-cells", 120)
    tiny.wait_idle()
    number.get_by_text("Right, within a tenth: you guessed 13 nats").wait_for()

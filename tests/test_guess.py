"""A guess: committed before the answer is shown, kept until there is one, readable
without a kernel.
"""

import html
import json
import re
from pathlib import Path

import nbformat
import pytest

from vae_lib.course import questions
from vae_lib.course.questions import COIN_TOSS, Question
from vae_lib.widgets import guess as module
from vae_lib.widgets.guess import Guess

QUESTIONS = {
    name: value
    for name, value in vars(questions).items()
    if isinstance(value, Question)
}
NOTEBOOKS = sorted(
    (Path(__file__).resolve().parents[1] / "notebooks").glob("0[1-46]*.ipynb")
)
CHOICE = Question("Up or down?", "Because.", options=("up", "down"), answer=1)
NUMBER = Question("How many nats?", "Because.")


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(module, "_kept", {})


def said(guess):
    """Return what the widget says, as a reader sees it."""
    return html.unescape(re.sub("<[^>]+>", "", guess.message.value))


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_questions_are_whole(question):
    assert question.text.endswith("?") and question.why.endswith(".")
    if question.options:
        assert 2 <= len(set(question.options)) == len(question.options) <= 5
        assert question.answer in range(len(question.options))


def test_right_and_wrong_choice():
    for chosen, words in (
        ("down", "✓ Right. Because."),
        ("up", "✗ Not yet: you said “up”; the answer is “down”. Because."),
    ):
        module._kept.clear()
        guess = Guess(CHOICE)
        assert guess.field.index is None and "Because" not in guess.message.value
        guess.field.value = chosen
        guess.button.click()
        assert said(guess) == words
        colour = "vae-right" if chosen == "down" else "vae-wrong"
        assert colour in guess.message.value
        assert (
            guess.field.disabled
            and guess.button.disabled
            and guess.committed == ("up", "down").index(chosen)
        )


def test_nothing_chosen_is_said_and_can_be_made_up_for():
    guess = Guess(CHOICE)
    guess.button.click()
    assert (
        said(guess) == "Choose one of the answers first."
        and "vae-error" in guess.message.value
    )
    assert guess.committed is None and not guess.field.disabled
    guess.field.value = "down"
    guess.button.click()
    assert said(guess).startswith("✓ Right.")


@pytest.mark.parametrize("typed", ["", "many", "nan", "inf", "1e999", "<b>"])
def test_what_is_no_number_is_refused(typed):
    guess = Guess(COIN_TOSS)
    guess.field.value = typed
    guess.button.click()
    assert said(guess) == f"{typed!r} is not a number: type one, for example 100."
    assert guess.committed is None


def test_number_with_a_known_answer():
    guess = Guess(COIN_TOSS)
    guess.field.value = "−1,5"
    guess.button.click()
    assert (
        said(guess)
        == f"✗ Not yet: you guessed −1.5 nats; it is 543.4 nats. {COIN_TOSS.why}"
    )


def test_number_that_is_measured_further_down():
    names = {"Guess": Guess, "NUMBER": NUMBER}
    exec("guess = Guess(NUMBER, lambda: measured)", names)
    guess = names["guess"]
    guess.field.value = "100"
    guess.button.click()
    assert said(guess) == "Kept: 100 nats. Run the cells below, then press Compare."
    assert (
        guess.committed == 100
        and guess.field.disabled
        and guess.button.description == "Compare"
    )
    names["measured"] = 142.34
    guess.button.click()
    assert (
        said(guess) == "✗ Not yet: you guessed 100 nats; it is 142.3 nats. Because."
        and guess.button.disabled
    )


@pytest.mark.parametrize("typed, right", [("500", True), ("597", True), ("480", False)])
def test_a_number_within_a_tenth_is_right(typed, right):
    guess = Guess(COIN_TOSS)
    guess.field.value = typed
    guess.button.click()
    assert said(guess).startswith("✓ Right" if right else "✗ Not yet")


def test_a_cell_that_is_run_again_keeps_the_guess():
    for question, value in ((CHOICE, "up"), (COIN_TOSS, "550")):
        first = Guess(question)
        first.field.value = value
        first.button.click()
        again = Guess(question)
        assert again.committed == first.committed and again.field.value == value
        assert said(again) == said(first) and again.field.disabled
    names = {"Guess": Guess, "NUMBER": NUMBER}
    exec("guess = Guess(NUMBER, lambda: measured)", names)
    names["guess"].field.value = "100"
    names["guess"].button.click()
    names["measured"] = 142.34
    exec("guess = Guess(NUMBER, lambda: measured)", names)
    assert "you guessed 100 nats; it is 142.3 nats" in said(names["guess"])


def test_an_answer_that_fails_is_said_and_the_guess_kept():
    guess = Guess(NUMBER, lambda: 1 / 0)
    guess.field.value = "3"
    guess.button.click()
    assert said(guess).startswith("ZeroDivisionError") and guess.committed == 3


def test_a_question_without_an_answer_is_refused():
    with pytest.raises(ValueError, match="has no answer: pass a function"):
        Guess(NUMBER)


def test_without_a_kernel_it_is_text_and_the_answer_opens_on_demand():
    data, _ = Guess(CHOICE)._repr_mimebundle_()
    assert data["text/plain"] == "Your guess. Up or down?\n(a) up\n(b) down"
    assert (
        "<details><summary>The answer</summary>“down”. Because.</details>"
        in data["text/html"]
    )
    assert "543.4 nats" in Guess(COIN_TOSS)._repr_mimebundle_()[0]["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data
    json.dumps(data)


def test_a_question_is_shown_as_text_not_as_markup():
    guess = Guess(Question("Is 1 < 2 <i>?", "Yes.", options=("<b>yes", "no"), answer=0))
    assert "<i>" not in guess.children[1].value
    assert "<b>yes" not in guess._repr_mimebundle_()[0]["text/html"]
    guess.field.value = "no"
    guess.button.click()
    assert "<b>yes" not in guess.message.value


# In the notebooks.


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_question_stands_once_in_its_notebook_below_a_call_to_predict(path):
    parts = re.split(
        r"^# Notebook (\d\d)$",
        Path(questions.__file__).read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    expected = re.findall(
        r"^([A-Z_0-9]+) = Question\(",
        parts[parts.index(path.name[:2]) + 1],
        re.MULTILINE,
    )
    cells = nbformat.read(path, as_version=4).cells
    places = [
        i
        for i, cell in enumerate(cells)
        if cell.cell_type == "code" and "Guess(" in cell.source
    ]
    assert sorted(
        re.search(r"^Guess\((?:questions\.)?(\w+)[,)]", cells[i].source, re.M)[1]
        for i in places
    ) == sorted(expected)
    assert all("> **Predict.** " in cells[i - 1].source for i in places)

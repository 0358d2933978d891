"""Predict, run, explain: a guess is committed before its answer is shown. All
notebooks.
"""

import html
import math

import ipywidgets

from vae_lib.widgets.shared.background import guarded
from vae_lib.widgets.shared.control import Control, row, say

CLOSE = 0.1  # a number counts as right within a tenth of the answer
_kept = {}  # question -> the guess, for cells that are run again


class Guess(Control):
    """A question of `vae_lib.course.questions`, the reader's guess, and, once that is
    committed, the answer.

    `answer` is a function without arguments for a number that the notebook measures
    further down, for example `lambda: test.distortion`; until its cell has run, the
    guess is kept and compared on demand. The button commits, and so does Enter. The
    guess is kept only in the notebook's kernel, where it survives a second run of the
    cell. `field` and `button` are widgets, `committed` is the guess or None. Raises
    ValueError for a question without an answer.
    """

    def __init__(self, question, answer=None):
        if question.answer is None and answer is None:
            raise ValueError(
                f"The question {question.text!r} has no answer: pass a function that "
                "returns it."
            )
        self.question, self.committed = question, None
        self.answer = answer or (lambda: question.answer)
        self.description = in_text(question)
        if question.options:
            self.field = ipywidgets.RadioButtons(
                options=question.options, value=None, layout={"width": "auto"}
            )
        else:
            self.field = ipywidgets.Text(
                placeholder=f"a number, in {question.unit}",
                layout={"width": "230px"},
                continuous_update=False,  # else Commit may overtake the last key
            )
        self.button = ipywidgets.Button(
            description="Commit", tooltip="Keep this guess and see the answer"
        )
        self.message = ipywidgets.HTML()
        self.press = guarded(
            self.commit, lambda sentence: say(self.message, sentence, "error")
        )
        self.button.on_click(self.press)
        text = ipywidgets.HTML(f"<b>Your guess.</b> {html.escape(question.text)}")
        super().__init__(text, self.field, row(self.button, self.message))
        self.add_class("vae-guess")
        if question in _kept:
            self._enter(_kept[question])
            self.press()

    def commit(self):
        """Keep what is chosen or typed, and show the answer as soon as there is one.

        Raises ValueError where nothing is chosen or no number typed.
        """
        if self.committed is None:
            self.committed = _kept[self.question] = self._guess()
            self.field.disabled = True
        try:
            answer = float(self.answer())
        except NameError:  # its cell is further down
            self.button.description = "Compare"
            kept = self._words(self.committed)
            say(
                self.message,
                f"Kept: {kept}. Run the cells below, then press Compare.",
            )
            return
        self.button.disabled = True
        right = self._right(answer)
        words = f"{self._compared(answer, right)} {self.question.why}"
        say(self.message, words, "right" if right else "wrong")

    def _enter(self, guess):
        """Put an earlier guess into the field."""
        if self.question.options:
            self.field.index = guess
        else:
            self.field.value = f"{guess:g}"

    def _guess(self):
        if self.question.options:
            if self.field.index is None:
                raise ValueError("Choose one of the answers first.")
            return self.field.index
        try:
            guess = float(self.field.value.replace(",", ".").replace("−", "-"))
        except ValueError:
            guess = math.nan
        if not math.isfinite(guess):
            raise ValueError(
                f"{self.field.value!r} is not a number: type one, for example 100."
            )
        return guess

    def _words(self, value):
        if self.question.options:
            return f"“{self.question.options[int(value)]}”"
        return f"{value:,.4g} {self.question.unit}".replace("-", "−")

    def _right(self, answer):
        if self.question.options:
            return self.committed == answer
        return abs(self.committed - answer) <= CLOSE * abs(answer)

    def _compared(self, answer, right):
        guess, truth = self._words(self.committed), self._words(answer)
        if self.question.options:
            return (
                "✓ Right."
                if right
                else f"✗ Not yet: you said {guess}; the answer is {truth}."
            )
        verdict = "✓ Right, within a tenth" if right else "✗ Not yet"
        return f"{verdict}: you guessed {guess}; it is {truth}."

    def _still(self):
        return {"text/plain": self.description, "text/html": in_html(self.question)}, {}


def in_text(question):
    """Return a question as text, for where no kernel runs."""
    options = [
        f"({letter}) {option}"
        for letter, option in zip("abcdef", question.options, strict=False)
    ]
    return "\n".join([f"Your guess. {question.text}", *options])


def in_html(question):
    """Return a question as HTML whose answer opens on demand, without a kernel."""
    options = "".join(f"<li>{html.escape(option)}</li>" for option in question.options)
    answer = ""
    if question.options:
        answer = f"“{html.escape(question.options[question.answer])}”. "
    elif question.answer is not None:
        answer = f"{question.answer:,.4g} {html.escape(question.unit)}. "
    return (
        f"<p><b>Your guess.</b> {html.escape(question.text)}</p>"
        + f'<ol type="a">{options}</ol>' * bool(options)
        + (
            "<details><summary>The "
            f"answer</summary>{answer}{html.escape(question.why)}</details>"
        )
    )

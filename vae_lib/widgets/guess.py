"""Predict, run, explain: a guess is committed before its answer is shown. All notebooks."""

import html
import math

import ipywidgets

from vae_lib.widgets.background import guarded
from vae_lib.widgets.style import Control, row, say


class Guess(Control):
    """A question of `vae_lib.course.questions`, the reader's guess, and, once that is committed, the answer.

    `answer` is a function without arguments for a number that the notebook measures further down, for example
    `lambda: test.distortion`; until its cell has run, the guess is kept and compared on demand. The guess lives
    in the notebook's kernel alone. `field` and `button` are widgets, `committed` is the guess or None. Raises
    ValueError for a question without an answer.
    """

    def __init__(self, question, answer=None):
        if question.answer is None and answer is None:
            raise ValueError(
                f"The question {question.text!r} has no answer: pass a function that returns it."
            )
        self.question, self.committed = question, None
        self.answer = answer or (lambda: question.answer)
        self.description = in_text(question)
        wide = {"width": "auto"}
        if question.options:
            self.field = ipywidgets.RadioButtons(
                options=question.options, value=None, layout=wide
            )
        else:
            self.field = ipywidgets.Text(
                placeholder=f"a number, in {question.unit}",
                layout={"width": "230px"},
                continuous_update=False,
            )  # else Commit may overtake the last key
        self.button = ipywidgets.Button(
            description="Commit", tooltip="Keep this guess and see the answer"
        )
        self.message = ipywidgets.HTML()
        report = lambda sentence: say(self.message, sentence, error=True)  # noqa: E731
        self.button.on_click(guarded(self.commit, report))
        text = ipywidgets.HTML(f"<b>Your guess.</b> {html.escape(question.text)}")
        super().__init__(text, self.field, row(self.button, self.message))
        self.add_class("vae-guess")

    def commit(self):
        """Keep what is chosen or typed, and show the answer as soon as there is one.

        Raises ValueError where nothing is chosen or no number typed.
        """
        if self.committed is None:
            self.committed = self._guess()
            self.field.disabled = True
        try:
            answer = float(self.answer())
        except NameError:  # its cell is further down
            self.button.description = "Compare"
            say(
                self.message,
                f"Kept: {self._words(self.committed)}. Run the cells below, then press Compare.",
            )
            return
        self.button.disabled = True
        say(self.message, f"{self._compared(answer)} {self.question.why}")

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

    def _compared(self, answer):
        guess, right = self._words(self.committed), self._words(answer)
        if self.question.options:
            return (
                "As you said."
                if self.committed == answer
                else f"You said {guess}; the answer is {right}."
            )
        return f"You guessed {guess}; it is {right}."

    def _still(self):
        return {"text/plain": self.description, "text/html": in_html(self.question)}, {}


def in_text(question):
    """Return a question as text, for where no kernel runs."""
    options = [
        f"({letter}) {option}" for letter, option in zip("abcdef", question.options)
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
        + f"<details><summary>The answer</summary>{answer}{html.escape(question.why)}</details>"
    )

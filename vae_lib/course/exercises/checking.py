"""Exercises, and what is said about an attempt: right, the mistake, or how far off."""

import ast
import copy
import html
import inspect
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

UNTOUCHED = "Not tried yet: replace the ... above, then run the cell again."
# Colour is never the only sign: the word says it, too.
COLOURS = {"Right": "#2e7d32", "Not yet": "#b3122b", "Open": "#616161"}


class Verdict(NamedTuple):
    """What is said about an attempt; true when it is right.

    `state` is "Right", "Not yet" or "Open".
    """

    state: str
    sentence: str

    def __bool__(self):
        return self.state == "Right"

    def __repr__(self):
        return f"{self.state}. {self.sentence}"

    def _repr_html_(self):
        style = f"border-left: 4px solid {COLOURS[self.state]}; "
        style += "padding: 2px 10px; max-width: 46em"
        text = f"<b>{self.state}.</b> {html.escape(self.sentence)}"
        return f'<div role="status" style="{style}">{text}</div>'


@dataclass(frozen=True)
class Exercise:
    """An exercise: called with an attempt, it returns a `Verdict`.

    `solution` is a function, a number or the letter of a choice, and so are the values
    of `mistakes`, whose keys say what went wrong. Functions are called with each of
    `cases`, tuples of arguments named `names`; `read` turns what they return into the
    array that is compared, within `tolerance` (relative, and absolute for entries below
    1). `judge`, if there is one, goes first: it returns a sentence about a wrong
    result, or None.
    """

    right: str
    solution: Any
    mistakes: Mapping[str, Any]
    cases: Sequence[tuple] = ()
    names: str = ""
    tolerance: float = 1e-3
    read: Callable = field(default=lambda result: np.asarray(result, "float64"))
    judge: Callable = field(default=lambda result, arguments: None)

    def __call__(self, attempt):
        """Return the `Verdict` on `attempt`; what it raises becomes part of it."""
        if is_untouched(attempt):
            return Verdict("Open", UNTOUCHED)
        if callable(self.solution):
            sentence = self._about_function(attempt)
        elif isinstance(self.solution, str):
            sentence = self._about_choice(attempt)
        else:
            sentence = self._about_number(attempt)
        return (
            Verdict("Not yet", sentence) if sentence else Verdict("Right", self.right)
        )

    def _about_choice(self, attempt):
        letters = sorted({self.solution, *self.mistakes.values()})
        letter = (
            attempt.strip().strip("()").lower() if isinstance(attempt, str) else attempt
        )
        if letter not in letters:
            return (
                f"The answer {attempt!r} is not one of the letters "
                f"{', '.join(letters)}: give one of them."
            )
        return next(
            (sentence for sentence, wrong in self.mistakes.items() if wrong == letter),
            None,
        )

    def _about_number(self, attempt):
        try:
            value = float(attempt)
        except (TypeError, ValueError):
            return f"The answer {attempt!r} is not a number: give one, for example 1.5."
        if self._close(value, self.solution):
            return None
        for sentence, wrong in self.mistakes.items():
            if self._close(value, wrong):
                return sentence
        return (
            f"{value:g} is too {'large' if value > self.solution else 'small'}."
            if value == value
            else "That is NaN."
        )

    def _about_function(self, attempt):
        if not callable(attempt):
            return (
                f"The answer is {type(attempt).__name__}, not a function: pass the "
                "function itself, without brackets."
            )
        results = [_result(attempt, case) for case in self.cases]
        pairs = list(zip(results, self.cases, strict=True))
        faults = [self._fault(result, case) for result, case in pairs]
        if not any(faults):
            return None
        if all(
            isinstance(result, np.ndarray | float | tuple | list) or np.isscalar(result)
            for result in results
        ):
            for sentence, wrong in self.mistakes.items():
                if all(
                    self._same(found, _result(wrong, case)) for found, case in pairs
                ):
                    return sentence
        return next(filter(None, faults))

    def _fault(self, result, case):
        """Return what is wrong with the result of one case, as a sentence, or None."""
        if isinstance(result, Exception):
            reason = " ".join(str(result).split())[:200]
            return f"The function raises {type(result).__name__}: {reason}"
        if result is None:
            return "The function returns nothing: does its last line begin with return?"
        if sentence := self.judge(result, case):
            return sentence
        expected = _result(self.solution, case)
        if self._same(result, expected):
            return None
        return _difference(
            self._read(result), self.read(expected), describe(self.names, case)
        )

    def _read(self, result):
        try:
            return self.read(result)
        except Exception:
            return None

    def _same(self, result, expected):
        found, wanted = self._read(result), self._read(expected)
        return (
            found is not None
            and wanted is not None
            and found.shape == wanted.shape
            and self._close(found, wanted)
        )

    def _close(self, found, wanted):
        return bool(
            np.allclose(
                found, wanted, rtol=self.tolerance, atol=self.tolerance, equal_nan=True
            )
        )


def is_untouched(attempt: Any) -> bool:
    """Whether `attempt` is a stub's `...`, or a function whose body is nothing else."""
    if attempt is ...:
        return True
    if not inspect.isfunction(attempt):
        return False
    try:
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(attempt))).body
        if not isinstance(function, ast.FunctionDef):
            return False  # a lambda
        return all(
            isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
            for line in function.body
        )
    except (OSError, SyntaxError, TypeError, ValueError):
        return False


def describe(names: str, case: tuple) -> str:
    """Return the arguments of a case in words, arrays by their shape."""
    parts = []
    for name, value in zip(names.split(), case, strict=True):
        shape = np.shape(value) if not callable(value) else None
        parts.append(
            f"{name} of shape {shape}"
            if shape
            else name
            if callable(value)
            else f"{name} = {value:g}"
        )
    return ", ".join(parts)


def _result(function, case):
    """Return what the function returns for one case, or the exception it raises."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = function(*map(copy.copy, case))
    except Exception as error:
        return error
    return np.asarray(result) if hasattr(result, "numpy") else result


def _difference(found, wanted, where):
    """Say how an array differs from the expected one."""
    if found is None:
        return (
            "The function's result cannot be read as numbers: return an array of shape "
            f"{wanted.shape}."
        )
    if found.shape != wanted.shape:
        return (
            f"For {where} the result has the shape {found.shape}, but should have "
            f"{wanted.shape}."
        )
    wrong = ~np.isclose(found, wanted, rtol=1e-3, atol=1e-3)
    place = np.unravel_index(int(np.argmax(wrong)), found.shape)
    entry = f" in entry {tuple(map(int, place))}" if place else ""
    return (
        f"For {where} the result{entry} is {found[place]:.5g}, but should be "
        f"{wanted[place]:.5g}."
    )

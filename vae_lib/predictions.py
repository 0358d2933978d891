"""Questions to answer before the next cells run: what the guess is about, and why the answer is what it is."""

from typing import NamedTuple


class Question(NamedTuple):
    """A question with a choice of `options`, of which `answer` counts the right one from 0, or for a number.

    For a number `options` are empty, `answer` is that number or None, where a notebook measures it, and `unit`
    is its unit. `why` explains the answer; it is shown after the guess alone.
    """

    text: str
    why: str
    options: tuple = ()
    answer: float | None = None
    unit: str = "nats"


# Notebook 01

COIN_TOSS = Question(
    "What does a digit cost when the decoder answers ½ for each of its 784 pixels?",
    "Each pixel costs log 2 = 0.693 nats, whatever it is, and there are 784 of them.",
    answer=543.43,
)
DEARER = Question(
    "Which is dearer: a code that moves away from 0 by two, or one that is five times as sure as the prior?",
    "Moving by 2 costs ½ · 2² = 2 nats. A deviation of 0.2 saves almost ½ nat on σ² and pays log 5 = 1.61 for "
    "being sure: 1.13 nats.",
    options=("moving away by two", "being five times as sure", "they cost the same"),
    answer=0,
)
UNTRAINED = Question(
    "At which distortion does an untrained network start?",
    "Its logits are small, so it answers about ½ for every pixel: 784 · log 2 = 543 nats, and a little more, "
    "because its random leanings are wrong as often as right.",
    options=("near 0: it has made no mistake yet", "near 206 nats, as the mean image", "near 543 nats, as a coin toss"),
    answer=2,
)
CLOSES = Question(
    "Will the gap close for every digit, if only K is large enough?",
    "In the limit yes, and the limit may be out of reach: where the encoder looks at the wrong place, no draw of a "
    "thousand, or of a million, falls where the right code is.",
    options=("yes, with K = 1,000 at the latest", "for most, but not for all that we can afford", "for none"),
    answer=1,
)

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
    options=(
        "near 0: it has made no mistake yet",
        "near 206 nats, as the mean image",
        "near 543 nats, as a coin toss",
    ),
    answer=2,
)
CLOSES = Question(
    "Will the gap close for every digit, if only K is large enough?",
    "In the limit yes, and the limit may be out of reach: where the encoder looks at the wrong place, no draw of a "
    "thousand, or of a million, falls where the right code is.",
    options=(
        "yes, with K = 1,000 at the latest",
        "for most, but not for all that we can afford",
        "for none",
    ),
    answer=1,
)

# Notebook 02

OPENS = Question(
    "Which of the three draws lets a gradient through to μ and σ?",
    "A number drawn by NumPy has no history. TensorFlow's own generator computes mean + deviation · ε inside: it was "
    "reparametrized all along.",
    options=(
        "all three",
        "μ + σ · ε alone",
        "μ + σ · ε, and the draw by tf.random",
        "none",
    ),
    answer=2,
)
MORE_DRAWS = Question(
    "How many times more draws does the score function need than the pathwise gradient, for the same precision?",
    "The number of draws goes with the variance. The score function knows that a draw was bad, not in which direction "
    "the good ones lie.",
    unit="times",
)
CATCHES_UP = Question(
    "After 15 epochs, will the direct map have caught up with the softplus?",
    "It stays behind on held-out digits; which of the suspects is to blame, the table of the arms says.",
    options=(
        "yes, both end within a nat",
        "no, it ends clearly worse",
        "it ends better",
    ),
    answer=1,
)

# Notebook 03

BEST_SAMPLES = Question(
    "At which β are new digits, decoded from draws of the prior, best?",
    "At 0 nothing keeps the codes near the prior, and random draws fall between them; at 200 every digit is the "
    "mean image.",
    options=("β = 0", "β = 12", "β = 200"),
    answer=1,
)
SILENT = Question(
    "With ten units and a rising β, does each unit carry a little less, or does one after the other go silent?",
    "As in reverse water-filling: a unit is worth its rate or it is not, and the weakest goes first.",
    options=(
        "each carries a little less",
        "one after the other goes silent",
        "all go silent at once",
    ),
    answer=1,
)
ONE_NETWORK = Question(
    "By how many percent is one network for every β worse than dedicated ones, at its worst, in D + βR?",
    "A few numbers for each hidden unit are enough to move between the prices.",
    unit="percent",
)

# Notebook 04

GRIDS = Question(
    "In which of the two grids will more of the pictures stand for no test digit?",
    "Equal steps put many codes far out, where the prior, and with it the digits, "
    "are rare.",
    options=("equal shares of the prior", "equal steps", "no difference"),
    answer=1,
)
MIDDLE = Question(
    "How long is the middle of two random codes, as a share of the length at the ends?",
    "Two random vectors of many dimensions are nearly at right angles, and the middle "
    "of two sides of a square has 1/√2 of a side.",
    answer=0.707,
    unit="of the length",
)
STRETCHED = Question(
    "Where is the magnification high?",
    "Codes crowd near the origin, because the prior wants them there, and where many "
    "pictures share little room, a small step has to pass many of them. A border adds "
    "little to that: at one distance from the origin, the inside of a class is "
    "stretched nearly as much.",
    options=(
        "near the origin, whatever is drawn there",
        "at the borders between classes, wherever they run",
        "far outside, where codes are rare",
    ),
    answer=0,
)

"""Questions to answer before the next cells run: what the guess is about, and why the
answer is what it is.
"""

from typing import NamedTuple


class Question(NamedTuple):
    """A question with `options` to choose from, or one that asks for a number. `answer`
    is the index of the right option, from 0.

    For a number, `options` is empty, `answer` is that number, or None where a notebook
    measures it, and `unit` is its unit. `why` explains the answer; it is shown only
    after the guess.
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
    "Which is more expensive: a cloud that lies 2 away from 0, or one that is a fifth "
    "as wide as the prior?",
    "Moving by 2 costs ½ · 2² = 2 nats. A deviation of 0.2 costs log 5 = 1.61 nats "
    "for being narrow and saves almost ½ nat on σ²: 1.13 nats in total.",
    options=("moving away by 2", "being a fifth as wide", "they cost the same"),
    answer=0,
)
UNTRAINED = Question(
    "What distortion does an untrained network start with?",
    "Its logits are small, so it answers about ½ for every pixel: 784 · log 2 = 543 "
    "nats. It starts a little above that, because its random errors cost more than "
    "its lucky hits save.",
    options=(
        "near 0: it has made no mistake yet",
        "near 206 nats, like the mean image",
        "near 543 nats, like a coin toss",
    ),
    answer=2,
)
CLOSES = Question(
    "Will the gap close for every digit if you take K = 1,000 codes?",
    "For most digits it does. But where the encoder looks at the wrong place, not one "
    "of a thousand draws falls where the right code is.",
    options=("yes, for every digit", "for most digits, but not for all", "for none"),
    answer=1,
)

# Notebook 02

OPENS = Question(
    "Which of the three draws lets a gradient through to μ and σ?",
    "A number drawn by NumPy has no history. TensorFlow's own generator computes mean "
    "+ deviation · ε inside, so it is reparametrized, too.",
    options=(
        "all three",
        "μ + σ · ε only",
        "μ + σ · ε, and the draw by tf.random",
        "none",
    ),
    answer=2,
)
MORE_DRAWS = Question(
    "For the same precision, how many times as many draws does the score function "
    "without a baseline need as the pathwise gradient?",
    "Some 13,000 times as many in our run: the number of draws grows with the "
    "variance, and the large part of D that is the same for every draw averages to 0 "
    "but scatters widely. A baseline, below, removes that part.",
    unit="times",
)
AT_1E_3 = Question(
    "At the original's learning rate of 0.001, with both maps starting at σ = 1: will "
    "the direct map spike in more runs than the softplus?",
    "The wall at ρ = 0 is still there, but it takes training a while to push σ "
    "towards it. The table says how often that happens within 200 steps.",
    options=(
        "in all of its runs",
        "in some of its runs, the softplus in none",
        "no difference: neither spikes",
    ),
    answer=1,
)
CATCHES_UP = Question(
    "After 15 epochs, will the direct map have caught up with the softplus?",
    "It stays behind on test digits. The controls below say why.",
    options=(
        "yes, both end within a nat",
        "no, it ends clearly worse",
        "it ends better",
    ),
    answer=1,
)

# Notebook 03

BEST_SAMPLES = Question(
    "At which β will new digits, decoded from random codes, look best?",
    "At 0 nothing keeps the codes near the prior, and random codes fall where no "
    "image ever was. At 200 every digit is the average digit.",
    options=("β = 0", "β = 12", "β = 200"),
    answer=1,
)
FLATTERED = Question(
    "The rate is almost 0. What will a t-SNE picture of the means μ show?",
    "t-SNE knows who is whose neighbour and nothing about scale. The codes differ by "
    "less than the noise, but they still differ, and in an orderly way.",
    options=(
        "one dot: all codes are the same",
        "a cloud in which the ten digits are mixed",
        "clusters by digit, as in a working network",
    ),
    answer=2,
)
SUM_OR_MEAN = Question(
    "Two networks, both with β = 12. The first sums over pixels, the second averages. "
    "What will the second one draw?",
    "Averaging multiplies β by 784. At 9,408 nats of picture for a nat of code, it is "
    "cheapest to say nothing and to draw the average of all digits.",
    options=(
        "the same digits: a constant factor changes nothing",
        "sharper digits than the first",
        "one and the same grey blot, whatever it is shown",
    ),
    answer=2,
)
ON_THE_SPOT = Question(
    "Will real networks fall silent below the predicted β, at it, or above it?",
    "Beyond the prediction, silence is stable. Below it speaking does pay, but only "
    "a little, and ten epochs from a cold start may not find that gain.",
    options=("below it", "exactly at it", "above it"),
    answer=0,
)
COVERAGE = Question(
    "A larger β brings the codes closer to the prior. Will more of the real digits "
    "then have a new digit that looks like them?",
    "With two units, no: the codes come closer to the prior, but the pictures lose "
    "variety. With ten units it helped up to β = 4, in each of three seeds, and hurt "
    "beyond.",
    options=("yes, always", "it depends on the number of units", "no, never"),
    answer=1,
)
SILENT = Question(
    "Ten units and a rising β: how do the units fall silent?",
    "As in reverse water-filling: a unit is worth its rate or it is not, and the "
    "weakest goes first. Those that go on say less, too.",
    options=(
        "all say less and less, and stop together",
        "one after the other",
        "all at once, from one β to the next",
    ),
    answer=1,
)
ONE_NETWORK = Question(
    "By how many percent is one network for every β worse than dedicated ones, at its "
    "worst, in D + βR?",
    "3.4 % in the stored runs, with ten units at β = 12. A few numbers for each hidden "
    "unit are enough to move between the prices.",
    unit="percent",
)

# Notebook 04

GRIDS = Question(
    "On which board will more of the pictures be clear digits?",
    "Equal steps put many codes far out, where the decoder repeats the digits of the "
    "rim. That does not make it a picture of what the model draws: count the classes.",
    options=("equal shares of the prior", "equal steps", "no difference"),
    answer=1,
)
MIDDLE = Question(
    "How long is the midpoint of two random codes, as a share of the length of the "
    "codes themselves?",
    "Two random codes of many dimensions are nearly at right angles, like two sides of "
    "a square. The midpoint between their tips is the centre of that square, 1/√2 of a "
    "side away from the corner.",
    answer=0.707,
    unit="of the length",
)
STRETCHED = Question(
    "Where is the magnification high?",
    "The prior wants most codes near the origin, so the decoder has to fit most "
    "pictures there, and a small step has to pass many of them: from the rim to the "
    "middle the magnification grows more than twentyfold. Borders matter far less: at "
    "one distance from the origin they change it by about a third at most, in this "
    "model.",
    options=(
        "near the origin, whatever is drawn there",
        "at the borders between classes, wherever they run",
        "far outside, where codes are rare",
    ),
    answer=0,
)

# Notebook 06

FAULT = Question(
    "Where do most of the nats between log p(x) and the ELBO come from?",
    "The best axis-parallel Gaussian, found for each digit by itself, closes nearly "
    "the whole gap: for this decoder the family is good enough, and the encoder misses "
    "its best member.",
    options=(
        "one Gaussian cannot cover two islands",
        "a diagonal covariance cannot be slanted",
        "the encoder does not find the best Gaussian",
    ),
    answer=2,
)
REAL_BITS = Question(
    "The 1,000 digits that we shall store have −ELBO = 107 nats on average. How many "
    "bits will one of them take in a file?",
    "107 / ln 2 = 154: one nat is 1.44 bits. The coder below reaches that within "
    "about one percent, once the bits of the code are paid back.",
    answer=154,
    unit="bits",
)
NEW_PRIOR = Question(
    "You replace N(0, I) by a mixture that is fitted to the codes. What can change?",
    "Encoder and decoder stay as they are, and so do reconstructions and distortion. "
    "The prior enters the rate, and the codes that samples begin with.",
    options=(
        "the reconstructions",
        "the rate and the samples",
        "both of these",
    ),
    answer=1,
)
TIGHTER = Question(
    "The bound gets tighter with K. What becomes of signal / noise of the plain "
    "(reparametrized) gradient of the encoder, as K goes to infinity?",
    "In the limit the bound is log p(x), whatever q is. Signal and noise both vanish, "
    "the signal faster. From which K on differs from model to model.",
    options=("it grows without end", "it reaches a plateau", "it goes to zero"),
    answer=2,
)
LIKELIER = Question(
    "Which of these has a lower −ELBO than most test digits, under a model that was "
    "trained on digits alone?",
    "A short stroke has little ink and short edges, and both are cheap. Blank paper "
    "has neither, and still it costs more than most digits: read on to find out why.",
    options=("blank paper", "a single stroke", "a capital letter", "none of them"),
    answer=1,
)

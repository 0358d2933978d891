"""The exercises of notebook 05: pixels, products, labels, and a deaf encoder."""

import numpy as np

from vae_lib.course.exercises.checking import Exercise

RNG = np.random.default_rng(5)


def scaled(counts, most):
    """Return counts from 0 to `most` as grey levels from 0 to 255, uint8."""
    return np.round(counts * (255 / most)).astype("uint8")


def _grey(result):
    """Return as numbers the grey levels of an array that has to be `uint8`."""
    array = np.asarray(result)
    if array.dtype != np.uint8:
        raise TypeError("not uint8")
    return array.astype("float64")


def _dtype(result, arguments):
    """Say so where the pixels have another type than `uint8`."""
    found = getattr(result, "dtype", type(result).__name__)
    if not isinstance(result, np.ndarray) or result.dtype != np.uint8:
        return (
            f"The result is {found}, but should be an array of uint8: end with "
            ".astype('uint8')."
        )
    return None


pixels = Exercise(
    right="0 stays 0, the most ink becomes 255, and everything between is rounded: "
    "such a file is read as it should be.",
    names="counts most",
    solution=scaled,
    cases=[
        (RNG.integers(0, 17, (3, 8, 8)), 16),
        (RNG.integers(0, 61, (2, 5, 4)), 101),  # no grey level half-way between two
        (np.array([[[0, 1], [0, 1]]]), 1),
    ],
    read=_grey,
    judge=_dtype,
    tolerance=1e-6,
    mistakes={
        "You have cut off the decimals: astype rounds down, so call .round() "
        "first.": lambda c, m: (c * (255 / m)).astype("uint8"),
        "You have divided by 255: that leaves 0 in almost every pixel. Multiply by "
        "255 / most.": lambda c, m: np.round(c / 255).astype("uint8"),
        "The numbers are unchanged: with at most 16 of 255 levels of ink, every image "
        "is nearly blank.": lambda c, m: c.astype("uint8"),
        "You have scaled to 1, not to 255: as uint8 only 0 and 1 are "
        "left.": lambda c, m: np.round(c / m).astype("uint8"),
        "Ink and paper are swapped: in these notebooks 0 is paper and 255 is "
        "ink.": lambda c, m: 255 - scaled(c, m),
        "That multiplies by 256 / most: the most ink becomes 256, which uint8 wraps "
        "round to 0.": lambda c, m: (
            np.round(c * (256 / m)).astype("uint16").astype("uint8")
        ),
        "You have scaled by the largest number of this array: use most, or a file of "
        "pale images comes out dark.": lambda c, m: scaled(c, c.max()),
    },
)


def places(rows, columns, stride):
    """Return at how many places a convolution with padding "same" has results."""
    return -(-rows // stride) * -(-columns // stride)


def products(rows, columns, kernel, channels_in, channels_out, stride):
    """Return how many products a convolution takes for one image, padding "same"."""
    return places(rows, columns, stride) * kernel**2 * channels_in * channels_out


convolution = Exercise(
    right="Few weights, but each of them is used at every place of the result: that "
    "is where the time goes.",
    names="rows columns kernel channels_in channels_out stride",
    solution=products,
    cases=[
        (28, 28, 4, 1, 16, 2),
        (14, 14, 4, 16, 32, 2),
        (20, 30, 3, 8, 5, 1),
        (15, 9, 3, 2, 4, 2),
    ],
    mistakes={
        "Those are the weights: each of them is used once for every place of the "
        "result.": lambda r, c, k, i, o, s: k**2 * i * o,
        "The stride is missing: with 2, half as many rows and half as many columns "
        "come out.": lambda r, c, k, i, o, s: r * c * k**2 * i * o,
        "The stride counts along both axes: divide rows and columns by "
        "it.": lambda r, c, k, i, o, s: r * c * k**2 * i * o / s,
        "Half of an odd number of rows or columns is rounded up: of 15 rows, a stride "
        "of 2 leaves 8.": lambda r, c, k, i, o, s: (r // s) * (c // s) * k**2 * i * o,
        "Rows and columns are whole numbers: half of an odd number is rounded "
        "up.": lambda r, c, k, i, o, s: r * c * k**2 * i * o / s**2,
        "The kernel is a square: kernel² weights for each pair of "
        "channels.": lambda r, c, k, i, o, s: places(r, c, s) * k * i * o,
        "The input channels are missing: each of them has weights of its "
        "own.": lambda r, c, k, i, o, s: places(r, c, s) * k**2 * o,
        "The output channels are missing: each of them is computed "
        "anew.": lambda r, c, k, i, o, s: places(r, c, s) * k**2 * i,
        "Channels multiply: every one that goes out reads every one that comes "
        "in.": lambda r, c, k, i, o, s: places(r, c, s) * k**2 * (i + o),
    },
)


def with_row(images, labels):
    """Return images with a row added below, in which the label's pixel is 255."""
    row = np.zeros_like(images[:, :1])
    row[np.arange(len(row)), 0, labels] = 255
    return np.concatenate([images, row], axis=1)


def _row(images, labels, value=255, shift=0, dtype="uint8"):
    row = np.zeros_like(images[:, :1], dtype)
    row[np.arange(len(row)), 0, labels + shift] = value
    return row


tiny = RNG.integers(0, 256, (2, 4, 5, 7)).astype("uint8")
told = Exercise(
    right="A row of pixels that says the label, for images of any size with at least "
    "as many columns as labels.",
    names="images labels",
    solution=with_row,
    cases=[
        (tiny[0], np.array([0, 3, 5, 2])),
        (tiny[1], np.array([4, 4, 0, 1])),
    ],
    mistakes={
        "The label's pixel is 1 of 255: divided by 255, it is nearly as black as the "
        "others.": lambda x, y: np.concatenate([x, _row(x, y, value=1)], axis=1),
        "The row is on top: put it below the picture, as the last row.": lambda x, y: (
            np.concatenate([_row(x, y), x], axis=1)
        ),
        "Labels count from 0: label 0 is the first pixel.": lambda x, y: np.concatenate(
            [x, _row(x, y, shift=1)], axis=1
        ),
        "The label overwrites the picture's last row: add a row.": lambda x, y: (
            np.concatenate([x[:, :-1], _row(x, y)], axis=1)
        ),
        "Every image has all labels: row[:, 0, labels] marks each label in each row. "
        "Pair them, with "
        "np.arange(len(row)) for the images.": lambda x, y: np.concatenate(
            [x, np.repeat(_row(x, y).max(axis=0, keepdims=True), len(x), axis=0)],
            axis=1,
        ),
        "The row says the label's number; a pixel for each label says it without an "
        "order.": lambda x, y: np.concatenate(
            [x, np.tile(y[:, None, None], (1, 1, x.shape[2])).astype("uint8")],
            axis=1,
        ),
    },
)

repeated = Exercise(
    right="ln 10 nats, on average: the price of naming one of ten equally frequent "
    "labels, paid again in every rate.",
    solution=float(np.log(10)),
    tolerance=5e-3,
    mistakes={
        "That is in bits: we count in nats, with the natural logarithm.": float(
            np.log2(10)
        ),
        "That is the decimal logarithm: one digit, not nats.": 1.0,
        "That is the number of labels, not what it costs to name one of them.": 10.0,
        "Nothing forbids it, but it is not free: the codes of one label are not "
        "spread like the prior, and the rate "
        "charges for that.": 0.0,
        "That is the logarithm of 9: there are ten labels to choose from.": float(
            np.log(9)
        ),
        "That is the chance of guessing right; its negative logarithm is the "
        "answer.": 0.1,
    },
)

finds = Exercise(
    right="The cut is on the way from the distortion to the encoder, and that way is "
    "what is tested. The others reach.",
    solution="c",
    mistakes={
        "A wrong sign changes where the gradient leads, not whether it arrives: "
        "compare the rate with a Monte Carlo "
        "estimate.": "a",
        "A mean over pixels makes the gradient 784 times smaller, not zero: compare "
        "with the cost of a coin toss, 543 "
        "nats.": "b",
        "A σ that is squared still has a gradient: compare the rate with a Monte "
        "Carlo estimate.": "d",
    },
)

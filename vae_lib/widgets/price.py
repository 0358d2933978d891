"""Draw a digit and read its price in bits, coded as drawn. Notebook 06."""

import lzma
import zlib

import ipywidgets
import numpy as np

from vae_lib.analysis.bits_back import Coder, Stack
from vae_lib.widgets.drawing import DrawingBoard
from vae_lib.widgets.shared.control import Control, side_by_side

STACKS = 8  # over which a price is averaged, since the code is drawn from the stack
THRESHOLD = 128  # grey levels from here on are ink
RAW = [{"id": lzma.FILTER_LZMA2}]  # no header, no checksum
CELL = 'style="padding: 2px 10px; text-align: right"'


class PriceBoard(Control):
    """The drawing board, and below it what the drawn digit costs with several coders.

    `vae` is a Bernoulli model of images 28 × 28, with two latent units or more;
    `digits` a `Split` for the board's map. Pixels darker than half count as ink.
    `board` is the drawing board, `table` the widget of the prices and `prices` what it
    says, in bits.
    """

    def __init__(self, vae, digits):
        self.coder = Coder(vae)
        self.board, self.table = DrawingBoard(vae, digits), ipywidgets.HTML()
        size = STACKS, 2 * vae.latent_dim + 2
        self.words = np.random.default_rng(0).integers(0, 2**32, size)
        self.board.paper.observe(self.update, "pixels")
        super().__init__(self.board, self.table)
        self.update()

    def update(self, _=None):
        """Code the digit, write its prices and say them."""
        drawn = self.board.image
        image = drawn if drawn.any() else self.board.digits.images[0]
        self.prices = prices(self.coder, np.uint8(image >= THRESHOLD), self.words)
        rows = "".join(
            f"<tr><td>{name}</td><td {CELL}>{bits:,.0f}</td></tr>"
            for name, bits in self.prices.items()
        )
        of = "your digit" if drawn.any() else "a test digit (nothing drawn)"
        self.table.value = (
            f'<table aria-live="polite"><tr><th>{of}</th><th {CELL}>bits</th></tr>'
            f"{rows}</table>"
        )
        told = "; ".join(f"{name}: {bits:,.0f}" for name, bits in self.prices.items())
        self.told = f"The price of {of}, in bits. {told}"
        self.description = f"A board to draw a digit on, and its price. {self.told}."

    def picture(self):
        """Return PNG bytes of the board as it is now, under its prices."""
        return side_by_side([(self.told, self.board.picture())])


def prices(coder, image, words):
    """Return what an image of 0 and 1, uint8 (rows, columns), costs with each coder, by
    name, in bits.

    `words` (stacks, count) are random 32-bit numbers to borrow from.
    """
    parts = [coder.push(Stack(own), image) for own in words]
    borrowed, pixels, code = np.mean(parts, axis=0)
    packed = np.packbits(image).tobytes()
    return {
        "every pixel as a bit": image.size,
        "xz": 8 * len(lzma.compress(packed, lzma.FORMAT_RAW, -1, None, RAW)),
        "zlib": 8 * len(zlib.compress(packed, 9, -15)),
        "this model, code bits not paid back": pixels + code,
        "this model, bits back": pixels + code - borrowed,
    }

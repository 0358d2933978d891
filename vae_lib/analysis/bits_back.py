"""Nats made real: images as bits on a stack, with the bits of the code paid back.

Asymmetric numeral systems (Duda 2009), as bits back needs them (Townsend, Bird & Barber
2019). Notebook 06 shows the stack.
"""

import numpy as np
import tensorflow as tf
from scipy.special import ndtr, ndtri

from vae_lib.analysis.likelihood import check_likelihood, check_model
from vae_lib.engine import Compiled
from vae_lib.model import VAEBase

WORD = 32  # bits that are moved at once
PIXEL, CODE = 16, 24  # bits to which probabilities of pixels and codes are rounded


class Stack:
    """A last-in, first-out store of symbols, each taking -log2 of its probability in
    bits.

    `push(start, size, bits)` adds a symbol that owns `size` of 2**bits numbers, from
    `start` on; `look(bits)` returns a number of the symbol on top; `pop` takes it off.
    `words` lie below at the beginning: random 32-bit numbers to borrow.
    """

    def __init__(self, words=()):
        self.words = list(map(int, words))
        self.top = 1 << WORD | (self.words.pop() if self.words else 0)

    def push(self, start, size, bits):
        if self.top >= size << (2 * WORD - bits):  # no room: move a word down
            self.words.append(self.top & ((1 << WORD) - 1))
            self.top >>= WORD
        more, rest = divmod(self.top, size)
        self.top = (more << bits) + start + rest

    def look(self, bits):
        return self.top & ((1 << bits) - 1)

    def pop(self, start, size, bits):
        self.top = size * (self.top >> bits) + self.look(bits) - start
        if self.top < 1 << WORD:  # a word has room again
            if not self.words:
                raise ValueError("The stack is empty: begin with more words.")
            self.top = self.top << WORD | self.words.pop()

    def length(self):
        return WORD * len(self.words) + float(np.log2(self.top))


class Coder:
    """Puts binary images on a `Stack` and takes them off again, with a Bernoulli `vae`.

    Each latent unit has 2**`bits` values, equally probable under the prior. `push` of
    an image, uint8 (rows, columns), pops a code by q(z|x), pushes the image by p(x|z)
    and the code by p(z), and returns the bits that each step moved. `pop` undoes it.
    Both pass images through the networks one at a time, on one machine: a probability
    that is rounded differently would make the rest of the stack unreadable.
    """

    def __init__(self, vae: VAEBase, bits: int = 10):
        if (found := check_likelihood(vae)) != "bernoulli":
            raise ValueError(
                f"the likelihood is {found!r}: images of 0 and 1 need 'bernoulli'."
            )
        check_model(vae)
        self.vae, self.bits = vae, bits
        self.edges = ndtri(np.arange(2**bits + 1) / 2**bits)
        self.middles = ndtri((np.arange(2**bits) + 0.5) / 2**bits)
        image = tf.TensorSpec((1, *vae.image_shape), "float32")
        code = tf.TensorSpec((1, vae.latent_dim), "float32")
        self._encode = Compiled(self._mu_and_sigma, [image])
        self._decode = Compiled(lambda z: [tf.sigmoid(vae.decoder(z))], [code])

    def push(self, stack: Stack, image: np.ndarray) -> np.ndarray:
        places, lengths = [], [stack.length()]
        for shares in self._posterior(image):
            places.append(int(np.searchsorted(shares, stack.look(CODE), "right")) - 1)
            stack.pop(*_interval(shares, places[-1]), CODE)
        lengths.append(stack.length())
        for ink, size in zip(image.ravel().tolist(), self._ink(places), strict=True):
            stack.push(*_pixel(ink, size), PIXEL)
        lengths.append(stack.length())
        for place in places:
            stack.push(place, 1, self.bits)
        return np.abs(np.diff([*lengths, stack.length()]))

    def pop(self, stack: Stack) -> np.ndarray:
        places, pixels = [], []
        for _ in range(self.vae.latent_dim):
            places.insert(0, stack.look(self.bits))
            stack.pop(places[0], 1, self.bits)
        for size in reversed(self._ink(places)):
            pixels.append(int(stack.look(PIXEL) < size))
            stack.pop(*_pixel(pixels[-1], size), PIXEL)
        image = np.array(pixels[::-1], "uint8").reshape(self.vae.image_shape)
        for place, shares in reversed([*zip(places, self._posterior(image))]):
            stack.push(*_interval(shares, place), CODE)
        return image

    def _mu_and_sigma(self, x):
        mu, rho = self.vae.encoder(x)
        return [mu[0], self.vae.posterior(rho)[0][0]]

    def _posterior(self, image):
        """Return 2**CODE times q(z|x)'s mass below each edge, rounded, unit by unit."""
        codes = self._encode(tf.constant(image[None], "float32"))
        mu, sigma = (np.asarray(code, "float64")[:, None] for code in codes)
        below = ndtr((self.edges - mu) / sigma)
        every = np.arange(len(self.edges))  # so that every value has a share
        return np.floor(below * (2**CODE - len(every) + 1)).astype("int64") + every

    def _ink(self, places):
        """Return 2**PIXEL times the probabilities of ink, rounded, as a list."""
        z = tf.constant(self.middles[places][None], "float32")
        ink = np.rint(np.ravel(self._decode(z)[0]) * 2**PIXEL)
        return np.clip(ink, 1, 2**PIXEL - 1).astype(int).tolist()


def _interval(shares, place):
    return int(shares[place]), int(shares[place + 1] - shares[place])


def _pixel(ink, size):
    return (0, size) if ink else (size, 2**PIXEL - size)

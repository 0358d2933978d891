"""The stack coder: exact round trips, and lengths against entropy and the ELBO."""

from copy import deepcopy

import keras
import numpy as np
import pytest

from vae_lib.analysis.bits_back import Coder, Stack
from vae_lib.evaluation import negative_elbos
from vae_lib.model import VAE

RNG = np.random.default_rng(0)
WORDS = RNG.integers(0, 2**32, 50)


def test_symbols_come_back_in_reverse_at_the_price_of_their_entropy():
    sizes = np.array([1, 7, 600, 3488])  # of 4096
    starts = np.cumsum(sizes) - sizes
    symbols = RNG.choice(4, 5000, p=sizes / 4096).tolist()
    stack = Stack(WORDS)
    before = stack.length()
    for symbol in symbols:
        stack.push(int(starts[symbol]), int(sizes[symbol]), 12)
    information = -np.log2(sizes[symbols] / 4096).sum()
    assert stack.length() - before == pytest.approx(information, abs=0.1)
    back = []
    for _ in symbols:
        back.append(int(np.searchsorted(starts, stack.look(12), "right")) - 1)
        stack.pop(int(starts[back[-1]]), int(sizes[back[-1]]), 12)
    assert back[::-1] == symbols
    assert (stack.top, stack.words) == (1 << 32 | int(WORDS[-1]), WORDS[:-1].tolist())


def test_an_empty_stack_has_nothing_to_lend():
    stack = Stack()
    with pytest.raises(ValueError, match="more words"):
        for _ in range(3):
            stack.pop(0, 1, 16)


@pytest.fixture(scope="module")
def coded():
    """Return a small VAE, images of 0 and 1, and the lengths that they add."""
    keras.utils.set_random_seed(0)
    vae = VAE(3, hidden=(16,), image_shape=(6, 5), activation="tanh")
    for layer in vae.decoder.layers:
        layer.set_weights([2.0 * part for part in layer.get_weights()])
    images = (RNG.random((400, 6, 5)) < 0.3).astype("uint8")
    stack, coder = Stack(WORDS), Coder(vae)
    before, parts = stack.length(), np.array([coder.push(stack, x) for x in images])
    lengths = parts @ [-1, 1, 1]
    assert lengths.sum() == pytest.approx(stack.length() - before, abs=1e-6)
    return vae, images, parts, stack


def test_a_coder_gives_back_every_image_and_what_it_borrowed(coded):
    vae, images, _, stack = coded
    copy, coder = deepcopy(stack), Coder(vae)
    back = [coder.pop(copy) for _ in images][::-1]
    np.testing.assert_array_equal(back, images)
    assert (copy.top, copy.words) == (1 << 32 | int(WORDS[-1]), WORDS[:-1].tolist())


def test_the_length_is_the_negative_elbo_in_bits(coded):
    vae, images, parts, _ = coded
    bits = negative_elbos(vae, images.astype("float32"), draws=64) / np.log(2)
    more = parts @ [-1, 1, 1] - bits  # each length is that of one code
    error = more.std() / np.sqrt(len(more))
    assert abs(more.mean()) < 4 * error < 0.03 * bits.mean()


def test_the_first_digit_on_a_stack_is_no_dearer(coded):
    vae, images, parts, _ = coded
    coder, words = Coder(vae), RNG.integers(0, 2**32, (400, 20))
    alone = [coder.push(Stack(own), x) for own, x in zip(words, images)]
    assert (alone @ np.array([-1, 1, 1])).mean() == pytest.approx(
        (parts @ [-1, 1, 1]).mean(), rel=0.02
    )


def test_each_part_is_its_term_of_the_bound(coded):
    vae, images, (borrowed, pixels, code), _ = *coded[:2], coded[2].T, coded[3]
    np.testing.assert_allclose(code, 3 * 10, atol=1e-6)
    distortion, rate = (np.mean(term) for term in vae.terms(images.astype("float32")))
    assert pixels.mean() == pytest.approx(distortion / np.log(2), rel=0.02)
    assert np.mean(code - borrowed) == pytest.approx(rate / np.log(2), abs=0.3)


def test_grey_models_are_refused():
    with pytest.raises(ValueError, match="'gaussian'"):
        Coder(VAE(2, hidden=(), likelihood="gaussian", image_shape=(4, 5)))

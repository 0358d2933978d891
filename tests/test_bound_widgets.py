"""The controls of notebook 06: prices as of a file, and frames that follow."""

import io

import keras
import numpy as np
import pytest
from PIL import Image

from vae_lib.analysis.bits_back import Coder, Stack
from vae_lib.data import load_mnist, subsample
from vae_lib.model import VAE
from vae_lib.widgets.frames import Frames
from vae_lib.widgets.price import PriceBoard
from vae_lib.widgets.shared.control import digits_png


@pytest.fixture(scope="module")
def board():
    keras.utils.set_random_seed(0)
    vae = VAE(2, hidden=(8,))
    return PriceBoard(vae, subsample(load_mnist().test, 60))


def test_a_drawing_gets_the_price_of_the_coder(board):
    image = np.zeros((28, 28), "uint8")
    image[5:20, 14] = 200
    image[20, 14] = 100  # too pale to be ink
    board.board.paper.pixels = image.tobytes()
    coder, lengths = Coder(board.board.vae), []
    for words in board.words:
        stack = Stack(words)
        before = stack.length()
        coder.push(stack, (image >= 128).astype("uint8"))
        lengths.append(stack.length() - before)
    assert board.prices["this model, bits back"] == pytest.approx(np.mean(lengths))
    assert board.prices["every pixel as a bit"] == 784
    for name, bits in board.prices.items():
        assert name in board.table.value and f"{bits:,.0f}" in board.table.value
        assert f"{name}: {bits:,.0f}" in board.description
    assert "your digit" in board.table.value
    still, alone = (
        Image.open(io.BytesIO(one.picture())) for one in (board, board.board)
    )
    assert still.width == alone.width and still.height >= alone.height + 24


def test_frames_follow_slider_and_choice():
    grey = [digits_png(np.full((1, 4, 4), level)) for level in (0.1, 0.5, 0.9)]
    stories = {
        "a": {1: (grey[0], "first"), 2: (grey[1], "second")},
        "b": {1: (grey[2], "third"), 2: (grey[0], "fourth")},
    }
    frames = Frames(stories, "K")
    assert frames.pane.value == grey[0] and "first" in frames.message.value
    frames.slider.value = 2
    assert frames.pane.value == grey[1] and frames.pane.alt == "second"
    frames.chooser.value = "b"
    assert "fourth" in frames.message.value and frames.picture() == grey[0]


@pytest.mark.parametrize("stories", [{}, {"a": {}}, {"a": {1: 0}, "b": {2: 0}}])
def test_stories_without_common_values_are_refused(stories):
    with pytest.raises(ValueError, match="all with the same values"):
        Frames(stories, "K")

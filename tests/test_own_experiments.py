"""Notebook 05's own classes: they train by the library's loop, and the test of the
encoder finds the bug.
"""

import ast
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest

from vae_lib.evaluation import evaluate
from vae_lib.training import train

PATH = Path(__file__).resolve().parents[1] / "notebooks" / "05_your_own.ipynb"
DEFINED = ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Return what the notebook imports and defines, by name, without what it runs."""
    trees = [
        ast.parse(cell.source)
        for cell in nbformat.read(PATH, 4).cells
        if cell.cell_type == "code"
    ]
    wanted = [
        node
        for tree in trees
        for node in tree.body
        if isinstance(node, DEFINED) or is_defaults(node)
    ]
    path = (
        tmp_path_factory.mktemp("book") / "book.py"
    )  # a file, so that the source of its functions can be read
    path.write_text("\n\n".join(map(ast.unparse, wanted)), encoding="utf-8")
    names = {"__name__": "__main__"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return names


def is_defaults(node):
    return (
        isinstance(node, ast.Assign)
        and getattr(node.targets[0], "id", "") == "DEFAULTS"
    )


@pytest.fixture(scope="module")
def split(book):
    """Return 256 random images with labels."""
    rng = np.random.default_rng(0)
    return book["Split"](
        rng.integers(0, 256, (256, 28, 28)).astype("uint8"),
        rng.integers(0, 10, 256).astype("uint8"),
    )


def test_labels_travel_as_a_row(book, split):
    images = book["labelled"](split)
    assert images.shape == (256, 29, 28) and (images[:, :28] == split.images).all()
    assert (images[:, 28].argmax(axis=1) == split.labels).all() and (
        images[:, 28].sum(axis=1) == 255
    ).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["CVAE", "CutCVAE"])
def test_conditional_models_train_in_the_compiled_loop(book, split, kind):
    images = book["labelled"](split)
    model = book[kind](latent_dim=3, hidden=(16,))
    before = -evaluate(model, images).elbo
    history = train(
        model,
        images,
        epochs=3,
        batch_size=32,
        learning_rate=3e-3,
        validation=images[:64],
        progress=False,
    )
    assert np.isfinite(history["loss"]).all() and -evaluate(model, images).elbo < before


def test_the_pixels_of_the_label_cost_nothing(book, split):
    model = book["CVAE"](hidden=(16,))
    images = book["labelled"](split)
    epsilon = np.zeros((256, 2), "float32")
    with model.noise(epsilon):
        (mu, _, _), logits = model(images)
    with model.noise(epsilon):
        distortion, _ = model.terms(images)
    assert logits.shape == (256, 28, 28)
    expected = model.likelihood.distortion(split.images / np.float32(255), logits)
    np.testing.assert_allclose(distortion, expected, rtol=1e-5)


@pytest.mark.slow
def test_a_convolutional_pair_is_a_vae(book, split):
    model = book["ConvVAE"](latent_dim=4)
    copy = type(model).from_config(model.get_config())
    assert [v.shape for v in copy.trainable_variables] == [
        v.shape for v in model.trainable_variables
    ]
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    first, last = model.fit(split.images, batch_size=32, epochs=2, verbose=0).history[
        "loss"
    ]
    assert last < first
    assert model.reconstruct(split.images[:3]).shape == (3, 28, 28)


@pytest.mark.slow
def test_at_one_label_the_model_is_an_ordinary_one(book, split):
    model, images = book["CVAE"](latent_dim=3, hidden=(16, 8)), book["labelled"](split)
    train(model, images, epochs=1, batch_size=32, progress=False)
    for label in (0, 7):
        plain, of = book["at_label"](model, label), split.labels == label
        for ours, theirs in zip(
            model.encode(images[of]), plain.encode(split.images[of])
        ):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
        z = np.random.default_rng(1).standard_normal((5, 3))
        np.testing.assert_allclose(
            book["order_digits"](model, z, np.full(5, label)),
            plain.decode(z),
            atol=1e-5,
        )


@pytest.mark.parametrize("kind", ["CVAE", "ConvVAE", "VAE"])
def test_a_sound_encoder_passes(book, split, kind):
    model = book[kind]()
    images = book["labelled"](split) if kind == "CVAE" else split.images
    book["check_encoder_learns"](model, images[:32])


@pytest.mark.parametrize("kind", ["SequelCVAE", "CutCVAE"])
def test_the_bug_is_found_although_the_loss_has_every_gradient(book, split, kind):
    model, images = book[kind](), book["labelled"](split)[:32]
    assert all(g is not None for g in book["encoder_gradients"](model, images, "loss"))
    with pytest.raises(AssertionError, match="8 of 8"):
        book["check_encoder_learns"](model, images)


def test_the_bug_changes_no_output(book, split):
    images = book["labelled"](split)[:32]
    sound, broken = book["CVAE"](), book["SequelCVAE"]()
    broken.set_weights(sound.get_weights())
    logits = []
    for model in (sound, broken):
        with model.noise(np.ones((32, 2), "float32")):
            logits.append(model(images)[1])
    np.testing.assert_allclose(*logits, atol=1e-5)


def test_slant_and_ink_of_strokes(book):
    upright, leaning = np.zeros((2, 28, 28))
    upright[4:24, 13:15] = 1.0
    for row in range(4, 24):
        leaning[row, 24 - row : 26 - row] = 1.0  # its top to the right: 45 degrees
    ink, slant = book["ink_and_slant"](np.stack([upright, leaning]))
    np.testing.assert_allclose(ink, [40.0, 40.0])
    np.testing.assert_allclose(slant, [0.0, 1.0], atol=1e-6)

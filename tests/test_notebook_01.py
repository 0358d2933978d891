"""Notebook 01 trains with what it shows: an edited line of a shown cell changes the
result.
"""

import re
from pathlib import Path

import keras
import nbformat
import pytest

from vae_lib import model
from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.objectives import LIKELIHOODS
from vae_lib.posterior import POSTERIORS
from vae_lib.training import train

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "01_model.ipynb"
IMAGES = load_mnist().validation.images[:256]
EDITS = {
    "build_encoder": ('kernel_initializer="he_normal"', 'kernel_initializer="zeros"'),
    "build_decoder": ('kernel_initializer="he_normal"', 'kernel_initializer="zeros"'),
    "softplus": ("sigma = ops.softplus(rho)", "sigma = 3.0 * ops.softplus(rho)"),
    "bernoulli_distortion": ("- x * logits", "- 0.5 * x * logits"),
    "rate": ("/ 2.0 - log_sigma", "/ 9.0 - log_sigma"),
    "VAE": ("z = mu + sigma * epsilon", "z = mu"),
}


@pytest.fixture
def tables(monkeypatch):
    """Let a notebook change the library's tables and classes for the length of
    a test.
    """
    for table in (POSTERIORS, LIKELIHOODS):
        for name, entry in table.items():
            monkeypatch.setitem(table, name, entry)
    yield
    keras.saving.register_keras_serializable("vae_lib")(model.VAE)


def defined(edit=None):
    """Return what the notebook's cells up to `VAE` define, with `edit` (name, old, new)
    made in the cell of `name`.
    """
    names = {"__name__": "__main__"}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        source, tags = cell.source, cell.metadata.get("tags", [])
        wanted = source.startswith(
            ("import vae_lib", "from vae_lib.model import VAEBase")
        )
        if not wanted and "shown" not in tags and "POSTERIORS[" not in source:
            continue
        if edit and re.search(rf"(def|class) {edit[0]}\(", source) and "shown" in tags:
            assert source.count(edit[1]) == 1, "the line to edit is not there"
            source = source.replace(*edit[1:])
        exec(source, names)
        if "VAE" in names:
            return names


def losses(names):
    """Return the training loss of two epochs and the -ELBO of the model that the
    notebook defines.
    """
    keras.utils.set_random_seed(0)
    vae = names["VAE"](2, (16,))
    history = train(vae, IMAGES, epochs=2, batch_size=64, progress=False)
    return history["loss"][-1], -evaluate(vae, IMAGES).elbo


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_line_changes_training_and_evaluation(name, tables):
    before, edited = losses(defined()), losses(defined((name, *EDITS[name])))
    for old, new in zip(before, edited, strict=True):
        assert abs(new / old - 1) > 1e-3


def test_unedited_cells_train_as_the_library_does(tables):
    keras.utils.set_random_seed(0)
    vae = model.VAE(2, (16,))
    history = train(vae, IMAGES, epochs=2, batch_size=64, progress=False)
    assert losses(defined())[0] == pytest.approx(history["loss"][-1], rel=1e-5)

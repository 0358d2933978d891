"""The laboratory's own tests pass, and its runs end where those of `train` end;
benchmarks/laboratory.py looks closer.
"""

import json

import build as builder
import numpy as np
import pytest

from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.model import VAE
from vae_lib.training import train

pytestmark = pytest.mark.lab
SEEDS = range(1, 5)


def test_the_modules_pass_their_own_tests(run_node):
    said = run_node(
        "--test", "--test-reporter=tap", *sorted(builder.LAB.glob("test/*.test.mjs"))
    )
    assert "# fail 0" in said and "# pass 0" not in said


def test_short_runs_agree_with_train_in_distribution(run_node, tmp_path):
    """Four seeds each of 3 epochs: the means of held-out −ELBO differ by no more than
    chance would have it.
    """
    images, held_out = (
        load_mnist().train.images[:2560],
        load_mnist().validation.images[:500],
    )
    (tmp_path / "train.bin").write_bytes(images.tobytes())
    (tmp_path / "held_out.bin").write_bytes(held_out.tobytes())
    here, there = [], []
    for seed in SEEDS:
        settings = {
            "latentDim": 2,
            "hidden": [64, 32],
            "posterior": "softplus",
            "likelihood": "bernoulli",
            "optimizer": "adam",
            "beta": 1.0,
            "learningRate": 1e-3,
            "seed": seed,
        }
        work = {
            "file": str(tmp_path / "train.bin"),
            "count": 2560,
            "settings": settings,
            "heldOut": str(tmp_path / "held_out.bin"),
        }
        said = run_node("test/epochs.mjs", json.dumps(work), lines="go\n" * 3)
        last = json.loads(said.splitlines()[-1])
        here.append(last["distortion"] + last["rate"])
        vae = VAE(2, (64, 32))
        train(vae, images, epochs=3, seed=seed, progress=False)
        there.append(-evaluate(vae, held_out).elbo)
    error = np.sqrt((np.var(here, ddof=1) + np.var(there, ddof=1)) / len(SEEDS))
    assert abs(np.mean(here) - np.mean(there)) < 4 * error + 0.5, (here, there)
    assert error < 5


def test_the_page_carries_the_digits_of_the_library():
    held_out = builder.held_out_digits()
    assert len(held_out.images) == 1000 and np.all(
        np.abs(np.bincount(held_out.labels) - 100) < 20
    )
    train_keys = {image.tobytes() for image in builder.training_digits().images}
    assert not any(image.tobytes() in train_keys for image in held_out.images)

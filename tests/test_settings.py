"""The original's setting starts as the original did, the course's as `VAE` does."""

import keras
import numpy as np
import pytest

from vae_lib.experiments.settings import SETTINGS, new_vae
from vae_lib.model import VAE


def kernels(vae):
    """Return the kernels of all dense layers of a VAE."""
    layers = (*vae.encoder.layers, *vae.decoder.layers)
    return [
        np.asarray(layer.kernel)
        for layer in layers
        if isinstance(layer, keras.layers.Dense)
    ]


def test_the_original_has_its_widths_its_loss_and_its_price():
    vae = new_vae()
    assert [kernel.shape for kernel in kernels(vae)] == [
        (784, 500),
        (500, 120),
        (120, 2),
        (120, 2),
        (2, 120),
        (120, 500),
        (500, 784),
    ]
    assert vae.settings["likelihood"] == "gaussian" and float(vae.beta) == 12.0
    assert SETTINGS["original"].training == {
        "epochs": 15,
        "batch_size": 64,
        "learning_rate": 1e-3,
    }


def test_its_kernels_are_drawn_by_glorots_rule():
    for kernel in kernels(new_vae(latent_dim=15)):
        limit = np.sqrt(6 / sum(kernel.shape))
        assert np.abs(kernel).max() <= limit * 1.0001
        # uniform: a third of limit² is its variance; a few hundred draws at least
        assert kernel.std() == pytest.approx(limit / 3**0.5, rel=0.08)


def test_no_two_layers_start_alike_and_a_seed_repeats_them():
    mu, rho = kernels(new_vae())[2:4]
    assert not np.allclose(mu, rho)
    again, other = kernels(new_vae(seed=0)), kernels(new_vae(seed=1))
    assert all((a == b).all() for a, b in zip(kernels(new_vae()), again))
    assert not np.allclose(again[0], other[0])


def test_the_course_starts_as_vae_does():
    keras.utils.set_random_seed(3)
    plain = VAE()
    for a, b in zip(kernels(plain), kernels(new_vae("course", seed=3))):
        np.testing.assert_array_equal(a, b)


def test_changes_replace_settings_and_others_are_refused():
    vae = new_vae(beta=200.0, latent_dim=15)
    assert float(vae.beta) == 200.0 and vae.latent_dim == 15
    with pytest.raises(ValueError, match="setting is 'mine': pass 'original' or"):
        new_vae("mine")
    with pytest.raises(ValueError, match="beta is -1"):
        new_vae(beta=-1)

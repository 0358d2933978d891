"""Free bits charge a floor, and a warm-up raises beta from 0."""

import keras
import numpy as np
import pytest

from vae_lib.analysis.information import unit_rates
from vae_lib.experiments.remedies import FreeBits, warm_up
from vae_lib.model import VAE
from vae_lib.training import train

IMAGES = np.random.default_rng(0).integers(0, 256, (256, 28, 28), dtype="uint8")
SHORT = dict(batch_size=32, learning_rate=3e-3, progress=False)


@pytest.mark.slow
def test_free_bits_keep_units_at_their_floor_where_a_vae_falls_silent():
    silent, floored = VAE(3, (16,), beta=300.0), FreeBits(3, (16,), beta=300.0)
    for vae in (silent, floored):
        train(vae, IMAGES, epochs=25, **SHORT)
    assert unit_rates(*silent.encode(IMAGES)).max() < 0.02
    rates = unit_rates(*floored.encode(IMAGES))
    assert rates.min() > 0.05  # below its floor a unit is not pushed, but can drift
    assert rates.max() < FreeBits.free + 0.1


@pytest.mark.slow
def test_free_bits_report_the_rate_and_charge_at_least_it():
    vae = FreeBits(3, (16,), beta=2.0)
    history = train(vae, IMAGES, epochs=1, **SHORT)
    charge = (history["loss"][0] - history["distortion"][0]) / 2.0
    assert charge >= max(history["rate"][0], 3 * FreeBits.free) - 1e-4
    assert history["rate"][0] > 0


def test_a_warm_up_raises_beta_step_by_step_and_stays():
    vae = VAE(2, (8,), beta=8.0)
    callback, seen = warm_up(vae, 8.0, epochs=4), []
    for epoch in range(6):
        callback.on_epoch_begin(epoch, {})
        seen.append(float(vae.beta))
    assert seen == [0.0, 2.0, 4.0, 6.0, 8.0, 8.0]


@pytest.mark.parametrize("free, beta", [(100.0, 0.0), (0.0, 300.0)])
@pytest.mark.slow
def test_below_the_floor_nothing_is_pulled_and_above_it_all_of_beta(free, beta):
    def weights(vae):
        train(vae, IMAGES[:64], epochs=3, **SHORT)
        return [weight.numpy() for weight in vae.trainable_variables]

    def seeded(kind, beta):
        keras.utils.set_random_seed(1)
        return kind(3, (16,), beta=beta)

    class Floored(FreeBits):
        pass

    Floored.free = free
    ones, others = weights(seeded(Floored, 300.0)), weights(seeded(VAE, beta))
    for one, other in zip(ones, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)

"""`fit` on several devices: two logical processors stand for two machines."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
logical = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, logical)
import keras
from vae_lib.model import VAE

images = np.random.default_rng(0).integers(0, 256, (64, 28, 28), dtype="uint8")


def trained(strategy):
    with strategy.scope():
        keras.utils.set_random_seed(0)
        vae = VAE(hidden=(8,))
        # unlike Adam's, its step shows a wrong scale
        vae.compile(optimizer=keras.optimizers.SGD(1e-4))
    # z = mu: the same noise
    vae.standard_normal = lambda shape: np.zeros((), "float32")
    history = vae.fit(images, batch_size=32, epochs=2, shuffle=False, verbose=0).history
    return history["loss"], vae.get_weights()


losses, weights = trained(tf.distribute.get_strategy())
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
spread_losses, spread_weights = trained(strategy)
np.testing.assert_allclose(spread_losses, losses, rtol=1e-4)
for one, other in zip(weights, spread_weights):
    # the steps themselves are of the order 1e-3
    np.testing.assert_allclose(other, one, atol=1e-5)
print("equal")
"""


@pytest.mark.full
def test_fit_on_two_devices_takes_the_steps_of_one():
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert run.stdout.strip().endswith("equal"), run.stderr[-2000:]

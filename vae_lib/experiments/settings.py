"""The two settings of the series: the original project's, and the course's own.

Notebook 03 opens with the original's; `python -m vae_lib` trains either.
"""

from typing import NamedTuple

import keras

from vae_lib.model import VAE


class Setting(NamedTuple):
    """What is needed to repeat an experiment: the arguments of `VAE` and of `train`.

    `start` is the Keras initializer of the kernels.
    """

    model: dict
    training: dict
    start: str


SETTINGS = {
    "original": Setting(
        dict(latent_dim=2, hidden=(500, 120), likelihood="gaussian", beta=12.0),
        dict(epochs=15, batch_size=64, learning_rate=1e-3),
        "glorot_uniform",
    ),
    "course": Setting(
        dict(latent_dim=2, hidden=(512, 256), likelihood="bernoulli", beta=1.0),
        dict(epochs=15, batch_size=128, learning_rate=1e-3),
        "he_normal",
    ),
}


def new_vae(setting: str = "original", seed: int = 0, **changes) -> VAE:
    """Return the untrained VAE of a setting, the same one for the same `seed`.

    `changes` replace arguments of `VAE`, such as `beta=200.0`. Raises ValueError for a
    setting that does not exist, and where `VAE` does. Notebook 03.
    """
    if setting not in SETTINGS:
        names = " or ".join(map(repr, SETTINGS))
        raise ValueError(f"setting is {setting!r}: pass {names}.")
    model, _, start = SETTINGS[setting]
    keras.utils.set_random_seed(seed)
    vae = VAE(**(model | changes))
    if start != "he_normal":  # which is VAE's own default
        for layer in (*vae.encoder.layers, *vae.decoder.layers):
            if isinstance(layer, keras.layers.Dense):
                draw = keras.initializers.get(
                    start
                )  # a new one, with a seed of its own
                layer.kernel.assign(draw(layer.kernel.shape))
    return vae

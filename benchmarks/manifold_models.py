"""Train the two models that notebook 04 takes apart, with two and ten latent units.

    python benchmarks/manifold_models.py

A minute on two cores. Writes data/two_units.keras and data/ten_units.keras. The
notebook trains them itself if its STORED is False, and gets the same on the same
processor.
"""

import argparse

import keras
import stored

import vae_lib  # noqa: F401, I001  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib import storage
from vae_lib.data import load_mnist, subsample
from vae_lib.evaluation import evaluate
from vae_lib.model import VAE
from vae_lib.training import train

SEED = 0
EPOCHS = 8
IMAGES = 55_000
UNITS = {"two_units": 2, "ten_units": 10}

if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    keras.utils.set_random_seed(SEED)
    digits = load_mnist()
    training = subsample(digits.train, IMAGES, seed=SEED)
    models = {  # made in the notebook's order, from one seed
        name: VAE(latent_dim=units, activation="gelu") for name, units in UNITS.items()
    }
    for name, vae in models.items():
        train(vae, training.images, epochs=EPOCHS, seed=SEED)
        # without Adam's memory, which is twice as large as the weights
        bare = VAE(latent_dim=UNITS[name], activation="gelu")
        bare.set_weights(vae.get_weights())
        storage.save(bare, stored.DATA / f"{name}.keras")
        print(name, evaluate(vae, digits.test.images, seed=SEED))

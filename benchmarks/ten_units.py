"""Train the model with ten latent units that notebook 04 takes apart.

    python benchmarks/ten_units.py

Half a minute on two cores. Writes data/ten_units.keras. The notebook trains it
itself if its STORED is False, and gets the same on the same processor.
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

if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    keras.utils.set_random_seed(SEED)
    digits = load_mnist()
    training = subsample(digits.train, IMAGES, seed=SEED)
    VAE(latent_dim=2, activation="gelu")  # the notebook makes it first, from one seed
    deep = VAE(latent_dim=10, activation="gelu")
    train(deep, training.images, epochs=EPOCHS, seed=SEED)
    # without Adam's memory, which is twice as large as the weights
    bare = VAE(latent_dim=10, activation="gelu")
    bare.set_weights(deep.get_weights())
    storage.save(bare, stored.DATA / "ten_units.keras")
    print(evaluate(deep, digits.test.images, seed=SEED))

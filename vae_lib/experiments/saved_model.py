"""A VAE as a TensorFlow SavedModel, for programs without this package."""

from pathlib import Path

import keras
import tensorflow as tf

from vae_lib.model import VAEBase


def export(vae: VAEBase, path: Path | str) -> None:
    """Write the forward pass of `vae` into the folder `path`, without Python code.

    Its `serve` maps float32 images (n, rows, columns) to `mu`, `sigma` and `logits` by
    name, with z drawn anew. In other formats Keras exports `vae.encoder` and
    `vae.decoder`, which are plain models.
    """

    def serve(images):
        (mu, sigma, _), logits = vae(images)
        return {"mu": mu, "sigma": sigma, "logits": logits}

    archive = keras.export.ExportArchive()
    archive.track(vae)
    images = tf.TensorSpec((None, *vae.image_shape), "float32", "images")
    archive.add_endpoint("serve", serve, input_signature=[images])
    archive.write_out(path, verbose=False)

"""Helpers for the notebooks on variational autoencoders.

The core, from the ground up; a module imports only from modules above it in this list:

    data        MNIST or any .npz with the Keras keys: train, validation, test splits
    figures     arrays in, Matplotlib figures or PNG bytes out
    posterior   maps from the encoder's unconstrained output rho to sigma
    objectives  rate and distortion
    checks      what is refused, in one sentence
    model       encoder, decoder and the VAE
    evaluation  what a trained model is measured by
    storage     models saved whole or not at all
    engine      many gradient steps in one compiled function
    training    the training loop that can be watched, stopped and continued; its bar

Rooms above it, each of which imports the core and the rooms before it:

    analysis     what can be said of data and trained models
    experiments  training experiments
    course       what belongs to single notebooks: questions, exercises, tables, figures
    widgets      live controls

`__main__` is the door to `python -m vae_lib`, which `experiments.command` does.
"""

import os
import sys


def _choose_backend():
    """Choose TensorFlow for Keras; ImportError if another backend was asked for."""
    loaded = sys.modules.get("keras")
    asked = loaded.config.backend() if loaded else os.environ.get("KERAS_BACKEND")
    if asked not in (None, "", "tensorflow"):
        raise ImportError(
            f"Keras is to run on the backend {asked!r}, but vae_lib needs "
            "'tensorflow': set KERAS_BACKEND=tensorflow before Python starts."
        )
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever Keras' settings file says


def _import_tensorflow_quietly():
    """Import TensorFlow with its start-up log sent to the null device.

    No operation runs: threads and logical devices can still be set afterwards.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)  # C++ writes the log to descriptor 2, out of Python's reach
    try:
        import tensorflow as tf

        tf.config.list_physical_devices()  # which logs, too
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


_choose_backend()
_import_tensorflow_quietly()

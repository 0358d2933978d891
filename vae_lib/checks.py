"""What cannot work is refused before anything runs, in one sentence: the value, what
is allowed, what to do.
"""

import itertools
import types
from collections.abc import Iterable

import keras
import numpy as np
from keras import ops

from vae_lib.objectives import LIKELIHOODS
from vae_lib.posterior import POSTERIORS


def check_images(images, image_shape):
    """Raise ValueError with one sentence unless `images` are n >= 1 of `image_shape`.

    They are `uint8`, or finite floats in [0, 1].
    """
    if not hasattr(images, "dtype") or not hasattr(images, "min"):
        raise ValueError(
            f"images are a {type(images).__name__}: pass a NumPy array; a dataset or "
            "generator goes to vae.fit, after vae.compile."
        )
    if isinstance(images, np.ma.MaskedArray):
        raise ValueError("images are a masked array: pass images.filled(0).")
    wanted = ", ".join(map(str, ("n", *image_shape)))
    if images.ndim != 3 or images.shape[1:] != tuple(image_shape) or len(images) < 1:
        raise ValueError(
            f"images have shape {images.shape}: pass n >= 1 images of shape ({wanted})."
        )
    if images.dtype == np.uint8:
        return
    if not np.issubdtype(images.dtype, np.floating) or images.dtype.itemsize > 8:
        raise ValueError(
            f"images have dtype {images.dtype}: pass uint8 in 0 … 255 or floats in "
            "[0, 1]."
        )
    low, high = images.min(), images.max()  # NaN where any pixel is
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"images range from {low:.4g} to {high:.4g}: pass uint8, or finite floats "
            "in "
            "[0, 1]; divide grey levels by 255."
        )


def check_settings(latent_dim, hidden, posterior, likelihood, beta, image_shape):
    """Raise ValueError with one sentence for the first setting that makes no model."""
    for name, value, allowed in (
        ("posterior", posterior, POSTERIORS),
        ("likelihood", likelihood, LIKELIHOODS),
    ):
        if value not in allowed:
            raise ValueError(
                f"{name} is {value!r}: choose one of {', '.join(map(repr, allowed))}."
            )
    if not whole(latent_dim):
        raise ValueError(
            f"latent_dim is {latent_dim!r}: pass a whole number of 1 or more."
        )
    if not isinstance(hidden, (tuple, list)) or not all(map(whole, hidden)):
        raise ValueError(
            f"hidden is {hidden!r}: pass a tuple of widths of 1 or more, () for the "
            "linear VAE."
        )
    if (
        not isinstance(image_shape, (tuple, list))
        or len(image_shape) != 2
        or not all(map(whole, image_shape))
    ):
        raise ValueError(
            f"image_shape is {image_shape!r}: pass (rows, columns), for example (28, "
            "28)."
        )
    check_beta(beta)


def check_beta(beta):
    """Raise ValueError with one sentence unless `beta` is a finite number of 0 or
    more.
    """
    if (
        isinstance(beta, (bool, str))
        or not np.isscalar(beta)
        or not (np.isfinite(beta) and beta >= 0)
    ):
        raise ValueError(f"beta is {beta!r}: pass a finite number of 0 or more.")


def whole(value):
    """Whether `value` is a whole number of 1 or more."""
    return (
        isinstance(value, (int, np.integer))
        and not isinstance(value, bool)
        and value >= 1
    )


def check_training(vae, images, epochs, batch_size, learning_rate, validation, seed):
    """Raise ValueError with one sentence for the first argument that cannot work."""
    check_precision(vae)
    check_images(images, vae.image_shape)
    if validation is not None:
        check_images(validation, vae.image_shape)
    if not (whole(epochs) or epochs == 0):
        raise ValueError(f"epochs is {epochs!r}: pass a whole number of 0 or more.")
    if not whole(batch_size) or batch_size > len(images):
        raise ValueError(
            f"batch_size is {batch_size!r}: pass a whole number from 1 to "
            f"{len(images)}, the images."
        )
    if not (whole(seed) or seed == 0):
        raise ValueError(f"seed is {seed!r}: pass a whole number of 0 or more.")
    schedule = keras.optimizers.schedules.LearningRateSchedule
    if learning_rate is None or isinstance(learning_rate, schedule):
        return
    if (
        isinstance(learning_rate, (bool, str))
        or not np.isscalar(learning_rate)
        or not 0 < learning_rate < np.inf
    ):
        raise ValueError(
            f"learning_rate is {learning_rate!r}: pass a positive number, a Keras "
            "schedule, or None for that of the compiled optimizer."
        )


def check_precision(model):
    """Raise ValueError with one sentence unless all layers compute in one precision.

    It may be float32 or float64: sums over 784 pixels overflow in half precision.
    """
    wanted = model.variable_dtype if model.variable_dtype == "float64" else "float32"
    for layer in [model, *model._flatten_layers(include_self=False)]:
        if {layer.compute_dtype, layer.variable_dtype} != {wanted}:
            raise ValueError(
                f"{layer.name} has the dtype policy {layer.dtype_policy.name!r}: make "
                f"the whole model in {wanted}; call "
                f"keras.config.set_dtype_policy({wanted!r}) first."
            )


def check_compiled(model):
    """Raise ValueError with one sentence if Keras' `compile` was given a loss or
    metrics.
    """
    for name in ("call", "terms", "train_step", "test_step"):
        if hasattr(getattr(model, name), "get_concrete_function"):
            raise ValueError(
                f"{name} is a tf.function, which keeps the noise of its first call: "
                "leave the decorator out; training compiles the whole step."
            )
    if isinstance(
        getattr(model, "optimizer", None), keras.optimizers.LossScaleOptimizer
    ):
        raise ValueError(
            "the model is compiled with a LossScaleOptimizer, which is for half "
            "precision: compile it with the optimizer inside."
        )
    loss = getattr(model, "loss", None)
    if loss is not None:
        raise ValueError(
            f"the model is compiled with the loss {loss!r}: leave it out; the loss of "
            "a "
            "VAE is what its train_step makes of distortion and rate."
        )
    if getattr(model, "_compile_metrics", None) is not None:
        raise ValueError(
            "the model is compiled with metrics: leave them out, or put a "
            "keras.metrics.Mean into its trackers and hand its value to track."
        )


def check_weights(arguments):
    """Raise ValueError with one sentence if Keras is to weight images or classes."""
    for name in ("sample_weight", "class_weight"):
        if arguments.get(name) is not None:
            raise ValueError(
                f"{name} is given: a VAE here weights all images alike; leave it out, "
                "or train on a subsample of the images."
            )


def check_keras_images(data, image_shape):
    """Return what Keras is given to train or validate on; raise ValueError if it is not.

    Arrays, alone or with labels in a tuple, are checked whole; of a dataset or a
    generator, the first batch.
    """
    if isinstance(data, types.GeneratorType):
        first = next(data, None)
        data = (batch for batch in itertools.chain([first], data))
    elif isinstance(data, keras.utils.PyDataset):
        first = data[0]
    elif isinstance(data, Iterable) and not hasattr(data, "shape"):
        first = data if isinstance(data, tuple) else next(iter(data), None)
    else:
        first = data
    images, _, weights = keras.utils.unpack_x_y_sample_weight(first)
    check_weights({"sample_weight": weights})
    check_images(as_array(images), image_shape)
    return data


def as_array(images):
    """Return a tensor as a NumPy array, anything else as it is."""
    return ops.convert_to_numpy(images) if ops.is_tensor(images) else images

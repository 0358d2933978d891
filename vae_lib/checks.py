"""What cannot work is refused before anything runs, in one sentence: the value, what is allowed, what to do."""

import keras
import numpy as np

from vae_lib.objectives import LIKELIHOODS
from vae_lib.posterior import POSTERIORS


def check_images(images, image_shape):
    """Raise ValueError with one sentence unless `images` are (n, *image_shape), n >= 1, `uint8` or floats in [0, 1]."""
    shape, wanted = np.shape(images), ("n", *image_shape)
    if len(shape) != 3 or shape[1:] != tuple(image_shape) or shape[0] < 1:
        raise ValueError(
            f"images have shape {shape}: pass n >= 1 images of shape ({', '.join(map(str, wanted))})."
        )
    if not hasattr(images, "dtype"):
        raise ValueError(
            f"images are a {type(images).__name__}: pass an array, for example np.array(images)."
        )
    if images.dtype == np.uint8:
        return
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            f"images have dtype {images.dtype}: pass uint8 in 0 … 255 or floats in [0, 1]."
        )
    low, high = np.min(images), np.max(images)  # NaN where any pixel is
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"images range from {low:.4g} to {high:.4g}: pass uint8, or finite floats in [0, 1]."
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
            f"hidden is {hidden!r}: pass a tuple of widths of 1 or more, () for the linear VAE."
        )
    if (
        not isinstance(image_shape, (tuple, list))
        or len(image_shape) != 2
        or not all(map(whole, image_shape))
    ):
        raise ValueError(
            f"image_shape is {image_shape!r}: pass (rows, columns), for example (28, 28)."
        )
    check_beta(beta)


def check_beta(beta):
    """Raise ValueError with one sentence unless `beta` is a finite number of 0 or more."""
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
    check_images(images, vae.image_shape)
    if validation is not None:
        check_images(validation, vae.image_shape)
    if not (whole(epochs) or epochs == 0):
        raise ValueError(f"epochs is {epochs!r}: pass a whole number of 0 or more.")
    if not whole(batch_size) or batch_size > len(images):
        raise ValueError(
            f"batch_size is {batch_size!r}: pass a whole number from 1 to {len(images)}, the images."
        )
    if not (whole(seed) or seed == 0):
        raise ValueError(f"seed is {seed!r}: pass a whole number of 0 or more.")
    if isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule):
        return
    if (
        isinstance(learning_rate, (bool, str))
        or not np.isscalar(learning_rate)
        or not 0 < learning_rate < np.inf
    ):
        raise ValueError(
            f"learning_rate is {learning_rate!r}: pass a positive number or a Keras schedule."
        )

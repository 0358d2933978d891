"""What cannot work is refused before anything runs, by a ValueError of one sentence."""

import itertools
import types
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import keras
import numpy as np
from keras import ops

from vae_lib.objectives import LIKELIHOODS
from vae_lib.posterior import POSTERIORS

Schedule = keras.optimizers.schedules.LearningRateSchedule
SMALLEST, LARGEST = float(np.finfo("float32").tiny), float(np.finfo("float32").max)


def whole(value: Any, least: int = 1) -> bool:
    """Whether `value` is a whole number of `least` or more."""
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    return is_whole and value >= least


def finite(value: Any) -> bool:
    """Whether `value` is one number that is finite in 32 bits, too."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and abs(float(value)) <= LARGEST


def widths(value: Any) -> bool:
    """Whether `value` is a tuple or list of ints, not NumPy's, of 1 or more."""
    is_list = isinstance(value, (tuple, list))
    return is_list and all(isinstance(it, int) and whole(it) for it in value)


def named(table: dict) -> tuple:
    """Return the rule for a name in `table`."""
    return table.__contains__, f"one of {', '.join(map(repr, table))}"


def pace(value: Any) -> bool:
    """Whether `value` can be a learning rate, None for that of a compiled optimizer."""
    number = finite(value) and float(value) >= SMALLEST
    return number or value is None or isinstance(value, Schedule)


RULES = {  # by name: what can work, and what to pass
    "latent_dim": (whole, "a whole number of 1 or more"),
    "hidden": (widths, "a tuple of ints of 1 or more, () for the linear VAE"),
    "image_shape": (lambda it: widths(it) and len(it) == 2, "a pair such as (28, 28)"),
    "posterior": named(POSTERIORS),
    "likelihood": named(LIKELIHOODS),
    "beta": (lambda it: finite(it) and it >= 0, "a number of 0 or more below 3.4e38"),
    "epochs": (lambda it: whole(it, 0), "a whole number of 0 or more"),
    "seed": (lambda it: whole(it, 0), "a whole number of 0 or more"),
    **dict.fromkeys(("samples", "draws", "n"), (whole, "a whole number of 1 or more")),
    "learning_rate": (pace, "a number above 1.2e-38, a Keras schedule, or None"),
}


def check(**values: Any) -> None:
    """Check values by their names in `RULES`."""
    for name, value in values.items():
        right, wanted = RULES[name]
        if not right(value):
            raise ValueError(f"{name} is {value!r}: pass {wanted}.")


def check_images(images: np.ndarray, image_shape: tuple[int, int]) -> None:
    """Check for n >= 1 images of `image_shape`, `uint8` or finite floats in [0, 1]."""
    if not hasattr(images, "dtype") or not hasattr(images, "min"):
        raise ValueError(
            f"images are a {type(images).__name__}: pass a NumPy array; a dataset or "
            "generator goes to vae.fit, after vae.compile."
        )
    if isinstance(images, np.ma.MaskedArray):
        raise ValueError("images are a masked array: pass images.filled(0).")
    if images.ndim != 3 or images.shape[1:] != tuple(image_shape) or len(images) < 1:
        wanted = ", ".join(map(str, ("n", *image_shape)))
        raise ValueError(
            f"images have shape {images.shape}: pass n >= 1 images of shape ({wanted})."
        )
    if images.dtype == np.uint8:
        if images.max() == 1:
            raise ValueError("images are uint8 of 0 and 1: multiply them by 255.")
        return
    if not np.issubdtype(images.dtype, np.floating) or images.dtype.itemsize > 8:
        raise ValueError(
            f"images have dtype {images.dtype}: pass uint8, or floats in [0, 1]."
        )
    low, high = images.min(), images.max()  # NaN where any pixel is
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"images range from {low:.4g} to {high:.4g}: pass uint8, or finite floats "
            "in [0, 1]; divide grey levels by 255."
        )


def check_training(
    vae: keras.Model,
    images: np.ndarray,
    validation: np.ndarray | None,
    batch_size: int,
    **settings: Any,
) -> None:
    """Check the arguments of a training; `settings` by their names in `RULES`."""
    check_precision(vae)
    check_images(images, vae.image_shape)
    if validation is not None:
        check_images(validation, vae.image_shape)
    check(**settings)
    if not whole(batch_size) or batch_size > len(images):
        raise ValueError(
            f"batch_size is {batch_size!r}: pass a whole number from 1 to "
            f"{len(images)}, the images."
        )


def check_precision(model: keras.Model) -> None:
    """Check that all layers compute in float32, or all in float64: half overflows."""
    wanted = model.variable_dtype if model.variable_dtype == "float64" else "float32"
    for layer in [model, *model._flatten_layers(include_self=False)]:
        if {layer.compute_dtype, layer.variable_dtype} != {wanted}:
            raise ValueError(
                f"{layer.name} has the dtype policy {layer.dtype_policy.name!r}: make "
                f"the whole model in {wanted}; call "
                f"keras.config.set_dtype_policy({wanted!r}) first."
            )


def check_compiled(model: keras.Model) -> None:
    """Check that a model keeps no noise, and was compiled with an optimizer alone."""
    for name in ("call", "terms", "train_step", "test_step"):
        if hasattr(getattr(model, name), "get_concrete_function"):
            raise ValueError(
                f"{name} is a tf.function, which keeps the noise of its first call: "
                "leave the decorator out; training compiles the whole step."
            )
    optimizer, loss = (getattr(model, name, None) for name in ("optimizer", "loss"))
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        raise ValueError(
            "the model is compiled with a LossScaleOptimizer, which is for half "
            "precision: compile it with the optimizer inside."
        )
    if loss is not None:
        raise ValueError(
            f"the model is compiled with the loss {loss!r}: leave it out; the loss of "
            "a VAE is what its train_step makes of distortion and rate."
        )
    if getattr(model, "_compile_metrics", None) is not None:
        raise ValueError(
            "the model is compiled with metrics: leave them out, or put a "
            "keras.metrics.Mean into its trackers and hand its value to track."
        )


def check_keras(model: keras.Model, given: dict[str, Any]) -> dict[str, Any]:
    """Check arguments of Keras' `fit`, `evaluate` or `predict`; return what to use."""
    check_precision(model)
    check_compiled(model)
    check_weights(**given)
    if isinstance(given.get("x"), (tuple, list, dict)):
        raise ValueError("x is a tuple, list or dict: pass images alone, in one array.")
    if isinstance(given.get("validation_data"), (list, dict)):
        raise ValueError("validation_data is a list or dict: pass one array instead.")
    if not given.get("_use_cached_eval_dataset"):  # which `fit` has checked
        given["x"] = check_keras_images(given["x"], model.image_shape)
    if (held_out := given.get("validation_data")) is not None:
        given["validation_data"] = check_keras_images(held_out, model.image_shape)
    return given


def check_weights(**weights: Any) -> None:
    """Check that Keras is not to weight images or classes."""
    for name in ("sample_weight", "class_weight"):
        if weights.get(name) is not None:
            raise ValueError(
                f"{name} is given: a VAE here weights all images alike; leave it out, "
                "or train on a subsample of the images."
            )


def check_keras_images(data: Any, image_shape: tuple[int, int]) -> Any:
    """Check arrays whole, of others the first batch; return what Keras is to use."""
    first = data
    if isinstance(data, types.GeneratorType):
        first = next(data, None)
        data = (batch for batch in itertools.chain([first], data))
    elif isinstance(data, (Iterable, keras.utils.PyDataset)):
        whole_set = isinstance(data, tuple) or hasattr(data, "shape")
        if isinstance(data, keras.utils.PyDataset) or not whole_set:
            first = next(iter(data), None)
    images, _, weights = keras.utils.unpack_x_y_sample_weight(first)
    check_weights(sample_weight=weights)
    check_images(as_array(images), image_shape)
    return data


def as_array(images: Any) -> Any:
    """Return a tensor as a NumPy array, anything else as it is."""
    return ops.convert_to_numpy(images) if ops.is_tensor(images) else images

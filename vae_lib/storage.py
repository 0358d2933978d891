"""Models and results saved whole or not at all, and loaded without running code from
the file. Notebook 01.
"""

import base64
import contextlib
import inspect
import json
import os
import tempfile
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np

from vae_lib.model import VAE, VAEBase


class StorageError(Exception):
    """A file cannot be written or is not one of ours; the message names it and what
    to do.
    """


@contextlib.contextmanager
def whole_file(path):
    """Yield the name of a temporary file beside `path` that takes its place only if the
    block succeeds.

    A reader sees the old file or the new one, never a part; two writers do not disturb
    each other. Raises StorageError where the folder is missing or cannot be written.
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(
            suffix=path.suffix, prefix=f".{path.stem}-", dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror}): choose a folder that exists "
            "and is "
            "yours."
        ) from error
    try:
        yield name
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except OSError as error:
        raise StorageError(
            f"{path} was not written ({error}): the file that stood there is untouched."
        ) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(name)


def _umask():
    """The process's mask of file permissions, which mkstemp does not heed."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save(vae, path):
    """Write `vae` with its optimizer to `path`, in Keras' own format, ending `.keras`.

    The file is loaded again before it takes its place: raises StorageError with one
    sentence when it cannot be written, or would come back as another model. Whatever
    stood at `path` is then untouched.
    """
    if Path(path).suffix != ".keras":
        raise StorageError(
            f"{path} does not end in .keras: give it that ending, as Keras asks."
        )
    with whole_file(path) as name:
        vae.save(name)
        with warnings.catch_warnings(action="ignore"):  # _check_copy says it better
            _check_copy(vae, load(name))


def load(path):
    """Return the VAE saved at `path`.

    Raises StorageError when the file is missing, damaged or something else, or holds a
    class that is not defined yet.
    """
    if not Path(path).is_file():
        raise StorageError(
            f"{path} is not there: save a model first, or check the path."
        )
    _check_class(path)
    try:
        vae = keras.saving.load_model(path, safe_mode=True)
    except Exception as error:  # zipfile, h5py, JSON and Keras each raise their own
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise StorageError(
            f"{path} is damaged or no saved VAE ({lines[0][:120]}): save the model "
            "again."
        ) from error
    if not isinstance(vae, VAEBase):
        raise StorageError(
            f"{path} holds a {type(vae).__name__}, no VAE: pass a file written by save."
        )
    return vae


def _check_class(path):
    """Raise StorageError if the file's class is one of ours that is not defined
    here.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
        name = config["registered_name"] or ""
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError):
        return  # what is wrong with it, loading says
    if name.startswith("vae_lib>") and not keras.saving.get_registered_object(name):
        raise StorageError(
            f"{path} holds a {config['class_name']}, a class that is not defined here: "
            "run the cell, or import the module, that defines it; then load again."
        )


def _check_copy(vae, copy):
    """Raise StorageError unless the loaded `copy` is what `vae` is."""
    rng = np.random.default_rng(0)
    images = rng.random((4, *vae.image_shape), "float32")
    epsilon = rng.standard_normal((4, vae.noise_dim), "float32")
    state = vae.seed_generator.state.numpy()
    terms = []
    for model in (vae, copy):
        model.seed_generator.state.assign(state)
        with model.noise(epsilon):
            terms.append(np.array([np.asarray(term) for term in model.terms(images)]))
        model.seed_generator.state.assign(state)
    asked = {
        name
        for name, parameter in inspect.signature(type(vae).__init__).parameters.items()
        if name != "self" and parameter.kind is not parameter.VAR_KEYWORD
    }
    same = (
        np.allclose(*terms, rtol=1e-4, atol=1e-4, equal_nan=True)
        and asked <= set(vae.get_config())
        and [v.trainable for v in vae.weights] == [v.trainable for v in copy.weights]
        and [v.dtype for v in vae.weights] == [v.dtype for v in copy.weights]
        and float(vae.beta) == float(copy.beta)
    )
    if not same:
        raise StorageError(
            f"this {type(vae).__name__} was not saved, since it would come back as "
            "another model: let get_config return every argument of __init__, let the "
            "class build networks that you have replaced, and thaw what is frozen."
        )


# The laboratory's file: a VAE as JSON, for the page that trains in the browser and
# back.

BROWSER_FORMAT, BROWSER_VERSION = "vae_lib.VAE", 1


def save_for_browser(vae, path):
    """Write the plain `VAE` to `path`, ending in `.vae.json`, as the laboratory in the
    browser opens it.

    Settings, beta and weights are kept, the optimizer's state is not. Raises
    StorageError, and leaves what stood at `path` untouched, for another class, another
    activation than ReLU or images that are not 28 x 28.
    """
    path = Path(path)
    if not path.name.endswith(".vae.json"):
        raise StorageError(
            f"{path} does not end in .vae.json: give it that ending, as the laboratory "
            "asks."
        )
    if type(vae) is not VAE:
        raise StorageError(
            f"The model is a {type(vae).__name__}: the laboratory opens a plain VAE."
        )
    settings = {**vae.settings, "beta": float(vae.beta)}
    if settings["activation"] != "relu" or settings["image_shape"] != (28, 28):
        raise StorageError(
            f"The model has activation {settings['activation']!r} and image_shape "
            f"{settings['image_shape']}: "
            "the laboratory opens models with 'relu' and (28, 28)."
        )
    weights = [
        {
            "name": name,
            "shape": array.shape,
            "data": base64.b64encode(array.astype("<f4").tobytes()).decode(),
        }
        for name, array in zip(
            _weight_names(settings["hidden"]), _browser_arrays(vae), strict=True
        )
    ]
    content = {
        "format": BROWSER_FORMAT,
        "version": BROWSER_VERSION,
        "settings": settings,
        "weights": weights,
    }
    with whole_file(path) as name:
        Path(name).write_text(json.dumps(content), encoding="utf-8")


def load_from_browser(path):
    """Return the ordinary `VAE` that the laboratory or `save_for_browser` wrote to
    `path`; compile it to go on.

    Raises StorageError when the file is missing, damaged or something else. The file
    holds numbers only.
    """
    path = Path(path)
    if not path.is_file():
        raise StorageError(
            f"{path} is not there: save a network in the laboratory, or correct the "
            "path."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StorageError(
            f"{path} is damaged or no JSON: save the network again."
        ) from error
    if not isinstance(content, dict) or content.get("format") != BROWSER_FORMAT:
        raise StorageError(
            f"{path} holds no network of the laboratory: choose a .vae.json that it "
            "saved."
        )
    if content.get("version") != BROWSER_VERSION:
        raise StorageError(
            f"{path} is of version {content.get('version')!r}, and version "
            f"{BROWSER_VERSION} can be read: "
            "save it anew with the laboratory of this version."
        )
    try:
        vae = VAE(**{name: content["settings"][name] for name in BROWSER_SETTINGS})
        stored = content["weights"]
        arrays = [
            np.frombuffer(base64.b64decode(one["data"], validate=True), "<f4")
            for one in stored
        ]
        wanted = _browser_arrays(vae)
        if [tuple(one["shape"]) for one in stored] != [array.shape for array in wanted]:
            raise ValueError("the shapes of the weights do not fit the settings")
        arrays = [
            array.reshape(like.shape)
            for array, like in zip(arrays, wanted, strict=True)
        ]
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError("a weight is not finite")
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"{path} is damaged ({error}): save the network again."
        ) from error
    count = len(vae.encoder.get_weights())
    vae.encoder.set_weights(arrays[:count])
    vae.decoder.set_weights(arrays[count:])
    return vae


BROWSER_SETTINGS = (
    "latent_dim",
    "hidden",
    "posterior",
    "likelihood",
    "beta",
    "activation",
    "image_shape",
)


def _browser_arrays(vae):
    """The weights of encoder and decoder, kernel and bias of each layer, in the order
    of the file.
    """
    return vae.encoder.get_weights() + vae.decoder.get_weights()


def _weight_names(hidden):
    """The names of `_browser_arrays`, for whoever reads the file."""
    inner = [f"hidden_{i + 1}" for i in range(len(hidden))]
    layers = [f"encoder/{name}" for name in [*inner, "mu", "rho"]] + [
        f"decoder/{name}" for name in [*inner, "logits"]
    ]
    return [f"{layer}/{part}" for layer in layers for part in ("kernel", "bias")]

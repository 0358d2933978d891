"""Models saved whole or not at all, and loaded without running code from the file."""

import inspect
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from vae_lib.checks import check_precision
from vae_lib.evaluation import evaluate
from vae_lib.model import VAEBase

CHANGED = (
    "it would come back as another model: let get_config return every argument of "
    "__init__, let the class build what you have replaced, and thaw what is frozen."
)


class StorageError(Exception):
    """A file cannot be written or read; the message names it and what to do."""


@contextmanager
def whole_file(path: Path | str) -> Iterator[str]:
    """Yield the name of a file that takes the place of `path` if the block succeeds.

    A reader sees the old file or the new one, never a part. Raises StorageError where
    the folder is missing or cannot be written.
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(path.suffix, f".{path.stem}-", path.parent)
        os.close(handle)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror}): choose a folder of yours."
        ) from error
    try:
        yield name
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # as any new file; mkstemp's is private
        os.replace(name, path)
    except OSError as error:
        raise StorageError(
            f"{path} was not written ({error}): the file that stood there is untouched."
        ) from error
    finally:
        Path(name).unlink(missing_ok=True)


def save(vae: VAEBase, path: Path | str) -> None:
    """Write `vae` with its optimizer to `path`, in Keras' own format, ending `.keras`.

    Raises StorageError, and leaves what stood at `path`, when it cannot be written, or
    would come back as another model.
    """
    if Path(path).suffix != ".keras":
        raise StorageError(f"{path} does not end in .keras: give it that ending.")
    with whole_file(path) as name:
        vae.save(name)
        with warnings.catch_warnings(action="ignore"):  # the sentence below is better
            try:
                why = "" if _same(vae, load(name)) else CHANGED
            except StorageError as error:
                why = f"it does not load again: {_reason(error.__cause__ or error)}"
        if why:
            raise StorageError(f"this {type(vae).__name__} was not saved, since {why}")


def load(path: Path | str) -> VAEBase:
    """Return the VAE saved at `path`.

    Raises StorageError when the file is missing, damaged, or no VAE of a known class.
    """
    if not Path(path).is_file():
        raise StorageError(f"{path} is not there: save a model, or check the path.")
    try:
        vae = keras.saving.load_model(path, safe_mode=True)
        check_precision(vae)  # Keras' policy may be another than the file's
    except Exception as error:  # zipfile, h5py, JSON and Keras each raise their own
        reason = _reason(error)
        what = f"is damaged, no VAE, or its class changed ({reason}): save it again."
        if "has the dtype policy" in reason:
            what = f"cannot be loaded: {reason}"
        elif reason.startswith("Could not locate class"):
            what = f"cannot be loaded ({reason.split('.')[0]}): run the cell, or import"
            what += " the module, that defines it; then load again."
        raise StorageError(f"{path} {what}") from error
    if not isinstance(vae, VAEBase):
        raise StorageError(
            f"{path} holds a {type(vae).__name__}, no VAE: pass a file written by save."
        )
    return vae


def _reason(error):
    """Return what an error of Keras' says happened, on one line."""
    message = str(error).split("Exception encountered: ")[-1]
    return " ".join(message.split())[:300] or type(error).__name__


def _same(vae, copy):
    """Return whether the loaded `copy` computes and draws what `vae` does."""
    images = np.random.default_rng(0).random((4, *vae.image_shape), "float32")
    state, found, kinds = vae.seed_generator.state.numpy(), [], []
    for one in (vae, copy):
        one.seed_generator.state.assign(state)
        drawn = np.ravel(one.likelihood.mean(one(images)[1]))
        found.append([*evaluate(one, images), *drawn])
        one.seed_generator.state.assign(state)
        kinds.append([float(one.beta), *((w.trainable, w.dtype) for w in one.weights)])
    parameters = inspect.signature(type(vae).__init__).parameters.values()
    asked = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} - {"self"}
    return (
        np.allclose(*found, rtol=1e-4, atol=1e-4, equal_nan=True)
        and asked <= set(vae.get_config())
        and kinds[0] == kinds[1]
    )

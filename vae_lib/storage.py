"""Models and results saved whole or not at all, and loaded without running code from the file. Notebook 01."""

import contextlib
import os
import tempfile
from pathlib import Path

import keras

from vae_lib.model import VAEBase


class StorageError(Exception):
    """A file cannot be written or is not one of ours; the message names it and what to do."""


@contextlib.contextmanager
def whole_file(path):
    """Yield the name of a temporary file beside `path` that takes its place only if the block succeeds.

    A reader sees the old file or the new one, never a part; two writers do not disturb each other. Raises
    StorageError where the folder is missing or cannot be written.
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(
            suffix=path.suffix, prefix=f".{path.stem}-", dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror}): choose a folder that exists and is "
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
    """Write `vae` with its optimizer to `path`, in Keras' own format; `path` ends in `.keras`.

    Raises StorageError with one sentence when that cannot be done; whatever stood at `path` is then untouched.
    """
    if Path(path).suffix != ".keras":
        raise StorageError(
            f"{path} does not end in .keras: give it that ending, as Keras asks."
        )
    with whole_file(path) as name:
        vae.save(name)


def load(path):
    """Return the VAE saved at `path`; raise StorageError when it is missing, damaged or something else."""
    if not Path(path).is_file():
        raise StorageError(
            f"{path} is not there: save a model first, or correct the path."
        )
    try:
        vae = keras.saving.load_model(path, safe_mode=True)
    except (
        Exception
    ) as error:  # zipfile, h5py, JSON and Keras each raise their own for a damaged file
        reason = (
            str(error).strip().splitlines()[0]
            if str(error).strip()
            else type(error).__name__
        )
        raise StorageError(
            f"{path} is damaged or no saved VAE ({reason[:120]}): save the model again."
        ) from error
    if not isinstance(vae, VAEBase):
        raise StorageError(
            f"{path} holds a {type(vae).__name__}, no VAE: pass a file written by save."
        )
    return vae

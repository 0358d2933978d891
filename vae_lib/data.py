"""MNIST, or any .npz with the Keras keys, as train, validation and test splits."""

import io
import os
import warnings
import zipfile
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

import numpy as np

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent / "data"  # of the repository; an installed package has a copy
FOLDER = CHECKOUT if (CHECKOUT / "mnist.npz").is_file() else HERE / "bundled"
BUNDLED = FOLDER / "mnist.npz"
AGAIN = "restore it with 'git checkout -- data/mnist.npz', or install vae_lib again"
KEYS = ("x_train", "y_train", "x_test", "y_test")
DARK = 128  # a file whose brightest pixel is below this is scaled up
VALIDATION_SHARE = 12  # one training image in twelve: 5,000 of MNIST's 60,000
SEED = 0  # the split is the same for every reader, so that figures can be compared


class DataError(ValueError):
    """A data file cannot be used; the message names it, the fault and what to do."""


class Split(NamedTuple):
    """Images and their labels, in the same order."""

    images: np.ndarray  # uint8 (n, rows, columns), 0 (background) … 255 (ink)
    labels: np.ndarray  # uint8 (n,), the class of each image: of MNIST, the digit


class Digits(NamedTuple):
    """Three disjoint splits: to fit on, to choose by, and to report."""

    train: Split
    validation: Split
    test: Split


def load_mnist(path: Path | str | None = None) -> Digits:
    """Return Digits(train, validation, test): 55,000, 5,000 and 10,000 images of MNIST.

    Validation takes a twelfth of the file's training images, drawn by a seeded
    permutation; the test split keeps the file's order.

    `path` names another .npz with the arrays x_train, y_train, x_test and y_test, such
    as Fashion-MNIST. Its images are (n, rows, columns) or (n, rows, columns, 1), of any
    size, as bool, integers from 0 to 255, or floats in [0, 1]. Where the brightest
    pixel is far below white, all are scaled alike to reach 255, with a warning unless
    they are of 0 and 1. Pickled content is never loaded. Raises DataError when the file
    is missing, damaged or holds anything else. MNIST: LeCun, Cortes & Burges.
    """
    path = Path(BUNDLED if path is None else os.path.expanduser(path))
    x_train, y_train, x_test, y_test = _read(path)
    x_train, y_train = _checked(path, "train", x_train, y_train, VALIDATION_SHARE)
    x_test, y_test = _checked(path, "test", x_test, y_test, 1)
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{path}: images are {x_train.shape[1:]} in x_train and {x_test.shape[1:]} "
            "in x_test, but must be of one size: resize them and save them again."
        )
    x_train, x_test = _grey_levels(path, x_train, x_test)
    train, test = Split(x_train, y_train), Split(x_test, y_test)
    order = np.random.default_rng(SEED).permutation(len(train.images))
    held_out, fitted = np.split(order, [len(order) // VALIDATION_SHARE])
    return Digits(_take(train, fitted), _take(train, held_out), test)


def subsample(split: Split, n: int, seed: int = 0, stratified: bool = False) -> Split:
    """Return a Split of `n` images drawn at random without replacement.

    They are in random order. With `stratified`, every label keeps its share of the
    whole to within one image. Raises ValueError unless there are n images. A stride is
    no substitute: the even and odd rows of MNIST differ in their mean. Notebook 03.
    """
    available = len(split.images)
    if not isinstance(n, Integral) or not 1 <= n <= available:
        raise ValueError(
            f"n is {n!r}: pass a whole number from 1 to {available}, the images."
        )
    generator = np.random.default_rng(seed)
    order = generator.permutation(available)
    if stratified:
        order = order[np.argsort(split.labels[order], kind="stable")]
        evenly_spaced = (2 * np.arange(n) + 1) * available // (2 * n)
        order = generator.permutation(order[evenly_spaced])
    return _take(split, order[:n])


def _take(split, rows):
    return Split(split.images[rows], split.labels[rows])


def _remedy(path, otherwise):
    return AGAIN if path == BUNDLED else otherwise


def _read(path):
    """Return the four arrays of the .npz file at `path`, not yet checked."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        remedy = _remedy(path, "check the path, and that you may read this file")
        raise DataError(
            f"{path} cannot be opened ({error.strerror or error}): {remedy}."
        ) from error
    except Exception as error:  # a bad index makes zipfile stumble in many ways
        content = path.read_bytes()
        found = f"it begins with {content[:8]!r}" if content else "it is empty"
        raise DataError(
            f"{path} is not an .npz file, or only a part of one ({found}), but must "
            f"hold {', '.join(KEYS)}: "
            f"{_remedy(path, 'download it, or save it with numpy.savez_compressed')}."
        ) from error
    with archive:
        missing = [key for key in KEYS if f"{key}.npy" not in archive.namelist()]
        if missing:
            raise DataError(
                f"{path} has no array {' or '.join(missing)}, but must hold "
                f"{', '.join(KEYS)}: save them under these names with "
                "numpy.savez_compressed."
            )
        return [_read_array(path, archive, key) for key in KEYS]


def _read_array(path, archive, key):
    """Return one array of the archive."""
    try:
        content = archive.read(f"{key}.npy")  # whole, so that its checksum is compared
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # zlib, zipfile and NumPy each raise their own
        if "Object arrays" in str(error):
            raise DataError(
                f"{path} holds {key} as pickled Python objects, which are never loaded "
                "because they can run code: save plain uint8 arrays with "
                "numpy.savez_compressed."
            ) from error
        raise DataError(
            f"{path} is damaged, its array {key} cannot be read: "
            f"{_remedy(path, 'download or save it again')}."
        ) from error


def _checked(path, name, images, labels, at_least):
    """Return images (n, rows, columns) and uint8 labels (n,)."""
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 or 0 in images.shape[1:] or images.dtype.kind not in "buif":
        raise DataError(
            f"{path}: x_{name} is {images.dtype} {images.shape}, but must hold grey "
            "images (n, rows, columns), as integers from 0 to 255 or floats in [0, 1]: "
            "reshape or convert them and save them again."
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataError(
            f"{path}: y_{name} is {labels.dtype} {labels.shape}, but must be integers "
            "(n,), one label per image: convert the labels and save them again."
        )
    if len(images) != len(labels):
        raise DataError(
            f"{path}: x_{name} has {len(images)} images and y_{name} {len(labels)} "
            "labels, but there must be one label per image: save matching arrays."
        )
    if len(images) < at_least:
        raise DataError(
            f"{path}: x_{name} has {len(images)} images, but must have {at_least} or "
            "more: save a larger set."
        )
    if labels.min() < 0 or labels.max() > 255:
        raise DataError(
            f"{path}: y_{name} has labels from {labels.min()} to {labels.max()}, but "
            "they must lie from 0 to 255: renumber the classes."
        )
    return images, np.ascontiguousarray(labels, dtype=np.uint8)


def _grey_levels(path, *arrays):
    """Return the arrays as uint8 from 0 to 255, all scaled alike."""
    white = 1 if any(images.dtype.kind in "bf" for images in arrays) else 255
    low, high = min(x.min() for x in arrays), max(x.max() for x in arrays)
    if not (low >= 0 and high <= white):
        raise DataError(
            f"{path}: pixels range from {low:.4g} to {high:.4g}, but must lie from 0 "
            f"to {white}: save grey levels of 0 to 255 as uint8, or divide them by 255."
        )
    if high == 0:
        raise DataError(f"{path}: every pixel is 0: save images that show something.")
    scale = 255.0 / white
    if high * scale < DARK:
        scale = 255.0 / float(high)
        if high != 1:
            warnings.warn(
                f"{path}: the brightest pixel is {high:.4g} of {white}; all images are "
                "scaled alike, so that it becomes white.",
                stacklevel=3,
            )
    if scale == 1.0:
        return [np.ascontiguousarray(images, dtype=np.uint8) for images in arrays]
    return [np.rint(images * np.float32(scale)).astype(np.uint8) for images in arrays]

"""The file that carries a VAE into the laboratory in the browser and back, as JSON."""

import base64
import json
from pathlib import Path

import numpy as np

from vae_lib.model import VAE
from vae_lib.storage import StorageError, whole_file

FORMAT, VERSION = "vae_lib.VAE", 1
SETTINGS = (
    "latent_dim",
    "hidden",
    "posterior",
    "likelihood",
    "beta",
    "activation",
    "image_shape",
)


def save_for_browser(vae: VAE, path: Path | str) -> None:
    """Write the plain `VAE` to `path`, ending in `.vae.json`, for the laboratory.

    Settings, beta and weights are kept, the optimizer's state is not. Raises
    StorageError, and leaves any file at `path` untouched, for another class, another
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
            f"{settings['image_shape']}: the laboratory opens models with 'relu' and "
            "(28, 28)."
        )
    named = zip(_names(settings["hidden"]), _arrays(vae), strict=True)
    weights = [
        {
            "name": name,
            "shape": array.shape,
            "data": base64.b64encode(array.astype("<f4").tobytes()).decode(),
        }
        for name, array in named
    ]
    content = {"format": FORMAT, "version": VERSION}
    content |= {"settings": settings, "weights": weights}
    with whole_file(path) as name:
        Path(name).write_text(json.dumps(content), encoding="utf-8")


def load_from_browser(path: Path | str) -> VAE:
    """Return the ordinary `VAE` that the laboratory or `save_for_browser` wrote.

    Compile it to continue training. Raises StorageError when the file is missing,
    damaged or of another kind. The file holds numbers only.
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
            f"{path} is damaged or not JSON: save the network again."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StorageError(
            f"{path} holds no network from the laboratory: choose a .vae.json that it "
            "saved."
        )
    if content.get("version") != VERSION:
        raise StorageError(
            f"{path} is of version {content.get('version')!r}, and version {VERSION} "
            "can be read: save it again with this version of the laboratory."
        )
    try:
        vae = VAE(**{name: content["settings"][name] for name in SETTINGS})
        arrays = [_decoded(one) for one in content["weights"]]
        wanted = _arrays(vae)
        if [array.shape for array in arrays] != [array.shape for array in wanted]:
            raise ValueError("the shapes of the weights do not fit the settings")
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


def _decoded(weight):
    """Return the array of a weight of the file; raise ValueError if its size is off."""
    numbers = np.frombuffer(base64.b64decode(weight["data"], validate=True), "<f4")
    return numbers.reshape(weight["shape"])


def _arrays(vae):
    """Return kernel and bias of each layer, in the order of the file."""
    return vae.encoder.get_weights() + vae.decoder.get_weights()


def _names(hidden):
    """Return the names of `_arrays`, for anyone who reads the file."""
    inner = [f"hidden_{i + 1}" for i in range(len(hidden))]
    encoder = [f"encoder/{name}" for name in [*inner, "mu", "rho"]]
    decoder = [f"decoder/{name}" for name in [*inner, "logits"]]
    layers = encoder + decoder
    return [f"{layer}/{part}" for layer in layers for part in ("kernel", "bias")]

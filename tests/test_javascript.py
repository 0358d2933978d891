"""The controls' JavaScript: what was built is of the present sources, and the modules
pass their own tests.
"""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

from vae_lib.data import load_mnist
from vae_lib.model import VAE
from vae_lib.widgets.shared.browser import network_state

WIDGETS = Path(__file__).resolve().parents[1] / "vae_lib" / "widgets"
SOURCES, BUILT = WIDGETS / "js", WIDGETS / "static"
HOW = "run `npm ci && npm run build` in vae_lib/widgets/js"


def run(*command):
    """Run a command in the folder of the sources; return its exit code and all that it
    said.
    """
    ended = subprocess.run(
        command, cwd=SOURCES, capture_output=True, encoding="utf-8", errors="replace"
    )
    return ended.returncode, ended.stdout + ended.stderr


def installed(name):
    """Skip the test unless Node.js and this package are there."""
    if not shutil.which("node") or not (SOURCES / "node_modules" / name).exists():
        pytest.skip(f"needs Node.js and `npm ci` in {SOURCES}")


def test_what_was_built_is_of_these_sources():
    """Without Node.js, too: the builder leaves a digest of what it has read."""
    digest = hashlib.sha256()
    controls = {path.stem: path for path in BUILT.glob("*.js")}
    names = [f"{name}.js" for name in controls]
    names += [f"lib/{path.name}" for path in SOURCES.glob("lib/*.js")]
    for name in sorted(names):
        text = (SOURCES / name).read_text("utf-8")
        digest.update(f"{name}\n{text}".encode())
    expected = (BUILT / "sources.sha256").read_text("utf-8").strip()
    assert digest.hexdigest() == expected, HOW


def test_building_gives_what_is_stored_byte_for_byte(tmp_path):
    installed("esbuild")
    code, said = run("node", "build.js", str(tmp_path))
    assert code == 0, said
    built = {path.name: path.read_bytes() for path in tmp_path.glob("*.js")}
    stored = {path.name: path.read_bytes() for path in BUILT.glob("*.js")}
    assert built.keys() == stored.keys()
    assert [name for name in built if built[name] != stored[name]] == [], HOW


def test_the_modules_pass_their_own_tests():
    if not shutil.which("node"):
        pytest.skip("needs Node.js")
    tests = sorted(str(path) for path in SOURCES.glob("tests/*.test.js"))
    code, said = run("node", "--test", *tests)
    assert code == 0, said


@pytest.mark.parametrize("tool, command", [("eslint", "lint"), ("typescript", "types")])
def test_the_modules_are_formatted_linted_and_typed(tool, command):
    installed(tool)
    code, said = run("npm", "run", "--silent", command)
    assert code == 0, said


def test_the_lock_file_holds_hashes_and_no_address():
    text = (SOURCES / "package-lock.json").read_text("utf-8")
    assert '"integrity": "sha512-' in text and "://" not in text


# Against Keras, in Node.js

NODE = """
import { readFileSync } from "node:fs";
import { run, readLayers } from "./lib/network.js";
import { unpack } from "./lib/numbers.js";
import { normaliseInk } from "./lib/ink.js";
const decoded = (text) => Uint8Array.from(Buffer.from(text, "base64"));
const bytes = (text) => new DataView(decoded(text).buffer);
const { code, ...given } = JSON.parse(readFileSync(0, "utf8"));
const names = { given, run, readLayers, unpack, normaliseInk, bytes };
const result = new Function(...Object.keys(names), code)(...Object.values(names));
console.log(JSON.stringify(result));
"""


def in_node(code, **given):
    """Return what a function body makes of `given`, with the pure modules at hand."""
    if not shutil.which("node"):
        pytest.skip("needs Node.js")
    ended = subprocess.run(
        ["node", "--input-type=module", "-e", NODE],
        cwd=SOURCES,
        input=json.dumps({"code": code, **given}),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


DECODE = """
const state = { ...given.state, weights: bytes(given.state.weights) };
const layers = readLayers({ get: (name) => state[name] });
return given.codes.map((z) => Array.from(run(layers, z, state)));
"""


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("float16", 2e-3)])
@pytest.mark.parametrize(
    "settings",
    [
        dict(latent_dim=2),
        dict(latent_dim=10, activation="gelu"),
        dict(latent_dim=2, activation="tanh", hidden=(64,)),
        dict(latent_dim=2, likelihood="gaussian", activation="gelu"),
        dict(latent_dim=2, hidden=()),
    ],
    ids=str,
)
def test_decoding_agrees_with_keras(settings, dtype, tolerance):
    keras.utils.set_random_seed(0)
    vae, rng = VAE(**{"hidden": (64, 32), **settings}), np.random.default_rng(0)
    vae.decoder.set_weights(
        [
            w if w.ndim == 2 else rng.normal(0, 0.5, w.shape)  # zero at the start
            for w in vae.decoder.get_weights()
        ]
    )
    codes = rng.normal(0, 1.5, (40, vae.latent_dim)).astype("float32")
    state = network_state(vae, dtype)
    state["weights"] = base64.b64encode(state["weights"]).decode()
    found = np.array(in_node(DECODE, state=state, codes=codes.tolist()))
    expected = vae.decode(codes).reshape(40, 784)
    scale = np.abs(expected).max() if settings.get("likelihood") == "gaussian" else 1
    assert np.std(expected / scale) > 0.05
    assert np.abs(found - expected).max() / scale <= tolerance


def test_every_half_is_read_as_numpy_reads_it():
    halves = np.arange(2**16, dtype="<u2").view("<f2")
    encoded = base64.b64encode(halves.tobytes()).decode()
    found = in_node(
        "return Array.from(unpack(bytes(given.data)), String)", data=encoded
    )
    numbers = np.array([float(text.replace("Infinity", "inf")) for text in found])
    np.testing.assert_array_equal(numbers, halves.astype(float))


def test_ink_is_prepared_as_mnist_was():
    """Test digits, blown up and moved, come back: MNIST prepared them once already."""
    images, large = load_mnist().test.images[:40], []
    for image in images:
        rows, columns = (np.flatnonzero(image.max(axis=axis) > 25) for axis in (1, 0))
        cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] / 255
        ink = np.zeros((280, 280))
        ink[7 : 7 + 10 * cut.shape[0], 31 : 31 + 10 * cut.shape[1]] = np.kron(
            cut, np.ones((10, 10))
        )
        large.append(np.round(ink, 3).ravel().tolist())
    code = "return given.ink.map((ink) => Array.from(normaliseInk(ink, 280)))"
    found = np.reshape(in_node(code, ink=large), images.shape)
    ink, truth = found.sum(axis=(1, 2)), (images / 255).sum(axis=(1, 2))
    assert np.abs(ink / truth - 1).max() < 0.18  # faint edges may have been cut off
    # those whose ink fills the box of 20 to the full, without a faint edge
    assert (np.abs(found - images / 255).max(axis=(1, 2)) < 0.02).sum() >= 20

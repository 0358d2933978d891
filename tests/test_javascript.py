"""The controls' JavaScript: what was built is of the present sources, and the modules pass their own tests."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

WIDGETS = Path(__file__).resolve().parents[1] / "vae_lib" / "widgets"
SOURCES, BUILT = WIDGETS / "js", WIDGETS / "static"
HOW = "run `npm ci && npm run build` in vae_lib/widgets/js"


def run(*command):
    """Run a command in the folder of the sources; return its exit code and all that it said."""
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

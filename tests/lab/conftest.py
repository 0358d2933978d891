"""What the tests of the laboratory share: node with the installed JavaScript packages,
or a clear word without.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "lab"))

import build as builder  # noqa: E402


@pytest.fixture(scope="session")
def run_node():
    """A function that runs node in docs/lab with arguments and lines to read, and
    returns what it prints.
    """
    try:
        node = builder.installed_node()
    except builder.NoNode as error:
        pytest.skip(str(error))

    def run(*arguments, lines=""):
        done = subprocess.run(
            [*node, *map(str, arguments)],
            cwd=builder.LAB,
            input=lines,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        return done.stdout

    return run

"""What the tests of the laboratory share: node with the installed JavaScript packages,
or a clear word without.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "lab"))

import build as builder  # noqa: E402


@pytest.fixture(scope="session")
def run_node():
    """A function that runs a script of docs/lab in node with arguments and returns what
    it prints, read as JSON.
    """
    try:
        node = builder.installed_node()
    except builder.NoNode as error:
        pytest.skip(str(error))

    def run(script, *arguments):
        done = subprocess.run(
            [*node, str(builder.LAB / script), *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=builder.LAB,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run

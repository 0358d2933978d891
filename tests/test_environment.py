"""The three lists of requirements agree; no file says where packages came from or where it was made."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIRED = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
PIN = re.compile(
    r"^(?P<pin>[^\s#].*?)\s*\\\n(?P<hashes>(?:\s+--hash=\S+.*\n)+)", re.MULTILINE
)
INDEX = re.compile(
    r"--(extra-)?index-url|--find-links|--trusted-host|//registry\.|registry\s*="
)
HOME = re.compile(r"/home/\w|/Users/\w|/root/|[A-Z]:\\+Users\\")


def pins():
    """Return the locked requirements as {name: (version, number of hashes)}, for this platform."""
    locked = {}
    for match in PIN.finditer((ROOT / "requirements.txt").read_text()):
        requirement = Requirement(match["pin"])
        if requirement.marker is None or requirement.marker.evaluate():
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", f"{match['pin']} is not pinned"
            locked[canonicalize_name(requirement.name)] = (
                specifier.version,
                match["hashes"].count("--hash="),
            )
    return locked


def tracked_files():
    """Return the text files that git tracks or would add, but for this one, as {relative path: text}."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
    )
    if listed.returncode:
        pytest.skip("this copy is not a git checkout")
    texts = {}
    for name in set(listed.stdout.decode().split("\0")) - {
        "",
        "tests/" + Path(__file__).name,
    }:
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            pass  # binary, or deleted and not yet committed
    return texts


def test_conda_and_pip_name_the_same_requirements():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, rest = environment["dependencies"]
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert python == "python" + PROJECT["requires-python"]
    assert pip == "pip"
    assert rest == {"pip": [*REQUIRED, "-e ."]}


@pytest.mark.parametrize("requirement", REQUIRED)
def test_requirement_is_locked_within_its_bounds(requirement):
    requirement = Requirement(requirement)
    version, hashes = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)
    assert hashes > 0


def test_every_lock_line_is_pinned_with_hashes():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    starts = [
        line
        for line in lines
        if line.strip() and not line[0].isspace() and not line.startswith("#")
    ]
    assert len(starts) == len(PIN.findall((ROOT / "requirements.txt").read_text()))


def test_no_file_records_an_index():
    assert [name for name, text in tracked_files().items() if INDEX.search(text)] == []


def test_no_file_names_a_home_folder():
    assert [name for name, text in tracked_files().items() if HOME.search(text)] == []

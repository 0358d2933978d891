"""The lists of requirements agree; files for other programs are as these read them."""

import functools
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema.validators import validator_for
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
REQUIRED = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PIN = re.compile(
    r"^(?P<pin>[^\s#].*?)\s*\\\n(?P<hashes>(?:\s+--hash=\S+.*\n)+)", re.MULTILINE
)
INDEX = re.compile(
    r"--(extra-)?index-url|--find-links|--trusted-host|//registry\."
    r"|registry\s*=\s*.?(https?:)?//"
)
HOME = re.compile(r"/home/\w|/Users/\w|/root/|:\\+Users\\")


def pins():
    """Return {name: (version, number of hashes)} of what is locked for this platform.

    A name with extras has an entry of its own, as pip asks for it under that name.
    """
    locked = {}
    for match in PIN.finditer(LOCK):
        requirement = Requirement(match["pin"])
        if requirement.marker is None or requirement.marker.evaluate():
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", f"{match['pin']} is not pinned"
            locked[canonicalize_name(requirement.name)] = (
                specifier.version,
                match["hashes"].count("--hash="),
            )
    return locked


@functools.cache
def tracked_files():
    """Return {relative path: text} of the files that git tracks or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
    )
    if listed.returncode:
        pytest.skip("this copy is not a git checkout")
    texts = {}
    here = {"", f"tests/{Path(__file__).name}"}
    for name in set(listed.stdout.decode("utf-8").split("\0")) - here:
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            pass  # binary, or deleted and not yet committed
    return texts


def test_conda_and_pip_name_the_same_requirements():
    python, pip, rest = ENVIRONMENT["dependencies"]
    assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]
    assert pip == "pip"
    assert rest == {"pip": [*REQUIRED, "-e ."]}


def test_binder_reads_a_python_that_the_project_takes():
    """repo2docker reads `python=X.Y`; with bounds it takes a default of its own."""
    lines = map(str, ENVIRONMENT["dependencies"])
    found = [re.match(r"python\s*=+\s*([\d.]+)$", line) for line in lines]
    (version,) = [match[1] for match in found if match]
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)


@pytest.mark.parametrize("requirement", REQUIRED)
def test_requirement_is_locked_within_its_bounds(requirement):
    requirement = Requirement(requirement)
    version, hashes = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)
    assert hashes > 0


def test_every_lock_line_is_pinned_with_hashes():
    lines = [line for line in LOCK.splitlines() if line.strip()]
    starts = [line for line in lines if not line[0].isspace() and line[0] != "#"]
    assert len(starts) == len(PIN.findall(LOCK))


def test_pins_keep_the_extras_that_older_pips_ask_for():
    """With hashes, pip 23 wants `coverage[toml]` pinned under this name."""
    assert re.search(r"^coverage\[toml\]==", LOCK, re.MULTILINE)


def test_every_package_and_every_kind_of_data_file_is_installed():
    folders = {p.parent for p in (ROOT / "vae_lib").rglob("*.py")}
    folders = {f for f in folders if "node_modules" not in f.parts}  # of widgets/js
    setuptools = PYPROJECT["tool"]["setuptools"]
    names = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert set(setuptools["packages"]) == names | {"vae_lib.bundled"}


def test_no_file_records_an_index():
    assert [name for name, text in tracked_files().items() if INDEX.search(text)] == []


def test_no_file_names_a_home_folder():
    assert [name for name, text in tracked_files().items() if HOME.search(text)] == []


SCHEMAS = {
    "CITATION.cff": "citation-file-format",
    ".github/ISSUE_TEMPLATE/config.yml": "github-issue-config",
    **{
        f".github/ISSUE_TEMPLATE/{name}.yml": "github-issue-forms"
        for name in ("claim", "classroom", "fault")
    },
    **{f".github/workflows/{n}.yml": "github-workflows" for n in ("site", "tests")},
}


def faults(schema, content):
    """Return what is wrong with a file's content by the schema of its readers."""
    rules = get_builtin_schema(f"vendor.{schema}")
    return [e.message for e in validator_for(rules)(rules).iter_errors(content)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_file_keeps_the_schema_of_its_readers(name):
    read = YAML(typ="safe").load  # 1.2, in which `on` is a word
    content = read((ROOT / name).read_text(encoding="utf-8"))
    assert faults(SCHEMAS[name], content) == []
    assert faults(SCHEMAS[name], content | {"nonsense": [1]}) != []


def test_every_file_for_the_host_is_checked():
    files = [*ROOT.glob(".github/*/*"), *ROOT.glob("*.cff")]
    assert {path.relative_to(ROOT).as_posix() for path in files} == set(SCHEMAS)


def test_the_citation_names_the_version_and_the_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"].split()[0]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {PROJECT['version']}" in changelog

"""The project on machines of other people: commands, encodings, installed copies."""

import ast
import importlib.util
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]
PYTHON = [*ROOT.glob("*.py")] + [
    path
    for folder in ("benchmarks", "docs", "tests", "vae_lib")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
]
PROGRAM = r"(?:python3?|py -3\.12|pip|uv|conda|jupyter)"
COMMAND = re.compile(rf"`({PROGRAM} [^`]+)`|^    ({PROGRAM} .+)$", re.MULTILINE)
UNREACHED = re.compile(
    "Could not find a version|No matching distribution|dns error|"
    "error sending request|ConnectionError"
)


def commands(*beginnings):
    """Return the documented commands that begin so, each once."""
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    found = {a or b.strip() for text in texts for a, b in COMMAND.findall(text)}
    return sorted(command for command in found if command.startswith(beginnings))


def run(command, **options):
    """Run a command in the project's folder and return its result."""
    options.setdefault("cwd", ROOT)
    return subprocess.run(command, capture_output=True, encoding="utf-8", **options)


# Commands


@pytest.mark.slow  # some import TensorFlow
@pytest.mark.parametrize("command", commands("python "))
def test_documented_script_knows_its_documented_options(command, monkeypatch, capsys):
    parts = shlex.split(command)[1:]
    words = parts[:2] if parts[0] == "-m" else parts[:1]
    if words[0] == "-c":
        pytest.skip("a line of Python, tried where it is documented")
    begin = runpy.run_module if words[0] == "-m" else runpy.run_path
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT / Path(words[0]).parent)
    monkeypatch.setattr(sys, "argv", [words[-1], "--help"])
    with pytest.raises(SystemExit) as end:
        begin(words[-1], run_name="__main__")
    assert not end.value.code
    options = {part.split("=")[0] for part in parts if part.startswith("--")}
    said = capsys.readouterr().out
    assert options <= set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", said, re.M))


@pytest.mark.parametrize("command", commands("jupyter "))
def test_documented_notebook_is_there(command):
    paths = [part for part in shlex.split(command) if part.endswith(".ipynb")]
    assert paths and all((ROOT / path).is_file() for path in paths)


@pytest.mark.parametrize("command", commands("py -3.12 ", "python3 "))
def test_documented_start_is_one_that_the_tests_of_start_know(command):
    arguments = command.split()[2 if command.startswith("py ") else 1 :]
    assert arguments[0] in ("start.py", "-m"), command
    for part in arguments[1:]:
        assert part.startswith("-") or part.isdigit() or (ROOT / part).exists()


def test_conda_is_told_of_a_file_that_is_there():
    create = "conda env create -f environment.yml"
    assert set(commands("conda ")) == {create, "conda activate vae"}
    environment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert "\nname: vae\n" in environment


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The Python of an environment that holds the newest pip alone."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=True)
    python = next(path for path in folder.glob("*/python*") if path.is_file())
    newest = reached(run([python, "-m", "pip", "install", "--upgrade", "pip"]))
    assert newest.returncode == 0, newest.stderr
    return python


def reached(result):
    """Skip where no package index answers."""
    if UNREACHED.search(result.stderr):
        pytest.skip("no package index can be reached")
    return result


@pytest.mark.full
@pytest.mark.network
@pytest.mark.parametrize("command", commands("pip install"))
def test_documented_pip_command_resolves_in_a_bare_environment(bare, command):
    arguments = shlex.split(command)[1:]
    result = reached(run([bare, "-m", "pip", *arguments, "--dry-run", "--quiet"]))
    assert result.returncode == 0, result.stderr


@pytest.mark.full
@pytest.mark.network
@pytest.mark.skipif(not importlib.util.find_spec("uv"), reason='needs ".[dev]"')
@pytest.mark.parametrize("command", commands("uv pip install"))
def test_documented_uv_command_resolves_in_a_bare_environment(bare, command):
    arguments = shlex.split(command)[1:]
    where = ["--python", bare, "--dry-run", "--quiet"]
    result = reached(run([sys.executable, "-m", "uv", *arguments, *where]))
    assert result.returncode == 0, result.stderr


@pytest.mark.network
@pytest.mark.full
@pytest.mark.skipif(not importlib.util.find_spec("uv"), reason='needs ".[dev]"')
def test_documented_command_makes_pins_without_addresses(tmp_path):
    (command,) = commands("uv pip compile")
    assert command.endswith("-o requirements.txt")
    shutil.copy(ROOT / "requirements.txt", tmp_path)  # what it holds is kept
    arguments = shlex.split(command)[1:-1]
    lock = tmp_path / "requirements.txt"
    result = reached(run([sys.executable, "-m", "uv", *arguments, lock, "--quiet"]))
    assert result.returncode == 0, result.stderr
    made = lock.read_text(encoding="utf-8")
    assert made == (ROOT / "requirements.txt").read_text(encoding="utf-8")


# Encodings


def platform_dependent(tree):
    """Yield the calls in a syntax tree whose text depends on the platform's encoding.

    `open` and Path's methods without `encoding` in a text mode, and processes whose
    output is read as text without one.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        given = [*node.args[:2], *named.values()]
        words = [value.value for value in given if isinstance(value, ast.Constant)]
        modes = [w for w in words if re.fullmatch("[rwaxbt+]{1,3}", str(w))]
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        text = {"text", "universal_newlines"} & set(named)
        if "encoding" in named or any("b" in mode for mode in modes):
            continue
        is_builtin = isinstance(node.func, ast.Name)
        if (
            (name == "open" and (is_builtin or modes))
            or (name == "read_text" and not node.args)
            or (name == "write_text" and len(node.args) < 2)
            or (text and name in ("run", "Popen", "check_output"))
        ):
            yield ast.unparse(node)


@pytest.mark.parametrize(
    "source, found",
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("path.read_text('utf-8')", False),
        ("path.write_text(text)", True),
        ("path.write_text(text, 'utf-8')", False),
        ("open(name)", True),
        ("open(name, 'w')", True),
        ("open(name, 'rb')", False),
        ("path.open('w')", True),
        ("path.open('wb')", False),
        ("Image.open(file)", False),
        ("subprocess.run(command, text=True)", True),
        ("subprocess.run(command, encoding='utf-8')", False),
    ],
)
def test_what_depends_on_the_platform_is_found(source, found):
    assert bool(list(platform_dependent(ast.parse(source)))) == found


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_text_is_read_and_written_as_utf_8(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert list(platform_dependent(tree)) == []


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("notebooks/**/*.ipynb")), ids=lambda path: path.name
)
def test_notebooks_read_and_write_text_as_utf_8(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            source = re.sub(r"^\s*[%!].*$", "", cell.source, flags=re.MULTILINE)
            assert list(platform_dependent(ast.parse(source))) == []


# Installed copies


def path_to(folder):
    """Return the environment variables of a Python that finds packages in a folder."""
    return os.environ | {"PYTHONPATH": str(folder)}


JUNK = "__pycache__", ".ipynb_checkpoints", "node_modules"


@pytest.mark.slow
def test_installed_copy_works_elsewhere_and_brings_its_data(tmp_path):
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    for name in "vae_lib", "data":
        junk = shutil.ignore_patterns(*JUNK)
        shutil.copytree(ROOT / name, source / name, ignore=junk)
    for name in "pyproject.toml", "README.md", "LICENSE":
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    offline = ["--no-build-isolation", "--no-index", "--target", site, source]
    result = run([*pip, *offline])
    assert result.returncode == 0, result.stderr
    shutil.rmtree(source)
    program = (
        "import importlib, pkgutil, vae_lib\n"
        "from vae_lib.course.results import load_results\n"
        "from vae_lib.data import load_mnist\n"
        "for module in pkgutil.walk_packages(vae_lib.__path__, 'vae_lib.'):\n"
        "    importlib.import_module(module.name)\n"
        "load_results('nats')\n"
        "print(vae_lib.__file__, len(load_mnist().train.images))\n"
    )
    result = run([sys.executable, "-c", program], cwd=tmp_path, env=path_to(site))
    assert (result.returncode, result.stderr) == (0, "")
    file, count = result.stdout.rsplit(maxsplit=1)
    assert Path(file).is_relative_to(site) and count == "55000"
    for path in (ROOT / "vae_lib").rglob("*.*"):
        if path.suffix in (".py", ".css") or path.parent.name == "static":
            if not {*JUNK} & {*path.parts}:
                assert (site / path.relative_to(ROOT)).is_file()

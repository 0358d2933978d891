"""vae_lib keeps its shape: the direction of imports, what knows TensorFlow, small modules, docstrings."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "vae_lib"
SOURCES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in PACKAGE.rglob("*.py")
}
TREES = {name: ast.parse(path.read_text()) for name, path in SOURCES.items()}
MODULES = sorted(name for name in TREES if not name.endswith("__init__"))

# The order from the ground up, as the package's own docstring lists it.
ORDER = re.findall(
    r"^    (\w+)  +\w", ast.get_docstring(TREES["__init__"], clean=False), re.MULTILINE
)
FRAMEWORKS = {"tensorflow", "keras"}
WITHOUT_FRAMEWORK = {"data", "theory", "latents", "figures"}
STANDING_ALONE = WITHOUT_FRAMEWORK | {"posterior", "objectives"}


def imports(tree):
    """Return the dotted names that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(tree):
    """Return the modules of vae_lib that a module imports, by their names in ORDER."""
    return {name.split(".")[1] for name in imports(tree) if name.startswith("vae_lib.")}


def length(function):
    """Return the number of a function's lines without its docstring."""
    documented = ast.get_docstring(function) is not None
    docstring = (
        function.body[0].end_lineno - function.body[0].lineno + 1 if documented else 0
    )
    return function.end_lineno - function.lineno + 1 - docstring


def test_the_docstring_of_the_package_names_every_module():
    assert set(ORDER) == {name.split(".")[0] for name in MODULES}


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_downwards(name):
    place = name.split(".")[0]
    assert place in ORDER
    below = ORDER[: ORDER.index(place)]
    allowed = (
        {*below, place} if "." in name else set(below)
    )  # a folder's modules may import one another
    assert ours(TREES[name]) <= (set() if place in STANDING_ALONE else allowed)


@pytest.mark.parametrize("name", sorted(WITHOUT_FRAMEWORK))
def test_no_framework_where_none_is_needed(name):
    assert {
        imported.split(".")[0] for imported in imports(TREES[name])
    } & FRAMEWORKS == set()


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_small(name):
    lines = SOURCES[name].read_text().count("\n")
    assert lines <= 200


@pytest.mark.parametrize("name", MODULES)
def test_functions_are_short(name):
    functions = [
        node for node in ast.walk(TREES[name]) if isinstance(node, ast.FunctionDef)
    ]
    assert [node.name for node in functions if length(node) > 30] == []


@pytest.mark.parametrize("name", MODULES)
def test_what_is_public_is_documented(name):
    public = [
        node
        for node in TREES[name].body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
    ]
    assert ast.get_docstring(TREES[name])
    assert [node.name for node in public if not ast.get_docstring(node)] == []

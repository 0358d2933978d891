"""vae_lib keeps its shape: the direction of imports, what knows TensorFlow,
docstrings.
"""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "vae_lib"
SOURCES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in PACKAGE.rglob("*.py")
    if "node_modules" not in path.parts  # of widgets/js, once installed
}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in SOURCES.items()}
MODULES = sorted(name for name in TREES if not name.endswith("__init__"))
ROOMS = ["analysis", "experiments", "course", "widgets"]  # from the ground up
FRAMEWORKS = {"tensorflow", "keras"}
WITHOUT_FRAMEWORK = {"data", "figures", "analysis.grids", "analysis.theory"}
STANDING_ALONE = {"data", "figures", "posterior", "objectives"}


def listed(package):
    """Return the names that a package's docstring explains, in its order."""
    docstring = ast.get_docstring(TREES[package], clean=False)
    return re.findall(r"^ *(\w+)  +\S", docstring, re.MULTILINE)


ORDER = [name for name in listed("__init__") if name not in ROOMS]


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


def ours(name):
    """Return the modules of vae_lib that a module imports."""
    parts = {
        tuple(imported.split(".")[1:])
        for imported in imports(TREES[name])
        if imported.startswith("vae_lib.")
    }
    return {
        ".".join(part[:length])
        for part in parts
        for length in range(1, len(part) + 1)
        if ".".join(part[:length]) in MODULES
    }


def room(name):
    """Return how high a module stands: 0 for the core, then the rooms, then the
    door.
    """
    if name == "__main__":
        return len(ROOMS)
    return ROOMS.index(name.split(".")[0]) + 1 if "." in name else 0


def test_the_docstrings_of_the_packages_name_every_module():
    for package in (name for name in TREES if name.endswith("__init__")):
        folder = SOURCES[package].parent
        here = {p.stem for p in folder.glob("*.py")} - {"__init__"}
        here |= {p.parent.name for p in folder.glob("*/__init__.py")}
        here -= {"__main__"}
        assert set(listed(package)) == here, package


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_downwards(name):
    found = ours(name)
    assert all(room(other) <= room(name) for other in found)
    if room(name) == 0:
        assert found <= set(ORDER[: ORDER.index(name)])
    if name in STANDING_ALONE:
        assert found == set()


def test_no_imports_go_round_in_a_circle():
    left = {name: ours(name) for name in MODULES}
    while left:
        ready = [name for name, needs in left.items() if not needs & set(left)]
        assert ready, f"a circle among {sorted(left)}"
        for name in ready:
            del left[name]


@pytest.mark.parametrize("name", sorted(WITHOUT_FRAMEWORK))
def test_no_framework_where_none_is_needed(name):
    found = {imported.split(".")[0] for imported in imports(TREES[name])}
    assert found & FRAMEWORKS == set()


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

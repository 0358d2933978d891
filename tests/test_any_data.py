"""Notebook 05 runs with any valid file: other numbers, shapes, classes, pixels."""

import ast
import gzip
import re
import symtable
from pathlib import Path

import nbformat
import numpy as np
import pytest

pytestmark = pytest.mark.full

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
CELLS = nbformat.read(FOLDER / "05_your_own.ipynb", 4).cells


def data_section():
    """Return the code cells to the end of the section on another data set."""
    sources = []
    for cell in CELLS:
        if cell.cell_type == "markdown" and "## Other networks" in cell.source:
            return sources
        if cell.cell_type == "code":
            sources.append(cell.source)
    raise AssertionError("notebook 05 has no section on other networks")


def pictures(n, shape, classes, rng):
    """Return images (n, *shape), blots whose place tells their class, and labels."""
    labels = rng.integers(0, classes, n)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    angle = 2 * np.pi * labels / max(classes, 2) + rng.normal(0, 0.2, n)
    down = shape[0] / 2 + shape[0] / 4 * np.sin(angle)
    right = shape[1] / 2 + shape[1] / 4 * np.cos(angle)
    away = (rows - down[:, None, None]) ** 2 + (columns - right[:, None, None]) ** 2
    blots = np.exp(-away / (0.02 * shape[0] * shape[1]))
    return (255 * blots).round().astype("uint8"), labels.astype("uint8")


def save(path, n, shape=(28, 28), classes=10, change=lambda images: images):
    """Write a file of `n` training and n / 5 test images, after `change`."""
    rng = np.random.default_rng(0)
    x_train, y_train = pictures(n, shape, classes, rng)
    x_test, y_test = pictures(max(n // 5, 5), shape, classes, rng)
    np.savez(
        path,
        x_train=change(x_train),
        y_train=y_train,
        x_test=change(x_test),
        y_test=y_test,
    )


FILES = {
    "fifty": dict(n=50),
    "130": dict(n=130),
    "1500": dict(n=1500),
    "12000": dict(n=12_000),
    "60000": dict(n=60_000),
    "20x30": dict(n=300, shape=(20, 30)),
    "64x64": dict(n=300, shape=(64, 64)),
    "two_classes": dict(n=300, classes=2),
    "26_classes": dict(n=600, classes=26),
    "47_classes": dict(n=600, classes=47),
    "one_class": dict(n=300, classes=1),
    "black_or_white": dict(n=300, change=lambda x: np.uint8(255 * (x > 127))),
    "zero_or_one": dict(n=300, change=lambda x: np.uint8(x > 127)),
    "true_or_false": dict(n=300, change=lambda x: x > 127),
    "floats": dict(n=300, change=lambda x: x / np.float32(255)),
    "channel": dict(n=300, change=lambda x: x[..., None]),
}


def run(sources, monkeypatch, **variables):
    """Run code cells one after another with small sizes; return their namespace."""
    monkeypatch.chdir(FOLDER)
    monkeypatch.setenv("VAE_LIB_QUICK", "1")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    names = {"__name__": "__main__"}
    for source in sources:
        exec(compile(source, source[:60], "exec"), names)
    return names


@pytest.mark.parametrize("name", FILES)
def test_the_section_on_data_runs_with_any_file(name, tmp_path, monkeypatch, capsys):
    path = tmp_path / f"{name}.npz"
    save(path, **FILES[name])
    names = run(data_section(), monkeypatch, VAE_DATA=str(path))
    assert names["chosen"] == path
    shape = FILES[name].get("shape", (28, 28))
    assert names["mine"].image_shape == shape
    assert np.isfinite(names["table"].to_numpy(float)).all()
    said = capsys.readouterr().out
    assert f"{name}: held-out images cost" in said


def reads(scope, nested=False):
    """Return the variables of a module that a scope of it and those inside it read."""
    found = {
        symbol.get_name()
        for symbol in scope.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or not nested)
    }
    return found.union(*(reads(child, True) for child in scope.get_children()))


def variables_of(scope):
    """Return the names that a module sets, but not those of functions and modules."""
    return {
        symbol.get_name()
        for symbol in scope.get_symbols()
        if symbol.is_assigned() and not symbol.is_namespace()
    }


def scope_of(statement):
    """Return the table of symbols of one statement."""
    text = ast.unparse(ast.fix_missing_locations(statement))
    return symtable.symtable(text, "cell", "exec")


def taken_over(section, rest):
    """Return the variables of `section` that `rest` may read before it sets them.

    What stands under a condition may not be set, and a function reads when it is made.
    Functions of the section are free to use, if they read no variable of it.
    """
    trees = [statement for source in section for statement in ast.parse(source).body]
    variables = set().union(*(variables_of(scope_of(tree)) for tree in trees))
    for tree in trees:
        if isinstance(tree, ast.FunctionDef):
            inside = reads(scope_of(tree))
            variables |= {tree.name} if inside & variables else set()
    rest = [statement for source in rest for statement in ast.parse(source).body]
    return variables & unset(rest, set())


def unset(statements, known):
    """Return the names that statements read before they set them, and let `known` grow
    by those that are set for sure.
    """
    found = set()
    for node in statements:
        parts = [node]
        if isinstance(node, ast.For):
            parts = [node.iter]
            known_inside = known | variables_of(
                scope_of(ast.Assign([node.target], node.iter))
            )
            found |= unset(node.body + node.orelse, known_inside)
        elif isinstance(node, ast.If | ast.While):
            parts = [node.test]
            found |= unset(node.body, set(known)) | unset(node.orelse, set(known))
        elif isinstance(node, ast.Try):
            parts = []
            for body in (node.body, node.orelse, node.finalbody):
                found |= unset(body, set(known))
            for handler in node.handlers:
                found |= unset(handler.body, known | {handler.name})
        elif isinstance(node, ast.With):
            parts = [item.context_expr for item in node.items]
            kept = [item.optional_vars for item in node.items if item.optional_vars]
            for target in kept:
                known |= variables_of(scope_of(ast.Assign([target], ast.Constant(0))))
        for part in parts:
            scope = scope_of(part)
            read = reads(scope)
            if isinstance(part, ast.AugAssign):
                read.add(ast.unparse(part.target))
            found |= read - known
            if part is node:
                known |= variables_of(scope)
        if isinstance(node, ast.With):
            found |= unset(node.body, known)
    return found


def test_the_rest_of_the_notebook_does_not_depend_on_the_file():
    headings = [cell.source.startswith("## Another data set") for cell in CELLS]
    opening = CELLS[: headings.index(True)]
    start = sum(cell.cell_type == "code" for cell in opening)
    code = [cell.source for cell in CELLS if cell.cell_type == "code"]
    end = len(data_section())
    assert taken_over(code[start:end], code[end:]) == set()


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("print(data)", True),
        ("data = 1\nprint(data)", False),
        ("print(data)\ndata = 1", True),
        ("data = data + 1", True),
        ("data += 1", True),
        ("for i in range(3):\n    data += 1", True),
        ("if False:\n    data = 1\nprint(data)", True),
        ("f = lambda: data", True),
        ("def f():\n    return data", True),
        ("def f(data):\n    return data", False),
        ("def f(data):\n    return data\nprint(data)", True),
        ("[data for data in range(3)]", False),
        ("[data for data in range(3)]\nprint(data)", True),
        ("for data in range(3):\n    print(data)", False),
        ("with open(path) as data:\n    print(data)", False),
        ("with open(data) as file:\n    print(file)", True),
        ("try:\n    f()\nexcept E as data:\n    print(data)", False),
        ("print(size(3))", True),
        ("print(double(3))", False),
    ],
)
def test_a_variable_that_is_taken_over_is_found(rest, found):
    section = "data = load(other)\ndef size(n): return n * len(data)"
    section += "\ndef double(n): return 2 * n"
    assert bool(taken_over([section], [rest])) == found


def test_the_text_reads_fashion_mnist_from_the_files_of_debian(tmp_path, monkeypatch):
    prose = "\n".join(cell.source for cell in CELLS if cell.cell_type == "markdown")
    block = next(
        b for b in re.findall(r"```python\n(.*?)```", prose, re.S) if "gzip" in b
    )
    rng, arrays = np.random.default_rng(0), {}
    (tmp_path / "data").mkdir()
    source = tmp_path / "notebooks" / "fashion-mnist"
    source.mkdir(parents=True)
    for part, file, n in (("train", "train", 30), ("test", "t10k", 7)):
        arrays[f"x_{part}"] = rng.integers(0, 256, (n, 28, 28)).astype("uint8")
        arrays[f"y_{part}"] = rng.integers(0, 10, n).astype("uint8")
        for kind, key in (("images", "x"), ("labels", "y")):
            array = arrays[f"{key}_{part}"]
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            name = f"{file}-{kind}-idx{array.ndim}-ubyte.gz"
            (source / name).write_bytes(gzip.compress(head + array.tobytes()))
    monkeypatch.chdir(source.parent)
    exec(block, {"np": np})
    with np.load(tmp_path / "data" / "fashion_mnist.npz") as saved:
        for key, array in arrays.items():
            np.testing.assert_array_equal(saved[key], array)


def test_no_assert_stands_in_the_cells_that_take_any_file():
    for source in data_section():
        assert not any(
            isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source))
        )

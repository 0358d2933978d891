"""Notebook 05 runs with any valid file: other numbers, shapes, classes, pixels."""

import ast
import gzip
import re
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from vae_lib.data import load_mnist

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs"))
from living import bound, read  # noqa: E402

pytestmark = pytest.mark.full

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
CELLS = nbformat.read(FOLDER / "05_your_own.ipynb", 4).cells


def data_section():
    """Return the first three code cells, which the section on another data set needs,
    and its own: all that stand between its heading and the five sentences.
    """
    code = [cell for cell in CELLS if cell.cell_type == "code"]
    starts = [cell.source.partition("\n")[0] for cell in CELLS]
    first = starts.index("## Another data set")
    section = CELLS[first : starts.index("## In five sentences")]
    used = code[:3] + [cell for cell in section if cell.cell_type == "code"]
    return [cell.source for cell in used]


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


def black_or_white(images):
    return np.uint8(255 * (images > 127))


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
    "black_or_white": dict(n=300, change=black_or_white),
    "grey": dict(n=300),
}


def uneven(images):
    """The first images at three fifths of their brightness, the others at half."""
    n = len(images) // 3
    return np.concatenate([images[:n] // 5 * 3, images[n:] // 2])


THE_SAME = {  # two forms of the same pictures
    "zero or one": (lambda x: np.uint8(x > 127), black_or_white),
    "true or false": (lambda x: x > 127, black_or_white),
    "floats": (lambda x: x / np.float32(255), lambda x: x),
    "floats of half precision": (lambda x: x / np.float16(255), lambda x: x),
    "dim floats": (lambda x: uneven(x) / 255, uneven),
    "channel": (lambda x: x[..., None], lambda x: x),
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


@pytest.mark.parametrize("name", THE_SAME)
def test_a_file_of_the_same_pictures_is_the_same_to_the_notebook(name, tmp_path):
    text = "\n".join(data_section())
    assert text.count("other = load_mnist(chosen)") == 1
    assert len(re.findall(r"\bchosen\b(?!\.stem)", text)) == 2  # made, and read once
    assert len(re.findall(r"\bDATA\b", text)) == 2  # made, and chosen
    for part, change in zip(("one", "two"), THE_SAME[name], strict=True):
        save(tmp_path / f"{part}.npz", n=300, change=change)
    one, two = (load_mnist(tmp_path / f"{part}.npz") for part in ("one", "two"))
    for arrays in zip(one, two, strict=True):
        for left, right in zip(*arrays, strict=True):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)


def from_the_file(sources):
    """Return, of each source, the statements that read what the file in VAE_DATA
    decides: its name, and what such statements bind or change, until it is bound anew.
    """
    decided, found = set(), []
    for source in sources:
        found.append([])
        for statement in ast.parse(source).body:
            reads, binds = read(statement), bound(statement)
            if isinstance(statement, ast.For):
                reads -= binds
            if decided & reads or "'VAE_DATA'" in ast.unparse(statement):
                found[-1].append(ast.unparse(statement))
                parts = [p for p in ast.walk(statement) if isinstance(p, ast.Subscript)]
                stored = [p.value for p in parts if isinstance(p.ctx, ast.Store)]
                decided |= binds.union(*map(read, stored))  # a[b] = ... changes a
            else:
                decided -= binds
    return found


def test_what_the_file_decides_is_followed_through_the_names():
    first = "import os\na = os.environ['VAE_DATA']\nb = a + 1\nc, d = 2, {}\nd[c] = b"
    later = "def f(a):\n    return b, a\ndef g(b):\n    return b\n[a for a in f(c)]"
    assert [len(found) for found in from_the_file([first, later])] == [3, 2]
    last = "a = 3\ng(a)\nd"
    assert from_the_file([first, later, last])[-1] == ["d"]


def test_the_rest_of_the_notebook_does_not_depend_on_the_file():
    sources = [cell.source for cell in CELLS if cell.cell_type == "code"]
    section = data_section()
    inside, outside = [], []
    for source, found in zip(sources, from_the_file(sources), strict=True):
        (inside if source in section else outside).extend(found)
    assert len(inside) > 30
    assert outside == []
    words = "\n".join(inside)
    assert not re.search(r"\brng\b|\bdigits\b *=", words)  # the rest uses both


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

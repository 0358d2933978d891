"""The memory of kernels: measured as said, and stored for every notebook."""

import importlib.util
from pathlib import Path

import nbformat
import pytest

from vae_lib.course.results import load_results, memory_table

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_memory_is_measured_in_a_kernel_of_its_own(tmp_path):
    specification = importlib.util.spec_from_file_location(
        "memory", ROOT / "benchmarks" / "memory.py"
    )
    memory = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(memory)
    kernel = {"name": "python3", "display_name": "Python 3"}
    cells = [nbformat.v4.new_code_cell("held = b'1' * 200_000_000")]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}),
        tmp_path / "small.ipynb",
    )
    row = memory.measure(tmp_path / "small.ipynb", kernels=2)
    assert (
        200 < row["own"] < row["resident"] <= row["peak"] < 400
    )  # what is held, and Python
    assert (
        400 < row["together"] < 2 * row["resident"]
    )  # the interpreter's files are counted once
    assert memory_table([row]).endswith(
        f"| {row['own'] / 1000:.2f} | {row['together'] / 1000:.2f} |"
    )


def test_every_notebooks_memory_is_stored():
    rows = load_results("memory")["rows"]
    assert {row["notebook"] for row in rows} == {
        path.stem for path in (ROOT / "notebooks").glob("0*.ipynb")
    }

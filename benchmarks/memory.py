"""How much memory does a kernel hold once a notebook has run, and what do several on one server take together?

    python benchmarks/memory.py                                         every notebook, one after the other: 10 minutes
    python benchmarks/memory.py notebooks/03_beta.ipynb --kernels 3     three kernels run it at once, as in a class

Resident memory has two parts: pages of files, nearly all of them libraries, which the kernels of one server share
and the system can drop; and a kernel's own, which every learner costs anew. Together counts what is shared once.
Writes data/memory.json. Linux only: it reads /proc.
"""

import argparse
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "data" / "memory.json"
ENTRIES = {
    "peak": ("status", "VmHWM"),
    "resident": ("status", "VmRSS"),
    "own": ("status", "RssAnon"),
    "share": ("smaps_rollup", "Pss"),
}  # of all that is there: each page divided among those that hold it


def megabytes(process, file, name):
    """Return an entry of a file of /proc/PROCESS, which counts in units of 1024 bytes, in millions of bytes."""
    text = Path(f"/proc/{process}/{file}").read_text(encoding="utf-8")
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024 / 1e6


def run(path, all_there):
    """Run the notebook at `path` in a fresh kernel; return its megabytes when as many others have ended, too."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=1800, resources={"metadata": {"path": str(path.parent)}}
    )
    try:
        with client.setup_kernel():
            for i, cell in enumerate(notebook.cells):
                client.execute_cell(cell, i)
            all_there.wait()
            process = client.km.provisioner.pid
            found = {
                name: megabytes(process, *entry) for name, entry in ENTRIES.items()
            }
            all_there.wait()
            return found
    except Exception:
        all_there.abort()  # the others need not wait
        raise


def measure(path, kernels):
    """Return a row: the notebook at `path` run by so many kernels at once; megabytes, means over the kernels."""
    all_there = Barrier(kernels)
    with ThreadPoolExecutor(kernels) as pool:
        found = list(pool.map(run, [path] * kernels, [all_there] * kernels))
    sums = {name: sum(kernel[name] for kernel in found) for name in ENTRIES}
    means = {name: round(sums[name] / kernels) for name in ("peak", "resident", "own")}
    return {
        "notebook": path.stem,
        "kernels": kernels,
        **means,
        "together": round(sums["share"]),
    }


def main():
    """Measure, store and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "notebooks",
        nargs="*",
        type=Path,
        default=sorted((ROOT / "notebooks").glob("0*.ipynb")),
    )
    parser.add_argument(
        "--kernels", type=int, default=1, help="how many run each notebook at once"
    )
    options = parser.parse_args()
    rows = (
        json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
        if RESULTS.exists()
        else []
    )
    for path in options.notebooks:
        row = measure(path.resolve(), options.kernels)
        print(row, flush=True)
        same = [
            other
            for other in rows
            if (other["notebook"], other["kernels"])
            == (row["notebook"], row["kernels"])
        ]
        rows = sorted(
            [row, *(other for other in rows if other not in same)],
            key=lambda row: (row["notebook"], row["kernels"]),
        )
        RESULTS.write_text(
            json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8"
        )
    from vae_lib.course.results import (
        memory_table,
    )  # only now: it loads TensorFlow, and would share the kernels' pages

    print(memory_table(rows))


if __name__ == "__main__":
    main()

"""How much memory does a kernel hold once a notebook has run, and how much do several?

    python benchmarks/memory.py          every notebook, one after the other: 10 minutes
    python benchmarks/memory.py notebooks/03_beta.ipynb --kernels 3     as in a class

Resident memory has two parts. Pages of files, nearly all of them libraries, are shared
by the kernels of one server, and the system can drop them. Every learner adds another
kernel's own memory. Together counts shared pages only once. Writes data/memory.json.
Linux only: it reads /proc.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import nbformat
import stored
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
ENTRIES = {
    "peak": ("status", "VmHWM"),
    "resident": ("status", "VmRSS"),
    "own": ("status", "RssAnon"),
    "share": ("smaps_rollup", "Pss"),  # each page divided among those that hold it
}


def megabytes(process, file, name):
    """Return an entry of a file of /proc/PROCESS, in millions of bytes."""
    text = Path(f"/proc/{process}/{file}").read_text(encoding="utf-8")
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024 / 1e6


def run(path, all_there):
    """Run the notebook at `path`; return its kernel's megabytes once all have ended."""
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
    """Return a row: the notebook at `path` in that many kernels; megabytes, means."""
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
    parser = stored.parser("memory", __doc__)
    everything = sorted((ROOT / "notebooks").glob("0*.ipynb"))
    parser.add_argument("notebooks", nargs="*", type=Path, default=everything)
    parser.add_argument(
        "--kernels",
        type=int,
        default=1,
        help="how many kernels run each notebook at once",
    )
    options = parser.parse_args()
    rows = stored.rows_in(options)
    for path in options.notebooks:
        row = measure(path.resolve(), options.kernels)
        print(row, flush=True)
        kept = {(old["notebook"], old["kernels"]): old for old in rows}
        kept[row["notebook"], row["kernels"]] = row
        rows = [kept[key] for key in sorted(kept)]
        stored.write(options, "python benchmarks/memory.py", rows)
    # Only now: it loads TensorFlow, and would share the kernels' pages.
    from vae_lib.course.results import memory_table

    print(memory_table(rows))


if __name__ == "__main__":
    main()

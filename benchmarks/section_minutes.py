"""How long each section of a notebook runs, for the teacher's guide.

    python benchmarks/section_minutes.py    every notebook: 15 minutes on two cores
    python benchmarks/section_minutes.py notebooks/01_model.ipynb

Writes data/section_minutes.json, and the numbers into the tables of docs/teaching.md.
"""

import argparse
import json
import os
import platform
import re
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
RESULTS, GUIDE = ROOT / "data" / "section_minutes.json", ROOT / "docs" / "teaching.md"


def sections(notebook):
    """Return the second-level headings, each with the indices of its code cells."""
    found = {"Opening": []}
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            for heading in re.findall(r"^## (.+)$", cell.source, re.MULTILINE):
                found.setdefault(heading, [])
        elif cell.cell_type == "code":
            found[list(found)[-1]].append(i)
    return found


def measure(path):
    """Return the seconds of each section of a notebook, run in a fresh kernel."""
    notebook, seconds = nbformat.read(path, as_version=4), {}
    client = NotebookClient(
        notebook, timeout=900, resources={"metadata": {"path": str(path.parent)}}
    )
    with client.setup_kernel():
        for heading, cells in sections(notebook).items():
            begin = time.perf_counter()
            for i in cells:
                client.execute_cell(notebook.cells[i], i)
            seconds[heading] = round(time.perf_counter() - begin, 1)
    return seconds


def row(heading, seconds):
    """Return a pattern for the guide's row of a section, and its replacement."""
    return re.compile(
        rf"^(\| {re.escape(heading)} \|)[^|]*\|", re.MULTILINE
    ), rf"\1 {max(1, round(seconds))} |"


def write_guide(text, results):
    """Return the guide with the measured seconds in the second column of its tables."""
    parts = re.split(r"(?=^### Notebook )", text, flags=re.MULTILINE)
    for i, part in enumerate(parts):
        if number := re.match(r"### Notebook (\d\d)", part):
            for heading, seconds in results.get(number[1], {}).items():
                pattern, columns = row(heading, seconds)
                part = pattern.sub(columns, part)
            parts[i] = part
    return "".join(parts)


def main():
    """Measure, store and write the guide's numbers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "notebooks",
        nargs="*",
        type=Path,
        default=sorted((ROOT / "notebooks").glob("0*.ipynb")),
    )
    options = parser.parse_args()
    report = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    command = {"command": "python benchmarks/section_minutes.py"}
    report = command | report | {"cores": os.cpu_count(), "machine": platform.machine()}
    for path in options.notebooks:
        found = measure(path.resolve())
        report.setdefault("seconds", {})[path.name[:2]] = found
        print(path.name, f"{sum(found.values()):.0f} s", found, flush=True)
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    guide = write_guide(GUIDE.read_text(encoding="utf-8"), report["seconds"])
    GUIDE.write_text(guide, encoding="utf-8")


if __name__ == "__main__":
    main()

"""What measurements share: options, and files in data/ that grow row by row.

It does not load TensorFlow, so that memory.py can measure without it.
"""

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[1] / "data"


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the options of every measurement: --afresh, --minutes and
    --out.

    `description` is the module's docstring, whose examples are shown as they stand;
    `name` is that of the file in data/ that is written by default.
    """
    as_it_stands = argparse.RawDescriptionHelpFormatter
    found = argparse.ArgumentParser(
        description=description, formatter_class=as_it_stands
    )
    found.add_argument(
        "--afresh", action="store_true", help="measure again what the file holds"
    )
    found.add_argument(
        "--minutes", type=float, default=np.inf, help="start no run after this many"
    )
    found.add_argument(
        "--out", type=Path, default=DATA / f"{name}.json", help="the file to write"
    )
    return found


def rows_in(options: argparse.Namespace) -> list[dict]:
    """Return the rows that the file holds already; none with --afresh."""
    if options.afresh or not options.out.exists():
        return []
    return json.loads(options.out.read_text(encoding="utf-8"))["rows"]


def due(
    options: argparse.Namespace, rows: list[dict], keys: Iterable[dict]
) -> Iterator[dict]:
    """Yield the keys that no row has yet, one after the other, while --minutes last."""
    end = time.monotonic() + 60 * options.minutes
    for key in keys:
        if any(key.items() <= row.items() for row in rows):
            continue
        if time.monotonic() > end:
            return
        yield key


def write(options: argparse.Namespace, command: str, rows: list[dict], **settings):
    """Write `rows`, one a line, under the `command` that measures them and settings.

    Numbers are rounded to six digits. A file is replaced only when it is complete.
    """
    head = json.dumps(rounded({"command": command, **settings}), ensure_ascii=False)
    lines = ",\n".join(json.dumps(rounded(row), ensure_ascii=False) for row in rows)
    part = options.out.with_suffix(".part")
    part.write_text(f'{head[:-1]}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")
    part.replace(options.out)


def rounded(value):
    """Return nested results with floats of six digits."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, float | np.floating) else value

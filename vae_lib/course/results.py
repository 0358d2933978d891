"""What the commands in benchmarks/ measured and stored in data/, for the notebooks to draw and to check."""

import base64
import json
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "data"


def load_results(name):
    """Return the report of `benchmarks/NAME.py` as a dict: its settings and its `rows`, one dict a run.

    Raises FileNotFoundError with one sentence where it is missing.
    """
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path.name} is not in data/: restore it with 'git checkout -- data/"
            f"{path.name}', or measure it with 'python benchmarks/{name}.py'."
        )
    return json.loads(path.read_text(encoding="utf-8"))


def load_arrays(name, prefix=""):
    """Return the arrays of data/NAME.npz whose names begin with `prefix`, by the rest.

    Raises FileNotFoundError with one sentence where the file is missing.
    """
    path = FOLDER / f"{name}.npz"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path.name} is not in data/: restore it with 'git checkout -- data/"
            f"{path.name}', or measure it with 'python benchmarks/{name}.py'."
        )
    with np.load(path, allow_pickle=False) as file:
        return {
            key.removeprefix(prefix): file[key]
            for key in file.files
            if key.startswith(prefix)
        }


def nats_table(rows):
    """Return rows of data/nats.json as a Markdown table: mean ± standard deviation over the seeds, in nats.

    One line for each setting and latent dimension, in the order of the rows; seconds of training are medians.
    """
    lines = [
        "| setting | z | seeds | distortion | rate | −ELBO | NLL | seconds |",
        "|:--|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for setting, latent_dim in dict.fromkeys(
        (row["setting"], row["latent_dim"]) for row in rows
    ):
        group = where(rows, setting=setting, latent_dim=latent_dim)
        values = [
            [row[name] for row in group]
            for name in ("distortion", "rate", "negative_elbo", "nll")
        ]
        cells = [
            f"{np.mean(v):.1f} ± {np.std(v, ddof=1):.1f}"
            if len(v) > 1
            else f"{v[0]:.1f}"
            for v in values
        ]
        seconds = [row["seconds"] for row in group if "seconds" in row]
        cells.append(f"{np.median(seconds):.0f}" if seconds else "")
        lines.append(
            f"| {setting} | {latent_dim} | {len(group)} | {' | '.join(cells)} |"
        )
    return "\n".join(lines)


def speed_table(report):
    """Return data/speed.json as Markdown: ways of training side by side; medians, ranges in brackets."""
    lines = [
        "| | seconds an epoch | times ours | first progress, s | peak memory |",
        "|:--|--:|--:|--:|--:|",
    ]
    for row in report["contenders"].values():
        cells = [
            "{median:.2f} ({min:.2f}–{max:.2f})".format(**row[key])
            for key in ("epoch_seconds", "times_ours")
        ]
        training = "last_loss" in row
        cells.append(f"{row['first_progress_seconds']:.1f}" if training else "")
        cells.append(
            f"{row['peak_megabytes']:.0f} MB"
            if training and row["peak_megabytes"]
            else ""
        )
        lines.append(f"| {row['label']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def scaling_table(report):
    """Return how the time of our training grows as Markdown, from data/speed.json; one thing varied at a time."""
    lines = [
        "| varied | value | first epoch, s | later epochs, s | all, s | peak memory |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    for row in report["scaling"] or ():
        value = (
            "–".join(map(str, row["value"]))
            if isinstance(row["value"], (list, tuple))
            else f"{row['value']:,}"
        )
        first, *later = row["seconds"]
        memory = f"{row['peak_megabytes']:.0f} MB" if row["peak_megabytes"] else ""
        lines.append(
            f"| {row['varied']} | {value} | {first:.1f} | {np.median(later):.2f} | {first + sum(later):.1f} "
            f"| {memory} |"
        )
    return "\n".join(lines)


def memory_table(rows):
    """Return rows of data/memory.json as Markdown: gigabytes of a kernel once its notebook has run, and of all."""
    lines = [
        "| notebook | kernels at once | resident at the peak | at the end | of it a kernel's own | all together |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        cells = [
            f"{row[name] / 1000:.2f}"
            for name in ("peak", "resident", "own", "together")
        ]
        lines.append(f"| {row['notebook']} | {row['kernels']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def where(rows, **wanted):
    """Return those of `rows`, a list of dicts, that have every value in `wanted` under its name."""
    return [
        row for row in rows if all(row[name] == value for name, value in wanted.items())
    ]


def grouped(rows, *names):
    """Return `rows`, a list of dicts, as a dict of lists by the tuple of their values under `names`, in order."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def pack_images(images):
    """Return images (n, 28, 28) in [0, 1] as text: 256 grey levels, compressed."""
    return base64.b64encode(
        zlib.compress(np.uint8(255 * np.clip(images, 0, 1) + 0.5).tobytes(), 9)
    ).decode()


def unpack_images(text):
    """Return the `uint8` images (n, 28, 28) that `pack_images` made the text of."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "uint8").reshape(
        -1, 28, 28
    )

"""What the commands in benchmarks/ measured and stored in data/, for all to read."""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from vae_lib.course.tables import markdown, neat
from vae_lib.data import FOLDER

NATS = {
    "distortion": "distortion",
    "rate": "rate",
    "negative_elbo": "−ELBO",
    "nll": "NLL",
    "negative_bound": "−bound, K = 100",
    "negative_log_likelihood": "−log p(x)",
}


def load_results(name: str) -> dict[str, Any]:
    """Return the report of `benchmarks/NAME.py`: its settings and its `rows`.

    Raises FileNotFoundError with one sentence where it is missing.
    """
    return json.loads(_stored(name, "json").read_text(encoding="utf-8"))


def load_arrays(name: str, prefix: str = "") -> dict[str, np.ndarray]:
    """Return the arrays of data/NAME.npz whose names begin with `prefix`, by the rest
    of the name.

    Raises FileNotFoundError with one sentence where the file is missing.
    """
    with np.load(_stored(name, "npz"), allow_pickle=False) as file:
        return {
            key.removeprefix(prefix): file[key]
            for key in file.files
            if key.startswith(prefix)
        }


def _stored(name, ending):
    """Return the path of data/NAME.ENDING; raise FileNotFoundError without it."""
    path = FOLDER / f"{name}.{ending}"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path.name} is not in data/: restore it with 'git checkout -- data/"
            f"{path.name}', or measure it with 'python benchmarks/{name}.py'."
        )
    return path


def load_rows(name: str, **wanted) -> pd.DataFrame:
    """Return the rows of `load_results(name)` that have every value in `wanted`.

    Columns that none of them fills are left out. Raises KeyError for a name in `wanted`
    that no row has.
    """
    frame = pd.DataFrame(load_results(name)["rows"])
    for column, value in wanted.items():
        frame = frame[frame[column] == value]
    return frame.dropna(axis=1, how="all").reset_index(drop=True)


def nats_table(rows: Iterable[Mapping]) -> str:
    """Return rows of data/nats.json as Markdown: mean ± deviation over seeds, in nats.

    One line for each setting and latent dimension, in the order of the rows; seconds of
    training are medians. −log p(x) is an integral over a grid, at z = 2 only.
    """
    frame = pd.DataFrame([*rows])
    groups = frame.groupby(["setting", "latent_dim"], sort=False)
    found = pd.DataFrame({"seeds": groups.size().map(str)})
    for name, head in NATS.items():
        if name in frame:
            found[head] = groups[name].agg(spread)
    if "seconds" in frame:
        found["seconds"] = groups["seconds"].median().map(_whole)
    found = found.reset_index("latent_dim").rename(columns={"latent_dim": "z"})
    return markdown(neat(found.rename_axis("setting")))


def spread(values: pd.Series) -> str:
    """Return the mean of `values` ± their deviation as text, NaN left out."""
    values = values.dropna()
    if len(values) < 2:
        return "".join(f"{value:.1f}" for value in values)
    return f"{values.mean():.1f} ± {values.std():.1f}"


def speed_table(report: Mapping) -> str:
    """Return data/speed.json as Markdown: ways of training, medians [ranges]."""
    rows = {}
    for row in report["contenders"].values():
        training = "last_loss" in row
        memory = row["peak_megabytes"] if training else None
        rows[row["label"]] = {
            "seconds an epoch": _range(row["epoch_seconds"]),
            "times ours": _range(row["times_ours"]),
            "first progress, s": f"{row['first_progress_seconds']:.1f}"
            if training
            else "",
            "peak memory": f"{memory:.0f} MB" if memory else "",
        }
    return markdown(pd.DataFrame.from_dict(rows, orient="index"))


def scaling_table(report: Mapping) -> str:
    """Return how the time of our training grows as Markdown, from data/speed.json.

    One thing is varied at a time.
    """
    rows = [
        {
            "value": "–".join(map(str, row["value"]))
            if isinstance(row["value"], list | tuple)
            else f"{row['value']:,}",
            "first epoch, s": f"{row['seconds'][0]:.1f}",
            "later epochs, s": f"{np.median(row['seconds'][1:]):.2f}",
            "all, s": f"{sum(row['seconds']):.1f}",
            "peak memory": f"{row['peak_megabytes']:.0f} MB"
            if row["peak_megabytes"]
            else "",
        }
        for row in report["scaling"] or ()
    ]
    varied = [row["varied"] for row in report["scaling"] or ()]
    return markdown(pd.DataFrame(rows, varied).rename_axis(columns="varied"))


def memory_table(rows: Iterable[Mapping]) -> str:
    """Return rows of data/memory.json as Markdown: gigabytes of a kernel and of all."""
    heads = {
        "peak": "resident at the peak",
        "resident": "at the end",
        "own": "of it a kernel's own",
        "together": "all together",
    }
    frame = pd.DataFrame([*rows]).set_index("notebook")
    frame[[*heads]] = (frame[[*heads]] / 1000).map("{:.2f}".format)
    frame = frame.rename(columns={"kernels": "kernels at once", **heads})
    return markdown(neat(frame))


def laboratory_table(report: Mapping) -> str:
    """Return what a step costs by whom as Markdown, from data/laboratory.json."""
    rows = {
        row["label"]: {
            "ms a step": _range(row["milliseconds"]),
            "times the laboratory's": _range(row["times_ours"]),
        }
        for row in report["steps"].values()
    }
    return markdown(pd.DataFrame.from_dict(rows, orient="index"))


def where(rows: Iterable[Mapping], **wanted) -> list[Mapping]:
    """Return those of `rows`, dicts, that have every value in `wanted`."""
    return [
        row for row in rows if all(row[name] == value for name, value in wanted.items())
    ]


def grouped(rows: Iterable[Mapping], *names: str) -> dict[tuple, list[Mapping]]:
    """Return `rows`, dicts, as lists by the tuple of their values under `names`."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def pack_images(images: np.ndarray) -> str:
    """Return images (n, 28, 28) in [0, 1] as text: 256 grey levels, compressed."""
    pixels = np.uint8(255 * np.clip(images, 0, 1) + 0.5)
    return base64.b64encode(zlib.compress(pixels.tobytes(), 9)).decode()


def unpack_images(text: str) -> np.ndarray:
    """Return the `uint8` images (n, 28, 28) that `pack_images` made the text of."""
    pixels = np.frombuffer(zlib.decompress(base64.b64decode(text)), "uint8")
    return pixels.reshape(-1, 28, 28)


def _range(found: Mapping) -> str:
    return "{median:.2f} ({min:.2f}–{max:.2f})".format(**found)


def _whole(value: float) -> str:
    return f"{value:.0f}" if np.isfinite(value) else ""

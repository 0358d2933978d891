"""How fast is training? Seconds per epoch of one model, trained in several ways.

    python benchmarks/speed.py               the table of docs/benchmarks.md, in minutes
    python benchmarks/speed.py --scaling     and how ours grows with images, width, z
    python benchmarks/speed.py --images 6000 --repeats 2     a quick look
    python benchmarks/speed.py --torch-python PATH           with PyTorch from elsewhere

Every contender (contenders.py) runs in a process of its own, one epoch at a time and in
turn, A B C A B C, so that whatever else the machine does affects all alike; the losses
must agree at the end. The first epoch, which compiles, is not among those compared. The
last two rows are not training, only its matrix products: an epoch's arithmetic, counted
from the shapes of the layers, at the measured rate of such products and of large ones.
Writes data/speed.json.
"""

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from contenders import BATCH, CONTENDERS, flop, products

from vae_lib.course.results import scaling_table, speed_table
from vae_lib.data import load_mnist
from vae_lib.storage import whole_file

RESULTS = Path(__file__).parent.parent / "data" / "speed.json"
MODEL = {"hidden": (512, 256), "latent_dim": 2}
TOLERANCE = 0.05  # between the last losses: the order of images and the noise differ
NO_TORCH = (
    "PyTorch is left out: make an environment for it with 'python -m venv FOLDER' and "
    "'FOLDER/bin/pip install torch numpy', then add --torch-python FOLDER/bin/python."
)
BUSY = (
    "Other programs keep {:.1f} processors busy: the ratios suffer, most of all "
    "PyTorch's, because its threads spin while they wait for one another."
)


class Process:
    """A contender in a process of its own, ready to train."""

    def __init__(self, name, file, epochs, interpreter=sys.executable, **settings):
        work = {"name": name, "file": str(file), "epochs": epochs, **MODEL, **settings}
        command = [
            interpreter,
            str(Path(__file__).parent / "contenders.py"),
            json.dumps(work),
        ]
        self.name, self.reports = name, []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        self.receive()

    def epoch(self):
        """Let the contender train one epoch and return its seconds."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.reports.append(self.receive())
        return self.reports[-1]["seconds"]

    def receive(self):
        """Return the next message of the contender."""
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended early; its own message is above.")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()  # at its end anyway, or waiting for a word that never comes
        self.process.communicate()


def torch_version(interpreter):
    """Return the version of PyTorch that `interpreter` can import, or None."""
    command = [interpreter, "-c", "import torch; print(torch.__version__)"]
    found = subprocess.run(command, capture_output=True, encoding="utf-8")
    return found.stdout.strip() if found.returncode == 0 else None


def measure(names, file, repeats, torch_python):
    """Return the reports of each contender in `names`, one per epoch, taken in turn."""
    with contextlib.ExitStack() as stack:
        running = []
        for name in names:
            interpreter = torch_python if "pytorch" in name else sys.executable
            running.append(
                stack.enter_context(Process(name, file, repeats + 1, interpreter))
            )
        for epoch in range(repeats + 1):
            seconds = [f"{one.name} {one.epoch():.2f}" for one in running]
            print(
                f"epoch {epoch} of {repeats}, seconds: {', '.join(seconds)}", flush=True
            )
    return {one.name: one.reports for one in running}


def summarise(name, reports, ours):
    """Return what table and file say about one contender; its epochs are compared with
    ours of the same turn.
    """
    seconds = [report["seconds"] for report in reports]
    ratios = [
        theirs / our["seconds"] for theirs, our in zip(seconds, ours, strict=True)
    ]
    summary = {
        "label": CONTENDERS[name][1],
        "epoch_seconds": spread(seconds[1:]),
        "times_ours": spread(ratios[1:]),
    }
    if reports[-1]["loss"] is not None:  # training, not matrix products alone
        summary |= {
            "first_epoch_seconds": seconds[0],
            "first_progress_seconds": reports[0]["first_progress"],
            "peak_megabytes": reports[-1]["megabytes"],
            "last_loss": reports[-1]["loss"],
        }
    return summary


def spread(values):
    """Return median, least and greatest of `values`."""
    return {"median": float(np.median(values)), "min": min(values), "max": max(values)}


def disagreement(contenders):
    """Return a sentence if a last loss differs from ours, or None if all agree."""
    losses = {
        name: round(row["last_loss"], 2)
        for name, row in contenders.items()
        if "last_loss" in row
    }
    if all(abs(loss / losses["ours"] - 1) <= TOLERANCE for loss in losses.values()):
        return None
    return (
        f"The last losses differ by more than {TOLERANCE:.0%}: not all did the same "
        f"work ({losses})."
    )


def scaling(folder, images, repeats):
    """Return how ours grows: rows of what was varied, its value, the seconds of every
    epoch, and memory.
    """
    n, rows = len(images), []
    plans = [("images", count) for count in (n // 4, n // 2, n)]
    plans += [
        ("hidden", hidden)
        for hidden in ((128, 64), (256, 128), (512, 256), (1024, 512))
    ]
    plans += [("latent_dim", size) for size in (2, 10, 50)] + [
        ("epochs", count) for count in (2, 4, 8, 16)
    ]
    for varied, value in plans:
        epochs = value if varied == "epochs" else repeats + 1
        settings = {varied: value} if varied in MODEL else {}
        np.save(folder / "some.npy", images[: value if varied == "images" else n])
        with Process("ours", folder / "some.npy", epochs, **settings) as process:
            seconds = [process.epoch() for _ in range(epochs)]
        megabytes = process.reports[-1]["megabytes"]
        rows.append(
            {
                "varied": varied,
                "value": value,
                "seconds": seconds,
                "peak_megabytes": megabytes,
            }
        )
        print(
            f"{varied} {value}: first epoch {seconds[0]:.2f} s, "
            f"later ones {np.median(seconds[1:]):.2f} s",
            flush=True,
        )
    return rows


def machine(torch):
    """Return what the figures depend on: processor, cores and versions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(
            line.split(":")[1].strip()
            for line in lines
            if line.startswith("model name")
        )
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    versions = {name: version(name) for name in ("tensorflow", "keras", "numpy")}
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "versions": {"python": platform.python_version(), **versions, "torch": torch},
    }


def options_given():
    """Return the command line's options."""
    as_it_stands = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_it_stands)
    add = parser.add_argument
    add(
        "--images",
        type=int,
        default=60000,
        help="training images, all of MNIST's by default (%(default)s)",
    )
    add(
        "--repeats",
        type=int,
        default=5,
        help="epochs compared, after the first (%(default)s)",
    )
    add(
        "--contenders",
        nargs="+",
        choices=CONTENDERS,
        default=list(CONTENDERS),
        help="which to run besides ours (all)",
    )
    add(
        "--torch-python",
        default=sys.executable,
        help="interpreter that has PyTorch (this one)",
    )
    add("--scaling", action="store_true", help="also measure how ours grows")
    add("--out", type=Path, default=RESULTS, help="file to write (data/speed.json)")
    options = parser.parse_args()
    if not 4 * BATCH <= options.images <= 60000 or options.repeats < 1:
        parser.error(f"--images takes {4 * BATCH} to 60000, --repeats 1 or more.")
    return options


def main():
    """Measure, print the table, write the file; return a sentence if not all did the
    same work.
    """
    options = options_given()
    torch = torch_version(options.torch_python)
    if hasattr(os, "getloadavg") and (load := os.getloadavg()[0]) > 0.5:
        print(BUSY.format(load))
    wanted = [name for name in CONTENDERS if name in ("ours", *options.contenders)]
    names = [name for name in wanted if torch or "pytorch" not in name]
    if names != wanted:
        print(NO_TORCH)
    digits = load_mnist()
    images = np.concatenate([digits.train.images, digits.validation.images])[
        : options.images
    ]
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "all.npy"), images)
        reports = measure(
            names, Path(folder, "all.npy"), options.repeats, options.torch_python
        )
        grown = (
            scaling(Path(folder), images, options.repeats) if options.scaling else None
        )
    contenders = {
        name: summarise(name, reports[name], reports["ours"]) for name in names
    }
    gigaflop = -(-len(images) // BATCH) * flop(products(**MODEL)) / 1e9
    result = {
        "command": "python benchmarks/speed.py",
        **machine(torch),
        "images": len(images),
        "batch_size": BATCH,
        **MODEL,
        "gigaflop_an_epoch": gigaflop,
        "contenders": contenders,
        "scaling": grown,
    }
    with whole_file(options.out) as name:
        Path(name).write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(speed_table(result), scaling_table(result) if grown else "", sep="\n\n")
    return disagreement(contenders)


if __name__ == "__main__":
    sys.exit(main())

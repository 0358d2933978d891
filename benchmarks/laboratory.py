"""Measure the laboratory in the browser: its speed and what it learns, beside others.

    python benchmarks/laboratory.py         everything, about 25 minutes on two cores
    python benchmarks/laboratory.py page    first step, milliseconds a step, frames,
                                            Pause, −ELBO after 40 s and 3 min
    python benchmarks/laboratory.py steps   ours, TensorFlow.js, Keras in the kernel and
                                            the limit, in turn
    python benchmarks/laboratory.py seeds   −ELBO of five seeds beside five of `train`
    python benchmarks/laboratory.py linear  the linear VAE beside its exact optimum

The figures go to data/laboratory.json; a part that is named replaces only its own
figures there. Needs node (docs/lab/build.py says from where) and, for `page`, Chromium.
TensorFlow.js is installed for `steps` into benchmarks/tensorflow_js.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from speed import Process, machine, spread

from vae_lib.course.results import laboratory_table
from vae_lib.storage import whole_file

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "data" / "laboratory.json"
HERE = Path(__file__).resolve().parent
for folder in ("docs/lab", "tests/browser"):
    sys.path.insert(0, str(ROOT / folder))

import build as builder  # noqa: E402

HIDDEN, LATENT_DIM = (256, 128), 2
SEEDS = range(1, 6)
EPOCHS = 10  # of each of the five runs
REPEATS = 5  # epochs of each contender that are compared
LINEAR_BETA = 12.0


class Node(Process):
    """A script in node that trains an epoch for every line it reads."""

    def __init__(self, node, script, **work):
        self.name, self.reports = Path(script).name, []
        command = [*node, str(script), json.dumps(work)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.receive()


def settings(**changes):
    """Return settings of the laboratory, its defaults except for `changes`."""
    return {
        "latentDim": LATENT_DIM,
        "hidden": list(HIDDEN),
        "posterior": "softplus",
        "likelihood": "bernoulli",
        "optimizer": "adam",
        "beta": 1.0,
        "learningRate": 1e-3,
        "seed": 1,
        **changes,
    }


def ours(node, files, **work):
    """Return the laboratory's own trainer in node, ready to train on the page's
    digits.
    """
    return Node(
        node,
        builder.LAB / "test" / "epochs.mjs",
        file=str(files / "train.bin"),
        count=builder.TRAIN,
        **work,
    )


def measure_steps(node, files):
    """Return milliseconds a step of each contender and its multiple of ours, epochs
    taken in turn.
    """
    tensorflow_js = HERE / "tensorflow_js"
    if not (tensorflow_js / "node_modules").exists():
        subprocess.run(
            [*builder.node_commands()[1], "ci", "--ignore-scripts"],
            cwd=tensorflow_js,
            check=True,
            capture_output=True,
        )
    work = {"hidden": HIDDEN, "latent_dim": LATENT_DIM}
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        contenders = {
            "ours": enter(ours(node, files, settings=settings())),
            "tensorflow_js": enter(
                Node(
                    node,
                    tensorflow_js / "epochs.mjs",
                    file=str(files / "train.bin"),
                    count=builder.TRAIN,
                    hidden=list(HIDDEN),
                    latentDim=LATENT_DIM,
                )
            ),
            "keras": enter(Process("ours", files / "train.npy", REPEATS + 1, **work)),
            "limit": enter(Process("limit", files / "train.npy", REPEATS + 1, **work)),
        }
        seconds = {name: [] for name in contenders}
        for _ in range(REPEATS + 1):
            for name, contender in contenders.items():
                seconds[name].append(contender.epoch())
    steps = -(-builder.TRAIN // 128)
    labels = {
        "ours": "the laboratory (jax-js, WebAssembly, one thread)",
        "tensorflow_js": "TensorFlow.js 4.22, WebAssembly",
        "keras": "`train` in the kernel (Keras, XLA, all cores)",
        "limit": "the matrix products at the machine's best rate",
    }
    return {
        name: {
            "label": labels[name],
            "milliseconds": spread([1000 * s / steps for s in values[1:]]),
            "times_ours": spread(
                [s / o for s, o in zip(values[1:], seconds["ours"][1:])]
            ),
        }
        for name, values in seconds.items()
    }


def measure_seeds(node, files):
    """Return the held-out −ELBO after EPOCHS epochs of five seeds: the laboratory's and
    those of `train`.
    """
    import keras

    from vae_lib.evaluation import evaluate
    from vae_lib.model import VAE
    from vae_lib.training import train

    train_images, held_out = (
        builder.training_digits().images,
        builder.held_out_digits().images,
    )
    found = {"epochs": EPOCHS, "laboratory": [], "train": []}
    for seed in SEEDS:
        with ours(
            node,
            files,
            settings=settings(seed=seed),
            heldOut=str(files / "held_out.bin"),
        ) as run:
            for _ in range(EPOCHS):
                run.epoch()
            found["laboratory"].append(
                run.reports[-1]["distortion"] + run.reports[-1]["rate"]
            )
        keras.utils.set_random_seed(seed)
        vae = VAE(LATENT_DIM, HIDDEN)
        train(vae, train_images, epochs=EPOCHS, seed=seed, progress=False)
        found["train"].append(-evaluate(vae, held_out, seed=seed).elbo)
        print(
            f"seed {seed}: −ELBO {found['laboratory'][-1]:.1f} here, "
            f"{found['train'][-1]:.1f} by train",
            flush=True,
        )
    means, deviations = (
        [function(found[name]) for name in ("laboratory", "train")]
        for function in (np.mean, np.std)
    )
    error = np.sqrt(sum(deviation**2 / (len(SEEDS) - 1) for deviation in deviations))
    return {
        **found,
        "difference": float(means[0] - means[1]),
        "standard_error": float(error),
    }


def measure_linear(node, files, epochs=60):
    """Return the training loss of the linear VAE beside its exact optimum, at the
    original's β = 12.
    """
    from vae_lib.analysis.theory import linear_optimum, pca_eigenvalues

    best = linear_optimum(
        pca_eigenvalues(builder.training_digits().images), LATENT_DIM, LINEAR_BETA
    )
    work = settings(
        hidden=[], likelihood="gaussian", beta=LINEAR_BETA, learningRate=1e-2
    )
    decay = {"factor": 1e-3, "from": epochs // 3, "over": 2 * epochs / 3}
    with ours(
        node, files, settings=work, decay=decay, heldOut=str(files / "train.bin")
    ) as run:
        for _ in range(epochs):
            run.epoch()
        loss = run.reports[-1]["distortion"] + LINEAR_BETA * run.reports[-1]["rate"]
    return {
        "beta": LINEAR_BETA,
        "epochs": epochs,
        "loss": loss,
        "optimum": best.loss,
        "excess": loss / best.loss - 1,
    }


FRAMES = """() => new Promise(done => {
  let count = 0; const begin = performance.now();
  const tick = now => {
    count += 1;
    now - begin < 5000
      ? requestAnimationFrame(tick) : done(1000 * count / (now - begin));
  };
  requestAnimationFrame(tick);
})"""
STOPS = """const Plain = Worker;
window.stops = [];
window.Worker = class extends Plain {
  constructor(...address) {
    super(...address);
    this.addEventListener("message", ({ data }) => {
      const stopped = data.type === "running" && !data.running;
      if (stopped) window.stops.push(performance.now());
    });
  }
}"""  # notes when the worker says that it has stopped
PAUSE = """() => new Promise(done => {
  const begin = performance.now(), before = stops.length;
  let last = begin, step = lab.state().step;
  lab.pause();
  const watch = () => {
    const now = performance.now();
    if (lab.state().step !== step) [step, last] = [lab.state().step, now];
    now - begin < 1000 || stops.length === before
      ? setTimeout(watch, 5)
      : done([stops.at(-1) - begin, last - begin]);
  };
  watch();
})"""  # milliseconds until the last step is done, and until its picture is there
PAUSES = 12
PICTURES = """() => new Promise(done => {
  let count = 0; const begin = performance.now(); let last = lab.state();
  const watch = now => {
    if (lab.state().step !== last.step) { count += 1; last = lab.state(); }
    now - begin < 5000
      ? requestAnimationFrame(watch) : done(1000 * count / (now - begin));
  };
  requestAnimationFrame(watch);
})"""


def measure_page(path):
    """Return what the page does in headless Chromium, opened from disk."""
    from playwright.sync_api import sync_playwright
    from servers import launch_chromium

    begun = (
        "lab.start(); new Promise(done => { const look = () => lab.firstStep() "
        "? done(lab.firstStep()) : setTimeout(look, 5); look(); })"
    )
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        first = []
        for _ in range(5):
            page = browser.new_page()
            page.goto(path.as_uri(), wait_until="commit")
            page.wait_for_function("window.lab !== undefined", polling=20)
            first.append(page.evaluate(begun) / 1000)
            page.close()
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.add_init_script(STOPS)
        page.goto(path.as_uri())
        page.locator("#start:enabled").wait_for()
        page.evaluate("lab.start()")
        found = {"first_step_seconds": spread(first)}
        page.wait_for_timeout(5000)
        found["frames_a_second"] = page.evaluate(FRAMES)
        found["pictures_a_second"] = page.evaluate(PICTURES)
        found["steps_a_second"] = page.evaluate("lab.state().stepsPerSecond")
        found["milliseconds_a_step"] = page.evaluate("lab.millisecondsPerStep()")
        page.evaluate("lab.reset()")
        page.locator("#start:enabled").wait_for()
        page.wait_for_function("lab.state().step === 0 && lab.state().heldOut")
        page.evaluate("lab.start()")
        for name, seconds in (("after_40_s", 40), ("after_3_min", 140)):
            page.wait_for_timeout(1000 * seconds)
            state = page.evaluate("lab.state()")
            found[name] = {
                "negative_elbo": -state["heldOut"]["elbo"],
                "epochs": state["epoch"],
            }
        pauses = []
        for count in range(PAUSES):
            pauses.append(page.evaluate(PAUSE))
            page.evaluate("lab.start()")
            page.wait_for_timeout(1000 + 37 * count)
        stopped, pictures = zip(*pauses)
        found["pause_milliseconds"] = spread(stopped)
        found["pause_picture_milliseconds"] = spread(pictures)
        browser.close()
    return found


def main():
    """Measure what was asked for, print it and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "parts",
        nargs="*",
        choices=["page", "steps", "seeds", "linear", []],
        help="all unless named",
    )
    parts = parser.parse_args().parts or ["page", "steps", "seeds", "linear"]
    result = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    result |= machine(None)
    node = builder.installed_node()
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        train_images, held_out = (
            builder.training_digits().images,
            builder.held_out_digits().images,
        )
        np.save(files / "train.npy", train_images)
        (files / "train.bin").write_bytes(train_images.tobytes())
        (files / "held_out.bin").write_bytes(held_out.tobytes())
        for part in parts:
            work = {
                "page": lambda: measure_page(builder.build(files)),
                "steps": lambda: measure_steps(node, files),
                "seeds": lambda: measure_seeds(node, files),
                "linear": lambda: measure_linear(node, files),
            }
            result[part] = work[part]()
            print(
                laboratory_table(result)
                if part == "steps"
                else json.dumps(result[part], indent=1),
                flush=True,
            )
            with whole_file(RESULTS) as name:
                Path(name).write_text(
                    json.dumps(result, indent=1, ensure_ascii=False) + "\n",
                    encoding="utf-8",
                )


if __name__ == "__main__":
    main()

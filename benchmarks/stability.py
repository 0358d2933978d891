"""The laboratory of notebook 02 at the original's own size: other seeds, wider layers.

    python benchmarks/stability.py             784-500-120-2 units, 10 seeds, 200 steps: about 10 minutes
    python benchmarks/stability.py --runs 8    the next eight of its conditions

Writes data/stability.json after every condition; what stands there is not repeated unless --afresh is given.
"""

import argparse
import json
from pathlib import Path

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.data import load_mnist, subsample
from vae_lib.experiments.outcomes import outcome
from vae_lib.experiments.stability import Stack
from vae_lib.storage import whole_file

RESULTS = Path(__file__).parent.parent / "data" / "stability.json"
HIDDEN, IMAGES, STEPS = (500, 120), 10_000, 200  # the original's layers
FIRST_SEED = 100  # none of the notebook's
SETTINGS = [("adam", 1e-3), ("adam", 1e-2), ("adam", 3e-2), ("sgd", 1e-4)]
ARMS = [
    ("direct", "native"),
    ("direct", "matched"),
    ("softplus", "native"),
    ("softplus", "matched"),
    ("softplus, guarded", "native"),
    ("log_variance", "native"),
]
SIGMA = 1.0  # of every image at the start in the matched arm


def measure(stack, posterior, arm, optimizer, learning_rate, seeds):
    """Return one row: what became of the runs of `seeds`; losses in nats per image, None where not finite."""
    *_, record = stack.run(
        posterior,
        learning_rate,
        optimizer=optimizer,
        seeds=seeds,
        steps=STEPS,
        sigma=SIGMA if arm == "matched" else None,
    )
    return {
        "posterior": posterior,
        "arm": arm,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        **outcome(record),
    }


def main():
    """Run what is not measured yet and print one line for each condition."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", type=int, default=10, help=f"how many; the first is {FIRST_SEED}"
    )
    parser.add_argument(
        "--runs", type=int, default=1000, help="stop after so many conditions"
    )
    parser.add_argument(
        "--afresh", action="store_true", help="measure again what stands in the file"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows = (
        json.loads(options.out.read_text(encoding="utf-8"))["rows"]
        if options.out.exists() and not options.afresh
        else []
    )
    stack = Stack(subsample(load_mnist().train, IMAGES).images, hidden=HIDDEN)
    seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
    done = [
        (row["posterior"], row["arm"], row["optimizer"], row["learning_rate"])
        for row in rows
    ]
    wanted = [
        (*arm, *setting)
        for setting in SETTINGS
        for arm in ARMS
        if (*arm, *setting) not in done
    ]
    for key in wanted[: options.runs]:
        rows.append(measure(stack, *key, seeds))
        print(
            *key,
            f"{sum(rows[-1]['failed'])} of {len(seeds)} failed, spikes {rows[-1]['spikes']}",
            flush=True,
        )
        report = {
            "hidden": HIDDEN,
            "images": IMAGES,
            "batch_size": stack.batch_size,
            "steps": STEPS,
            "beta": stack.beta,
            "seeds": list(seeds),
            "matched_sigma": SIGMA,
            "rows": rows,
        }
        with whole_file(options.out) as name:
            Path(name).write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

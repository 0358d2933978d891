"""The stability laboratory of notebook 02: each run with its own seed, rates kept
apart.

    python benchmarks/stability.py             both sizes of network, ten minutes
    python benchmarks/stability.py --runs 8    the next eight conditions

Writes data/stability.json after every condition; what it holds is not measured again
unless --afresh is given.
"""

import functools

from stored import parser, rows_in, write

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.data import load_mnist, subsample
from vae_lib.experiments.outcomes import finite_or_none, outcome
from vae_lib.experiments.parallel_training import ParallelVAEs

IMAGES, BATCH, BETA = 10_000, 64, 12.0
SIGMA = 1.0  # of every image at the start in the matched arm
SMALL, ORIGINAL = (128, 64), (500, 120)  # hidden layers; the second are the original's
CLAIM = ["direct", "softplus"]  # the two maps that the claim is about
OTHERS = ["softplus, guarded", "log_variance", "log_deviation", "bounded"]
ADAM, SGD = [("adam", 1e-3), ("adam", 1e-2), ("adam", 3e-2)], [("sgd", 1e-4)]
NATIVE, MATCHED = ["native"], ["matched"]
TEN, FORTY = range(100, 110), range(200, 240)  # seeds; the notebook tries others
KEY = "hidden", "steps", "posterior", "arm", "optimizer", "learning_rate"


def conditions():
    """Return a list of (hidden, steps, posterior, arm, optimizer, rate, seeds)."""
    both, twenty = NATIVE + MATCHED, FORTY[:20]
    plan = [
        (SMALL, 200, CLAIM, both, ADAM[:1], FORTY),
        (SMALL, 200, CLAIM, both, ADAM[1:] + SGD, twenty),
        (SMALL, 2000, CLAIM, MATCHED, ADAM[:1], FORTY[:10]),
        (SMALL, 200, OTHERS, both, ADAM + SGD, FORTY[:10]),
        (ORIGINAL, 200, CLAIM, both, ADAM, FORTY),
        (ORIGINAL, 200, OTHERS[:2], NATIVE, ADAM, TEN),
    ]
    return [
        (hidden, steps, posterior, arm, *setting, seeds)
        for hidden, steps, posteriors, arms, settings, seeds in plan
        for setting in settings
        for posterior in posteriors
        for arm in arms
    ]


@functools.cache
def stack(hidden):
    """Return the laboratory for these hidden layers, with the original's loss."""
    images = subsample(load_mnist().train, IMAGES).images
    return ParallelVAEs(images, hidden=hidden, beta=BETA, batch_size=BATCH)


def measure(hidden, steps, posterior, arm, optimizer, learning_rate, seeds):
    """Return one row: what became of each run, by the original's loss per image."""
    *_, record = stack(hidden).run(
        posterior,
        learning_rate,
        optimizer=optimizer,
        seeds=seeds,
        steps=steps,
        sigma=SIGMA if arm == "matched" else None,
    )
    key = (list(hidden), steps, posterior, arm, optimizer, learning_rate)
    by_hundred = record.loss.reshape(len(seeds), -1, 100).mean(
        axis=2
    )  # (runs, steps / 100)
    return {
        **dict(zip(KEY, key)),
        "seeds": list(seeds),
        **outcome(record),
        "loss": [*map(finite_or_none, by_hundred)] if steps > 200 else None,
    }


def key_of(row):
    """Return the condition of a row, without its seeds."""
    return tuple(row["hidden"]), *(row[name] for name in KEY[1:])


def place(row):
    """Return what rows are sorted by: network, steps, setting, map and arm."""
    maps = CLAIM + OTHERS
    setting = row["optimizer"] != "adam", row["learning_rate"]
    arm = maps.index(row["posterior"]), row["arm"] != "native"
    return tuple(row["hidden"]) != ORIGINAL, row["steps"], *setting, *arm


def main():
    """Run what is not measured yet and print one line for each condition."""
    options = parser("stability", __doc__)
    options.add_argument(
        "--runs", type=int, default=1000, help="stop after this many conditions"
    )
    options = options.parse_args()
    rows = rows_in(options)
    done = [(key_of(row), row["seeds"]) for row in rows]
    wanted = [one for one in conditions() if (one[:-1], [*one[-1]]) not in done]
    for *key, seeds in wanted[: options.runs]:
        row = measure(*key, seeds)
        others = [old for old in rows if key_of(old) != key_of(row)]
        rows = sorted([*others, row], key=place)
        failed = sum(row["failed"])
        spiking = sum(count > 0 for count in row["spikes"])
        print(*key, f"{failed} failed, {spiking} spiked of {len(seeds)}", flush=True)
        settings = dict(images=IMAGES, batch_size=BATCH, beta=BETA, matched_sigma=SIGMA)
        write(options, "python benchmarks/stability.py", rows, **settings)


if __name__ == "__main__":
    main()

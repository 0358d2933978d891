"""Is my number good? Test distortion, rate, -ELBO and NLL over latent dimensions and seeds.

    python benchmarks/nats.py                  the table of notebook 01 and of the README, about half an hour on two cores
    python benchmarks/nats.py --seeds 1 --latent-dims 2 --settings plain     one row of it, about a minute

Writes data/nats.json after every run; runs that stand there already are not repeated unless --afresh is given.
"""

import argparse
import itertools
import json
import time
from operator import itemgetter
from pathlib import Path

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
import keras
import numpy as np
from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate, log_likelihood
from vae_lib.model import VAE
from vae_lib.results import nats_table, where
from vae_lib.storage import whole_file
from vae_lib.training import train

RESULTS = Path(__file__).parent.parent / "data" / "nats.json"
SAMPLES = 100  # of the importance-weighted bound
KEY = "setting", "latent_dim", "seed"  # of a row


def plain(latent_dim, images):
    """Return the model of the lesson and the arguments of its training."""
    return VAE(latent_dim), {"learning_rate": 1e-3, "batch_size": 128}


def tuned(latent_dim, images):
    """Return the same widths with GELU, larger batches and a learning rate that decays."""
    steps = EPOCHS * -(-len(images) // 256)
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, decay_steps=steps)
    return VAE(latent_dim, activation="gelu"), {"learning_rate": schedule, "batch_size": 256}


SETTINGS = {"plain": plain, "tuned": tuned}


def measure(setting, latent_dim, seed, digits):
    """Return one row: train on 55,000 digits with `seed`, evaluate on the 10,000 test digits, in nats."""
    keras.utils.set_random_seed(seed)
    vae, arguments = SETTINGS[setting](latent_dim, digits.train.images)
    start = time.perf_counter()
    train(vae, digits.train.images, seed=seed, progress=False, **arguments)
    seconds = time.perf_counter() - start
    test = evaluate(vae, digits.test.images, seed=seed)
    nll = -log_likelihood(vae, digits.test.images, samples=SAMPLES, seed=seed).mean()
    return {"setting": setting, "latent_dim": latent_dim, "seed": seed, "distortion": test.distortion,
            "rate": test.rate, "negative_elbo": -test.elbo, "nll": float(nll), "seconds": round(seconds, 1)}


def main():
    """Run what is not measured yet and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latent-dims", type=int, nargs="+", default=[2, 5, 10, 20])
    parser.add_argument("--seeds", type=int, default=5, help="how many; they are 0, 1, 2 …")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=["plain"],
                        help="plain is the lesson, tuned what the same width can do")
    parser.add_argument("--afresh", action="store_true", help="measure again what stands in the file")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows = json.loads(options.out.read_text())["rows"] if options.out.exists() else []
    digits = load_mnist()
    for key in itertools.product(options.settings, options.latent_dims, range(options.seeds)):
        there = where(rows, **dict(zip(KEY, key)))
        if there and not options.afresh:
            continue
        row = measure(*key, digits)
        rows = sorted([row, *(other for other in rows if other not in there)], key=itemgetter(*KEY))
        print(row, flush=True)
        report = {"train_images": len(digits.train.images), "samples": SAMPLES, "rows": rows}
        with whole_file(options.out) as name:
            Path(name).write_text(json.dumps(report, indent=1))
    print(nats_table(rows))


if __name__ == "__main__":
    main()

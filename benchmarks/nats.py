"""Is my number good? Test distortion, rate, -ELBO and NLL over latent dimensions and seeds.

    python benchmarks/nats.py                  the table of notebook 01 and of docs/benchmarks.md, about half an hour on two cores
    python benchmarks/nats.py --seeds 1 --latent-dims 2     one row of it, about a minute
    python benchmarks/nats.py --settings tuned wide deep    what other settings can do within the time of 20 plain epochs

Writes data/nats.json after every run; runs that stand there already are not repeated unless --afresh is given.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import keras

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.course.results import nats_table, where
from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate, log_likelihood
from vae_lib.model import VAE
from vae_lib.storage import whole_file
from vae_lib.training import train

RESULTS = Path(__file__).parent.parent / "data" / "nats.json"
SAMPLES = 100  # of the importance-weighted bound
KEY = "setting", "latent_dim", "seed"  # of a row


def plain(latent_dim, images):
    """784–512–256–z with ReLU, 15 epochs, batches of 128, Adam at 1e-3"""
    return VAE(latent_dim), {"epochs": 15, "learning_rate": 1e-3, "batch_size": 128}


def tuned(latent_dim, images):
    """the same widths with GELU, 20 epochs, batches of 256, Adam from 2e-3 to 0 along a cosine"""
    return VAE(latent_dim, activation="gelu"), {
        "epochs": 20,
        "batch_size": 256,
        "learning_rate": cosine(20, images),
    }


def wide(latent_dim, images):
    """as tuned with 784–1024–512–z and 10 epochs"""
    vae = VAE(latent_dim, hidden=(1024, 512), activation="gelu")
    return vae, {"epochs": 10, "batch_size": 256, "learning_rate": cosine(10, images)}


def deep(latent_dim, images):
    """as tuned with two more layers, 784–512–256–128–64–z, and 18 epochs"""
    vae = VAE(latent_dim, hidden=(512, 256, 128, 64), activation="gelu")
    return vae, {"epochs": 18, "batch_size": 256, "learning_rate": cosine(18, images)}


def cosine(epochs, images, batch_size=256):
    """Return the schedule of all settings but plain, which reaches 0 with the last step."""
    return keras.optimizers.schedules.CosineDecay(
        2e-3, decay_steps=epochs * -(-len(images) // batch_size)
    )


SETTINGS = {"plain": plain, "tuned": tuned, "wide": wide, "deep": deep}


def place(row):
    """Return what rows are sorted by: the order of the settings, then latent dimension and seed."""
    return list(SETTINGS).index(row["setting"]), row["latent_dim"], row["seed"]


def measure(setting, latent_dim, seed, digits):
    """Return one row: train on 55,000 digits with `seed`, evaluate on the 10,000 test digits, in nats."""
    keras.utils.set_random_seed(seed)
    vae, arguments = SETTINGS[setting](latent_dim, digits.train.images)
    start = time.perf_counter()
    train(vae, digits.train.images, seed=seed, progress=False, **arguments)
    seconds = time.perf_counter() - start
    test = evaluate(vae, digits.test.images, seed=seed)
    nll = -log_likelihood(vae, digits.test.images, samples=SAMPLES, seed=seed).mean()
    return {
        "setting": setting,
        "latent_dim": latent_dim,
        "seed": seed,
        "distortion": test.distortion,
        "rate": test.rate,
        "negative_elbo": -test.elbo,
        "nll": float(nll),
        "seconds": round(seconds, 1),
    }


def main():
    """Run what is not measured yet and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latent-dims", type=int, nargs="+", default=[2, 5, 10, 20])
    parser.add_argument(
        "--seeds", type=int, default=5, help="how many; they are 0, 1, 2 …"
    )
    parser.add_argument(
        "--settings",
        nargs="+",
        choices=SETTINGS,
        default=["plain"],
        help="; ".join(f"{name}: {make.__doc__}" for name, make in SETTINGS.items()),
    )
    parser.add_argument(
        "--afresh", action="store_true", help="measure again what stands in the file"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows = (
        json.loads(options.out.read_text(encoding="utf-8"))["rows"]
        if options.out.exists()
        else []
    )
    digits = load_mnist()
    for key in itertools.product(
        options.settings, options.latent_dims, range(options.seeds)
    ):
        there = where(rows, **dict(zip(KEY, key)))
        if there and not options.afresh:
            continue
        row = measure(*key, digits)
        rows = sorted(
            [row, *(other for other in rows if other not in there)], key=place
        )
        print(row, flush=True)
        described = {
            name: make.__doc__
            for name, make in SETTINGS.items()
            if where(rows, setting=name)
        }
        report = {
            "settings": described,
            "train_images": len(digits.train.images),
            "samples": SAMPLES,
            "rows": rows,
        }
        with whole_file(options.out) as name:
            Path(name).write_text(json.dumps(report, indent=1), encoding="utf-8")
    print(nats_table(rows))


if __name__ == "__main__":
    main()

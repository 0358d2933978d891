"""Is my number good? Test distortion, rate, -ELBO and a tighter bound over settings,
latent dimensions and seeds.

    python benchmarks/nats.py    the tables of notebook 01 and docs/benchmarks.md: half
                                 an hour on two cores
    python benchmarks/nats.py --seeds 1 --latent-dims 2    one row, about a minute
    python benchmarks/nats.py --settings tuned deep --latent-dims 2   more layers

Writes data/nats.json after every run; runs that it already holds are not repeated
unless --afresh is given.
"""

import itertools
import time

import keras
from stored import parser, rows_in, write

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.analysis.likelihood import log_likelihood
from vae_lib.course.results import nats_table, where
from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.model import VAE
from vae_lib.training import train

SAMPLES = 100  # of the importance-weighted bound
INTEGRATED = (
    2_000  # test digits whose log p(x) is integrated; the mean gap varies little
)
KEY = "setting", "latent_dim", "seed"  # of a row


def plain(latent_dim, images):
    """784–512–256–z with ReLU, 15 epochs, batches of 128, Adam at 1e-3"""
    return VAE(latent_dim), {"epochs": 15, "learning_rate": 1e-3, "batch_size": 128}


def tuned(latent_dim, images):
    """the same layers with GELU, 20 epochs, batches of 256, Adam from 2e-3 to 0 along a
    cosine
    """
    return VAE(latent_dim, activation="gelu"), cosine(images)


def deep(latent_dim, images):
    """as tuned, with two more layers and two epochs fewer: 784–512–256–128–64–z"""
    hidden = (512, 256, 128, 64)
    return VAE(latent_dim, hidden=hidden, activation="gelu"), cosine(images, epochs=18)


def cosine(images, epochs=20, batch_size=256):
    """Return how tuned and deep are trained: the learning rate reaches 0 at the end."""
    steps = epochs * -(-len(images) // batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, decay_steps=steps)
    return {"epochs": epochs, "batch_size": batch_size, "learning_rate": schedule}


SETTINGS = {"plain": plain, "tuned": tuned, "deep": deep}


def place(row):
    """Return what rows are sorted by: the order of the settings, then latent dimension
    and seed.
    """
    return list(SETTINGS).index(row["setting"]), row["latent_dim"], row["seed"]


def measure(setting, latent_dim, seed, digits):
    """Return one row: train on 55,000 digits with `seed`, evaluate on the 10,000 test
    digits, in nats.
    """
    keras.utils.set_random_seed(seed)
    vae, arguments = SETTINGS[setting](latent_dim, digits.train.images)
    start = time.perf_counter()
    train(vae, digits.train.images, seed=seed, progress=False, **arguments)
    seconds = time.perf_counter() - start
    test = evaluate(vae, digits.test.images, seed=seed)
    bound = log_likelihood(vae, digits.test.images, samples=SAMPLES, seed=seed)
    return {
        "setting": setting,
        "latent_dim": latent_dim,
        "seed": seed,
        "distortion": test.distortion,
        "rate": test.rate,
        "negative_elbo": -test.elbo,
        "negative_bound": -float(bound.mean()),
        "seconds": round(seconds, 1),
    }


def main():
    """Run what is not measured yet and print the table."""
    options = parser("nats", __doc__)
    options.add_argument("--latent-dims", type=int, nargs="+", default=[2, 5, 10, 20])
    options.add_argument(
        "--seeds", type=int, default=5, help="how many; they are 0, 1, 2 …"
    )
    options.add_argument(
        "--settings",
        nargs="+",
        choices=SETTINGS,
        default=["plain"],
        help="; ".join(f"{name}: {make.__doc__}" for name, make in SETTINGS.items()),
    )
    options.add_argument("--runs", type=int, default=1000, help="stop after this many")
    options = options.parse_args()
    wanted = list(
        itertools.product(options.settings, options.latent_dims, range(options.seeds))
    )
    afresh, options.afresh = options.afresh, False  # rows of other settings stay
    rows = rows_in(options)
    digits = load_mnist()
    done = [] if afresh else [tuple(row[name] for name in KEY) for row in rows]
    for key in [key for key in wanted if key not in done][: options.runs]:
        row = measure(*key, digits)
        others = [r for r in rows if tuple(r[name] for name in KEY) != key]
        rows = sorted([row, *others], key=place)
        print(row, flush=True)
        settings = {
            "settings": {
                name: make.__doc__
                for name, make in SETTINGS.items()
                if where(rows, setting=name)
            },
            "train_images": len(digits.train.images),
            "samples": SAMPLES,
        }
        write(options, "python benchmarks/nats.py", rows, **settings)
    print(nats_table(rows))


if __name__ == "__main__":
    main()

"""Does a conditional VAE leave the label out of its code? Measured while it trains.

    python benchmarks/labels.py              the figures of notebook 05
    python benchmarks/labels.py --runs 1     the next run

A run takes about two minutes on two cores, and there are six. Writes data/labels.json
after every run; what it holds is not measured again unless --afresh is given.
"""

import keras
import numpy as np
import stored

import vae_lib  # noqa: F401, I001  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.analysis import information, sample_quality
from vae_lib.data import load_mnist, subsample
from vae_lib.evaluation import evaluate
from vae_lib.experiments.conditional import CVAE, labelled, order_digits
from vae_lib.training import Training

IMAGES = 20_000
EPOCHS = 8, 24, 70
LATENT_DIMS = 10, 2
SEEDS = 0, 1, 2
ORDERS = 2000  # fresh codes, each with a label drawn at random


def measure(cvae, digits, reader, seed):
    """Return how `cvae` does so far: nats, the label in its code, orders obeyed."""
    told, rng = labelled(digits.test), np.random.default_rng(seed)
    test, (mu, sigma) = evaluate(cvae, told, seed=seed), cvae.encode(told)
    truth, half = digits.test.labels, len(mu) // 2
    probe, sampled = (
        (codes[:half], truth[:half], codes[half:], truth[half:])
        for codes in (mu, mu + sigma * rng.standard_normal(mu.shape))
    )
    fresh = rng.standard_normal((ORDERS, cvae.latent_dim))
    ordered = rng.integers(0, 10, ORDERS)
    own, other = truth[:ORDERS], (truth[:ORDERS] + rng.integers(1, 10, ORDERS)) % 10
    orders = {
        "obeyed": (fresh, ordered),
        "obeyed_own": (mu[:ORDERS], own),
        "obeyed_another": (mu[:ORDERS], other),
    }
    return {
        "distortion": test.distortion,
        "rate": test.rate,
        "negative_elbo": -test.elbo,
        "label_read": information.knn_accuracy(*probe),
        "label_read_from_z": information.knn_accuracy(*sampled),
        "label_read_shuffled": information.knn_accuracy(*probe, shuffled=True),
    } | {
        name: float(np.mean(reader.read(order_digits(cvae, z, labels)) == labels))
        for name, (z, labels) in orders.items()
    }


def runs(latent_dim, seed, digits, reader):
    """Return one row for each of `EPOCHS` of one run."""
    keras.utils.set_random_seed(seed)
    cvae, rows = CVAE(latent_dim=latent_dim), []
    training = Training(cvae, labelled(digits.train), epochs=EPOCHS[0], seed=seed)
    for epochs in EPOCHS:
        training.epochs = epochs
        for _ in training:
            pass
        row = {"latent_dim": latent_dim, "seed": seed, "epochs": epochs}
        rows.append(row | measure(cvae, digits, reader, seed))
        print(rows[-1], flush=True)
    return rows


def main():
    """Run what is not measured yet and store it."""
    parser = stored.parser("labels", __doc__)
    parser.add_argument("--runs", type=int, default=1000, help="stop after this many")
    options = parser.parse_args()
    rows = stored.rows_in(options)
    digits = load_mnist()
    digits = digits._replace(train=subsample(digits.train, IMAGES, seed=0))
    reader = sample_quality.Reader(subsample(digits.train, 10_000, seed=0))
    right = reader.read(digits.test.images) == digits.test.labels
    done = [(row["latent_dim"], row["seed"]) for row in rows]
    wanted = [(dim, seed) for dim in LATENT_DIMS for seed in SEEDS]
    wanted = [pair for pair in wanted if pair not in done]
    for latent_dim, seed in wanted[: options.runs]:
        rows += runs(latent_dim, seed, digits, reader)
        stored.write(
            options,
            "python benchmarks/labels.py",
            rows,
            train_images=IMAGES,
            batch_size=128,
            learning_rate=1e-3,
            orders=ORDERS,
            reader_right_on_test_digits=right.mean(),
        )


if __name__ == "__main__":
    main()

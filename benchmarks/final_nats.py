"""Does the map from rho to sigma matter at the end? -ELBO after 15 epochs, by map,
initial sigma and seed.

    python benchmarks/final_nats.py     the figure of notebook 02, about half an hour
    python benchmarks/final_nats.py --runs 6       the next six runs

Writes data/final_nats.json after every run; what it holds is not measured again unless
--afresh is given.
"""

import keras
import numpy as np
from sklearn.neighbors import KNeighborsClassifier
from stored import parser, rows_in, write

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.course.results import pack_images
from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.experiments.textbook_maps import INVERSES
from vae_lib.model import VAE, in_batches
from vae_lib.training import train

EPOCHS = 15
CLIP = 200.0  # the norm to which a longer gradient is scaled down
SIGMA = 1.0  # of every image at the start in the matched arm
MEMORY = 0.9  # Adam's beta_2 with a short memory: ten steps instead of a thousand
ADAM = {"clipped": {"global_clipnorm": CLIP}, "short memory": {"beta_2": MEMORY}}
ARMS = [
    ("direct", "native"),
    ("direct", "matched"),
    ("direct", "clipped"),
    ("direct", "short memory"),
    ("log_variance", "native"),
    ("log_variance", "matched"),
    ("softplus", "native"),
    ("softplus", "matched"),
    ("softplus", "clipped"),
]


def new_vae(posterior, arm, seed):
    """Return an untrained model of 784-512-256-2 units with its initial weights drawn
    from `seed`.
    """
    keras.utils.set_random_seed(seed)
    vae = VAE(posterior=posterior)
    vae.compile(optimizer=keras.optimizers.Adam(1e-3, **ADAM.get(arm, {})))
    if arm == "matched":
        rho = vae.encoder.get_layer("rho")
        rho.kernel.assign(np.zeros(rho.kernel.shape, "float32"))
        rho.bias.assign(np.full(rho.bias.shape, INVERSES[posterior](SIGMA), "float32"))
    return vae


def rho_facts(vae, images):
    """Return how sigma is spread over images and units, and for each unit the share of
    images with rho < 0.
    """
    rho = np.concatenate(
        [vae.encoder(vae.prepare(part))[1] for part in in_batches(images)]
    )
    sigma = vae.encode(images)[1]
    return {
        "sigma_median": float(np.median(sigma)),
        "sigma_1_percent": float(np.percentile(sigma, 1)),
        "negative_rho": np.mean(rho < 0, axis=0).tolist(),
    }


def recognized(vae, digits, images=2000):
    """Return the share of reconstructed test digits whose nearest neighbour among
    10,000 training digits has their label.
    """
    known, asked = (
        part.images.reshape(len(part.images), -1) / 255.0
        for part in (digits.train, digits.test)
    )
    judge = KNeighborsClassifier(1).fit(known[:10_000], digits.train.labels[:10_000])
    copies = (
        asked
        if vae is None
        else vae.reconstruct(digits.test.images[:images]).reshape(images, -1)
    )
    return float(judge.score(copies[:images], digits.test.labels[:images]))


def measure(posterior, arm, seed, digits):
    """Return one row: train on 55,000 digits, evaluate on the 10,000 test digits, in
    nats per image.
    """
    vae = new_vae(posterior, arm, seed)
    before = rho_facts(vae, digits.test.images)
    history = train(
        vae,
        digits.train.images,
        epochs=EPOCHS,
        validation=digits.validation.images,
        seed=seed,
        progress=False,
    )
    test = evaluate(vae, digits.test.images, seed=seed)
    after, mu = rho_facts(vae, digits.test.images), vae.encode(digits.test.images)[0]
    squares = [
        variable for variable in vae.optimizer.variables if "velocity" in variable.path
    ]
    denominators = {
        variable.path: float(np.median(np.sqrt(square)))
        for variable, square in zip(vae.trainable_variables, squares, strict=True)
    }
    row = {
        "posterior": posterior,
        "arm": arm,
        "seed": seed,
        "distortion": test.distortion,
        "rate": test.rate,
        "negative_elbo": -test.elbo,
        "start": before,
        "end": after,
        "variance_of_mu": mu.var(axis=0).tolist(),
        "adam_denominators": denominators,
        "recognized": recognized(vae, digits),
        "validation_negative_elbo": [-value for value in history["validation_elbo"]],
    }
    if seed == 0:
        row["reconstructions"] = pack_images(vae.reconstruct(digits.test.images[:10]))
        row["generated"] = pack_images(vae.generate(10, seed=0))
    return row


def summary(rows):
    """Return one line of text for each map and arm: -ELBO over the seeds."""
    lines = ["map           arm      -ELBO of each seed, nats"]
    for posterior, arm in ARMS:
        values = [
            row["negative_elbo"]
            for row in rows
            if (row["posterior"], row["arm"]) == (posterior, arm)
        ]
        lines.append(
            f"{posterior:13} {arm:8} " + " ".join(f"{value:7.2f}" for value in values)
        )
    return "\n".join(lines)


def main():
    """Run what is not measured yet and print the summary."""
    options = parser("final_nats", __doc__)
    options.add_argument(
        "--seeds", type=int, default=3, help="how many; they are 0, 1, 2 …"
    )
    options.add_argument("--runs", type=int, default=1000, help="stop after this many")
    options = options.parse_args()
    rows = rows_in(options)
    digits = load_mnist()
    settings = dict(
        epochs=EPOCHS,
        train_images=len(digits.train.images),
        batch_size=128,
        learning_rate=1e-3,
        clip=CLIP,
        short_memory=MEMORY,
        matched_sigma=SIGMA,
        recognized_originals=recognized(None, digits),
    )
    done = [(row["posterior"], row["arm"], row["seed"]) for row in rows]
    wanted = [(*arm, seed) for seed in range(options.seeds) for arm in ARMS]
    wanted = [run for run in wanted if run not in done]
    for posterior, arm, seed in wanted[: options.runs]:
        row = measure(posterior, arm, seed, digits)
        rows.append(row)
        rows.sort(
            key=lambda row: (ARMS.index((row["posterior"], row["arm"])), row["seed"])
        )
        print(posterior, arm, seed, f"{row['negative_elbo']:.2f} nats", flush=True)
        write(options, "python benchmarks/final_nats.py", rows, **settings)
    print(summary(rows))


if __name__ == "__main__":
    main()

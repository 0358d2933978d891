"""The original project's experiment, as it was made: notebook 03 draws its figures.

    python benchmarks/original.py               about half an hour on two quiet cores
    python benchmarks/original.py --minutes 4   start runs for four minutes; call it
                                                again to continue

784–500–120–z, batches of 64, squared error of standardised pixels, Adam at 1e-3, Glorot
initialisation: 15 epochs for each beta and each number of latent units, and 30 where
early stopping is looked at. The original trained on all 60,000 digits; here 5,000 are
held out, so that early stopping has something to go by.

Writes data/original.json (settings, figures, histories) and data/original.npz
(codes, pictures) after every run; what they hold is not measured again unless --afresh
is given.
"""

import time

import numpy as np
import stored

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.analysis.grids import embed, quantile_grid
from vae_lib.analysis.information import active_units, knn_accuracy, rate_parts
from vae_lib.data import load_mnist, subsample
from vae_lib.evaluation import evaluate
from vae_lib.experiments.settings import SETTINGS, new_vae
from vae_lib.storage import whole_file
from vae_lib.training import Training

EPOCHS = SETTINGS["original"].training["epochs"]
LONG = 30  # epochs, where early stopping is looked at
LOOKS = (1, 5, 15, 30)  # epochs after which held-out digits are looked at
RUNS = [  # latent units, beta, seed, epochs
    *((15, beta, 0, EPOCHS) for beta in (12, 200, 0)),
    (2, 12, 0, EPOCHS),
    *((dim, 12, 0, LONG) for dim in (2, 15)),
]
HISTORY = ("distortion", "rate", "validation_distortion", "validation_rate")


def levels(values, n=1024):
    """Return `values` as uint16 levels from 0 to n - 1 over their range."""
    low, high = values.min(), values.max()
    return np.round((values - low) / (high - low) * (n - 1)).astype("uint16")


def grey(images):
    """Return images in [0, 1], clipped to that, as uint8."""
    return np.uint8(255 * np.clip(images, 0, 1) + 0.5)


def figures_of(vae, digits, beta, seed):
    """Return what is measured of a trained network, in nats, on the test digits."""
    test = evaluate(vae, digits.test.images, seed=seed)
    mu, sigma = vae.encode(digits.test.images)
    few = subsample(digits.train, 5000, seed)
    unseen = subsample(digits.test, 5000, seed)
    mu_few, sigma_few = vae.encode(few.images)
    mu_new, sigma_new = vae.encode(unseen.images)
    rng = np.random.default_rng(seed)
    z_few, z_new = (
        m + s * rng.standard_normal(m.shape)
        for m, s in ((mu_few, sigma_few), (mu_new, sigma_new))
    )
    labels = few.labels, unseen.labels
    parts = rate_parts(mu, sigma, seed=seed)
    return {
        "distortion": test.distortion,
        "rate": test.rate,
        "loss": test.distortion + beta * test.rate,
        "variance": float(mu.var(axis=0).mean()),
        "sigma": float(np.median(sigma)),
        "active": int(active_units(mu).sum()),
        "marginal_kl": parts.marginal_kl,
        "knn_mu": knn_accuracy(mu_few, labels[0], mu_new, labels[1]),
        "knn_z": knn_accuracy(z_few, labels[0], z_new, labels[1]),
        "control": knn_accuracy(mu_few, labels[0], mu_new, labels[1], shuffled=True),
    }


def pictures_of(vae, digits, latent_dim, beta, seed):
    """Return the arrays to keep: codes, test digits, new digits, manifold."""
    mu, _ = vae.encode(digits.test.images)
    arrays = {
        "digits": grey(vae.reconstruct(digits.test.images[:20])),
        "new": grey(vae.generate(20, seed)),
    }
    if latent_dim == 2:
        arrays["codes"] = mu.astype("float16")
        arrays["manifold"] = grey(vae.decode(quantile_grid(20)))
    elif beta == 12:
        arrays["codes"] = mu.astype("float16")
    if latent_dim != 2:
        plane = embed(vae.encode(digits.train.images)[0], "openTSNE", seed)
        arrays["tsne"] = levels(plane)
    return arrays


def measure(digits, latent_dim, beta, seed, epochs):
    """Return the row of one run, and the arrays that are kept of it."""
    vae = new_vae(seed=seed, latent_dim=latent_dim, beta=float(beta))
    training = Training(
        vae,
        digits.train.images,
        validation=digits.validation.images,
        seed=seed,
        **(SETTINGS["original"].training | {"epochs": epochs}),
    )
    looks = []
    for chunk in training:
        if chunk.epoch_ended and chunk.epoch in LOOKS and epochs == LONG:
            looks.append(grey(vae.reconstruct(digits.validation.images[:20])))
    row = {
        "seconds": training.seconds,
        **figures_of(vae, digits, beta, seed),
        "history": {name: training.history[name] for name in HISTORY},
    }
    if epochs == LONG:
        return row, {"looks": np.stack(looks)}
    begin = time.perf_counter()
    arrays = pictures_of(vae, digits, latent_dim, beta, seed)
    return {**row, "picture_seconds": time.perf_counter() - begin}, arrays


def main():
    """Run what is not measured yet and print a line for each run."""
    parser = stored.parser("original", __doc__)
    options = parser.parse_args()
    pictures = options.out.with_suffix(".npz")
    rows, arrays = stored.rows_in(options), {}
    if rows:
        with np.load(pictures) as file:
            arrays = dict(file)
    digits = load_mnist()
    model, training, start = SETTINGS["original"]
    names = "latent_dim", "beta", "seed", "epochs"
    for key in stored.due(options, rows, (dict(zip(names, run)) for run in RUNS)):
        row, kept = measure(digits, **key)
        rows.append({**key, **row})
        prefix = f"z{key['latent_dim']}_beta{key['beta']}"
        arrays |= {f"{prefix}_{kind}": array for kind, array in kept.items()}
        print(key, {k: v for k, v in row.items() if isinstance(v, float)}, flush=True)
        with whole_file(pictures) as name, open(name, "wb") as file:
            np.savez_compressed(file, **arrays)
        stored.write(
            options,
            "python benchmarks/original.py",
            rows,
            settings={**model, **training, "start": start},
            images=len(digits.train.images),
        )


if __name__ == "__main__":
    main()

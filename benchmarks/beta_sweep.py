"""The sweeps of notebook 03: dedicated networks over beta, one network for every beta, capacity against epochs.

    python benchmarks/beta_sweep.py                  everything, about an hour on two cores
    python benchmarks/beta_sweep.py --minutes 4      as much as begins within four minutes; call it again to go on
    python benchmarks/beta_sweep.py --parts dedicated --seeds 1

Writes data/beta_sweep.json after every run; what stands there is not repeated unless --afresh is given.
"""

import argparse
import json
import time
from pathlib import Path

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
import keras
import numpy as np
from vae_lib.conditioned import ConditionedVAE
from vae_lib.data import load_mnist, subsample
from vae_lib.evaluation import evaluate
from vae_lib.model import VAE
from vae_lib.storage import whole_file
from vae_lib.surgery import active_units, knn_accuracy, surgery, unit_rates
from vae_lib.training import train

RESULTS = Path(__file__).parent.parent / "data" / "beta_sweep.json"
EPOCHS, BATCH, RATE = 10, 128, 2e-3  # dedicated networks; the learning rate decays to 0 along a cosine
CONDITIONED_EPOCHS = 15
BETAS = {("bernoulli", 2): (0.1, 0.5, 1, 4, 8, 12, 20, 26, 30, 34, 40, 200),
         ("bernoulli", 10): (0.1, 1, 4, 8, 12, 20, 30, 40, 200),
         ("gaussian", 2): (4, 12, 30, 60, 80, 95, 105, 112, 130, 200),
         ("gaussian", 10): (1, 4, 12, 30, 60, 95, 112, 200)}
GAP_BETAS = (0.1, 1, 4, 12, 200)  # where one network is held against dedicated ones, with more seeds
CAPACITY = dict(latent_dims=(2, 10, 40), epochs=30)


def decaying(images, epochs):
    """Return the learning rate of a run: from RATE to 0 along a cosine."""
    return keras.optimizers.schedules.CosineDecay(RATE, epochs * -(-len(images) // BATCH))


def measured(vae, digits, beta):
    """Return what is measured of `vae`: nats on test and training digits, the parts of the rate, the units."""
    test, seen = evaluate(vae, digits.test.images), evaluate(vae, digits.train.images)
    mu, sigma = vae.encode(digits.test.images)
    parts, probe = surgery(mu, sigma), subsample(digits.train, 10_000)
    codes = vae.encode(probe.images)[0]
    return {
        "distortion": test.distortion, "rate": test.rate, "loss": test.distortion + beta * test.rate,
        "train_distortion": seen.distortion, "train_rate": seen.rate,
        "train_loss": seen.distortion + beta * seen.rate, "mutual_information": parts.mutual_information,
        "marginal_kl": parts.marginal_kl, "active": int(active_units(mu).sum()),
        "unit_rates": sorted((round(float(rate), 4) for rate in unit_rates(mu, sigma)), reverse=True),
        "knn": knn_accuracy(codes, probe.labels, mu, digits.test.labels),
    }


def dedicated(digits, likelihood, latent_dim, beta, seed):
    """Return the row of one network trained for one beta."""
    keras.utils.set_random_seed(seed)
    vae, images = VAE(latent_dim, likelihood=likelihood, beta=float(beta)), digits.train.images
    begin = time.perf_counter()
    train(vae, images, epochs=EPOCHS, batch_size=BATCH, learning_rate=decaying(images, EPOCHS), seed=seed,
          progress=False)
    seconds = round(time.perf_counter() - begin, 1)
    return {"beta": beta, "seconds": seconds, **measured(vae, digits, beta)}


def conditioned(digits, likelihood, latent_dim, seed):
    """Return the row of one network for every beta, measured at GAP_BETAS."""
    keras.utils.set_random_seed(seed)
    network, images = ConditionedVAE(latent_dim, likelihood=likelihood), digits.train.images
    begin = time.perf_counter()
    train(network, images, epochs=CONDITIONED_EPOCHS, batch_size=BATCH, seed=seed, progress=False,
          learning_rate=decaying(images, CONDITIONED_EPOCHS))
    seconds = round(time.perf_counter() - begin, 1)
    at = [{"beta": beta, **measured(network.at(beta), digits, beta)} for beta in GAP_BETAS]
    return {"seconds": seconds, "at": at}


def capacity(digits, latent_dim, seed):
    """Return the row of a network trained on all digits for many epochs: training and held-out curves."""
    keras.utils.set_random_seed(seed)
    vae = VAE(latent_dim)
    history = train(vae, digits.train.images, epochs=CAPACITY["epochs"], seed=seed, validation=digits.validation.images,
                    progress=False)
    return {"curves": {name: [round(value, 3) for value in values] for name, values in history.items()}}


def wanted(options):
    """Yield (part, its arguments by name) of all runs, the first seed of everything first."""
    for seed in range(options.seeds):
        for (likelihood, latent_dim), betas in BETAS.items():
            for beta in betas:
                if seed == 0 or (likelihood == "bernoulli" and beta in GAP_BETAS):
                    yield "dedicated", dict(likelihood=likelihood, latent_dim=latent_dim, beta=beta, seed=seed)
            if likelihood == "bernoulli":
                yield "conditioned", dict(likelihood=likelihood, latent_dim=latent_dim, seed=seed)
        for latent_dim in CAPACITY["latent_dims"] if seed == 0 else ():
            yield "capacity", dict(latent_dim=latent_dim, seed=seed)


PARTS = {"dedicated": dedicated, "conditioned": conditioned, "capacity": capacity}


def rounded(value):
    """Return nested results with floats of six digits."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, (float, np.floating)) else value


def main():
    """Run what is not measured yet and print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3, help="how many, where there are several: 0, 1, 2")
    parser.add_argument("--minutes", type=float, default=np.inf, help="begin no run after so many")
    parser.add_argument("--afresh", action="store_true", help="measure again what stands in the file")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    rows = json.loads(options.out.read_text())["rows"] if options.out.exists() and not options.afresh else []
    digits = load_mnist()
    for part, arguments in wanted(options):
        key = {"part": part, **arguments}
        if part not in options.parts or any(key.items() <= row.items() for row in rows):
            continue
        if time.monotonic() > end:
            break
        rows.append(rounded({**key, **PARTS[part](digits, **arguments)}))
        print(*key.values(), {name: value for name, value in rows[-1].items() if isinstance(value, float)}, flush=True)
        report = {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": RATE, "train_images": len(digits.train.images),
                  "conditioned_epochs": CONDITIONED_EPOCHS, "capacity": CAPACITY, "rows": rows}
        with whole_file(options.out) as name:
            Path(name).write_text(json.dumps(report, indent=None).replace('{"part"', '\n{"part"'))


if __name__ == "__main__":
    main()

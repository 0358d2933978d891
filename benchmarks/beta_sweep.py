"""The sweeps of notebook 03: dedicated networks over beta, and one network for every beta.

    python benchmarks/beta_sweep.py                  about an hour on two cores
    python benchmarks/beta_sweep.py --minutes 4      as much as begins within four minutes; call it again to go on
    python benchmarks/beta_sweep.py --seeds 3        more seeds where one network is held against dedicated ones

Parts: "dedicated", a network for each beta; "conditioned", one network for every beta, and "peer", networks for one beta
trained for as many epochs as it; "capacity", long training at beta = 1 with constant learning rate, watched by held-out digits.

Writes data/beta_sweep.json after every run; what stands there is not repeated unless --afresh is given.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.analysis.information import active_units, surgery, unit_rates
from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.experiments.one_network import ConditionedVAE
from vae_lib.model import VAE
from vae_lib.storage import whole_file
from vae_lib.training import train

RESULTS = Path(__file__).parent.parent / "data" / "beta_sweep.json"
EPOCHS, CONDITIONED_EPOCHS, CAPACITY_EPOCHS = 10, 15, 60
BATCH, RATE = 128, 2e-3  # the learning rate decays to 0 along a cosine
BETAS = {
    ("bernoulli", 2): (0.1, 0.5, 1, 4, 8, 12, 20, 26, 30, 34, 200),
    ("gaussian", 2): (4, 12, 30, 60, 80, 95, 105, 112, 200),
    ("bernoulli", 10): (0.1, 1, 4, 8, 12, 20, 30, 200),
    ("gaussian", 10): (4, 12, 30, 60, 80, 95, 112),
}
GAP_BETAS = (
    0.1,
    1,
    4,
    12,
    200,
)  # where one network is held against dedicated ones, with more seeds
CAPACITIES = (2, 10, 40)


def decaying(images, epochs):
    """Return the learning rate of a run: from RATE to 0 along a cosine."""
    return keras.optimizers.schedules.CosineDecay(
        RATE, epochs * -(-len(images) // BATCH)
    )


def terms(vae, images, beta):
    """Return distortion, rate and distortion + beta * rate of `vae` on images, in nats."""
    found = evaluate(vae, images)
    return {
        "distortion": found.distortion,
        "rate": found.rate,
        "loss": found.distortion + beta * found.rate,
    }


def anatomy(vae, digits, beta):
    """Return terms on the training digits, the parts of the test digits' rate, and the units."""
    mu, sigma = vae.encode(digits.test.images)
    parts = surgery(mu, sigma)
    return {
        **{
            f"train_{name}": value
            for name, value in terms(vae, digits.train.images, beta).items()
        },
        "mutual_information": parts.mutual_information,
        "marginal_kl": parts.marginal_kl,
        "active": int(active_units(mu).sum()),
        "unit_rates": sorted(map(float, unit_rates(mu, sigma)), reverse=True),
    }


def trained(vae, images, epochs, seed):
    """Train `vae` and return the seconds that took."""
    begin = time.perf_counter()
    train(
        vae,
        images,
        epochs=epochs,
        batch_size=BATCH,
        learning_rate=decaying(images, epochs),
        seed=seed,
        progress=False,
    )
    return round(time.perf_counter() - begin, 1)


def fitted(digits, likelihood, latent_dim, beta, seed, epochs):
    """Return one network trained for one beta, and its row: seconds and terms on the test digits."""
    keras.utils.set_random_seed(seed)
    vae = VAE(latent_dim, likelihood=likelihood, beta=float(beta))
    seconds = trained(vae, digits.train.images, epochs, seed)
    return vae, {"seconds": seconds, **terms(vae, digits.test.images, beta)}


def dedicated(digits, beta, **settings):
    """Return the row of one network trained for one beta, with its anatomy."""
    vae, row = fitted(digits, beta=beta, epochs=EPOCHS, **settings)
    return {**row, **anatomy(vae, digits, beta)}


def peer(digits, **settings):
    """Return the row of one network trained for one beta and for as many epochs as the conditioned one."""
    return fitted(digits, epochs=CONDITIONED_EPOCHS, **settings)[1]


def capacity(digits, latent_dim, seed):
    """Return the row of one long training: -ELBO of training and held-out digits after each epoch, in nats."""
    keras.utils.set_random_seed(seed)
    history = train(
        VAE(latent_dim),
        digits.train.images,
        epochs=CAPACITY_EPOCHS,
        batch_size=BATCH,
        seed=seed,
        validation=digits.validation.images,
        progress=False,
    )
    return {
        "training": [-value for value in history["elbo"]],
        "held_out": [-value for value in history["validation_elbo"]],
    }


def conditioned(digits, likelihood, latent_dim, seed):
    """Return the row of one network for every beta, measured at GAP_BETAS."""
    keras.utils.set_random_seed(seed)
    network = ConditionedVAE(latent_dim, likelihood=likelihood)
    seconds = trained(network, digits.train.images, CONDITIONED_EPOCHS, seed)
    at = [
        {"beta": beta, **terms(network.at(beta), digits.test.images, beta)}
        for beta in GAP_BETAS
    ]
    return {"seconds": seconds, "at": at}


def wanted(options):
    """Yield (part, its arguments by name) of all runs."""
    for (likelihood, latent_dim), betas in BETAS.items():
        for beta in betas:
            yield (
                "dedicated",
                dict(likelihood=likelihood, latent_dim=latent_dim, beta=beta, seed=0),
            )
    for seed in range(options.seeds):
        for latent_dim in (2, 10):
            yield (
                "conditioned",
                dict(likelihood="bernoulli", latent_dim=latent_dim, seed=seed),
            )
            for beta in GAP_BETAS:
                yield (
                    "peer",
                    dict(
                        likelihood="bernoulli",
                        latent_dim=latent_dim,
                        beta=beta,
                        seed=seed,
                    ),
                )
    for latent_dim in CAPACITIES:
        yield "capacity", dict(latent_dim=latent_dim, seed=0)


PARTS = {
    "dedicated": dedicated,
    "conditioned": conditioned,
    "peer": peer,
    "capacity": capacity,
}


def rounded(value):
    """Return nested results with floats of six digits."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, (float, np.floating)) else value


def main():
    """Run what is not measured yet and print a line for each run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument(
        "--seeds",
        type=int,
        default=2,
        help='of "conditioned" and "peer"; they are 0, 1, 2 …',
    )
    parser.add_argument(
        "--minutes", type=float, default=np.inf, help="begin no run after so many"
    )
    parser.add_argument(
        "--afresh", action="store_true", help="measure again what stands in the file"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    rows = (
        json.loads(options.out.read_text(encoding="utf-8"))["rows"]
        if options.out.exists() and not options.afresh
        else []
    )
    digits = load_mnist()
    for part, arguments in wanted(options):
        key = {"part": part, **arguments}
        if part not in options.parts or any(key.items() <= row.items() for row in rows):
            continue
        if time.monotonic() > end:
            break
        rows.append(rounded({**key, **PARTS[part](digits, **arguments)}))
        print(
            *key.values(),
            {
                name: value
                for name, value in rows[-1].items()
                if isinstance(value, float)
            },
            flush=True,
        )
        report = {
            "images": len(digits.train.images),
            "epochs": EPOCHS,
            "conditioned_epochs": CONDITIONED_EPOCHS,
            "capacity_epochs": CAPACITY_EPOCHS,
            "batch_size": BATCH,
            "learning_rate": RATE,
            "rows": rows,
        }
        with whole_file(options.out) as name:
            Path(name).write_text(
                json.dumps(report, indent=None).replace('{"part"', '\n{"part"'),
                encoding="utf-8",
            )


if __name__ == "__main__":
    main()

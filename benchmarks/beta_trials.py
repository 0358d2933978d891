"""What notebook 03 says about more than one seed: offsets, samples, few digits,
remedies.

    python benchmarks/beta_trials.py               45 minutes on two cores
    python benchmarks/beta_trials.py --minutes 4   start runs for four minutes; call
                                                   it again to continue

Parts: "offset", networks at a beta below the predicted collapse, started and trained in
different ways; "samples", how new digits and the parts of the rate change with beta;
"few", long training on 1,000 digits; "remedies", warm-up and free bits at beta = 8.

Writes data/beta_trials.json after every run; what it holds is not measured again unless
--afresh is given.
"""

import time

import keras
import stored

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.analysis.information import active_units, rate_parts, unit_rates
from vae_lib.analysis.sample_quality import compare, features
from vae_lib.data import load_mnist, subsample
from vae_lib.evaluation import evaluate
from vae_lib.experiments.remedies import FreeBits, warm_up
from vae_lib.figures import unit
from vae_lib.model import VAE
from vae_lib.training import train

BATCH, RATE, EPOCHS = 128, 2e-3, 10  # as in beta_sweep.py, along a cosine
NEAR = {"gaussian": 95, "bernoulli": 26}  # beta, at 0.88 and 0.81 of the predicted one
WAYS = {  # hidden widths, activation, epochs of warm-up, epochs
    "linear": ((), "relu", 0, EPOCHS),
    "deep, linear": ((512, 256), "linear", 0, EPOCHS),
    "deep, ReLU": ((512, 256), "relu", 0, EPOCHS),
    "deep, ReLU, warm-up": ((512, 256), "relu", 5, EPOCHS),
    "deep, ReLU, 30 epochs": ((512, 256), "relu", 0, 30),
}
SAMPLED = (0.5, 1, 4, 8, 12)  # betas
SAMPLE_IMAGES, SAMPLE_EPOCHS = 20_000, 8
CEILINGS = (1_000, 10_000, 55_000)  # posteriors in the mixture q(z)
SEEDS = 3
REMEDIES = ("none", "warm-up", "free bits")


def terms(vae, images, beta, name=""):
    """Return distortion, rate and distortion + beta * rate on images, in nats."""
    found = evaluate(vae, images)
    loss = found.distortion + beta * found.rate
    values = {"distortion": found.distortion, "rate": found.rate, "loss": loss}
    return {name + key: value for key, value in values.items()}


def fit(vae, images, seed, epochs, callbacks=()):
    """Train `vae` with the schedule of the sweep."""
    steps = epochs * -(-len(images) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(RATE, steps)
    options = dict(batch_size=BATCH, learning_rate=schedule, seed=seed)
    train(vae, images, epochs=epochs, callbacks=callbacks, progress=False, **options)


def offset(digits, likelihood, way, seed):
    """Return how much a network still sends at a beta below the predicted collapse."""
    hidden, activation, warm, epochs = WAYS[way]
    beta = float(NEAR[likelihood])
    keras.utils.set_random_seed(seed)
    vae = VAE(2, hidden, likelihood=likelihood, beta=beta, activation=activation)
    callbacks = [warm_up(vae, beta, warm)] if warm else []
    fit(vae, digits.train.images, seed, epochs, callbacks)
    mu, _ = vae.encode(digits.test.images)
    return {
        "beta": beta,
        **terms(vae, digits.train.images, beta, "train_"),
        "variances": sorted(map(float, mu.var(axis=0)), reverse=True),
        "active": int(active_units(mu).sum()),
    }


def samples(digits, latent_dim, beta, seed):
    """Return the parts of the rate, by number of posteriors, and how good new digits
    are.
    """
    keras.utils.set_random_seed(seed)
    vae = VAE(latent_dim, beta=float(beta))
    images = subsample(digits.train, SAMPLE_IMAGES, seed).images
    fit(vae, images, seed, SAMPLE_EPOCHS)
    split = {}
    for n in CEILINGS:
        parts = rate_parts(*vae.encode(digits.train.images[:n]), codes=1000, seed=seed)
        split[str(n)] = [parts.mutual_information, parts.marginal_kl]
    reals = unit(subsample(digits.test, 5000, seed).images)
    space = features(digits.train.images)
    quality = compare(space(reals), space(vae.generate(5000, seed)))
    mu, sigma = vae.encode(digits.test.images)
    return {
        **terms(vae, digits.test.images, beta),
        "split": split,
        "marginal": split[str(CEILINGS[-1])][1],
        **quality._asdict(),
        "active": int(active_units(mu).sum()),
        "unit_rates": sorted(map(float, unit_rates(mu, sigma)), reverse=True),
    }


def few(digits, latent_dim, seed):
    """Return −ELBO of training and held-out digits over 60 epochs on 1,000 digits."""
    keras.utils.set_random_seed(seed)
    history = train(
        VAE(latent_dim),
        subsample(digits.train, 1000, seed).images,
        epochs=60,
        batch_size=32,
        seed=seed,
        validation=digits.validation.images,
        progress=False,
    )
    return {
        "training": [-value for value in history["elbo"]],
        "held_out": [-value for value in history["validation_elbo"]],
    }


def remedies(digits, remedy, seed):
    """Return what twenty units at beta = 8 hold after 15 epochs with a remedy."""
    keras.utils.set_random_seed(seed)
    vae = (FreeBits if remedy == "free bits" else VAE)(20, beta=8.0)
    callbacks = [warm_up(vae, 8.0, 5)] if remedy == "warm-up" else []
    images = subsample(digits.train, 10_000).images
    train(vae, images, epochs=15, seed=seed, callbacks=callbacks, progress=False)
    mu, sigma = vae.encode(digits.test.images)
    return {
        **terms(vae, digits.test.images, 8.0),
        "active": int(active_units(mu).sum()),
        "least": float(unit_rates(mu, sigma).min()),
    }


def wanted(seeds):
    """Yield (part, its arguments by name) of all runs, seed by seed."""
    for seed in range(seeds):
        for latent_dim in (2, 10):
            for beta in SAMPLED:
                yield "samples", dict(latent_dim=latent_dim, beta=beta, seed=seed)
        for remedy in REMEDIES:
            yield "remedies", dict(remedy=remedy, seed=seed)
        for latent_dim in (2, 10, 40):
            yield "few", dict(latent_dim=latent_dim, seed=seed)
        for likelihood in NEAR:
            for way in WAYS:
                yield "offset", dict(likelihood=likelihood, way=way, seed=seed)


PARTS = {"offset": offset, "samples": samples, "few": few, "remedies": remedies}


def main():
    """Run what is not measured yet and print a line for each run."""
    parser = stored.parser("beta_trials", __doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, help="how many; they are 0, 1, 2 …"
    )
    options = parser.parse_args()
    rows = stored.rows_in(options)
    digits = load_mnist()
    keys = [
        {"part": part, **arguments}
        for part, arguments in wanted(options.seeds)
        if part in options.parts
    ]
    for key in stored.due(options, rows, keys):
        arguments = dict(key)
        part = arguments.pop("part")
        begin = time.perf_counter()
        rows.append({**key, **PARTS[part](digits, **arguments)})
        rows[-1]["seconds"] = round(time.perf_counter() - begin, 1)
        floats = {k: v for k, v in rows[-1].items() if isinstance(v, float)}
        print(*key.values(), floats, flush=True)
        stored.write(
            options,
            "python benchmarks/beta_trials.py",
            rows,
            images=len(digits.train.images),
            epochs=EPOCHS,
            batch_size=BATCH,
            learning_rate=RATE,
            sample_images=SAMPLE_IMAGES,
            sample_epochs=SAMPLE_EPOCHS,
        )


if __name__ == "__main__":
    main()

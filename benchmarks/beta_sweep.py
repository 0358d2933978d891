"""The sweeps of notebook 03: dedicated networks over beta, one network for every beta.

    python benchmarks/beta_sweep.py                about an hour on two cores
    python benchmarks/beta_sweep.py --minutes 4    start no run after four minutes
    python benchmarks/beta_sweep.py --seeds 3      more seeds of "conditioned", "peer"

Parts: "dedicated", a network for each beta; "conditioned", one network for every beta;
"peer", networks for one beta trained for as many epochs as it; "capacity", long
training at beta = 1 with a constant learning rate, watched by held-out digits.

Writes data/beta_sweep.json after every run; what it holds is not measured again unless
--afresh is given.
"""

import time

import keras
import stored

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.analysis.information import active_units, rate_parts, unit_rates
from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.experiments.one_network import ConditionedVAE
from vae_lib.model import VAE
from vae_lib.training import train

EPOCHS, CONDITIONED_EPOCHS, CAPACITY_EPOCHS = 10, 15, 60
BATCH, RATE = 128, 2e-3  # the learning rate decays to 0 along a cosine
BETAS = {
    ("bernoulli", 2): (0.1, 0.5, 1, 4, 8, 12, 20, 26, 30, 34, 200),
    ("gaussian", 2): (4, 12, 30, 60, 80, 95, 105, 112, 200),
    ("bernoulli", 10): (0.1, 1, 4, 8, 12, 20, 30, 200),
    ("gaussian", 10): (4, 12, 30, 60, 80, 95, 112),
}
GAP_BETAS = (0.1, 1, 4, 12, 200)  # where one network is compared with dedicated ones
CAPACITIES = (2, 10, 40)


def decaying(images, epochs):
    """Return the learning rate of a run: from RATE to 0 along a cosine."""
    return keras.optimizers.schedules.CosineDecay(
        RATE, epochs * -(-len(images) // BATCH)
    )


def terms(vae, images, beta):
    """Return distortion, rate and distortion + beta * rate of `vae`, in nats."""
    found = evaluate(vae, images)
    return {
        "distortion": found.distortion,
        "rate": found.rate,
        "loss": found.distortion + beta * found.rate,
    }


def anatomy(vae, digits, beta):
    """Return terms on training digits, parts of the test digits' rate, and units."""
    mu, sigma = vae.encode(digits.test.images)
    parts = rate_parts(mu, sigma)
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
    """Return a network trained for one beta, and its row: seconds and test terms."""
    keras.utils.set_random_seed(seed)
    vae = VAE(latent_dim, likelihood=likelihood, beta=float(beta))
    seconds = trained(vae, digits.train.images, epochs, seed)
    return vae, {"seconds": seconds, **terms(vae, digits.test.images, beta)}


def dedicated(digits, beta, **settings):
    """Return the row of one network trained for one beta, with its anatomy."""
    vae, row = fitted(digits, beta=beta, epochs=EPOCHS, **settings)
    return {**row, **anatomy(vae, digits, beta)}


def peer(digits, **settings):
    """Return the row of a one-beta network, trained as long as the conditioned one."""
    return fitted(digits, epochs=CONDITIONED_EPOCHS, **settings)[1]


def capacity(digits, latent_dim, seed):
    """Return the row of one long training: -ELBO after each epoch, in nats."""
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


def main():
    """Run what is not measured yet and print a line for each run."""
    parser = stored.parser("beta_sweep", __doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument(
        "--seeds", type=int, default=2, help="how many; they are 0, 1, 2 …"
    )
    options = parser.parse_args()
    rows = stored.rows_in(options)
    digits = load_mnist()
    keys = [
        {"part": part, **arguments}
        for part, arguments in wanted(options)
        if part in options.parts
    ]
    for key in stored.due(options, rows, keys):
        arguments = dict(key)
        part = arguments.pop("part")
        rows.append({**key, **PARTS[part](digits, **arguments)})
        floats = {k: v for k, v in rows[-1].items() if isinstance(v, float)}
        print(*key.values(), floats, flush=True)
        stored.write(
            options,
            "python benchmarks/beta_sweep.py",
            rows,
            images=len(digits.train.images),
            epochs=EPOCHS,
            conditioned_epochs=CONDITIONED_EPOCHS,
            capacity_epochs=CAPACITY_EPOCHS,
            batch_size=BATCH,
            learning_rate=RATE,
        )


if __name__ == "__main__":
    main()

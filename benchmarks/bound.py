"""What the bound hides: whose fault the gap is, three priors, training on K samples.

    python benchmarks/bound.py              the stored figures of notebook 06
    python benchmarks/bound.py --runs 1     the next run

A run takes one to five minutes on two cores. Writes data/bound.json after every run;
what it holds is not measured again unless --afresh is given.
"""

import time

import keras
import numpy as np
import stored
from sklearn.mixture import GaussianMixture

import vae_lib  # noqa: F401, I001  (before Keras: it quiets TensorFlow's start-up log)
from vae_lib.analysis import information, sample_quality
from vae_lib.analysis.gap import (
    Gaussians,
    best_gaussians,
    bound,
    encoded,
    plane,
    split_gap,
)
from vae_lib.analysis.likelihood import quadrature_log_likelihood, tails
from vae_lib.course.results import pack_images
from vae_lib.data import load_mnist, subsample
from vae_lib.evaluation import binarized, negative_elbos, parts_with_noise
from vae_lib.experiments.importance import IWAE, encoder_gradients, signal_to_noise
from vae_lib.experiments.priors import VampVAE
from vae_lib.model import VAE
from vae_lib.training import train

IMAGES, EPOCHS, SEEDS = 20_000, 10, range(3)
DIGITS = 500  # test digits whose gap is split
LOST = 10.0  # nats of amortization from which on a digit counts as lost
PARTS, CODED = 50, 10_000  # of the mixture, digits whose codes it is fitted to
INPUTS = 100  # of the VampPrior
CODES = 1000  # drawn from each prior
SAMPLES = 1, 5, 50  # codes for one bound while training
SMALL = dict(latent_dim=2, hidden=(128, 64), activation="gelu")  # where K = 50 trains
SMALL_IMAGES, SMALL_EPOCHS = 10_000, 8
LONGER = 13 * SMALL_EPOCHS  # with K = 1, half the processor time of 8 with K = 50
AT = 1, 2, 5, 10, 20, 50  # codes for the gradient that is measured
GRADIENTS, MEASURED = 400, 16  # draws for a ratio, digits


def gap(digits, seed):
    """Return one row: the parts of the gap with their tails, on test digits and on
    training digits, and what the mean or the deviation alone would mend.
    """
    keras.utils.set_random_seed(seed)
    vae = VAE(latent_dim=2, activation="gelu")
    train(vae, digits.train.images, epochs=EPOCHS, seed=seed, progress=False)
    few = subsample(digits.test, DIGITS, seed=0).images
    table = split_gap(vae, few)
    row = {
        "log_p": table["log p(x)"].mean(),
        "two_islands": int((table.second > 0.05).sum()),
        "top_tenth": table.gap.nlargest(DIGITS // 10).sum() / table.gap.sum(),
    }
    for name in ("gap", "amortization", "slant", "form"):
        values = tails({name: table[name]}).loc[name]
        row |= {f"{name}_{column}": value for column, value in values.items()}
    lost = few[(table.amortization > LOST).to_numpy()]
    row |= {"lost": len(lost), **mended(vae, lost)}
    seen = split_gap(vae, digits.train.images[:DIGITS])
    for name in ("gap", "amortization"):
        row[f"training_{name}_mean"] = seen[name].mean()
    return [row]


def mended(vae, images):
    """Return the mean nats that the best diagonal q saves, whole, with its mean alone
    and with its deviations alone, the rest the encoder's.
    """
    surface, own = plane(vae, images), encoded(vae, images)
    islands = [surface.islands(image) for image in range(len(images))]
    best = best_gaussians(surface, islands, True, own)
    tried = {
        "by_both": best,
        "by_mean": Gaussians(best.mean, own.factor),
        "by_deviation": Gaussians(own.mean, best.factor),
    }
    before = bound(vae, images, own)
    return {name: np.mean(bound(vae, images, q) - before) for name, q in tried.items()}


def priors(digits, seed):
    """Return a row for each of three priors."""
    x, rows = digits.train.images, []
    reader = sample_quality.Reader(subsample(digits.train, 10_000, seed=0))
    keras.utils.set_random_seed(seed)
    plain = VAE(latent_dim=10, activation="gelu")
    options = dict(epochs=EPOCHS, seed=seed, binarize=True, progress=False)
    seconds = [clocked(train, plain, x, **options)]
    rng = np.random.default_rng(seed)
    coded = binarized(x[:CODED], rng)
    mu, sigma = plain.encode(coded)
    mixture = GaussianMixture(PARTS, tol=0.01, random_state=seed)
    codes = mu + sigma * rng.standard_normal(mu.shape)
    seconds.append(seconds[0] + clocked(mixture.fit, codes))
    keras.utils.set_random_seed(seed)
    start = subsample(digits.train, INPUTS, seed=seed).images / 255
    vamp = VampVAE(start, latent_dim=10, activation="gelu")
    seconds.append(clocked(train, vamp, x, **options))
    drawn = rng.standard_normal((CODES, 10)), mixture.sample(CODES)[0], vamp.draw(CODES)
    drawn = [rng.permutation(z) for z in drawn]
    densities = (
        information.log_prior,
        mixture.score_samples,
        lambda z: np.asarray(vamp.log_prior(z.astype("float32"))),
    )
    numbers = 0, mixture._n_parameters(), vamp.inputs.value.shape.num_elements()
    names = "N(0, I)", "mixture, fitted afterwards", "VampPrior"
    for i, vae in enumerate((plain, plain, vamp)):
        terms = under(vae, densities[i], digits.test.images, seed)
        posteriors = vae.encode(coded)
        deep = information.log_aggregate(drawn[i], *posteriors)
        images = vae.decode(drawn[i])
        rows.append(
            {"prior": names[i], "distortion": terms[0], "rate": terms[1]}
            | {"negative_elbo": sum(terms), "parameters": int(numbers[i])}
            | {"holes": float(np.mean(deep < densities[i](drawn[i]) - 2))}
            | {"clear": float(np.mean(reader.clear(images))), "seconds": seconds[i]}
            | ({"samples": pack_images(images[:40])} if seed == 0 else {})
        )
    return rows


def under(vae, log_prior, images, seed):
    """Return mean distortion and rate of binarized images with another prior."""
    sums, rng = np.zeros(2), np.random.default_rng(seed)
    for part in parts_with_noise(vae, images, seed, binarize=True):
        mu, sigma = vae.encode(part)
        epsilon = rng.standard_normal(mu.shape)
        z = mu + sigma * epsilon
        logits = vae.decoder(z.astype("float32"))
        distortion = vae.likelihood.distortion(vae.prepare(part), logits)
        log_q = -((epsilon**2 + np.log(2 * np.pi)) / 2 + np.log(sigma)).sum(axis=1)
        sums += np.sum(distortion), np.sum(log_q - log_prior(z))
    return (sums / len(images)).tolist()


def importance(digits, seed, samples, epochs=SMALL_EPOCHS):
    """Return one row: a model trained on the bound with `samples` codes."""
    keras.utils.set_random_seed(seed)
    vae = IWAE(**SMALL)
    vae.samples = samples
    x = subsample(digits.train, SMALL_IMAGES, seed=0).images
    few = subsample(digits.test, DIGITS, seed=0).images
    options = dict(epochs=epochs, seed=seed, progress=False)
    row = {"K": samples, "seconds": clocked(train, vae, x, **options)}
    row["epochs"], costs = epochs, negative_elbos(vae, few, draws=32, seed=seed)
    surprises = -quadrature_log_likelihood(vae, few)
    row |= {"negative_elbo": costs.mean(), "nll": surprises.mean()}
    row["gap_median"] = np.median(costs - surprises)
    row["active"] = float(np.var(vae.encode(few)[0], axis=0).min())
    for k in AT:
        pair = encoder_gradients(vae, few[:MEASURED], k, GRADIENTS, seed)
        ratios = [np.median(signal_to_noise(gradients)) for gradients in pair]
        row |= {f"plain_{k}": ratios[0], f"double_{k}": ratios[1]}
    return [row]


def clocked(function, *arguments, **options):
    """Return the processor seconds of a call, on any cores, however busy."""
    begin = time.process_time()
    function(*arguments, **options)
    return time.process_time() - begin


def main():
    """Run what is not measured yet and store it."""
    parser = stored.parser("bound", __doc__)
    parser.add_argument("--runs", type=int, default=1000, help="stop after this many")
    options = parser.parse_args()
    rows = stored.rows_in(options)
    digits = load_mnist()
    digits = digits._replace(train=subsample(digits.train, IMAGES, seed=0))
    wanted = [
        *[("gap", seed, 0, lambda s, k: gap(digits, s)) for seed in SEEDS],
        *[("prior", seed, 0, lambda s, k: priors(digits, s)) for seed in SEEDS],
        *[
            ("importance", seed, k, lambda s, k: importance(digits, s, k))
            for seed in SEEDS
            for k in SAMPLES
        ],
        *[
            ("longer", seed, k, lambda s, k: importance(digits, s, k, LONGER))
            for seed in SEEDS
            for k in SAMPLES[:2]
        ],
    ]
    done = [(row["part"], row["seed"], row.get("K", 0)) for row in rows]
    wanted = [one for one in wanted if one[:3] not in done]
    for part, seed, samples, run in wanted[: options.runs]:
        rows += [{"part": part, "seed": seed, **row} for row in run(seed, samples)]
        print({k: v for k, v in rows[-1].items() if k != "samples"}, flush=True)
        stored.write(
            options,
            "python benchmarks/bound.py",
            rows,
            train_images=IMAGES,
            epochs=EPOCHS,
            digits=DIGITS,
            mixture_parts=PARTS,
            mixture_digits=CODED,
            vamp_inputs=INPUTS,
            importance_images=SMALL_IMAGES,
            importance_epochs=SMALL_EPOCHS,
            importance_hidden=SMALL["hidden"],
        )


if __name__ == "__main__":
    main()

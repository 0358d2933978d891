"""Is my number good? Test distortion, rate, -ELBO and NLL over latent dimensions and seeds.

    python benchmarks/nats.py                  the table of notebook 01 and of the README, about half an hour on two cores
    python benchmarks/nats.py --seeds 1 --latent-dims 2 --settings plain     one row of it, about a minute

Writes data/nats.json after every run; runs that stand there already are not repeated unless --afresh is given.
"""

import argparse
import json
from pathlib import Path

import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
import keras
import numpy as np
from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate, log_likelihood
from vae_lib.model import VAE
from vae_lib.storage import whole_file
from vae_lib.training import train

RESULTS = Path(__file__).parent.parent / "data" / "nats.json"
SAMPLES = 100  # of the importance-weighted bound
EPOCHS = 15


def plain(latent_dim, images):
    """Return the model of the lesson and the arguments of its training."""
    return VAE(latent_dim), {"learning_rate": 1e-3, "batch_size": 128}


def tuned(latent_dim, images):
    """Return the same widths with GELU, larger batches and a learning rate that decays."""
    steps = EPOCHS * -(-len(images) // 256)
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, decay_steps=steps)
    return VAE(latent_dim, activation="gelu"), {"learning_rate": schedule, "batch_size": 256}


SETTINGS = {"plain": plain, "tuned": tuned}


def measure(setting, latent_dim, seed, digits):
    """Return one row: train on 55,000 digits with `seed`, evaluate on the 10,000 test digits, in nats."""
    keras.utils.set_random_seed(seed)
    vae, arguments = SETTINGS[setting](latent_dim, digits.train.images)
    train(vae, digits.train.images, epochs=EPOCHS, seed=seed, progress=False, **arguments)
    test = evaluate(vae, digits.test.images, seed=seed)
    nll = -log_likelihood(vae, digits.test.images, samples=SAMPLES, seed=seed).mean()
    return {"setting": setting, "latent_dim": latent_dim, "seed": seed, "distortion": test.distortion,
            "rate": test.rate, "negative_elbo": -test.elbo, "nll": float(nll)}


def summary(rows):
    """Return the README's table: means and standard deviations over the seeds, a line a setting and dimension."""
    lines = ["| setting | z | seeds | distortion | rate | −ELBO | NLL |", "|:--|--:|--:|--:|--:|--:|--:|"]
    for setting, latent_dim in sorted({(row["setting"], row["latent_dim"]) for row in rows}):
        group = [row for row in rows if (row["setting"], row["latent_dim"]) == (setting, latent_dim)]
        values = [[row[name] for row in group] for name in ("distortion", "rate", "negative_elbo", "nll")]
        cells = [f"{np.mean(v):.1f} ± {np.std(v, ddof=1):.1f}" if len(v) > 1 else f"{v[0]:.1f}" for v in values]
        lines.append(f"| {setting} | {latent_dim} | {len(group)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    """Run what is not measured yet and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latent-dims", type=int, nargs="+", default=[2, 5, 10, 20])
    parser.add_argument("--seeds", type=int, default=5, help="how many; they are 0, 1, 2 …")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=["plain"],
                        help="plain is the lesson, tuned what the same width can do")
    parser.add_argument("--afresh", action="store_true", help="measure again what stands in the file")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows = json.loads(options.out.read_text())["rows"] if options.out.exists() and not options.afresh else []
    digits = load_mnist()
    wanted = [(setting, latent_dim, seed) for seed in range(options.seeds) for latent_dim in options.latent_dims
              for setting in options.settings]
    for key in wanted:
        if key in [(row["setting"], row["latent_dim"], row["seed"]) for row in rows]:
            continue
        rows.append(measure(*key, digits))
        print(rows[-1], flush=True)
        report = {"epochs": EPOCHS, "train_images": len(digits.train.images), "samples": SAMPLES, "rows": rows}
        with whole_file(options.out) as name:
            Path(name).write_text(json.dumps(report, indent=1))
    print(summary(rows))


if __name__ == "__main__":
    main()

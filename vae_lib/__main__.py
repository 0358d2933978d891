"""The one-command run: trains a VAE and writes its pictures, its figures and the model itself.

    python -m vae_lib --beta 12 --latent-dim 2 --likelihood gaussian

trains with the loss of the original project and writes into a folder what that project wrote: t-SNE of the
encoder's means, reconstructed and newly generated digits and, at two latent dimensions, the digit manifold;
besides the model (model.keras) and the settings, the history and the test figures (run.json).
"""

import argparse
import json
import math
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from vae_lib import figures
from vae_lib.data import load_mnist, subsample
from vae_lib.evaluation import evaluate
from vae_lib.grids import embed, quantile_grid
from vae_lib.model import VAE
from vae_lib.objectives import LIKELIHOODS
from vae_lib.posterior import POSTERIORS
from vae_lib.storage import StorageError, save, whole_file
from vae_lib.training import DivergedError, check_training, train

CODES = 3000  # training digits in the t-SNE, as in the original
EXIT_CODES = {"finished": 0, "diverged": 1, "stopped by hand": 130}


def parser():
    """Return the parser of the command line; its defaults are those of the notebooks."""
    result = argparse.ArgumentParser(
        prog="python -m vae_lib",
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Ctrl-C ends the training and writes everything with what was learned so far. Exit code:\n"
        "0 done, 1 diverged or not written, 2 refused, 130 stopped by hand.",
    )
    result.error = lambda message: result.exit(
        2, f"{message}; --help lists what is allowed.\n"
    )
    add = result.add_argument
    add(
        "--beta",
        type=float,
        default=1.0,
        help="weight of the rate in the loss, 0 or more (%(default)s)",
    )
    add(
        "--latent-dim", type=int, default=2, help="number of latent units (%(default)s)"
    )
    add(
        "--likelihood",
        choices=LIKELIHOODS,
        default="bernoulli",
        help="gaussian: squared error (%(default)s)",
    )
    add(
        "--posterior",
        choices=POSTERIORS,
        default="softplus",
        help="map from rho to sigma (%(default)s)",
    )
    add(
        "--epochs",
        type=int,
        default=15,
        help="passes over the training images (%(default)s)",
    )
    add("--learning-rate", type=float, default=1e-3, help="of Adam (%(default)s)")
    add(
        "--batch-size",
        type=int,
        default=128,
        help="images a gradient step (%(default)s)",
    )
    add("--images", type=int, help="train on this many images, drawn at random (all)")
    add(
        "--seed",
        type=int,
        default=0,
        help="the same seed gives the same run (%(default)s)",
    )
    add(
        "--data",
        metavar="FILE",
        help="an .npz with x_train, y_train, x_test and y_test (the bundled MNIST)",
    )
    add(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where to write (runs/ and a name made of the settings)",
    )
    return result


def default_folder(options):
    """Return runs/<name>; the name tells beta, the latent dimension and whatever else is not the default."""
    usual = vars(parser().parse_args([]))
    parts = [
        f"{name}-{Path(str(value)).name}"
        for name, value in vars(options).items()
        if name in ("beta", "latent_dim") or value != usual[name]
    ]
    return Path("runs", "_".join(parts))


def prepare(options):
    """Return the digits to use, the untrained VAE and the folder to write into, which then exists.

    Raises ValueError or StorageError, with one sentence, for settings, data or a folder that cannot be used.
    """
    digits = load_mnist(options.data)
    available, pixels = len(digits.train.images), digits.train.images[0].size
    images = available if options.images is None else options.images
    for name, value, low, high in (
        ("images", images, 2, available),
        ("seed", options.seed, 0, 2**32 - 1),
        ("latent_dim", options.latent_dim, 1, pixels),
    ):
        if not low <= value <= high:
            raise ValueError(
                f"{name} is {value}: pass a whole number from {low} to {high}."
            )
    if images < available:
        digits = digits._replace(
            train=subsample(digits.train, images, options.seed, stratified=True)
        )
    keras.utils.set_random_seed(options.seed)
    vae = VAE(
        options.latent_dim,
        (512, 256),
        options.posterior,
        options.likelihood,
        options.beta,
    )
    check_training(
        vae,
        digits.train.images,
        options.epochs,
        options.batch_size,
        options.learning_rate,
        digits.validation.images,
        options.seed,
    )
    return digits, vae, writable(options.out or default_folder(options))


def writable(folder):
    """Return `folder` once it exists and takes files; raise StorageError with one sentence if it does not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written into ({error.strerror}): give another folder with "
            "--out."
        ) from error
    return folder


def learn(vae, digits, options):
    """Train `vae` and return the history, how it ended (one of `EXIT_CODES`) and the seconds it took."""
    start = time.perf_counter()
    try:
        history = train(
            vae,
            digits.train.images,
            epochs=options.epochs,
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            validation=digits.validation.images,
            seed=options.seed,
        )
        ended = (
            "finished"
            if len(history.get("loss", ())) == options.epochs
            else "stopped by hand"
        )
    except DivergedError as error:
        print(error, file=sys.stderr)
        history, ended = error.history, "diverged"
    return history, ended, time.perf_counter() - start


def codes_figure(vae, split, seed):
    """Return a figure of the means of `split`: their t-SNE, and beside it what t-SNE hides, their scale."""
    mu, _ = vae.encode(split.images)
    print(f"laying out {len(mu):,} means with t-SNE, which takes a while …", flush=True)
    figure, (left, right) = figures.new_figure(1, 2, (8, 4))
    plane = embed(mu, "t-SNE", seed)
    figures.draw_codes(
        left, plane, split.labels, title=f"t-SNE of {len(mu):,} training means"
    )
    left.set_axis_off()  # only who is near whom means anything there
    if vae.latent_dim == 2:
        figures.draw_codes(right, mu, split.labels, title="the means themselves")
    else:
        figures.draw_variances(right, mu.var(axis=0))
    return figure


def reconstruction_figure(vae, split, seed):
    """Return a figure of up to 60 test digits, in order of class, each row above what the VAE makes of it."""
    columns = min(len(split.images), max(10, min(60, len(split.images)) // 3))
    shown = subsample(
        split, min(60, len(split.images) // columns * columns), seed, stratified=True
    )
    images = shown.images[np.argsort(shown.labels, kind="stable")]
    pair = figures.unit(images), vae.reconstruct(images)
    rows = [
        part[i : i + columns] for i in range(0, len(images), columns) for part in pair
    ]
    return figures.digit_rows(
        {"": np.concatenate(rows)},
        columns,
        "test digits, each row above its reconstructions",
    )


def write(vae, digits, folder, report):
    """Write model, report and pictures into `folder`, each whole or not at all, what takes longest last."""
    seed, grid = report["settings"]["seed"], quantile_grid(20)
    shown = subsample(
        digits.train, min(CODES, len(digits.train.images)), seed, stratified=True
    )
    files = {
        "run.json": lambda: json.dumps(report, indent=1, allow_nan=False),
        "reconstructions.png": lambda: reconstruction_figure(vae, digits.test, seed),
        "generated.png": lambda: figures.digit_rows(
            {"": vae.generate(100, seed)}, 20, "new digits"
        ),
        "manifold.png": lambda: figures.manifold(
            vae.decode(grid), grid, "digits at quantiles of the prior"
        ),
        "t-sne.png": lambda: codes_figure(vae, shown, seed),
    }
    save(vae, folder / "model.keras")
    print(f"wrote {folder / 'model.keras'}", flush=True)
    for name in files:
        (folder / name).unlink(
            missing_ok=True
        )  # nothing of an earlier run stays beside what this one writes
    if vae.latent_dim != 2:
        del files["manifold.png"]
    for name, make in files.items():
        try:
            content = make()
        except ValueError as error:  # weights kept from a run that diverged can give codes beyond float32
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        content = (
            content.encode() if isinstance(content, str) else figures.to_png(content)
        )
        with whole_file(folder / name) as temporary:
            Path(temporary).write_bytes(content)
        print(f"wrote {folder / name}", flush=True)


def run(options):
    """Train and write as the options say; return the exit code."""
    try:
        digits, vae, folder = prepare(options)
    except (ValueError, StorageError) as error:
        print(error, file=sys.stderr)
        return 2
    history, ended, seconds = learn(vae, digits, options)
    test = evaluate(vae, digits.test.images, seed=options.seed)._asdict()
    print(
        "test digits: distortion {distortion:.2f}, rate {rate:.2f}, ELBO {elbo:.2f} nats".format(
            **test
        )
    )
    report = {
        "settings": {
            name: value for name, value in vars(options).items() if name != "out"
        },
        "train_images": len(digits.train.images),
        "ended": ended,
        "epochs": len(history.get("loss", ())),
        "seconds": round(seconds, 2),
        "unit": "nats per image",
        "history": history,
        "test": {
            name: value if math.isfinite(value) else None
            for name, value in test.items()
        },
    }
    try:
        write(vae, digits, folder, report)
    except (StorageError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return EXIT_CODES[ended]


def main(arguments=None):
    """Run the command line `arguments`, by default the process's own, and return the exit code."""
    try:
        return run(parser().parse_args(arguments))
    except KeyboardInterrupt:
        print("Stopped by hand; what is not listed above as written is left out.")
        return 130


if __name__ == "__main__":
    sys.exit(main())

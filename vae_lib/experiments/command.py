"""The one-command run: trains a VAE and writes its pictures, its figures and the model.

    python -m vae_lib                                  the original project's experiment
    python -m vae_lib --latent-dim 15 --beta 200       another of its regimes
    python -m vae_lib --setting course                 this course's own model and loss

Without options it trains as the original project did (784-500-120-2, batches of 64, the
squared error of standardised pixels, beta = 12, 15 epochs) and writes the same kinds of
picture: t-SNE of the encoder's means, reconstructed test digits, new digits and, at two
latent units, the digit manifold; with them the model (model.keras) and the settings,
the history and the test figures (run.json).
"""

import argparse
import json
import math
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from vae_lib import figures
from vae_lib.analysis.grids import embed, quantile_grid
from vae_lib.checks import check_training
from vae_lib.data import load_mnist, subsample
from vae_lib.evaluation import evaluate
from vae_lib.experiments.settings import SETTINGS, new_vae
from vae_lib.objectives import LIKELIHOODS
from vae_lib.posterior import POSTERIORS
from vae_lib.storage import StorageError, save, whole_file
from vae_lib.training import DivergedError, train

CODES = 3000  # training digits in the t-SNE, as in the original's code
EXIT_CODES = {"finished": 0, "diverged": 1, "stopped by hand": 130}
NOT_WRITTEN = 2


def parser():
    """Return the parser of the command line; a setting fills in what it leaves None."""
    result = argparse.ArgumentParser(
        prog="python -m vae_lib",
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Ctrl-C ends the training and writes everything with what was learned.\n"
        "Exit code: 0 done, 1 diverged, 2 refused or not written, 130 stopped by hand.",
    )
    result.error = lambda message: result.exit(
        2, f"{message}; --help lists what is allowed.\n"
    )
    add = result.add_argument
    add(
        "--setting",
        choices=SETTINGS,
        default="original",
        help="the source of the hidden layers and the defaults below (%(default)s)",
    )
    add("--beta", type=float, help="weight of the rate, 0 or more" + usual("beta"))
    add("--latent-dim", type=int, help="latent units" + usual("latent_dim"))
    add(
        "--likelihood",
        choices=LIKELIHOODS,
        help="gaussian: squared error" + usual("likelihood"),
    )
    add("--epochs", type=int, help="passes over the images" + usual("epochs"))
    add("--learning-rate", type=float, help="of Adam" + usual("learning_rate"))
    add("--batch-size", type=int, help="images per step" + usual("batch_size"))
    add(
        "--posterior",
        choices=POSTERIORS,
        default="softplus",
        help="map from rho to sigma (%(default)s)",
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
        help="an .npz of 28 × 28 images: x_train, y_train, x_test and y_test (MNIST)",
    )
    add(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where to write (runs/ and a name made from the settings)",
    )
    return result


def values(setting):
    """Return what a setting fills in, by option name."""
    filled = SETTINGS[setting].model | SETTINGS[setting].training
    return {name: value for name, value in filled.items() if name != "hidden"}


def usual(name):
    """Return the value of an option in every setting, in brackets, for its help."""
    texts = [f"{values(setting)[name]} in {setting}" for setting in SETTINGS]
    return f" ({', '.join(texts)})"


def filled_in(options):
    """Return the options with the setting's values where none were given."""
    for name, value in values(options.setting).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def default_folder(options):
    """Return runs/<name>; the name states beta, latent_dim and what is unusual."""
    default = vars(filled_in(parser().parse_args(["--setting", options.setting])))
    default["setting"] = "original"
    parts = [
        f"{name}-{Path(str(value)).name}"
        for name, value in vars(options).items()
        if name in ("beta", "latent_dim") or value != default[name]
    ]
    return Path("runs", "_".join(parts))


def prepare(options):
    """Return the digits to use, the untrained VAE and the folder to write into.

    The folder then exists. Raises ValueError or StorageError, with one sentence, for
    settings, data or a folder that cannot be used.
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
    vae = new_vae(
        options.setting,
        options.seed,
        latent_dim=options.latent_dim,
        beta=options.beta,
        likelihood=options.likelihood,
        posterior=options.posterior,
    )
    check_training(
        vae,
        digits.train.images,
        digits.validation.images,
        options.batch_size,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
    return digits, vae, writable(options.out or default_folder(options))


def writable(folder):
    """Return `folder` once it exists and is writable; else raise StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written to ({error.strerror}): give another folder "
            "with --out."
        ) from error
    return folder


def learn(vae, digits, options):
    """Train `vae`; return history, how it ended (see `EXIT_CODES`) and the seconds."""
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


def draw_variances(axes, variances, active=0.01):
    """Draw the variance over images of each latent unit's mean, (latent_dim,), largest
    first, and the line `active`.

    A unit above the line carries information (Burda, Grosse & Salakhutdinov 2016);
    t-SNE ignores scale and hides which units do.
    """
    axes.bar(np.arange(1, len(variances) + 1), np.sort(variances)[::-1])
    axes.axhline(active, color="0.4", linestyle="--")
    axes.set(
        title=f"{(variances > active).sum()} of {len(variances)} units are active",
        yscale="log",
        xlabel="latent unit, in order of variance",
        ylabel="variance of the mean",
    )
    axes.xaxis.get_major_locator().set_params(integer=True)


def codes_figure(vae, split, seed):
    """Return a figure of the means of `split`: their t-SNE and their scale."""
    mu, _ = vae.encode(split.images)
    print(f"laying out {len(mu):,} means with t-SNE takes a while", flush=True)
    figure, (left, right) = figures.new_figure(1, 2, (8, 4))
    plane = embed(mu, "t-SNE", seed)
    figures.draw_codes(
        left, plane, split.labels, title=f"t-SNE of {len(mu):,} training means"
    )
    left.set_axis_off()  # only neighbourhoods mean anything there
    if vae.latent_dim == 2:
        figures.draw_codes(right, mu, split.labels, title="the means themselves")
    else:
        draw_variances(right, mu.var(axis=0))
    return figure


def reconstruction_figure(vae, split, seed):
    """Return a figure of up to 60 digits by class, each row over its
    reconstructions.
    """
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


def manifold_figure(images, codes, title=""):
    """Return a figure of images (n * n, rows, columns) decoded from a grid of codes.

    The first row of the picture is the first of `codes` (n * n, 2); the axes show the
    latent values of three of its places.
    """
    n, (_, height, width) = round(len(codes) ** 0.5), images.shape
    figure, axes = figures.new_figure(size=(8, 8))
    figures.draw_digits(axes, images, n, title)
    places = np.array([0, (n - 1) / 2, n - 1])
    for axis, size, ends in (
        (axes.xaxis, width, codes[[0, n - 1], 0]),
        (axes.yaxis, height, codes[[0, -1], 1]),
    ):
        values = ends[0], ends.mean(), ends[1]
        names = [f"{value:.2f}".replace("-", "−") for value in values]
        # a digit and its gap take size + 1 pixels
        axis.set_ticks(places * (size + 1) + (size - 1) / 2, names)
    axes.set(xlabel="$z_1$", ylabel="$z_2$")
    return figure


def write(vae, digits, folder, report):
    """Write model, report and pictures into `folder`; return the names of those left
    out.

    Each is written whole or not at all, and what takes longest comes last.
    """
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
        "manifold.png": lambda: manifold_figure(
            vae.decode(grid), grid, "digits at quantiles of the prior"
        ),
        "t-sne.png": lambda: codes_figure(vae, shown, seed),
    }
    save(vae, folder / "model.keras")
    print(f"wrote {folder / 'model.keras'}", flush=True)
    for name in files:
        (folder / name).unlink(
            missing_ok=True
        )  # nothing from an earlier run stays beside this one
    if vae.latent_dim != 2:
        del files["manifold.png"]
    left_out = []
    for name, make in files.items():
        try:
            content = make()
        except ValueError as error:  # codes beyond float32, after a run that diverged
            print(f"{name} is left out: {error}", file=sys.stderr)
            left_out.append(name)
            continue
        if not isinstance(content, str):
            content = figures.to_png(content)
        with whole_file(folder / name) as temporary:
            data = content.encode("utf-8") if isinstance(content, str) else content
            Path(temporary).write_bytes(data)
        print(f"wrote {folder / name}", flush=True)
    return left_out


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
        "test digits: distortion {distortion:.2f}, rate {rate:.2f}, "
        "ELBO {elbo:.2f} nats".format(**test)
    )
    settings = {name: value for name, value in vars(options).items() if name != "out"}
    report = {
        "settings": settings | {"hidden": vae.settings["hidden"]},
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
        left_out = write(vae, digits, folder, report)
    except (StorageError, OSError) as error:
        print(error, file=sys.stderr)
        return NOT_WRITTEN
    return NOT_WRITTEN if left_out and ended != "diverged" else EXIT_CODES[ended]


def main(arguments=None):
    """Run the command line, by default the process's own, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an unprintable character costs no file
            stream.reconfigure(errors="backslashreplace")
    try:
        return run(filled_in(parser().parse_args(arguments)))
    except KeyboardInterrupt:
        print("Stopped by hand; anything not listed above as written is left out.")
        return 130

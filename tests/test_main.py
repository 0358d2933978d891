"""The one-command run: what it writes, what it refuses, and how it stops."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_limits

from vae_lib.analysis.grids import embed
from vae_lib.data import BUNDLED, load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.experiments import command
from vae_lib.storage import load

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
FILES = {
    "model.keras",
    "run.json",
    "reconstructions.png",
    "generated.png",
    "manifold.png",
    "t-sne.png",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The path of a file of 132 and 30 digits, some of them under labels that MNIST
    does not have.
    """
    path = tmp_path_factory.mktemp("data") / "few.npz"
    with np.load(BUNDLED) as whole:
        labels = whole["y_train"][:132].astype("uint8")
        labels[::11] += 20
        np.savez(
            path,
            x_train=whole["x_train"][:132],
            y_train=labels,
            x_test=whole["x_test"][:30],
            y_test=whole["y_test"][:30],
        )
    return path


def command_line(data, folder, *arguments):
    """The command on the few digits; an epoch is four steps."""
    common = [
        "--data",
        str(data),
        "--epochs",
        "2",
        "--batch-size",
        "32",
        "--out",
        str(folder),
    ]
    return [*common, *map(str, arguments)]


@pytest.fixture
def run(data, tmp_path, monkeypatch):
    """A function that runs the command on the few digits and returns its exit code and
    its folder.

    With a quick embedding; t-SNE has its turn in `finished` and in the run that is
    interrupted.
    """
    monkeypatch.setattr(
        command, "embed", lambda codes, method, seed: embed(codes, "pca")
    )

    def run(*arguments, out="out"):
        return command.main(
            command_line(data, tmp_path / out, *arguments)
        ), tmp_path / out

    return run


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """The folder of a run that went well, in a folder that was not there before."""
    folder = tmp_path_factory.mktemp("runs") / "new" / "folder"
    with threadpool_limits(1):  # on a busy machine t-SNE's threads wait for one another
        # eight steps would leave new digits too pale to be seen as drawn
        assert command.main(command_line(data, folder, "--epochs", 30)) == 0
    return folder


@pytest.fixture
def no_training(monkeypatch):
    """Make the test fail if anything is trained."""
    monkeypatch.setattr(
        command, "train", lambda *_, **__: pytest.fail("training began")
    )


def report_of(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def refusal(capsys):
    """Return the one sentence on stderr; fail if there is more or less than one
    line.
    """
    output = capsys.readouterr()
    assert (
        output.err.count("\n") == 1
        and "Traceback" not in output.err
        and output.out == ""
    )
    return output.err


def test_a_run_writes_pictures_model_and_figures(finished, data):
    assert set(os.listdir(finished)) == FILES
    report = report_of(finished)
    assert (
        report["ended"] == "finished"
        and report["epochs"] == 30
        and report["train_images"] == 121
    )
    assert report["settings"]["beta"] == 12.0 and report["settings"]["latent_dim"] == 2
    assert all(len(values) == 30 for values in report["history"].values())
    assert {"loss", "validation_elbo"} < set(report["history"])
    vae = load(finished / "model.keras")
    assert float(vae.beta) == 12.0
    test = evaluate(vae, load_mnist(data).test.images, seed=0)
    assert report["test"] == pytest.approx(test._asdict(), rel=1e-5)


def test_the_pictures_are_as_wide_as_a_page_and_not_cut_off(finished):
    for name, lowest, highest in (
        ("reconstructions.png", 400, 900),
        ("generated.png", 300, 400),
        ("manifold.png", 1152, 1152),
        ("t-sne.png", 576, 576),
    ):
        with Image.open(finished / name) as picture:
            assert picture.width == 1152 and lowest <= picture.height <= highest, name
            grey = np.asarray(picture.convert("L"))
        assert (grey < 128).mean() > 0.003 and (grey > 250).mean() > 0.1, name
        edges = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        assert edges.min() > 200, f"{name} is cut off"


def test_the_screen_shows_the_progress_and_what_was_written(run, capsys):
    code, folder = run()
    output = capsys.readouterr()
    assert (
        code == 0
        and output.err == ""
        and "epoch 2 of 2" in output.out
        and "test digits" in output.out
    )
    assert all(str(folder / name) in output.out for name in FILES)


def test_the_manifold_is_for_two_dimensions_and_none_of_an_earlier_run_stays(
    run, tmp_path
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifold.png").touch()
    code, folder = run("--latent-dim", "3", "--likelihood", "gaussian", "--epochs", "0")
    assert code == 0 and set(os.listdir(folder)) == FILES - {"manifold.png"}
    vae = load(folder / "model.keras")
    assert vae.latent_dim == 3 and vae.settings["likelihood"] == "gaussian"


def test_without_options_it_is_the_originals_experiment(finished):
    settings = report_of(finished)["settings"]
    assert settings["setting"] == "original" and settings["hidden"] == [500, 120]
    assert settings["likelihood"] == "gaussian" and settings["posterior"] == "softplus"
    assert settings["beta"] == 12.0 and settings["latent_dim"] == 2
    assert settings["learning_rate"] == 1e-3
    options = command.filled_in(command.parser().parse_args([]))
    assert options.epochs == 15 and options.batch_size == 64
    vae = load(finished / "model.keras")
    assert vae.settings["hidden"] == (500, 120) and vae.likelihood.mean(0.0) > 0


def test_the_course_has_its_own_setting_and_options_go_before_it(run):
    code, folder = run("--setting", "course", "--epochs", "1")
    settings = report_of(folder)["settings"]
    assert code == 0 and settings["hidden"] == [512, 256]
    assert settings["likelihood"] == "bernoulli" and settings["beta"] == 1.0
    code, folder = run("--setting", "course", "--epochs", "0", "--beta", "0")
    assert code == 0 and report_of(folder)["settings"]["beta"] == 0.0
    vae = load(folder / "model.keras")
    assert float(vae.beta) == 0.0 and vae.settings["hidden"] == (512, 256)


def test_the_same_seed_gives_the_same_run(run, monkeypatch):
    reports = []

    def write(vae, digits, folder, report):
        reports.append(report)
        return []

    monkeypatch.setattr(command, "write", write)
    for seed in (3, 3, 4):
        run("--seed", seed, "--images", "64")
    assert reports[0]["history"] == reports[1]["history"] != reports[2]["history"]
    assert reports[0]["test"] == reports[1]["test"] and reports[0]["train_images"] == 64


def test_the_default_folder_tells_the_settings(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (
        command.main(
            ["--data", str(data), "--epochs", "0", "--batch-size", "32", "--beta", "4"]
        )
        == 0
    )
    folder = (
        tmp_path / "runs" / "beta-4.0_latent_dim-2_epochs-0_batch_size-32_data-few.npz"
    )
    assert set(os.listdir(folder)) == FILES and report_of(folder)["history"] == {}
    ignored = (BUNDLED.parent.parent / ".gitignore").read_text(encoding="utf-8")
    assert "/runs/" in ignored.split()


def test_the_default_folder_of_the_original_and_of_the_course():
    for arguments, name in (
        ([], "beta-12.0_latent_dim-2"),
        (["--setting", "course"], "setting-course_beta-1.0_latent_dim-2"),
        (["--epochs", "15", "--seed", "3"], "beta-12.0_latent_dim-2_seed-3"),
    ):
        options = command.filled_in(command.parser().parse_args(arguments))
        assert command.default_folder(options) == Path("runs", name)


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["--beta", "-1"], "beta is -1.0"),
        (["--beta", "nan"], "beta is nan"),
        (["--beta", "much"], "--beta"),
        (["--latent-dim", "0"], "latent_dim is 0"),
        (["--latent-dim", "1000000"], "latent_dim is 1000000"),
        (["--latent-dim", "2.5"], "--latent-dim"),
        (["--likelihood", "poisson"], "'bernoulli'"),
        (["--setting", "mine"], "'original'"),
        (["--posterior", "cauchy"], "'softplus'"),
        (["--epochs", "-1"], "epochs is -1"),
        (["--learning-rate", "0"], "learning_rate is 0.0"),
        (["--learning-rate", "inf"], "learning_rate is inf"),
        (["--batch-size", "0"], "batch_size is 0"),
        (["--batch-size", "122"], "from 1 to 121"),
        (["--images", "1"], "from 2 to 121"),
        (["--images", "122"], "from 2 to 121"),
        (["--seed", "-1"], "seed is -1"),
        (["--seed", "4294967296"], "seed is 4294967296"),
        (["--data", "absent.npz"], "absent.npz cannot be opened"),
        (["--unheard-of"], "--unheard-of"),
    ],
)
def test_bad_values_are_refused_before_training(
    run, no_training, capsys, tmp_path, arguments, named
):
    try:
        code, _ = run(*arguments)
    except SystemExit as refused:  # argparse's own way
        code = refused.code
    assert code == 2 and named in refusal(capsys)
    assert not (tmp_path / "out").exists()


def test_a_damaged_data_file_is_refused(run, no_training, data, capsys, tmp_path):
    damaged = tmp_path / "half.npz"
    damaged.write_bytes(data.read_bytes()[:5000])
    code, folder = run("--data", str(damaged))
    assert code == 2 and "half.npz" in refusal(capsys) and not folder.exists()


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
def test_an_unwritable_folder_is_refused(run, no_training, capsys, tmp_path, place):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    code, _ = run(out=place)
    assert code == 2 and place in refusal(capsys)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "in the way"


def test_divergence_is_told_and_keeps_what_was_learned(run, capsys):
    code, folder = run("--learning-rate", "1e30")
    assert code == 1 and "stopped being finite at step" in capsys.readouterr().err
    assert report_of(folder)["ended"] == "diverged" and {
        "model.keras",
        "run.json",
    } <= set(os.listdir(folder))
    assert all(
        np.isfinite(weights).all()
        for weights in load(folder / "model.keras").get_weights()
    )


def test_a_full_disk_is_told(run, monkeypatch, capsys):
    def full(vae, path):
        raise command.StorageError(f"{path} was not written (disk full).")

    monkeypatch.setattr(command, "save", full)
    code, _ = run()
    assert code == 2 and "disk full" in capsys.readouterr().err


def test_a_picture_that_could_not_be_made_is_told_by_the_exit_code(
    run, monkeypatch, capsys
):
    def refused(*_):
        raise ValueError("codes has NaN or infinite entries")

    monkeypatch.setattr(command, "quantile_grid", lambda n: np.zeros((n * n, 2)))
    monkeypatch.setattr(command, "manifold_figure", refused)
    code, folder = run()
    assert code == 2 and set(os.listdir(folder)) == FILES - {"manifold.png"}
    assert "manifold.png is left out" in capsys.readouterr().err


def test_a_terminal_of_few_letters_gets_every_file(data, tmp_path):
    folder = tmp_path / "β"
    done = subprocess.run(
        [sys.executable, "-m", "vae_lib", *command_line(data, folder)],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONIOENCODING": "ascii",
            "PYTHONUTF8": "0",
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode("ascii")
    assert set(os.listdir(folder)) == FILES


def test_an_interrupt_while_drawing_leaves_whole_files(run, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "embed", interrupted)
    code, folder = run()
    output = capsys.readouterr()
    assert code == 130 and output.err == "" and "Stopped by hand" in output.out
    assert set(os.listdir(folder)) == FILES - {"t-sne.png"}


@pytest.mark.skipif(
    os.name == "nt", reason="Windows has no SIGINT to send to another process"
)
def test_control_c_keeps_what_was_trained(data, tmp_path):
    arguments = command_line(data, tmp_path / "out", "--epochs", "100000")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "vae_lib", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=Path(command.__file__).parent.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # as above
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        seen = ""
        while "nats" not in seen:  # the bar shows the first chunk
            seen += process.stdout.read(1) or pytest.fail(f"ended early: {seen}")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130 and errors == "" and "Stopped by hand" in output
    assert set(os.listdir(tmp_path / "out")) == FILES
    report = report_of(tmp_path / "out")
    assert report["ended"] == "stopped by hand" and report["epochs"] < 100000
    assert len(report["history"].get("loss", ())) == report["epochs"]
    assert load(tmp_path / "out" / "model.keras").latent_dim == 2


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as left:
        command.main(["--help"])
    text = capsys.readouterr().out
    assert left.value.code == 0 and max(map(len, text.splitlines())) <= 110
    for (
        option
    ) in "beta latent-dim likelihood posterior epochs seed data out images".split():
        assert f"--{option}" in text


def test_a_read_only_checkout_trains_and_refuses_to_write_into_itself(data, tmp_path):
    checkout, outside = tmp_path / "checkout", tmp_path / "outside"
    for part in ("vae_lib", "data"):
        shutil.copytree(
            ROOT / part,
            checkout / part,
            ignore=shutil.ignore_patterns("__pycache__", "*.json"),
        )
    outside.mkdir()
    outside.chmod(0o777)
    for path in (*checkout.rglob("*"), checkout):
        path.chmod(0o555 if path.is_dir() else 0o444)
    own = [p for p in tmp_path.parents if p.name.startswith(("pytest-", "popen-"))]
    for path in (tmp_path, *own, data.parent):  # are the owner's alone
        path.chmod(path.stat().st_mode | 0o055)
    another = (
        {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    )  # root may write anywhere
    environment = {
        **os.environ,
        "HOME": str(outside),
        "MPLCONFIGDIR": str(outside),
        "PYTHONPATH": str(checkout),
    }

    def run(folder):
        line = command_line(data, folder, "--latent-dim", "3", "--seed", "1")
        return subprocess.run(
            [sys.executable, "-m", "vae_lib", *line],
            cwd=checkout,
            env=environment,
            encoding="utf-8",
            capture_output=True,
            **another,
        )

    into_itself, elsewhere = run("runs/here"), run(outside / "out")
    assert (
        into_itself.returncode == 2
        and into_itself.stderr.count("\n") == 1
        and "runs/here" in into_itself.stderr
    )
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert {path.name for path in (outside / "out").iterdir()} == FILES - {
        "manifold.png"
    }

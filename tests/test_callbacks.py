"""Keras' callbacks behave in `train` as in `fit`."""

import csv

import keras
import numpy as np
import pytest
from keras import callbacks

from vae_lib.model import VAE
from vae_lib.training import train

pytestmark = pytest.mark.slow

IMAGES = np.random.default_rng(0).random((64, 6, 5), "float32")
SMALL = dict(hidden=(8,), image_shape=(6, 5))


def run(loop, callback, optimizer="adam", epochs=3):
    """Train a new model with the callback by one loop and return it."""
    keras.utils.set_random_seed(0)
    vae = VAE(**SMALL)
    vae.compile(optimizer, jit_compile=False)  # XLA compiles long
    if loop == "train":
        held_out = dict(validation=IMAGES[:16], progress=False)
        train(vae, IMAGES, epochs=epochs, batch_size=16, callbacks=callback, **held_out)
    else:
        held_out = dict(validation_data=(IMAGES[:16],), verbose=0)
        vae.fit(IMAGES, batch_size=16, epochs=epochs, callbacks=[callback], **held_out)
    return vae


class Reader(callbacks.Callback):
    """Writes down every call with what it is given, and what it finds in itself."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def write(self, name, *arguments):
        logs = arguments[-1]
        self.calls.append((name, arguments[:-1], set(logs or ()), dict(self.params)))
        assert self.model.optimizer is not None

    def on_train_begin(self, logs=None):
        self.write("train begin", logs)

    def on_train_end(self, logs=None):
        self.write("train end", logs)

    def on_epoch_begin(self, epoch, logs=None):
        self.write("epoch begin", epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self.write("epoch end", epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        self.write("batch begin", batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        self.write("batch end", batch, logs)

    def on_test_begin(self, logs=None):
        self.write("test begin", logs)

    def on_test_end(self, logs=None):
        self.write("test end", logs)


@pytest.mark.full
def test_a_callback_that_reads_everything_reads_the_same():
    seen = {}
    for loop in ("train", "fit"):
        reader = Reader()
        run(loop, reader)
        seen[loop] = reader.calls
    ours, theirs = seen["train"], seen["fit"]
    for _, _, _, params in ours:
        assert params == {"verbose": 0, "epochs": 3, "steps": 4}
    for name in {call[0] for call in theirs} - {"batch begin", "batch end"}:
        one, other = ([c for c in calls if c[0] == name] for calls in (ours, theirs))
        assert [c[1] for c in one] == [c[1] for c in other], name
        assert all(a[2] >= b[2] for a, b in zip(one, other, strict=True)), name
    ends = [call[1][0] for call in ours if call[0] == "batch end"]
    begins = [call[1][0] for call in ours if call[0] == "batch begin"]
    assert ends.count(3) == 3 and begins.count(0) == 3 and len(ends) == len(begins)
    order = [name for name, *_ in ours]
    assert order[:3] == ["train begin", "epoch begin", "batch begin"]
    assert order[-1] == "train end"


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_checkpoints_by_epoch_and_by_batch(tmp_path):
    for loop in ("train", "fit"):
        (tmp_path / loop).mkdir()
        path = str(tmp_path / loop / "{epoch}-{batch}.weights.h5")
        run(loop, callbacks.ModelCheckpoint(path, save_freq=4, save_weights_only=True))
    assert names(tmp_path / "train") == names(tmp_path / "fit") != set()
    path = str(tmp_path / "{epoch}-{loss:.1f}-{val_loss:.1f}.keras")
    run("train", callbacks.ModelCheckpoint(path, monitor="val_loss"))
    assert len(list(tmp_path.glob("*.keras"))) == 3


def test_a_backup_is_continued_where_it_ended(tmp_path):
    class Crash(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("power cut")

    straight = run("train", callbacks.History())
    backup = callbacks.BackupAndRestore(str(tmp_path / "backup"))
    with pytest.raises(RuntimeError, match="power cut"):
        run("train", [backup, Crash()])
    reader = Reader()
    again = run("train", [callbacks.BackupAndRestore(str(tmp_path / "backup")), reader])
    assert [c[1] for c in reader.calls if c[0] == "epoch begin"] == [(2,)]
    for one, other in zip(again.weights[:-1], straight.weights[:-1], strict=True):
        if "seed" not in one.path:
            np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6)


def test_early_stopping_and_learning_rates():
    for loop in ("train", "fit"):
        stop = callbacks.EarlyStopping(patience=0, min_delta=1e9)
        reader = Reader()
        run(loop, [stop, reader] if loop == "train" else stop)
        assert stop.stopped_epoch == 1
        halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        vae = run(loop, halve)
        assert float(vae.optimizer.learning_rate) == pytest.approx(1e-3 / 8)
        plateau = callbacks.ReduceLROnPlateau(
            monitor="loss", patience=0, min_delta=1e9, factor=0.5
        )
        rates = float(run(loop, plateau).optimizer.learning_rate)
        assert rates == pytest.approx(1e-3 / 4)


def test_logs_have_one_column_for_each_name(tmp_path):
    run("train", callbacks.CSVLogger(str(tmp_path / "log.csv")))
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 and {"loss", "val_loss", "rate", "val_elbo"} <= set(rows[0])


@pytest.mark.full
def test_averaged_weights_are_swapped_in_for_validation():
    def optimizer():
        return keras.optimizers.Adam(1e-3, use_ema=True)

    for loop in ("train", "fit"):
        vae = run(loop, callbacks.SwapEMAWeights(swap_on_epoch=True), optimizer())
        assert np.isfinite(vae.get_weights()[0]).all()
        with pytest.raises(ValueError, match="use_ema"):
            run(loop, callbacks.SwapEMAWeights())


@pytest.mark.parametrize(
    "make",
    [
        callbacks.TerminateOnNaN,
        callbacks.ProgbarLogger,
        callbacks.History,
        callbacks.LambdaCallback,
    ],
)
def test_the_others_do_not_stumble(make, capsys):
    assert run("train", make()).optimizer.iterations == 12

"""Saving whole or not at all; loading nothing foreign."""

import os
import signal
import subprocess
import sys
import threading
import time
import zipfile

import keras
import numpy as np
import pytest

from vae_lib import storage
from vae_lib.model import VAE
from vae_lib.training import train


@pytest.fixture
def vae():
    return VAE(hidden=(4,))


def test_a_failed_save_leaves_the_old_file_and_no_other(vae, tmp_path, monkeypatch):
    path = tmp_path / "vae.keras"
    storage.save(vae, path)
    before = path.read_bytes()

    def fail(self, name):
        open(name, "wb").write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(VAE, "save", fail)
    with pytest.raises(storage.StorageError, match="disk full"):
        storage.save(vae, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["vae.keras"]


@pytest.mark.slow
def test_a_kill_while_saving_leaves_the_old_file(vae, tmp_path):
    path = tmp_path / "vae.keras"
    storage.save(vae, path)
    script = (
        "import sys\nfrom vae_lib import storage\n"
        "from vae_lib.model import VAE\nvae = VAE()\n"
        "print('ready', flush=True)\nwhile True: storage.save(vae, sys.argv[1])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert isinstance(storage.load(path), VAE)


def test_two_writers_at_once_leave_a_whole_file(tmp_path):
    path, errors = tmp_path / "vae.keras", []

    def write(width):
        try:
            for _ in range(3):
                storage.save(VAE(hidden=(width,)), path)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(width,)) for width in (3, 4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not errors and storage.load(path).settings["hidden"] in ((3,), (4,))


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 half a zip"])
def test_damaged_files_are_refused(tmp_path, content):
    path = tmp_path / "vae.keras"
    path.write_bytes(content)
    with pytest.raises(
        storage.StorageError, match="vae.keras is damaged, no VAE, or its class changed"
    ):
        storage.load(path)


def test_a_truncated_file_is_refused(vae, tmp_path):
    path = tmp_path / "vae.keras"
    storage.save(vae, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(storage.StorageError, match="damaged"):
        storage.load(path)


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_a_file_with_the_weights_of_another_network_says_which_layer(vae, tmp_path):
    path, other = tmp_path / "vae.keras", tmp_path / "other.keras"
    storage.save(vae, path)
    with zipfile.ZipFile(path) as file, zipfile.ZipFile(other, "w") as changed:
        for name in file.namelist():
            changed.writestr(
                name, file.read(name).replace(b'"hidden": [4]', b'"hidden": [5]')
            )
    with pytest.raises(storage.StorageError, match="Layer 'dense.*' expected 2 var"):
        storage.load(other)


def test_another_model_is_refused(tmp_path):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    with pytest.raises(storage.StorageError, match="holds a Sequential, no VAE"):
        storage.load(path)


def test_code_in_a_file_is_not_run(tmp_path):
    path = tmp_path / "trap.keras"
    layer = keras.layers.Lambda(
        lambda x: x + len(os.environ.setdefault("VAE_LIB_TRAP", "sprung"))
    )
    keras.Sequential([keras.Input((2,)), layer]).save(path)
    os.environ.pop("VAE_LIB_TRAP")
    with pytest.raises(storage.StorageError, match="trap.keras"):
        storage.load(path)
    assert "VAE_LIB_TRAP" not in os.environ


def test_missing_files_and_folders_and_wrong_endings_are_named(vae, tmp_path):
    with pytest.raises(storage.StorageError, match="is not there"):
        storage.load(tmp_path / "none.keras")
    with pytest.raises(storage.StorageError, match="cannot be written"):
        storage.save(vae, tmp_path / "no" / "vae.keras")
    with pytest.raises(storage.StorageError, match="does not end in .keras"):
        storage.save(vae, tmp_path / "vae.h5")


def test_generated_digits_survive(vae, tmp_path):
    storage.save(vae, tmp_path / "vae.keras")
    np.testing.assert_array_equal(
        storage.load(tmp_path / "vae.keras").generate(2, seed=0),
        vae.generate(2, seed=0),
    )


@pytest.mark.slow
def test_the_optimizer_of_a_training_is_saved_too(tmp_path, recwarn):
    vae = VAE(hidden=(8,), image_shape=(6, 5))
    images = np.random.default_rng(0).random((32, 6, 5), "float32")
    train(vae, images, epochs=1, batch_size=16, progress=False)
    storage.save(vae, tmp_path / "vae.keras")
    copy = storage.load(tmp_path / "vae.keras")
    pairs = zip(vae.optimizer.variables, copy.optimizer.variables, strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert not [w for w in recwarn if "optimizer" in str(w.message)]


def test_a_loaded_model_trains_on_as_the_same_model_would(tmp_path):
    images = np.random.default_rng(0).random((32, 6, 5), "float32")
    spent = keras.optimizers.schedules.CosineDecay(0.01, 2)
    rates, asked = [], dict(epochs=1, batch_size=16, progress=False)
    for kept in (False, True):
        vae = VAE(hidden=(8,), image_shape=(6, 5))
        train(vae, images, learning_rate=spent, **asked)
        if kept:
            storage.save(vae, tmp_path / "vae.keras")
            vae = storage.load(tmp_path / "vae.keras")
        train(vae, images, **asked)
        rates.append(float(vae.optimizer.learning_rate))
    assert rates == [pytest.approx(1e-3)] * 2


class Stubborn(VAE):
    """A subclass that asks for something that its configuration does not hold."""

    def __init__(self, start, **settings):
        super().__init__(**settings)


def replaced_pictures():
    vae = VAE(hidden=(4,))
    halved = vae.likelihood._replace(mean=lambda output: keras.ops.sigmoid(output) / 2)
    vae.likelihood = halved
    return vae


def replaced_pictures_of_the_same_name():
    vae = VAE(hidden=(4,), likelihood="gaussian")  # its mean is a lambda, too
    vae.likelihood = vae.likelihood._replace(mean=lambda output: 5 * output + 2)
    return vae


def double_precision():
    keras.config.set_dtype_policy("float64")
    try:
        return VAE(hidden=(4,))
    finally:
        keras.config.set_dtype_policy("float32")


def an_optimizer_of_its_own():
    class Mine(keras.optimizers.Adam):
        """Not registered with Keras."""

    vae = VAE(hidden=(4,))
    vae.compile(Mine())
    return vae


class OfKinds(VAE):
    """Pixels of three kinds, with a likelihood that the class makes itself."""

    def __init__(self, **settings):
        super().__init__(**settings)

        def share(output):
            return keras.ops.softmax(output)[..., 1]

        def cost(x, output):
            return -keras.ops.sum(x * keras.ops.log(share(output)), axis=(-2, -1))

        self.likelihood = self.likelihood._replace(distortion=cost, mean=share)
        rows, columns = self.image_shape
        self.decoder = keras.Sequential(
            [
                keras.layers.Dense(rows * columns * 3),
                keras.layers.Reshape((rows, columns, 3)),
            ]
        )
        self.decoder.build((None, self.latent_dim))


def test_a_likelihood_of_the_class_s_own_is_saved(tmp_path):
    vae = OfKinds(hidden=(4,))
    storage.save(vae, tmp_path / "vae.keras")
    again = storage.load(tmp_path / "vae.keras")
    np.testing.assert_array_equal(vae.generate(3, seed=0), again.generate(3, seed=0))


def test_another_precision_is_no_damage(vae, tmp_path):
    storage.save(vae, tmp_path / "vae.keras")
    keras.config.set_dtype_policy("mixed_float16")
    try:
        with pytest.raises(storage.StorageError, match="cannot be loaded: .* first.$"):
            storage.load(tmp_path / "vae.keras")
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (replaced_pictures, "as another model: let get_config return every"),
        (replaced_pictures_of_the_same_name, "as another model"),
        (lambda: Stubborn(np.zeros(3), hidden=(4,)), "again: .* contains all items"),
        (double_precision, "again: .*make the whole model in float64"),
        (an_optimizer_of_its_own, "again: Could not locate class 'Mine'"),
    ],
)
def test_what_would_not_come_back_is_not_saved(make, reason, tmp_path):
    with pytest.raises(storage.StorageError, match=reason) as e:
        storage.save(make(), tmp_path / "vae.keras")
    assert str(tmp_path) not in str(e.value) and not os.listdir(tmp_path)

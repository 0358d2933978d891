"""Keras' own doors refuse what a VAE here cannot take, in one sentence."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from vae_lib import storage
from vae_lib.evaluation import evaluate, negative_elbos
from vae_lib.experiments.one_network import ConditionedVAE
from vae_lib.model import VAE
from vae_lib.training import DivergedError, train

SMALL = dict(hidden=(8,), image_shape=(6, 5))
GREY = np.random.default_rng(0).integers(0, 256, (32, 6, 5)).astype("uint8")
LEVELS = GREY.astype("float32")  # 0 … 255: what nobody should pass


def compiled():
    vae = VAE(**SMALL)
    vae.compile("adam", jit_compile=False)  # XLA compiles long
    return vae


def batches(images):
    yield from ((images[:16],), (images[16:],))


def dataset(images):
    return tf.data.Dataset.from_tensor_slices(images).batch(16)


class Sequence(keras.utils.PyDataset):
    """The images in two batches."""

    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return (self.images[16 * i : 16 * i + 16],)


@pytest.mark.parametrize(
    "wrong",
    [LEVELS, np.full_like(LEVELS, np.nan), LEVELS[:, :5] / 255, GREY.astype("int16")],
)
@pytest.mark.parametrize(
    "door",
    [
        lambda x: compiled().fit(x, verbose=0),
        lambda x: compiled().fit(dataset(x), verbose=0),
        lambda x: compiled().fit(batches(x), verbose=0),
        lambda x: compiled().fit(Sequence(x), verbose=0),
        lambda x: compiled().fit(GREY, validation_data=(x,), verbose=0),
        lambda x: compiled().evaluate(x, verbose=0),
        lambda x: compiled().predict(x, verbose=0),
        lambda x: negative_elbos(compiled(), x),
        lambda x: evaluate(compiled(), x),
        lambda x: train(compiled(), x, progress=False),
        lambda x: compiled().encode(x),
    ],
)
def test_other_images_are_refused(door, wrong):
    with pytest.raises(ValueError, match="images (range|have)"):
        door(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("images", [GREY, GREY / np.float32(255)])
def test_right_images_pass_every_door(images):
    for x in (images, dataset(images), batches(images), Sequence(images)):
        history = compiled().fit(x, verbose=0).history
        assert np.isfinite(history["loss"]).all()
    (mu, sigma, log_sigma), logits = compiled().predict(images, verbose=0)
    assert mu.shape == sigma.shape == log_sigma.shape == (32, 2)
    assert logits.shape == images.shape
    assert set(compiled().evaluate(images, verbose=0, return_dict=True)) == {
        "loss",
        "distortion",
        "rate",
    }


@pytest.mark.parametrize(
    "weights", [{"sample_weight": np.zeros(32)}, {"class_weight": {0: 1.0}}]
)
def test_weights_are_refused(weights):
    with pytest.raises(ValueError, match="is given: a VAE here weights all images"):
        compiled().fit(GREY, np.zeros(32), verbose=0, **weights)


def test_a_dataset_with_weights_is_refused():
    triples = tf.data.Dataset.from_tensors((GREY, np.zeros(32), np.ones(32)))
    with pytest.raises(ValueError, match="sample_weight is given"):
        compiled().fit(triples, verbose=0)


@pytest.mark.parametrize(
    "images, name",
    [(dataset(GREY), "Dataset"), (batches(GREY), "generator"), (GREY.tolist(), "list")],
)
def test_train_names_what_is_not_an_array(images, name):
    with pytest.raises(ValueError, match=f"images are a _?\\w*{name}: pass a NumPy"):
        train(VAE(**SMALL), images)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_half_precision_is_refused_when_the_model_is_made(policy):
    keras.config.set_dtype_policy(policy)
    try:
        with pytest.raises(ValueError, match=f"has the dtype policy '{policy}'"):
            VAE(**SMALL)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.full
def test_double_precision_trains_and_comes_back_as_such(tmp_path):
    keras.config.set_dtype_policy("float64")
    try:
        vae = VAE(**SMALL)
        history = train(
            vae, GREY, epochs=9, batch_size=16, learning_rate=1e-2, progress=False
        )
        assert history["loss"][-1] < history["loss"][0]
        assert vae.get_weights()[0].dtype == "float64"
        storage.save(vae, tmp_path / "double.keras")
        again = storage.load(tmp_path / "double.keras")
        np.testing.assert_array_equal(vae.get_weights()[0], again.get_weights()[0])
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(storage.StorageError, match="make the whole model in float64"):
        storage.load(tmp_path / "double.keras")  # came back in float32, silently


def test_every_class_has_its_elbos():
    conditioned = ConditionedVAE(**SMALL)
    assert negative_elbos(conditioned, GREY).shape == (32,)


def test_an_exported_model_is_read_back_without_our_code(tmp_path):
    vae = compiled()
    vae.export(tmp_path / "model", verbose=False)
    model = tf.saved_model.load(tmp_path / "model")
    served = model.serve(LEVELS / 255)
    np.testing.assert_allclose(served["mu"], vae.encode(GREY)[0], atol=1e-5)
    np.testing.assert_allclose(served["sigma"], vae.encode(GREY)[1], atol=1e-5)
    assert served["logits"].shape == GREY.shape
    with pytest.raises(ValueError, match="format is 'onnx': .* vae.encoder"):
        vae.export(tmp_path / "model.onnx", format="onnx")


@pytest.fixture
def registered():
    """Return Keras' registry of classes, put back afterwards."""
    registry = keras.saving.get_custom_objects()
    before = dict(registry)
    yield registry
    registry.clear()
    registry.update(before)


def test_a_saved_class_that_is_not_defined_yet_is_named(tmp_path, registered):
    class Later(VAE):
        pass

    storage.save(Later(**SMALL), tmp_path / "later.keras")
    del registered["vae_lib>Later"]
    with pytest.raises(
        storage.StorageError, match="locate class 'Later'.: run the cell"
    ):
        storage.load(tmp_path / "later.keras")


def test_a_model_that_would_come_back_as_another_is_not_saved(tmp_path, registered):
    class Inked(VAE):
        def __init__(self, ink=1.0, **settings):
            super().__init__(**settings)
            self.ink = ink

        def prepare(self, images):
            return super().prepare(images) * self.ink

    replaced = VAE(**SMALL)
    replaced.decoder = keras.Sequential(
        [keras.layers.Dense(30), keras.layers.Reshape((6, 5))]
    )
    for vae in (Inked(0.2, **SMALL), replaced):
        with pytest.raises(storage.StorageError, match="was not saved, since"):
            storage.save(vae, tmp_path / "model.keras")
        assert not (tmp_path / "model.keras").exists()


SETTING_UP = """
import vae_lib
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
logical = 2 * [tf.config.LogicalDeviceConfiguration()]
tf.config.set_logical_device_configuration(cpu, logical)
tf.config.threading.set_intra_op_parallelism_threads(1)
import numpy as np
from vae_lib.model import VAE
from vae_lib.training import DivergedError, train
images = np.zeros((32, 6, 5), "uint8")
for again in range(8):  # as a cell that is run again
    vae = VAE(hidden=(8,), image_shape=(6, 5))
    train(vae, images, epochs=1, batch_size=16, progress=False)
    vae.decode(np.zeros((again + 1, 2)))
"""


def python(code, **environment):
    import os

    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        env=os.environ | environment,
    )


@pytest.mark.full
def test_importing_runs_no_operation_and_nothing_is_said():
    run = python(SETTING_UP)
    assert run.returncode == 0 and run.stdout == run.stderr == ""


def test_another_backend_is_named(tmp_path):
    run = python("import vae_lib", KERAS_BACKEND="jax")
    assert "on the backend 'jax', but vae_lib needs 'tensorflow'" in run.stderr
    already = "import sys, types\nsys.modules['keras'] = types.SimpleNamespace("
    already += "config=types.SimpleNamespace(backend=lambda: 'torch'))\n"
    run = python(already + "import vae_lib", KERAS_BACKEND="")
    assert "on the backend 'torch', but vae_lib needs 'tensorflow'" in run.stderr


@pytest.mark.full
def test_a_settings_file_for_another_backend_does_not_matter(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "torch"}', encoding="utf-8")
    code = "import vae_lib, keras; print(keras.config.backend())"
    run = python(code, KERAS_BACKEND="", KERAS_HOME=str(tmp_path))
    assert run.returncode == 0 and run.stdout.strip() == "tensorflow"


def test_what_a_class_takes_but_does_not_save_is_noticed(tmp_path, registered):
    class Weighted(VAE):
        def __init__(self, gamma=1.0, **settings):
            super().__init__(**settings)
            self.gamma = gamma

    frozen = VAE(**SMALL)
    frozen.encoder.trainable = False
    for vae in (Weighted(5.0, **SMALL), frozen):
        with pytest.raises(storage.StorageError, match="was not saved, since"):
            storage.save(vae, tmp_path / "model.keras")


def test_an_assigned_beta_is_the_variables(tmp_path):
    vae = VAE(**SMALL)
    vae.beta = 3.0
    storage.save(vae, tmp_path / "model.keras")
    assert float(storage.load(tmp_path / "model.keras").beta) == 3.0
    with pytest.raises(ValueError, match="beta is -1"):
        vae.beta = -1


def test_saving_leaves_the_models_own_noise_alone(tmp_path):
    vae = VAE(**SMALL)
    before = vae.seed_generator.state.numpy()
    storage.save(vae, tmp_path / "model.keras")
    np.testing.assert_array_equal(vae.seed_generator.state, before)


def test_a_generator_for_validation_loses_no_batch():
    def held_out():
        for _ in range(6):
            yield (GREY[:8],)

    options = dict(validation_steps=2, epochs=3, verbose=0)
    history = compiled().fit(GREY, validation_data=held_out(), **options).history
    assert len(history["val_loss"]) == 3


def test_weights_for_validation_are_refused_before_the_first_step():
    vae = compiled()
    before = vae.get_weights()
    with pytest.raises(ValueError, match="sample_weight is given"):
        vae.fit(GREY, validation_data=(GREY, GREY, np.ones(32)), verbose=0)
    for one, other in zip(before, vae.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_masked_arrays_and_long_floats_are_refused():
    with pytest.raises(ValueError, match="masked array: pass images.filled"):
        evaluate(compiled(), np.ma.masked_array(GREY))


def test_a_pydataset_with_a_shape_of_its_own_is_taken():
    data = Sequence(GREY)
    data.shape = GREY.shape
    assert len(compiled().fit(data, verbose=0).history["loss"]) == 1


def test_a_variable_of_images_is_taken():
    assert compiled().evaluate(tf.Variable(LEVELS / 255), verbose=0)


@pytest.mark.parametrize(
    "x", [(GREY, np.zeros(32)), [GREY], [GREY, GREY], [*GREY], {"images": GREY}]
)
def test_images_in_a_tuple_list_or_dictionary_are_refused(x):
    for method in (compiled().fit, compiled().evaluate, compiled().predict):
        with pytest.raises(ValueError, match="x is a .*: pass images alone, in one"):
            method(x, verbose=0)


@pytest.mark.parametrize("data", [[GREY], [GREY[:16], GREY[16:]], {"images": GREY}])
def test_held_out_images_in_a_list_or_dictionary_are_refused(data):
    with pytest.raises(ValueError, match="validation_data is a .*: pass one array"):
        compiled().fit(GREY, validation_data=data, verbose=0)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: VAE(beta=np.float16(np.inf)), "beta is .*inf"),
        (lambda: VAE(beta=1e39), "beta is 1e.39: pass a number of 0 or more below"),
        (
            lambda: train(compiled(), GREY, learning_rate=1e-50),
            "learning_rate is 1e-50: pass a number above 1.2e-38",
        ),
        (lambda: VAE(hidden=(np.int64(2),)), "hidden is .*: pass a tuple of ints"),
        (lambda: compiled().generate(0), "n is 0: pass a whole number of 1 or more"),
        (lambda: compiled().decode(np.zeros((0, 2))), "pass n >= 1 codes"),
        (
            lambda: negative_elbos(compiled(), GREY, draws=0),
            "draws is 0: pass a whole number of 1 or more",
        ),
    ],
)
def test_what_32_bits_or_a_layer_cannot_hold_is_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        wrong()


class Extra(VAE):
    """A VAE with a further metric, which is NaN."""

    further = "contrast"

    def __init__(self, **settings):
        super().__init__(**settings)
        self.trackers[self.further] = keras.metrics.Mean(self.further)

    def track(self, **terms):
        return super().track(**{self.further: terms["loss"] * np.nan}, **terms)


@pytest.mark.parametrize("name", ["contrast", "weights"])
def test_a_metric_that_is_not_finite_is_told_by_its_name(name, monkeypatch):
    monkeypatch.setattr(Extra, "further", name)
    with pytest.raises(DivergedError, match=f"The {name} stopped being finite at"):
        train(Extra(**SMALL), GREY, batch_size=16, progress=False)

"""`train` and Keras' `fit` take the same steps, whatever the model is made of."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from vae_lib.experiments.one_network import ConditionedVAE
from vae_lib.model import VAE, images_of
from vae_lib.training import Training, train

pytestmark = pytest.mark.slow

BATCH, STEPS = 16, 24
SMALL = dict(hidden=(9,), image_shape=(6, 5), latent_dim=2)
IMAGES = np.random.default_rng(0).random((BATCH * STEPS, 6, 5), "float32")
NOISE = np.random.default_rng(1).standard_normal((STEPS + 1, BATCH, 3), "float32")
ORDER = np.random.default_rng((0, 0)).permutation(len(IMAGES))  # of `train`'s epoch 1


@pytest.fixture(autouse=True)
def registry():
    """Undo what classes made here register with Keras: others load by these names."""
    registered = keras.saving.get_custom_objects()
    before = dict(registered)
    yield
    registered.clear()
    registered.update(before)


def same_noise(cls):
    """Return a subclass of `cls` whose noise depends on the step alone.

    So both loops draw the same epsilon, whoever draws it.
    """

    class Noisy(cls):
        def standard_normal(self, shape):
            step = ops.cast(self.optimizer.iterations, "int32")
            return ops.take(NOISE, step, axis=0)[: shape[0], : shape[1]]

    return Noisy


def both(make, change=None, optimizer=None, xla=False):
    """Train two equal models, one by each loop; return them and their logs.

    `fit` needs `xla`, which compiles longer, only for random numbers inside a step.
    """
    models, logs = [], []
    for loop in ("train", "fit"):
        keras.utils.set_random_seed(3)
        vae = make()
        if change:
            change(vae)
        if loop == "fit" or optimizer:
            vae.compile(optimizer=(optimizer or default)(), jit_compile=xla)
        if loop == "train":
            history = train(vae, IMAGES, epochs=1, batch_size=BATCH, progress=False)
            logs.append({name: values[-1] for name, values in history.items()})
        else:
            fitted = vae.fit(
                IMAGES[ORDER], batch_size=BATCH, shuffle=False, verbose=0
            ).history
            logs.append({name: values[-1] for name, values in fitted.items()})
        models.append(vae)
    return models, logs


def default():
    return keras.optimizers.Adam(1e-3)


def assert_same(models, logs):
    """Weights, and whatever both loops report, are equal to float accuracy."""
    ours, theirs = models
    assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations) > 0
    for one, other in zip(ours.variables, theirs.variables, strict=True):
        if "seed" not in one.path and "metric" not in one.path:
            np.testing.assert_allclose(
                one.numpy(), other.numpy(), rtol=2e-4, atol=2e-5, err_msg=one.path
            )
    assert set(logs[1]) <= set(logs[0])
    for name, value in logs[1].items():
        assert logs[0][name] == pytest.approx(value, rel=1e-4), name


def apart(one, other):
    """Return how far the weights of two layers or parts are apart."""
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        dict(posterior="bounded", activation="gelu", hidden=(8, 7), beta=0.0),
        dict(posterior="log_variance", likelihood="gaussian", beta=12.0, hidden=()),
        dict(posterior="log_deviation"),
    ],
)
def test_the_librarys_class(settings):
    assert_same(*both(lambda: same_noise(VAE)(**SMALL | settings)))


def test_the_class_for_every_beta():
    models, logs = both(lambda: same_noise(ConditionedVAE)(**SMALL))
    assert_same(models, logs)


def decoder_and_a_layer(vae):
    layer = vae.encoder.get_layer
    return [vae.decoder, layer("rho")], [layer("mu"), vae.encoder.layers[2]]


@pytest.mark.parametrize(
    "parts", [decoder_and_a_layer, lambda vae: ([vae.encoder], [vae.decoder])]
)
def test_frozen_parts_and_layers_stay_and_thaw(parts):
    def freeze(vae):
        for part in parts(vae)[0]:
            part.trainable = False

    models, logs = both(lambda: same_noise(VAE)(**SMALL), freeze)
    assert_same(models, logs)
    keras.utils.set_random_seed(3)
    (frozen, others), fresh = parts(models[0]), parts(VAE(**SMALL))
    assert not any(apart(*pair) for pair in zip(frozen, fresh[0]))
    assert all(apart(*pair) > 0 for pair in zip(others, fresh[1]))
    for part in frozen:
        part.trainable = True
    train(models[0], IMAGES, epochs=1, batch_size=BATCH, progress=False)
    assert all(apart(*pair) > 0 for pair in zip(frozen, fresh[0]))


def test_a_decoder_of_other_layers_with_losses_and_further_weights():
    class Scaled(layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, x):
            self.add_loss(3.0 * ops.square(self.scale))
            return x * self.scale

    def replace(vae):
        vae.decoder = keras.Sequential(
            [
                layers.Dense(20, "relu", kernel_regularizer=keras.regularizers.L2(0.1)),
                layers.BatchNormalization(),
                layers.Dropout(0.3, seed=5),
                Scaled(),
                layers.Dense(30),
                layers.Reshape((6, 5)),
            ]
        )

    models, logs = both(lambda: same_noise(VAE)(**SMALL), replace, xla=True)
    assert_same(models, logs)
    terms = logs[0]
    assert terms["loss"] > terms["distortion"] + terms["rate"] + 1.0
    _, normalisation, _, scaled, *_ = models[0].decoder.layers
    assert float(scaled.scale) < 1.0
    assert np.abs(normalisation.moving_mean.numpy()).max() > 0  # training mode
    images = models[0].decode(np.zeros((2, 2)))  # inference: nothing is dropped
    np.testing.assert_allclose(images[0], images[1], atol=1e-6)


class FreeBits(VAE):
    """Its loss reads an attribute that no config knows, as learners write it."""

    free = 0.0

    def train_step(self, data):
        with tf.GradientTape() as tape:
            distortion, rate = self.terms(images_of(data), training=True)
            loss = distortion + self.beta * ops.maximum(rate, self.free)
            mean = self.batch_mean(loss)
        gradients = tape.gradient(mean, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.track(distortion=distortion, rate=rate, loss=loss)


def test_an_attribute_that_the_loss_reads_is_read_at_every_training():
    def make():
        return same_noise(FreeBits)(**SMALL)

    models, logs = both(make, lambda vae: setattr(vae, "free", 50.0))
    assert_same(models, logs)
    assert 50.0 < logs[0]["loss"] < 500.0
    vae = models[0]
    vae.free = 500.0
    again = train(vae, IMAGES, epochs=1, batch_size=BATCH, progress=False)
    assert again["loss"][0] > 500.0


def test_an_argument_that_the_config_does_not_know():
    class Inked(VAE):
        def __init__(self, ink=1.0, **settings):
            super().__init__(**settings)
            self.ink = ink

        def prepare(self, images):
            return super().prepare(images) * self.ink

    models, logs = both(lambda: same_noise(Inked)(ink=0.2, **SMALL))
    assert_same(models, logs)
    keras.utils.set_random_seed(3)
    black = same_noise(Inked)(ink=1.0, **SMALL)
    history = train(black, IMAGES, epochs=1, batch_size=BATCH, progress=False)
    assert abs(history["distortion"][0] - logs[0]["distortion"]) > 0.1


def test_metrics_of_a_class_come_by_name():
    class Counting(VAE):
        def __init__(self, **settings):
            super().__init__(**settings)
            self.trackers["size"] = keras.metrics.Mean("size")
            self.largest = keras.metrics.Mean("largest")

        def track(self, **terms):
            self.largest.update_state(ops.max(terms["distortion"]))
            size = ops.sqrt(terms["rate"])
            return super().track(size=size, **terms) | {
                "largest": self.largest.result()
            }

    models, logs = both(lambda: same_noise(Counting)(**SMALL))
    assert_same(models, logs)
    assert {"size", "largest"} <= set(logs[0])
    assert logs[0]["largest"] > logs[0]["distortion"]


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.RMSprop(
            keras.optimizers.schedules.CosineDecay(5e-3, STEPS),
            momentum=0.9,
            clipnorm=1.0,
            use_ema=True,
        ),
        lambda: keras.optimizers.SGD(1e-4, momentum=0.9),
        lambda: keras.optimizers.AdamW(1e-3, gradient_accumulation_steps=2),
    ],
)
def test_an_optimizer_that_the_caller_compiled_is_used(optimizer):
    models, logs = both(lambda: same_noise(VAE)(**SMALL), optimizer=optimizer)
    assert_same(models, logs)
    assert type(models[0].optimizer) is type(models[1].optimizer)


def test_noise_drawn_several_times_in_a_step_is_drawn_anew():
    class Twice(VAE):
        def terms(self, images, training=False):
            x = self.prepare(images)
            first = self.standard_normal((BATCH, self.latent_dim))
            second = self.standard_normal((BATCH, self.latent_dim))
            many = self.standard_normal((5, BATCH, self.latent_dim))
            rate = ops.mean(ops.square(first - second), axis=-1)
            return ops.mean(x, axis=(1, 2)) + ops.var(many, axis=(0, 2)), rate

        def train_step(self, data):
            distortion, rate = self.terms(images_of(data), training=True)
            return self.track(distortion=distortion, rate=rate, loss=rate)

    history = train(Twice(**SMALL), IMAGES, epochs=1, batch_size=BATCH, progress=False)
    assert 1.5 < history["rate"][0] < 2.5  # 2 in expectation, 0 if they were the same
    assert history["distortion"][0] == pytest.approx(0.5 + 0.9, abs=0.1)


def test_reported_terms_agree_with_an_independent_computation():
    for cls in (VAE, ConditionedVAE):
        keras.utils.set_random_seed(1)
        vae = cls(**SMALL)
        still = keras.optimizers.SGD(1e-12)
        vae.compile(optimizer=still)
        history = train(
            vae, IMAGES, epochs=1, batch_size=BATCH, validation=IMAGES, progress=False
        )
        rng = np.random.default_rng(0)
        epsilon = rng.standard_normal((len(IMAGES), vae.noise_dim), "float32")
        with vae.noise(epsilon):
            distortion, rate = (np.mean(term) for term in vae.terms(IMAGES))
        for name, value in (("distortion", distortion), ("rate", rate)):
            assert history[f"validation_{name}"][0] == pytest.approx(value, rel=1e-4)
            assert history[name][0] == pytest.approx(value, rel=0.1)
        assert history["rate"][0] < 0.5 * history["distortion"][0]
        assert history["elbo"][0] == pytest.approx(
            -history["distortion"][0] - history["rate"][0]
        )


REFUSED = [
    (
        lambda vae: setattr(vae, "train_step", lambda data: {"loss": 1.0}),
        "train_step returns no distortion and no rate",
    ),
    (
        lambda vae: setattr(vae, "terms", tf.function(vae.terms)),
        "terms is a tf.function",
    ),
    (
        lambda vae: vae.compile(
            keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
        ),
        "LossScaleOptimizer",
    ),
    (
        lambda vae: vae.compile("adam", loss="mse"),
        "compiled with the loss 'mse'",
    ),
    (
        lambda vae: vae.compile("adam", metrics=["mae"]),
        "compiled with metrics",
    ),
    (
        lambda vae: (
            vae.compile("adam"),
            vae.optimizer.build(vae.trainable_variables),
            setattr(vae.encoder, "trainable", False),
        ),
        "belongs to other variables",
    ),
    (
        lambda vae: setattr(
            vae,
            "decoder",
            keras.Sequential(
                [layers.Dense(30, dtype="mixed_float16"), layers.Reshape((6, 5))]
            ),
        ),
        "dtype policy 'mixed_float16'",
    ),
]


@pytest.mark.parametrize("change, sentence", REFUSED)
def test_what_cannot_be_served_is_refused_before_the_first_step(change, sentence):
    vae = VAE(**SMALL)
    change(vae)
    before = vae.get_weights()
    with pytest.raises(ValueError, match=sentence):
        train(vae, IMAGES, epochs=1, batch_size=BATCH, progress=False)
    for one, other in zip(before, vae.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_beta_assigned_between_chunks_acts_on_the_next():
    vae = VAE(**SMALL)
    losses = []
    for chunk in Training(vae, IMAGES, epochs=1, batch_size=BATCH):
        losses.append(chunk.loss - chunk.distortion)
        vae.beta = 1000.0
    assert losses[1] > 100 * losses[0]


def test_a_training_that_has_not_begun_has_changed_nothing():
    class Normalising(VAE):
        def __init__(self, **settings):
            super().__init__(**settings)
            self.normalise = layers.BatchNormalization()

        def terms(self, images, training=False):
            self.normalise(self.encoder(self.prepare(images))[0], training=True)
            return super().terms(images, training)

    vae = Normalising(**SMALL)
    vae.terms(IMAGES[:4])
    before = vae.get_weights()
    Training(vae, IMAGES, validation=IMAGES)
    for one, other in zip(before, vae.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_restored_backup_does_not_shorten_the_next_training():
    vae = VAE(**SMALL)
    vae._initial_epoch = 2  # as Keras' BackupAndRestore leaves it
    history = train(vae, IMAGES, epochs=1, batch_size=BATCH, progress=False)
    assert len(history["loss"]) == 1


def test_negative_losses_explode_no_sooner_than_others(recwarn):
    class Shifted(VAE):
        def terms(self, images, training=False):
            distortion, rate = super().terms(images, training)
            return distortion - 100.0, rate

    train(Shifted(**SMALL), IMAGES, epochs=1, batch_size=BATCH, progress=False)
    assert not [w for w in recwarn if "far above" in str(w.message)]

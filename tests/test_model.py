"""The VAE as a Keras model: shapes, gradients, settings, saving, distribution."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from vae_lib import storage
from vae_lib.model import VAE

IMAGES = np.random.default_rng(0).integers(0, 256, (64, 28, 28), dtype="uint8")
SMALL = dict(hidden=(16, 8))


def test_shapes_and_ranges():
    vae = VAE(latent_dim=3, **SMALL)
    mu, sigma = vae.encode(IMAGES)
    assert mu.shape == sigma.shape == (64, 3) and (sigma > 0).all()
    (mu, sigma, log_sigma), logits = vae(IMAGES)
    assert logits.shape == (
        64,
        28,
        28,
    ) and mu.shape == sigma.shape == log_sigma.shape == (64, 3)
    for images in (
        vae.decode(np.zeros((5, 3))),
        vae.reconstruct(IMAGES[:5]),
        vae.generate(5, seed=1),
    ):
        assert images.shape == (5, 28, 28) and images.min() >= 0 and images.max() <= 1


def test_generate_repeats_with_its_seed():
    vae = VAE(**SMALL)
    np.testing.assert_array_equal(vae.generate(4, seed=7), vae.generate(4, seed=7))
    assert not np.array_equal(vae.generate(4, seed=7), vae.generate(4, seed=8))


def test_uint8_and_floats_are_the_same_images():
    vae = VAE(**SMALL)
    np.testing.assert_allclose(
        vae.encode(IMAGES)[0], vae.encode(IMAGES / 255.0)[0], atol=1e-5
    )


def test_decoder_mirrors_encoder():
    vae = VAE(latent_dim=2, hidden=(512, 256))
    assert [w.shape for w in vae.encoder.trainable_variables[::2]] == [
        (784, 512),
        (512, 256),
        (256, 2),
        (256, 2),
    ]
    assert [w.shape for w in vae.decoder.trainable_variables[::2]] == [
        (2, 256),
        (256, 512),
        (512, 784),
    ]


def test_linear_vae_has_no_hidden_layer():
    vae = VAE(latent_dim=5, hidden=(), likelihood="gaussian")
    assert (
        sum(np.prod(w.shape) for w in vae.trainable_variables)
        == 2 * (784 * 5 + 5) + 5 * 784 + 784
    )


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
@pytest.mark.parametrize(
    "posterior", ["softplus", "log_variance", "log_deviation", "direct"]
)
def test_gradients_reach_every_variable(posterior, likelihood):
    keras.utils.set_random_seed(0)  # with others every hidden unit may be dead
    vae = VAE(posterior=posterior, likelihood=likelihood, **SMALL)
    with tf.GradientTape() as tape:
        distortion, rate = vae.terms(IMAGES)
        loss = tf.reduce_mean(distortion + rate)
    for variable, gradient in zip(
        vae.trainable_variables, tape.gradient(loss, vae.trainable_variables)
    ):
        assert gradient is not None and np.abs(gradient).max() > 0, variable.path


@pytest.mark.parametrize(
    "posterior", ["softplus", "log_variance", "log_deviation", "direct"]
)
def test_gradients_agree_with_finite_differences_at_frozen_noise(posterior):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("float64")
    try:
        vae = VAE(
            latent_dim=2,
            posterior=posterior,
            activation="tanh",
            hidden=(6,),
            image_shape=(4, 4),
        )
        images = np.random.default_rng(1).uniform(size=(3, 4, 4))
        epsilon = np.random.default_rng(2).standard_normal((3, 2))

        def loss():
            with vae.noise(epsilon):
                distortion, rate = vae.terms(images)
            return tf.reduce_mean(distortion + 3.0 * rate)

        with tf.GradientTape() as tape:
            value = loss()
        for variable, gradient in zip(
            vae.trainable_variables, tape.gradient(value, vae.trainable_variables)
        ):
            start, direction = (
                variable.numpy(),
                np.random.default_rng(3).standard_normal(variable.shape),
            )
            variable.assign(start + 1e-3 * direction)
            above = float(loss())
            variable.assign(start - 1e-3 * direction)
            slope = (above - float(loss())) / 2e-3
            variable.assign(start)
            expected = float(np.sum(np.asarray(gradient) * direction))
            assert slope == pytest.approx(
                expected, rel=5e-3, abs=1e-3
            )  # the loss is exact to 1e-8, the difference to 1e-5
    finally:
        keras.config.set_dtype_policy("float32")


def test_beta_weighs_the_rate_and_not_the_distortion():
    vae = VAE(beta=5.0, **SMALL)
    vae.compile(optimizer="adam")
    logs = vae.evaluate(IMAGES, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(
        logs["distortion"] + 5.0 * logs["rate"], rel=1e-5
    )


@pytest.mark.slow
def test_compile_fit_evaluate_as_in_keras():
    vae = VAE(**SMALL)
    vae.compile(optimizer=keras.optimizers.Adam(1e-3))
    history = vae.fit(
        IMAGES, batch_size=16, epochs=2, validation_data=(IMAGES,), verbose=0
    ).history
    assert set(history) == {
        f"{v}{t}" for v in ("", "val_") for t in ("distortion", "rate", "loss")
    }
    assert history["loss"][1] < history["loss"][0]
    vae.fit(
        IMAGES, np.zeros(64), batch_size=16, epochs=1, verbose=0
    )  # labels are ignored


@pytest.mark.parametrize(
    "settings, words",
    [
        (dict(latent_dim=0), "latent_dim is 0"),
        (dict(latent_dim=2.5), "latent_dim is 2.5"),
        (dict(hidden=(512, -1)), "hidden is"),
        (dict(hidden=512), "hidden is 512"),
        (dict(posterior="exp"), "posterior is 'exp': pass one of 'softplus'"),
        (
            dict(likelihood="poisson"),
            "likelihood is 'poisson': pass one of 'bernoulli'",
        ),
        (dict(beta=-1), "beta is -1"),
        (dict(beta=float("nan")), "beta is nan"),
        (dict(beta="12"), "beta is '12'"),
        (dict(image_shape=(28,)), "image_shape is (28,)"),
    ],
)
def test_settings_that_make_no_model_are_refused(settings, words):
    with pytest.raises(ValueError) as error:
        VAE(**settings)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "images, words",
    [
        (np.zeros((3, 27, 28), "uint8"), "(3, 27, 28)"),
        (np.zeros((0, 28, 28), "uint8"), "n >= 1"),
        (np.zeros((3, 28, 28), "int32"), "int32"),
        (np.full((3, 28, 28), 2.0), "to 2"),
        (np.full((3, 28, 28), np.nan), "nan"),
    ],
)
def test_images_that_are_none_are_refused(images, words):
    with pytest.raises(ValueError) as error:
        VAE(**SMALL).encode(images)
    assert words in str(error.value)


def test_codes_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match=r"n >= 1 codes of shape \(n, 2\)"):
        VAE(**SMALL).decode(np.zeros((1, 3)))


@pytest.mark.parametrize(
    "settings",
    [
        dict(),
        dict(latent_dim=5, hidden=(), likelihood="gaussian", beta=0.1),
        dict(posterior="direct", activation="gelu"),
    ],
)
@pytest.mark.slow
def test_keras_file_round_trip(tmp_path, settings):
    vae = VAE(**{**SMALL, **settings})
    vae.compile(optimizer="adam")
    vae.fit(IMAGES, epochs=1, verbose=0)
    storage.save(vae, tmp_path / "vae.keras")
    restored = storage.load(tmp_path / "vae.keras")
    assert restored.get_config() == vae.get_config()
    np.testing.assert_array_equal(restored.encode(IMAGES)[0], vae.encode(IMAGES)[0])
    np.testing.assert_array_equal(restored.generate(3, seed=1), vae.generate(3, seed=1))
    assert int(restored.optimizer.iterations) == 2  # training goes on where it was


def test_config_is_plain_json_and_gives_the_same_model():
    config = VAE(latent_dim=3, beta=0.1, **SMALL).get_config()
    assert (
        VAE.from_config(json.loads(json.dumps(config))).get_config() == config
        and config["beta"] == 0.1
    )

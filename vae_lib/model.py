"""Encoder, decoder and the variational autoencoder, which notebook 01 builds."""

import contextlib
import contextvars
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import KerasTensor as Tensor  # stands for a tensor of any kind, or an array
from keras import layers, ops

from vae_lib.checks import check, check_images, check_keras, check_precision
from vae_lib.objectives import LIKELIHOODS, rate
from vae_lib.posterior import POSTERIORS

_noise = contextvars.ContextVar("noise", default=(None, []))  # a model's, in a thread


def build_encoder(
    image_shape: tuple[int, int], hidden: Sequence[int], latent_dim: int, activation
) -> keras.Model:
    """Return the model x (batch, rows, columns) -> mu, rho (batch, latent_dim)."""
    x = keras.Input(image_shape)
    h = layers.Flatten()(x)
    for width in hidden:
        h = layers.Dense(width, activation, kernel_initializer="he_normal")(h)
    mu = layers.Dense(latent_dim, name="mu")(h)
    rho = layers.Dense(latent_dim, name="rho")(h)
    return keras.Model(x, [mu, rho], name="encoder")


def build_decoder(
    image_shape: tuple[int, int], hidden: Sequence[int], latent_dim: int, activation
) -> keras.Model:
    """Return the model z (batch, latent_dim) -> logits (batch, rows, columns)."""
    z = keras.Input((latent_dim,))
    h = z
    for width in reversed(hidden):
        h = layers.Dense(width, activation, kernel_initializer="he_normal")(h)
    logits = layers.Dense(image_shape[0] * image_shape[1])(h)
    logits = layers.Reshape(image_shape, name="logits")(logits)
    return keras.Model(z, logits, name="decoder")


class VAEBase(keras.Model):
    """What every VAE here shares and no learner needs to see: settings, noise, metrics.

    A subclass makes `encoder` and `decoder` and defines `call`, `terms` and
    `train_step`, ending with `return self.track(...)`; `test_step` repeats its loss.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable("vae_lib")(cls)

    def __init__(
        self,
        latent_dim: int,
        hidden: Sequence[int],
        posterior: str,
        likelihood: str,
        beta: float,
        activation: str,
        image_shape: tuple[int, int],
        **kwargs,
    ):
        check(latent_dim=latent_dim, hidden=hidden, image_shape=image_shape, beta=beta)
        check(posterior=posterior, likelihood=likelihood)
        super().__init__(**kwargs)
        check_precision(self)
        self.latent_dim, self.image_shape = int(latent_dim), tuple(image_shape)
        self.settings = dict(
            latent_dim=self.latent_dim,
            hidden=tuple(hidden),
            posterior=posterior,
            likelihood=likelihood,
            activation=activation,
            image_shape=self.image_shape,
        )
        self.noise_dim = self.latent_dim  # standard normal numbers drawn for an image
        self.posterior, self.likelihood = POSTERIORS[posterior], LIKELIHOODS[likelihood]
        # a variable, so that another value compiles nothing
        start = keras.initializers.Constant(beta)
        self.beta = self.add_weight(
            shape=(), initializer=start, trainable=False, name="beta"
        )
        self.seed_generator = keras.random.SeedGenerator(0)
        names = "loss", "distortion", "rate"
        self.trackers = {name: keras.metrics.Mean(name) for name in names}
        self.built = True

    def __setattr__(self, name: str, value: Any):
        """Set an attribute; a number for `beta` is assigned to the variable."""
        if name == "beta" and isinstance(getattr(self, name, None), keras.Variable):
            value = float(value) if ops.is_tensor(value) else value  # of vae.beta / 2
            check(beta=value)
            self.beta.assign(value)
        else:
            super().__setattr__(name, value)

    @property
    def metrics(self) -> list[keras.Metric]:
        """The running means that Keras resets at the start of every epoch."""
        ours = list(self.trackers.values())
        return ours + [m for m in super().metrics if m.name not in self.trackers]

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same untrained model."""
        double = {"dtype": "float64"} if self.variable_dtype == "float64" else {}
        return {**self.settings, "beta": float(f"{float(self.beta):.7g}"), **double}

    def prepare(self, images: Tensor) -> Tensor:
        """Return the x that the likelihood sees, of `uint8` or floats in [0, 1]."""
        integers = keras.backend.is_int_dtype(images.dtype)
        images = ops.cast(images, self.compute_dtype)
        return self.likelihood.prepare(images / 255.0 if integers else images)

    def standard_normal(self, shape: tuple[int, ...]) -> Tensor:
        """Return epsilon, standard normal noise of `shape`, new at every call."""
        owner, given = _noise.get()
        if owner is self and given and tuple(given[0].shape) == tuple(shape):
            return given.pop()
        return keras.random.normal(shape, dtype=self.dtype, seed=self.seed_generator)

    @contextlib.contextmanager
    def noise(self, epsilon: Tensor) -> Iterator[None]:
        """Within this context a forward pass uses `epsilon` (batch, noise_dim).

        The first call of `standard_normal` for its shape returns it, in this thread.
        """
        token = _noise.set((self, [ops.cast(epsilon, self.compute_dtype)]))
        try:
            yield
        finally:
            _noise.reset(token)

    def batch_mean(self, values: Tensor) -> Tensor:
        """Return the batch's mean; under `tf.distribute`, this replica's share."""
        return ops.mean(values) / tf.distribute.get_strategy().num_replicas_in_sync

    def track(self, **terms: Tensor) -> dict[str, Tensor]:
        """Add a batch to the running means and return them by name.

        terms: `distortion`, `rate` and `loss`, each (batch,) in nats. For a further
        name, put a `keras.metrics.Mean` into `self.trackers`.
        """
        if set(terms) != set(self.trackers):
            raise ValueError(
                f"track was given {', '.join(terms)}: pass "
                f"{', '.join(self.trackers)} by name; for another, put a "
                "keras.metrics.Mean into self.trackers."
            )
        for name, values in terms.items():
            self.trackers[name].update_state(values)
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    def test_step(self, data: Any) -> dict[str, Tensor]:
        """Return running means of distortion, rate and loss on held-out images."""
        distortion, rate = self.terms(images_of(data))
        loss = distortion + self.beta * rate + sum(self.losses)
        return self.track(distortion=distortion, rate=rate, loss=loss)

    def fit(self, x=None, *args, **options) -> keras.callbacks.History:
        """Train as Keras does; ValueError for weights or images it cannot take."""
        return super().fit(**self._checked(super().fit, x, *args, **options))

    def evaluate(self, x=None, *args, **options) -> Any:
        """Return loss and terms as Keras does; ValueError for what it cannot take."""
        return super().evaluate(**self._checked(super().evaluate, x, *args, **options))

    def predict(self, x, *args, **options) -> Any:
        """Return what `call` does, as NumPy arrays; ValueError for other images."""
        return super().predict(**self._checked(super().predict, x, *args, **options))

    def _checked(self, method, *args, **options):
        """Return the arguments of Keras' `method` by name, once they are checked."""
        given = inspect.signature(method).bind(*args, **options).arguments
        return check_keras(self, given.pop("kwargs", {}) | given)

    def export(self, filepath, format: str = "tf_saved_model", **options) -> None:
        """Write a TensorFlow SavedModel of the forward pass, without Python code.

        Its `serve` maps float32 images (n, rows, columns) to `mu`, `sigma` and `logits`
        by name, with z drawn anew. ValueError for another format.
        """
        if format != "tf_saved_model":
            raise ValueError(
                f"format is {format!r}: pass 'tf_saved_model', or export vae.encoder "
                "and vae.decoder, which are plain models."
            )

        def serve(images):
            (mu, sigma, _), logits = self(images)
            return {"mu": mu, "sigma": sigma, "logits": logits}

        archive = keras.export.ExportArchive()
        archive.track(self)
        images = tf.TensorSpec((None, *self.image_shape), "float32", "images")
        archive.add_endpoint("serve", serve, input_signature=[images])
        archive.write_out(filepath, **options)

    def encode(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return `mu, sigma`, each (n, latent_dim), of images (n, rows, columns).

        images: `uint8`, or floats in [0, 1]; ValueError for others.
        """
        check_images(images, self.image_shape)
        encoded = [self.encoder(self.prepare(part)) for part in in_batches(images)]
        mu, rho = (np.concatenate(parts) for parts in zip(*encoded))
        return mu, ops.convert_to_numpy(self.posterior(rho)[0])

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Return the mean images (n, rows, columns) of codes `z` (n, latent_dim)."""
        z = np.asarray(z, "float32")
        if z.ndim != 2 or z.shape[1] != self.latent_dim or len(z) < 1:
            wanted = f"n >= 1 codes of shape (n, {self.latent_dim})"
            raise ValueError(f"z has shape {z.shape}: pass {wanted}.")
        means = [self.likelihood.mean(self.decoder(part)) for part in in_batches(z)]
        return np.concatenate(means)

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Return images like `images`, decoded from their posterior means."""
        return self.decode(self.encode(images)[0])

    def generate(self, n: int, seed: int | None = None) -> np.ndarray:
        """Return `n` images decoded from codes drawn from N(0, I) with `seed`."""
        check(n=n)
        rng = np.random.default_rng(seed)
        return self.decode(rng.standard_normal((n, self.latent_dim)))


class VAE(VAEBase):
    """A variational autoencoder with fully connected hidden layers.

    The decoder mirrors the encoder; `hidden=()` gives the linear VAE. `posterior` names
    the map rho -> sigma, `likelihood` the pixels' model ("bernoulli" or "gaussian"),
    `beta` multiplies the rate. Raises ValueError for settings that make no model.
    Kingma & Welling 2014; Higgins et al. 2017 for beta; notebook 01.
    """

    def __init__(
        self,
        latent_dim: int = 2,
        hidden: Sequence[int] = (512, 256),
        posterior: str = "softplus",
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        activation: str = "relu",
        image_shape: tuple[int, int] = (28, 28),
        **kwargs,
    ):
        settings = latent_dim, hidden, posterior, likelihood, beta, activation
        super().__init__(*settings, image_shape, **kwargs)
        self.encoder = build_encoder(image_shape, hidden, latent_dim, activation)
        self.decoder = build_decoder(image_shape, hidden, latent_dim, activation)

    def call(self, images: Tensor) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
        """Return `(mu, sigma, log_sigma)`, and the `logits` of one z for each image.

        The first three are (batch, latent_dim), the logits (batch, rows, columns).
        """
        mu, rho = self.encoder(self.prepare(images))
        sigma, log_sigma = self.posterior(rho)
        epsilon = self.standard_normal(ops.shape(mu))
        z = mu + sigma * epsilon  # (batch, latent_dim)
        return (mu, sigma, log_sigma), self.decoder(z)

    def terms(self, images: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Return distortion and rate in nats, each (batch,), after the forward pass."""
        (mu, sigma, log_sigma), logits = self(images, training=training)
        distortion = self.likelihood.distortion(self.prepare(images), logits)
        return distortion, rate(mu, sigma, log_sigma)

    def train_step(self, data: Any) -> dict[str, Tensor]:
        """Take one gradient step on distortion + beta * rate; return running means."""
        with tf.GradientTape() as tape:
            distortion, rate = self.terms(images_of(data), training=True)
            loss = distortion + self.beta * rate + sum(self.losses)
            mean = self.batch_mean(loss)
        gradients = tape.gradient(mean, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.track(distortion=distortion, rate=rate, loss=loss)


def images_of(data: Any) -> Tensor:
    """Return the images of what Keras hands to a step; labels are ignored."""
    return keras.utils.unpack_x_y_sample_weight(data)[0]


def in_batches(array: Any, size: int = 1000) -> Iterator[Any]:
    """Yield consecutive parts of at most `size` rows, so that memory stays bounded."""
    return (array[start : start + size] for start in range(0, len(array), size))

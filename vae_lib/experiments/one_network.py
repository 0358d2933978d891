"""One network for every beta: a VAE that is told beta and adjusts its hidden layers.

Trained once, with a beta drawn for each image, it replaces a whole sweep of dedicated
networks. Dosovitskiy & Djolonga 2020, "You only train once"; Bae et al. 2023,
"Multi-rate VAE". Notebook 03.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from vae_lib.checks import check
from vae_lib.model import VAE, VAEBase, images_of
from vae_lib.objectives import rate

FEATURES = 32  # of the small network that turns beta into scales and shifts


def beta_features(t: keras.KerasTensor) -> keras.KerasTensor:
    """Return features (batch, 32) of a standardised log beta `t` (batch, 1)."""
    for _ in range(2):
        t = layers.Dense(FEATURES, "tanh")(t)
    return t


def modulated_layers(
    h: keras.KerasTensor,
    features: keras.KerasTensor,
    widths: Sequence[int],
    activation: str,
) -> keras.KerasTensor:
    """Return `h` after dense layers whose units are scaled and shifted by `features`.

    Scale and shift come before the activation. The layers are named `hidden_i`,
    `scale_i`, `shift_i`; at first all scales are about 1 and all shifts about 0.
    """
    for i, width in enumerate(widths):
        start = dict(kernel_initializer=keras.initializers.RandomNormal(stddev=0.01))
        scale = layers.Dense(
            width, bias_initializer="ones", name=f"scale_{i}", **start
        )(features)
        shift = layers.Dense(width, name=f"shift_{i}", **start)(features)
        h = layers.Dense(width, kernel_initializer="he_normal", name=f"hidden_{i}")(h)
        h = layers.Activation(activation)(h * scale + shift)
    return h


def build_networks(
    image_shape: tuple[int, int],
    hidden: Sequence[int],
    latent_dim: int,
    activation: str,
) -> tuple[keras.Model, keras.Model]:
    """Return the encoder (x, t) -> mu, rho and the decoder (z, t) -> logits.

    t (batch, 1) is a standardised log beta.
    """
    x, t, z = keras.Input(image_shape), keras.Input((1,)), keras.Input((latent_dim,))
    h = modulated_layers(layers.Flatten()(x), beta_features(t), hidden, activation)
    outputs = [layers.Dense(latent_dim, name=name)(h) for name in ("mu", "rho")]
    encoder = keras.Model([x, t], outputs, name="encoder")
    t = keras.Input((1,))
    h = modulated_layers(z, beta_features(t), hidden[::-1], activation)
    logits = layers.Dense(image_shape[0] * image_shape[1], name="pixels")(h)
    decoder = keras.Model(
        [z, t], layers.Reshape(image_shape, name="logits")(logits), name="decoder"
    )
    return encoder, decoder


class ConditionedVAE(VAEBase):
    """A VAE for every beta from `low` to `high`: trained once, then queried with
    `at(beta)`.

    The other settings are those of `VAE`. Every image of a batch gets a beta of its
    own, with a uniform logarithm. Its loss, distortion + beta * rate, is weighted by 1
    / √(1 + beta), so that no beta dominates the others. Raises ValueError for settings
    that cannot make a model. Notebook 03.
    """

    def __init__(
        self,
        latent_dim=2,
        hidden=(512, 256),
        posterior="softplus",
        likelihood="bernoulli",
        low=0.05,
        high=300.0,
        activation="relu",
        image_shape=(28, 28),
        **kwargs,
    ):
        kwargs.pop("beta", None)  # VAEBase keeps one; here it has no meaning
        super().__init__(
            latent_dim,
            hidden,
            posterior,
            likelihood,
            1.0,
            activation,
            image_shape,
            **kwargs,
        )
        check_range(low, high)
        if not hidden:
            raise ValueError(
                "hidden is (): pass one width or more; beta acts on the hidden layers."
            )
        self.settings = {**self.settings, "low": float(low), "high": float(high)}
        self.log_low, self.log_high = np.log(low), np.log(high)
        self.noise_dim = self.latent_dim + 1  # the last number of the noise draws beta
        self.encoder, self.decoder = build_networks(
            image_shape, tuple(hidden), latent_dim, activation
        )

    def standardised(self, log_beta):
        """Return `log_beta` (batch, 1) as the networks see it: mean 0, variance 1."""
        middle = (self.log_low + self.log_high) / 2
        deviation = (self.log_high - self.log_low) / 12**0.5
        return (log_beta - middle) / deviation

    def call(self, images):
        """Return `(mu, sigma, log_sigma)`, `logits` and `beta` (batch,).

        One z and one beta are drawn for each image.
        """
        noise = self.standard_normal((ops.shape(images)[0], self.noise_dim))
        epsilon, draw = noise[:, :-1], noise[:, -1:]
        share = (1.0 + ops.erf(draw / 2**0.5)) / 2.0  # uniform in [0, 1]
        log_beta = self.log_low + share * (self.log_high - self.log_low)
        t = self.standardised(log_beta)
        mu, rho = self.encoder([self.prepare(images), t])
        sigma, log_sigma = self.posterior(rho)
        z = mu + sigma * epsilon  # (batch, latent_dim)
        return (mu, sigma, log_sigma), self.decoder([z, t]), ops.exp(log_beta[:, 0])

    def terms_and_beta(self, images, training=False):
        """Return distortion and rate in nats, and the beta of each image, (batch,)."""
        (mu, sigma, log_sigma), logits, beta = self(images, training=training)
        distortion = self.likelihood.distortion(self.prepare(images), logits)
        return distortion, rate(mu, sigma, log_sigma), beta

    def terms(self, images, training=False):
        """Return distortion and rate in nats, each (batch,), at newly drawn betas."""
        return self.terms_and_beta(images, training)[:2]

    def weighted_terms(self, data, training=False):
        """Return distortion, rate and weighted loss by name, each (batch,)."""
        distortion, rate, beta = self.terms_and_beta(images_of(data), training)
        loss = (distortion + beta * rate) / ops.sqrt(1.0 + beta) + sum(self.losses)
        return dict(distortion=distortion, rate=rate, loss=loss)

    def train_step(self, data):
        """Take one gradient step on the weighted loss; return running means."""
        with tf.GradientTape() as tape:
            terms = self.weighted_terms(data, training=True)
            mean = self.batch_mean(terms["loss"])
        gradients = tape.gradient(mean, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.track(**terms)

    def test_step(self, data):
        """Return the running means of distortion, rate and loss at drawn betas."""
        return self.track(**self.weighted_terms(data))

    def at(self, beta: float) -> VAE:
        """Return the ordinary `VAE` that this network is at one `beta`.

        It shares no weights. Scales and shifts are folded into its own, so that it
        encodes, decodes and is evaluated like any other, at no extra cost. Raises
        ValueError for a beta outside `low` … `high`; 0 has no logarithm.
        """
        self.check(beta)
        settings = dict(self.settings, beta=float(beta))
        del settings["low"], settings["high"]
        vae = VAE(**settings)
        for ours, theirs, outputs in (
            (self.encoder, vae.encoder, ("mu", "rho")),
            (self.decoder, vae.decoder, ("pixels",)),
        ):
            weights = self.folded(ours, beta)
            weights += [
                w.numpy() for name in outputs for w in ours.get_layer(name).weights
            ]
            theirs.set_weights(weights)
        return vae

    def folded(self, network: keras.Model, beta: float) -> list[np.ndarray]:
        """Return kernels and biases of a network's hidden layers, folded at `beta`."""
        weights = []
        for i, (scale, shift) in enumerate(self.modulation(network, [beta])):
            kernel, bias = (w.numpy() for w in network.get_layer(f"hidden_{i}").weights)
            weights += [kernel * scale[0], bias * scale[0] + shift[0]]
        return weights

    def modulation(
        self, network: keras.Model, betas: Sequence[float]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return each hidden layer's scales and shifts, float32 (len(betas), width)."""
        outputs = [
            network.get_layer(f"{name}_{i}").output
            for i in range(len(self.settings["hidden"]))
            for name in ("scale", "shift")
        ]
        probe = keras.Model(network.inputs[1], outputs)
        t = self.standardised(np.log(np.reshape(betas, (-1, 1)))).astype("float32")
        values = [ops.convert_to_numpy(value) for value in probe(t)]
        return list(zip(values[::2], values[1::2], strict=True))

    def encode(self, images: np.ndarray, beta: float) -> tuple[np.ndarray, np.ndarray]:
        """Return NumPy `mu, sigma`, each (n, latent_dim), of images at one `beta`."""
        return self.at(beta).encode(images)

    def decode(self, z: np.ndarray, beta: float) -> np.ndarray:
        """Return images (n, rows, columns) in [0, 1] of `z` (n, latent_dim)."""
        return self.at(beta).decode(z)

    def check(self, beta: float):
        """Raise ValueError unless the network was trained for `beta`."""
        check(beta=beta)
        low, high = self.settings["low"], self.settings["high"]
        if not low <= beta <= high:
            raise ValueError(
                f"beta is {beta!r}: this network was trained for {low:g} to {high:g}; "
                "train a separate VAE for another."
            )


def check_range(low: float, high: float):
    """Raise ValueError unless 0 < low < high, both finite."""
    check(beta=low)
    check(beta=high)
    if not 0 < low < high:
        raise ValueError(
            f"low and high are {low!r} and {high!r}: pass two numbers with "
            "0 < low < high; log beta is drawn between their logarithms."
        )

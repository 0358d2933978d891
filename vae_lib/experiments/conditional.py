"""A VAE that is told the label, so that a digit can be ordered from it. Notebook 05."""

import numpy as np
from keras import ops

from vae_lib.model import VAE, VAEBase, build_decoder, build_encoder
from vae_lib.objectives import rate

DEFAULTS = dict(
    latent_dim=2,
    hidden=(512, 256),
    posterior="softplus",
    likelihood="bernoulli",
    beta=1.0,
    activation="relu",
)


def labelled(split):
    """Return the images of a `Split` with one more row, uint8 (n, rows + 1, columns).

    In that row the pixel at the label's place is 255, the others 0. Notebook 05.
    """
    images, labels = split
    row = np.zeros_like(images[:, :1])  # (n, 1, 28)
    row[np.arange(len(row)), 0, labels] = 255
    return np.concatenate([images, row], axis=1)  # (n, 29, 28)


class CVAE(VAE):
    """A conditional VAE: encoder and decoder are told which of ten labels an image has.

    Its images are those of `labelled`; the distortion counts only the picture. Sohn et
    al. 2015; notebook 05.
    """

    def __init__(self, **settings):
        settings = {**DEFAULTS, "image_shape": (29, 28), **settings}
        VAEBase.__init__(self, **settings)  # VAE's would build its own networks first
        rows, columns = self.image_shape
        hidden, activation = settings["hidden"], settings["activation"]
        code, told = self.latent_dim, self.latent_dim + 10  # numbers without and with y
        self.encoder = build_encoder((rows, columns), hidden, code, activation)
        self.decoder = build_decoder((rows - 1, columns), hidden, told, activation)

    def call(self, images, training=False):
        """Return the encoder's outputs, and the logits decoded from z and the label."""
        x = self.prepare(images)  # (batch, 29, 28)
        mu, rho = self.encoder(x)
        sigma, log_sigma = self.posterior(rho)
        z = mu + sigma * self.standard_normal(ops.shape(mu))  # (batch, latent_dim)
        return (mu, sigma, log_sigma), self.decoder(self.joined(z, x[:, -1, :10]))

    def joined(self, z, y):
        """Return the decoder's input: code and label, (batch, latent_dim + 10)."""
        return ops.concatenate([z, y], axis=-1)

    def terms(self, images, training=False):
        """Return distortion and rate in nats, each (batch,)."""
        (mu, sigma, log_sigma), logits = self(images, training=training)
        picture = self.prepare(images)[:, :-1]  # (batch, 28, 28)
        return self.likelihood.distortion(picture, logits), rate(mu, sigma, log_sigma)


def order_digits(cvae, z, labels):
    """Return what a `CVAE` draws from codes z (n, latent_dim) with `labels` (n,)."""
    y = np.eye(10, dtype="float32")[labels]
    logits = cvae.decoder(np.concatenate([z, y], axis=1, dtype="float32"))
    return ops.convert_to_numpy(ops.sigmoid(logits))

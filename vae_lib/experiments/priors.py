"""A prior that is learned: the VampPrior. Notebook 06."""

import numpy as np
from keras import initializers, ops

from vae_lib.model import VAE


class VampVAE(VAE):
    """A VAE whose prior is the mean of q(z|u) over images u that are learned, too.

    They begin as `start` (inputs, rows, columns), in [0, 1]. The rate is log q(z|x) -
    log p(z) at the sampled z. Tomczak & Welling 2018.
    """

    def __init__(self, start, **settings):
        super().__init__(**settings)
        images = np.clip(np.asarray(start, "float32"), 0.02, 0.98)
        logits = initializers.Constant(np.log(images / (1 - images)))
        self.inputs = self.add_weight(images.shape, logits, name="inputs")

    def components(self):
        """Return mu, sigma and log sigma of the prior's parts, each (inputs, d)."""
        mu, rho = self.encoder(ops.sigmoid(self.inputs))
        return mu, *self.posterior(rho)

    def log_prior(self, z):
        """Return log p(z) in nats, (batch,), of codes (batch, d)."""
        return log_mixture(z, *self.components())

    def terms(self, images, training=False):
        """Return distortion and rate in nats, each (batch,), at one z an image."""
        x = self.prepare(images)
        mu, rho = self.encoder(x)
        sigma, log_sigma = self.posterior(rho)
        epsilon = self.standard_normal(ops.shape(mu))
        z = mu + sigma * epsilon
        log_q = -ops.sum((epsilon**2 + np.log(2 * np.pi)) / 2 + log_sigma, axis=-1)
        return self.likelihood.distortion(x, self.decoder(z)), log_q - self.log_prior(z)

    def draw(self, n, seed=0):
        """Return `n` codes drawn from the prior, NumPy (n, latent_dim)."""
        rng = np.random.default_rng(seed)
        mu, sigma, _ = map(np.asarray, self.components())
        of = rng.integers(0, len(mu), n)
        return mu[of] + sigma[of] * rng.standard_normal((n, mu.shape[1]))


def log_mixture(z, mu, sigma, log_sigma):
    """Return the log density of `z` (batch, d), (batch,), under the mean of the normal
    densities of `mu` and `sigma`, (components, d).
    """
    far = (z[:, None] - mu) / sigma  # (batch, components, d)
    logs = -ops.sum((far**2 + np.log(2 * np.pi)) / 2 + log_sigma, axis=-1)
    return ops.logsumexp(logs, axis=1) - float(np.log(mu.shape[0]))

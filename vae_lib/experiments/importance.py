"""Training on the importance-weighted bound, and what becomes of its gradient.
Notebook 06.
"""

import numpy as np
import tensorflow as tf
from keras import ops
from scipy.special import softmax

from vae_lib.experiments.gradient_estimators import distortion_and_slope
from vae_lib.model import VAE, images_of
from vae_lib.objectives import (
    importance_weighted_bound,
    log_importance_weight,
    rate,
)


class IWAE(VAE):
    """A VAE that is trained on the importance-weighted bound with `samples` codes.

    Its `terms` and figures are those of a VAE, with one code. Burda, Grosse &
    Salakhutdinov 2016; notebook 06.
    """

    samples = 1

    def train_step(self, data):
        """Take one gradient step on the negative bound; return running means."""
        x = self.prepare(images_of(data))
        with tf.GradientTape() as tape:
            mu, rho = self.encoder(x)
            sigma, log_sigma = self.posterior(rho)
            shape = (self.samples, *ops.shape(mu))
            epsilon = self.standard_normal(shape)
            z = mu + sigma * epsilon  # (samples, batch, latent_dim)
            logits = self.decoder(ops.reshape(z, (-1, self.latent_dim)))
            logits = ops.reshape(logits, (self.samples, *ops.shape(x)))
            distortion = self.likelihood.distortion(x, logits)
            log_weights = log_importance_weight(distortion, z, log_sigma, epsilon)
            loss = -importance_weighted_bound(log_weights)
            mean = self.batch_mean(loss)
        gradients = tape.gradient(mean, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.track(
            distortion=ops.mean(distortion, axis=0),
            rate=rate(mu, sigma, log_sigma),
            loss=loss,
        )


def encoder_gradients(vae, images, samples, draws, seed=0):
    """Return estimates of the bound's gradient in mu and sigma of each image.

    Two arrays (draws, n, 2 · latent_dim) in nats per unit, from `draws` draws of
    `samples` codes each: the plain estimate, and the doubly reparametrized one (Tucker
    et al. 2019), which leaves the score of q out. Rainforth et al. 2018; notebook 06.
    """
    rng = np.random.default_rng(seed)
    mu, sigma = (codes.astype("float64") for codes in vae.encode(images))
    epsilon = rng.standard_normal((draws * samples, *mu.shape))
    z = mu + sigma * epsilon
    distortion, slope = distortion_and_slope(vae, images, z)
    logs = -distortion[..., 0] + ((epsilon**2 - z**2) / 2 + np.log(sigma)).sum(-1)
    grouped = (draws, samples, len(images))
    weights = softmax(logs.reshape(grouped), axis=1)[..., None]
    whole = -(slope + z)  # d log w / dz, with q's parameters following
    path = whole + epsilon / sigma  # through z alone
    plain = np.concatenate([whole, whole * epsilon + 1 / sigma], axis=-1)
    double = np.concatenate([path, path * epsilon], axis=-1)
    of = (*grouped, -1)
    return (
        (weights * plain.reshape(of)).sum(axis=1),
        (weights**2 * double.reshape(of)).sum(axis=1),
    )


def signal_to_noise(gradients):
    """Return the length of the mean / the root of the total variance, (n,), of
    `gradients` (draws, n, coordinates).

    The noise of the mean itself is subtracted from its square; if nothing is left, the
    result is 0.
    """
    noise = gradients.var(axis=0, ddof=1).sum(axis=-1)
    signal = (gradients.mean(axis=0) ** 2).sum(axis=-1) - noise / len(gradients)
    return np.sqrt(np.maximum(signal, 0) / np.maximum(noise, 1e-30))

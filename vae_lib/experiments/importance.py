"""Training on the importance-weighted bound, and what becomes of its gradient.
Notebook 06.
"""

import numpy as np
import tensorflow as tf
from keras import ops
from scipy.special import softmax

from vae_lib.analysis.likelihood import (
    importance_weighted_bound,
    log_importance_weight,
)
from vae_lib.experiments import gradient_estimators as estimators
from vae_lib.model import VAE, images_of
from vae_lib.objectives import rate


class IWAE(VAE):
    """A VAE that is trained on the importance-weighted bound with `samples` codes.

    Its `terms` are those of a VAE, with one code. Burda, Grosse & Salakhutdinov 2016.
    """

    samples = 1

    def train_step(self, data):
        """Take one gradient step on the negative bound; return running means."""
        x = self.prepare(images_of(data))
        with tf.GradientTape() as tape:
            mu, rho = self.encoder(x)
            sigma, log_sigma = self.posterior(rho)
            epsilon = self.standard_normal((self.samples, *ops.shape(mu)))
            z = mu + sigma * epsilon  # (samples, batch, latent_dim)
            logits = self.decoder(ops.reshape(z, (-1, self.latent_dim)))
            logits = ops.reshape(logits, (self.samples, *ops.shape(x)))
            distortion = self.likelihood.distortion(x, logits)
            log_weights = log_importance_weight(distortion, z, log_sigma, epsilon)
            loss = -importance_weighted_bound(log_weights)
            mean = self.batch_mean(loss)
        gradients = tape.gradient(mean, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        terms = dict(distortion=ops.mean(distortion, axis=0), loss=loss)
        return self.track(rate=rate(mu, sigma, log_sigma), **terms)


def encoder_gradients(vae, images, samples, draws, seed=0):
    """Return estimates of the bound's gradient in mu and sigma of each image.

    Two arrays (draws, n, 2 · latent_dim) in nats per unit, from `draws` draws of
    `samples` codes each: the plain estimate, and the doubly reparametrized one, which
    leaves the score of q out (Tucker et al. 2019).
    """
    mu, sigma = (codes.astype("float64") for codes in vae.encode(images))
    shape = draws * samples, *mu.shape
    epsilon = np.random.default_rng(seed).standard_normal(shape)
    z = mu + sigma * epsilon
    terms = estimators.distortion_and_slope(vae, images, z)
    log_weights = ((epsilon**2 - z**2) / 2 + np.log(sigma)).sum(-1) - terms[0][..., 0]
    grouped = draws, samples, len(images), -1
    weights, found = softmax(log_weights.reshape(grouped), axis=1), []
    for power, estimate in (
        (1, estimators.pathwise_sampled_kl),
        (2, estimators.sticking_the_landing),
    ):
        gradients = -np.concatenate(estimate(*terms, mu, sigma, epsilon), axis=-1)
        found.append((weights**power * gradients.reshape(grouped)).sum(axis=1))
    return found


def signal_to_noise(gradients):
    """Return the length of the mean / the root of the total variance, (n,), of
    `gradients` (draws, n, coordinates), the mean's own noise taken off, or 0.
    """
    noise = gradients.var(axis=0, ddof=1).sum(axis=-1)
    signal = (gradients.mean(axis=0) ** 2).sum(axis=-1) - noise / len(gradients)
    return np.sqrt(np.maximum(signal, 0) / np.maximum(noise, 1e-30))

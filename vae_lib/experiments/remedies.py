"""Two remedies for collapse, free bits and a warm-up of beta. Notebook 03."""

import keras
import tensorflow as tf
from keras import ops

from vae_lib.model import VAE, images_of


class FreeBits(VAE):
    """A VAE whose units pay nothing for their first `free` nats. Kingma et al. 2016."""

    free = 0.2

    def train_step(self, data):
        """Take one gradient step, each unit charged at least `free` nats of rate."""
        images = images_of(data)
        with tf.GradientTape() as tape:
            (mu, sigma, log_sigma), logits = self(images, training=True)
            distortion = self.likelihood.distortion(self.prepare(images), logits)
            rates = (mu**2 + sigma**2 - 1) / 2 - log_sigma  # (batch, latent_dim)
            charged = ops.maximum(ops.mean(rates, axis=0), self.free)
            loss = distortion + self.beta * ops.sum(charged)
            mean = self.batch_mean(loss)
        gradients = tape.gradient(mean, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        rate = ops.sum(rates, axis=-1)
        return self.track(distortion=distortion, rate=rate, loss=loss)


def warm_up(vae: VAE, beta: float, epochs: int) -> keras.callbacks.Callback:
    """Return a callback that raises the beta of `vae` from 0 over `epochs`."""
    return keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: vae.beta.assign(
            beta * min(1.0, epoch / epochs)
        )
    )

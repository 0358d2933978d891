"""Many small VAEs trained side by side, to compare maps from rho to sigma."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from vae_lib.engine import WITHOUT_XLA
from vae_lib.experiments.textbook_maps import INVERSES, MAPS
from vae_lib.model import VAE
from vae_lib.objectives import LIKELIHOODS, rate
from vae_lib.training import epoch_order, step_rng

CHUNK = 50  # steps in one compiled call
SAFE = 0.5  # a rho at which every map and its derivative are finite
permutation = functools.lru_cache(maxsize=64)(epoch_order)  # as `train` takes them


class Record(NamedTuple):
    """What runs went through: arrays (runs, steps) in nats, NaN and infinity kept."""

    loss: np.ndarray  # distortion + beta * rate
    distortion: np.ndarray
    rate: np.ndarray
    gradient_norm: np.ndarray  # over all weights, before clipping


class ParallelVAEs:
    """VAEs of one shape, one for each seed, trained side by side in one function.

    They lie along a batch axis. Map, initial weights, learning rate and optimizer are
    data, so that one compilation serves every run. The run of a seed has the weights,
    batches and noise that `train` gives a `VAE` made after
    `keras.utils.set_random_seed(seed)`.

    images: (n, rows, columns), `uint8`. maps: name -> function rho -> (sigma, log
    sigma), by default `MAPS`. Where XLA is not available, runs do without. Notebook 02.
    """

    def __init__(
        self,
        images: np.ndarray,
        maps: Mapping[str, Callable] | None = None,
        *,
        hidden: Sequence[int] = (128, 64),
        latent_dim: int = 2,
        beta: float = 12.0,
        batch_size: int = 64,
        likelihood: str = "gaussian",
    ):
        self.images, self.maps = tf.constant(images), maps or MAPS
        self.shape = dict(
            hidden=tuple(hidden), latent_dim=latent_dim, image_shape=images.shape[1:]
        )
        self.beta, self.batch_size = beta, batch_size
        self.likelihood = LIKELIHOODS[likelihood]
        # weights of the encoder's hidden layers; those of mu follow, then those of rho
        self.encoder_size = 2 * len(hidden)
        self.compiled = tf.function(self._steps, jit_compile=True, autograph=False)

    def run(
        self,
        posterior: str,
        learning_rate: float,
        *,
        optimizer: str = "adam",
        sigma: float | None = None,
        clip: float = np.inf,
        seeds: Sequence[int] = range(5),
        steps: int = 200,
    ) -> Iterator[Record]:
        """Take `steps` steps with each of `seeds`; yield the `Record` after every 50.

        posterior: a name in `maps`. optimizer: "adam" or "sgd". sigma: its initial
        value for every image, set by the bias of rho with the weights of rho at 0; None
        leaves both as they are initialised. clip: the norm to which a longer gradient
        is scaled down. A run that stops being finite stays in the record. Raises
        ValueError for another map or optimizer.
        """
        if posterior not in self.maps or optimizer not in ("adam", "sgd"):
            raise ValueError(
                f"{posterior!r} with {optimizer!r} cannot be run: pass one of "
                f"{', '.join(map(repr, self.maps))} with 'adam' or 'sgd'."
            )
        starts = [initial_weights(seed, **self.shape) for seed in seeds]
        weights = [np.stack(arrays) for arrays in zip(*starts, strict=True)]
        if sigma is not None:
            weights[self.encoder_size + 2][:] = 0.0
            weights[self.encoder_size + 3][:] = INVERSES[posterior](sigma)
        zeros = [tf.zeros_like(w) for w in weights]
        state = [list(map(tf.constant, weights)), zeros, zeros]  # Adam's two means
        settings = [
            tf.constant(list(self.maps).index(posterior)),
            tf.constant(optimizer == "adam"),
            tf.constant(learning_rate, "float32"),
            tf.constant(clip, "float32"),
        ]
        parts = []
        for first in range(0, steps, CHUNK):
            count = min(CHUNK, steps - first)
            order, epsilon = self._batches(seeds, first, count)
            *state, terms = self._advance(
                *state, tf.constant([first, count]), order, epsilon, *settings
            )
            parts.append(terms.numpy()[:count])
            yield Record(*np.concatenate(parts).transpose(1, 2, 0))

    def _batches(self, seeds, first, count):
        """Return indices (CHUNK, runs, batch) and epsilon of `count` batches."""
        size, steps = self.batch_size, -(-len(self.images) // self.batch_size)
        order = np.zeros((CHUNK, len(seeds), size), "int32")
        epsilon = np.zeros((*order.shape, self.shape["latent_dim"]), "float32")
        for run, seed in enumerate(seeds):
            for i in range(count):
                epoch, step = divmod(first + i, steps)
                rows = np.arange(step * size, (step + 1) * size) % len(self.images)
                order[i, run] = permutation(seed, epoch, len(self.images))[rows]
                rng = step_rng(seed, epoch, step)
                epsilon[i, run] = rng.standard_normal(epsilon.shape[2:], "float32")
        return tf.constant(order), tf.constant(epsilon)

    def _advance(self, *arguments):
        """Call the compiled function, or, where XLA is not available, the function."""
        try:
            return self.compiled(*arguments, self.images)
        except WITHOUT_XLA:
            self.compiled = tf.function(self._steps, autograph=False)
            return self.compiled(*arguments, self.images)

    def _steps(
        self,
        weights,
        mean,
        square,
        span,
        order,
        epsilon,
        choice,
        adam,
        learning_rate,
        clip,
        images,
    ):
        """Return weights, Adam's two running means, and terms (CHUNK, 4, runs)."""

        def step(i, weights, mean, square, terms):
            x = self.likelihood.prepare(
                tf.cast(tf.gather(images, order[i]), "float32") / 255.0
            )
            distortion, rates = self._terms(weights, x, epsilon[i], choice)
            loss = distortion + self.beta * rates
            # of the sum over runs, each of which has weights of its own
            gradients = tf.gradients(loss, weights)
            squares = [tf.reduce_sum(g**2, range(1, len(g.shape))) for g in gradients]
            norm = tf.sqrt(sum(squares))
            gradients = [
                g * per_run(tf.minimum(1.0, clip / norm), g) for g in gradients
            ]
            time = tf.cast(span[0] + i + 1, "float32")
            scale = tf.sqrt(1.0 - 0.999**time) / (1.0 - 0.9**time)
            pairs = functools.partial(zip, strict=True)
            mean = [m + 0.1 * (g - m) for m, g in pairs(mean, gradients)]
            square = [s + 0.001 * (g**2 - s) for s, g in pairs(square, gradients)]
            ratios = [scale * m / (tf.sqrt(s) + 1e-7) for m, s in pairs(mean, square)]
            weights = [
                w - learning_rate * tf.where(adam, ratio, g)
                for w, ratio, g in pairs(weights, ratios, gradients)
            ]
            row = tf.stack([loss, distortion, rates, norm])
            terms = tf.tensor_scatter_nd_update(terms, [[i]], [row])
            return i + 1, weights, mean, square, terms

        terms = tf.zeros((CHUNK, 4, order.shape[1]))
        return tf.while_loop(
            lambda i, *_: i < span[1], step, (0, weights, mean, square, terms)
        )[1:]

    def _terms(self, weights, x, epsilon, choice):
        """Return distortion and rate in nats, (runs,), of `x` (runs, batch, ...)."""
        size = self.encoder_size
        h = hidden_layers(tf.reshape(x, (*x.shape[:2], -1)), weights[:size])
        mu, rho = (dense(h, *weights[i : i + 2]) for i in (size, size + 2))
        sigma, log_sigma = self._posterior(choice, rho)
        z = mu + sigma * epsilon
        output = dense(hidden_layers(z, weights[size + 4 : -2]), *weights[-2:])
        distortion = self.likelihood.distortion(x, tf.reshape(output, x.shape))
        rates = rate(mu, sigma, log_sigma)
        return tf.reduce_mean(distortion, axis=1), tf.reduce_mean(rates, axis=1)

    def _posterior(self, choice, rho):
        """Return (sigma, log sigma) by map number `choice`; others see a safe rho."""
        sigma = log_sigma = tf.zeros_like(rho)
        for number, posterior in enumerate(self.maps.values()):
            own = tf.equal(choice, number)
            new_sigma, new_log = posterior(tf.where(own, rho, SAFE))
            sigma = tf.where(own, new_sigma, sigma)
            log_sigma = tf.where(own, new_log, log_sigma)
        return sigma, log_sigma


def dense(h: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Return a dense layer of each run: kernel (runs, inputs, outputs)."""
    return tf.matmul(h, kernel) + bias[:, None]


def hidden_layers(h: tf.Tensor, weights: list[tf.Tensor]) -> tf.Tensor:
    """Return `h` after ReLU layers; `weights` alternates kernels and biases."""
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        h = tf.nn.relu(dense(h, kernel, bias))
    return h


def per_run(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Return `values` (runs,) shaped so that they multiply an array like `like`."""
    return tf.reshape(values, (-1, *[1] * (len(like.shape) - 1)))


@functools.lru_cache(maxsize=64)
def initial_weights(
    seed: int, hidden: tuple[int, ...], latent_dim: int, image_shape: tuple[int, int]
) -> list[np.ndarray]:
    """Return the initial weights of a `VAE`; sets the seeds of Python, NumPy, Keras."""
    keras.utils.set_random_seed(seed)
    vae = VAE(latent_dim, hidden, image_shape=image_shape)
    return [variable.numpy() for variable in vae.trainable_variables]

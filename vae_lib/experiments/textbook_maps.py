"""The maps from rho to sigma as textbooks write them, without the guards.

Notebook 02 compares them with those of `vae_lib.posterior`.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from keras import ops

from vae_lib.posterior import bounded, direct, softplus


def textbook_log_variance(rho):
    """Return `sigma = exp(rho / 2)` and its logarithm, shaped like `rho`."""
    return ops.exp(rho / 2.0), rho / 2.0


def textbook_log_deviation(rho):
    """Return `sigma = exp(rho)` and its logarithm, shaped like `rho`."""
    return ops.exp(rho), rho


def textbook_softplus(rho):
    """Return `sigma = log(1 + exp(rho))` and `log(sigma²) / 2`, shaped like `rho`.

    The original project uses this form.
    """
    sigma = ops.softplus(rho)
    return sigma, ops.log(sigma**2) / 2.0


TEXTBOOK = {
    "direct": direct,
    "log_variance": textbook_log_variance,
    "log_deviation": textbook_log_deviation,
    "softplus": textbook_softplus,
    "bounded": bounded,
}
MAPS = TEXTBOOK | {"softplus, guarded": softplus}
INVERSES = {  # rho for a given sigma
    "direct": lambda sigma: sigma,
    "log_variance": lambda sigma: 2.0 * np.log(sigma),
    "log_deviation": np.log,
    "softplus": lambda sigma: np.log(np.expm1(sigma)),
    "bounded": lambda sigma: -np.log(2.0 / sigma - 1.0),
}
INVERSES["softplus, guarded"] = INVERSES["softplus"]


def kl_and_slope(
    posterior: Callable, rho: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `sigma`, KL(N(0, sigma²) ‖ N(0, 1)) in nats, and dKL/drho, like `rho`.

    Where the dtype overflows, infinity and NaN are the result. Notebook 02.
    """
    rho = tf.convert_to_tensor(rho)
    with tf.GradientTape() as tape:
        tape.watch(rho)
        sigma, log_sigma = posterior(rho)
        kl = (sigma**2 - 1.0) / 2.0 - log_sigma
    return sigma.numpy(), kl.numpy(), tape.gradient(kl, rho).numpy()

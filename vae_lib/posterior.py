"""Maps from the encoder's unconstrained output rho to sigma.

Each returns sigma and its logarithm, of the shape of rho. Notebook 01 explains the
softplus map; notebook 02 compares all of them, of which log_variance is the usual one
(Kingma & Welling 2014).
"""

import numpy as np
from keras import KerasTensor as Tensor  # stands for a tensor of any kind, or an array
from keras import ops

LIMIT = 30.0  # of log-variances: exp(30) = 1e13 can still be squared in float32


def softplus(rho: Tensor) -> tuple[Tensor, Tensor]:
    """Return `sigma = log(1 + exp(rho))` and its logarithm, finite for finite rho.

    Below -15 softplus(rho) is exp(rho) in float32, so that log sigma is rho itself. The
    logarithm of the rounded sigma would be minus infinity from -104 on. Notebook 01.
    """
    sigma = ops.softplus(rho)
    log_sigma = ops.where(
        rho < -15.0, rho, ops.log(ops.softplus(ops.maximum(rho, -15.0)))
    )
    return sigma, log_sigma


def log_variance(rho: Tensor) -> tuple[Tensor, Tensor]:
    """Return `sigma = exp(rho / 2)` and its logarithm; rho is clipped to [-30, 30]."""
    log_sigma = ops.clip(rho, -LIMIT, LIMIT) / 2.0
    return ops.exp(log_sigma), log_sigma


def log_deviation(rho: Tensor) -> tuple[Tensor, Tensor]:
    """Return `sigma = exp(rho)` and its logarithm; rho is clipped to [-15, 15]."""
    log_sigma = ops.clip(rho, -LIMIT / 2.0, LIMIT / 2.0)
    return ops.exp(log_sigma), log_sigma


def direct(rho: Tensor) -> tuple[Tensor, Tensor]:
    """Return `sigma = |rho|` and its logarithm: no guard, singular at zero."""
    sigma = ops.absolute(rho)  # a sign would only mirror epsilon
    return sigma, ops.log(sigma)


def bounded(rho: Tensor) -> tuple[Tensor, Tensor]:
    """Return `sigma = 2 sigmoid(rho)` and its logarithm: below 2, and 1 at rho = 0.

    The derivative of the rate by rho stays between -1 and 1/3.
    """
    sigma = 2.0 * ops.sigmoid(rho)
    log_sigma = float(np.log(2.0)) - ops.softplus(-rho)
    return sigma, log_sigma


MAPS = softplus, log_variance, log_deviation, direct, bounded
POSTERIORS = {function.__name__: function for function in MAPS}

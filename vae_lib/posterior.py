"""Maps from the encoder's unconstrained output rho to sigma, and the reparametrized
sample.

Notebook 01 explains the softplus map; notebook 02 compares all of them.
"""

import numpy as np
from keras import ops

# exp(30) = 1e13 can still be squared in float32; diffusers clips log-variances to [-30,
# 20]
LIMIT = 30.0


def softplus(rho):
    """Return `sigma = log(1 + exp(rho))` and its logarithm, of the shape of `rho`,
    finite for any finite `rho`.

    Below -15 softplus(rho) equals exp(rho) in float32, so that log sigma is rho itself
    there: the logarithm of the rounded sigma would be minus infinity from -104 on.
    Notebook 01.
    """
    sigma = ops.softplus(rho)
    log_sigma = ops.where(
        rho < -15.0, rho, ops.log(ops.softplus(ops.maximum(rho, -15.0)))
    )
    return sigma, log_sigma


def log_variance(rho):
    """Return `sigma = exp(rho / 2)` and its logarithm, of the shape of `rho`; rho is
    clipped to [-30, 30].

    The usual choice of the Keras, PyTorch and TensorFlow examples (Kingma & Welling
    2014). Notebook 02.
    """
    log_sigma = ops.clip(rho, -LIMIT, LIMIT) / 2.0
    return ops.exp(log_sigma), log_sigma


def log_deviation(rho):
    """Return `sigma = exp(rho)` and its logarithm, of the shape of `rho`; rho is
    clipped to [-15, 15].

    Notebook 02.
    """
    log_sigma = ops.clip(rho, -LIMIT / 2.0, LIMIT / 2.0)
    return ops.exp(log_sigma), log_sigma


def direct(rho):
    """Return `sigma = |rho|` and its logarithm, of the shape of `rho`: no guard,
    singular at zero.

    The sign of rho would only mirror epsilon, so that |rho| draws the same z as the rho
    itself. Notebook 02.
    """
    sigma = ops.absolute(rho)
    return sigma, ops.log(sigma)


def bounded(rho):
    """Return `sigma = 2 sigmoid(rho)` and its logarithm, of the shape of `rho`: below
    2, 1 at rho = 0.

    The derivative of the rate with respect to rho stays between -1 and 1/3, whatever
    rho is. Notebook 02.
    """
    sigma = 2.0 * ops.sigmoid(rho)
    log_sigma = float(np.log(2.0)) - ops.softplus(-rho)
    return sigma, log_sigma


POSTERIORS = {
    "softplus": softplus,
    "log_variance": log_variance,
    "log_deviation": log_deviation,
    "direct": direct,
    "bounded": bounded,
}


def sample(mu, sigma, epsilon):
    """Return `z = mu + sigma * epsilon`, the reparametrized sample, of shape (batch,
    latent_dim).

    `epsilon` is standard normal noise of the shape of `mu`. Kingma & Welling 2014;
    notebook 01.
    """
    return mu + sigma * epsilon

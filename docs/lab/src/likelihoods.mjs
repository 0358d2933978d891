// Models of the pixels, as vae_lib.objectives has them: what x is, what it costs in nats, and what the decoder draws.

import { nn, numpy as np } from "@jax-js/jax";
import { softplus } from "./maps.mjs";

export const MEAN = 0.1307; // of MNIST's training pixels in [0, 1]
export const DEVIATION = 0.3081;

export const LIKELIHOODS = {
  bernoulli: {
    prepare: (pixels) => pixels,
    /** The cross-entropy summed over pixels, (batch,), from x in [0, 1] and logits, both (batch, 784). */
    distortion: (x, logits) => np.sum(softplus(logits.ref).sub(x.mul(logits)), -1),
    mean: (logits) => nn.sigmoid(logits),
  },
  gaussian: {
    prepare: (pixels) => pixels.sub(MEAN).mul(1 / DEVIATION),
    /** The squared error summed over standardised pixels, (batch,): the original project's loss. */
    distortion: (x, mean) => {
      const error = x.sub(mean);
      return np.sum(error.ref.mul(error), -1);
    },
    mean: (standardised) => standardised.mul(DEVIATION).add(MEAN),
  },
};

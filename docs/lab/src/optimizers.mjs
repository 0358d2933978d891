// Adam (Kingma and Ba 2015, with Keras' constants) and plain gradient descent. State and rule are jax-js arrays.

import { numpy as np } from "@jax-js/jax";

const [MOMENTUM, SQUARES, EPSILON] = [0.9, 0.999, 1e-7];

export const OPTIMIZERS = {
  adam: {
    slots: 2, // running means of the gradient and of its square
    /** The step's size with the bias of the running means corrected; `step` counts from 1. */
    rate: (learningRate, step) =>
      (learningRate * Math.sqrt(1 - SQUARES ** step)) / (1 - MOMENTUM ** step),
    update(weight, gradient, [mean, square], rate) {
      mean = mean.mul(MOMENTUM).add(gradient.ref.mul(1 - MOMENTUM));
      square = square.mul(SQUARES).add(gradient.ref.mul(gradient).mul(1 - SQUARES));
      const change = mean.ref.mul(rate).div(np.sqrt(square.ref).add(EPSILON));
      return [weight.sub(change), [mean, square]];
    },
  },
  sgd: {
    slots: 0,
    rate: (learningRate) => learningRate,
    update: (weight, gradient, slots, rate) => [weight.sub(gradient.mul(rate)), slots],
  },
};

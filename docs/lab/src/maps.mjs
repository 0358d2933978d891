// Maps from the encoder's unconstrained output rho to sigma; each returns [sigma, log sigma], as vae_lib.posterior does.
//
// An array of jax-js is consumed by the function that it is passed to; `.ref` keeps it for another use.

import { nn, numpy as np } from "@jax-js/jax";

const LIMIT = 30; // exp(30) can still be squared in float32

/** Return log(1 + exp(x)), stable for any x and exact for very negative ones. */
export function softplus(x) {
  const e = np.exp(np.abs(x.ref).neg()); // in (0, 1]
  return np.maximum(x, 0).add(log1p(e));
}

/** Return log(1 + e) for e in [0, 1]: 2 artanh(e / (2 + e)) as a series, to the last digit of float32. */
function log1p(e) {
  const s = e.ref.div(e.add(2)); // at most 1/3
  const square = s.ref.mul(s.ref);
  let sum = square.ref.mul(1 / 15).add(1 / 13);
  for (const denominator of [11, 9, 7, 5, 3, 1]) {
    const factor = denominator === 1 ? square : square.ref;
    sum = sum.mul(factor).add(1 / denominator);
  }
  return sum.mul(s).mul(2);
}

function softplusMap(rho) {
  const sigma = softplus(rho.ref);
  const guarded = np.log(softplus(np.maximum(rho.ref, -15)));
  return [sigma, np.where(rho.ref.less(-15), rho, guarded)];
}

function logVariance(rho) {
  const logSigma = np.clip(rho, -LIMIT, LIMIT).mul(0.5);
  return [np.exp(logSigma.ref), logSigma];
}

function logDeviation(rho) {
  const logSigma = np.clip(rho, -LIMIT / 2, LIMIT / 2);
  return [np.exp(logSigma.ref), logSigma];
}

function direct(rho) {
  const sigma = np.abs(rho);
  return [sigma.ref, np.log(sigma)];
}

function bounded(rho) {
  const sigma = nn.sigmoid(rho.ref).mul(2);
  return [sigma, softplus(rho.neg()).neg().add(Math.LN2)];
}

export const MAPS = {
  softplus: softplusMap,
  log_variance: logVariance,
  log_deviation: logDeviation,
  direct,
  bounded,
};

// The networks' arithmetic: Dense layers, the maps from rho to sigma, and the terms of the ELBO.

import { clamp, unpack } from "./numbers.js";

/** @import { Model } from "./codes.js" */

/**
 * @typedef {{W: Float32Array, b: Float32Array, n_in: number, n_out: number}} Layer W is row by row (n_in, n_out)
 * @typedef {string | number[]} Output what follows the last layer: an activation, or [scale, shift]
 * @typedef {{scale: ArrayLike<number>, shift: ArrayLike<number>}} Gate of one hidden layer, before its activation
 * @typedef {{activation?: string, output?: Output, modulation?: Gate[] | null}} Options
 * @typedef {{mu: Float32Array, sigma: Float32Array}} Posterior
 */

/**
 * Unpack the layers that weights.py has packed.
 * @param {DataView} view @param {number[][]} shapes @param {string} dtype @returns {Layer[]}
 */
export function unpackLayers(view, shapes, dtype) {
  const numbers = unpack(view, dtype);
  let place = 0;
  const take = (/** @type {number} */ count) => numbers.subarray(place, (place += count));
  return shapes.map(([n_in, n_out]) => ({ W: take(n_in * n_out), b: take(n_out), n_in, n_out }));
}

/** The layers that a model's traits hold. @param {Model} model @param {string} [prefix] */
export const readLayers = (model, prefix = "") =>
  unpackLayers(model.get(`${prefix}weights`), model.get(`${prefix}shapes`), model.get("dtype"));

const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];

/** The error function to 1.2e-7 (Numerical Recipes, a Chebyshev fit). @param {number} x */
function erf(x) {
  const t = 1 / (1 + Math.abs(x) / 2);
  const complement = t * Math.exp(-x * x + ERFC.reduceRight((sum, c) => sum * t + c, 0));
  return x >= 0 ? 1 - complement : complement - 1;
}

/** @type {Record<string, (a: number) => number>} */
export const ACTIVATIONS = {
  linear: (a) => a,
  relu: (a) => (a > 0 ? a : 0),
  gelu: (a) => (a * (1 + erf(a / Math.SQRT2))) / 2,
  tanh: Math.tanh,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
};

/** @param {Layer} layer @param {ArrayLike<number>} inputs */
function affine({ W, b, n_in, n_out }, inputs) {
  const sums = Float32Array.from(b);
  for (let i = 0; i < n_in; i++) {
    const input = inputs[i];
    if (input === 0) continue; // after a ReLU, half of them
    for (let j = 0, k = i * n_out; j < n_out; j++, k++) sums[j] += input * W[k];
  }
  return sums;
}

/**
 * Run a network: a decoder gives pixels for the code `inputs`.
 * @param {Layer[]} layers @param {ArrayLike<number>} inputs @param {Options} [options] @returns {Float32Array}
 */
export function run(layers, inputs, { activation = "relu", output = "sigmoid", modulation = null } = {}) {
  const last = layers.length - 1;
  const finish =
    typeof output === "string" ? ACTIVATIONS[output] : (/** @type {number} */ a) => a * output[0] + output[1];
  let values = inputs;
  layers.forEach((layer, depth) => {
    const sums = affine(layer, values);
    const gate = depth < last ? modulation?.[depth] : null;
    if (gate) for (let j = 0; j < sums.length; j++) sums[j] = sums[j] * gate.scale[j] + gate.shift[j];
    const act = depth < last ? ACTIVATIONS[activation] : finish;
    for (let j = 0; j < sums.length; j++) sums[j] = act(sums[j]);
    values = sums;
  });
  return /** @type {Float32Array} */ (values);
}

const softplus = (/** @type {number} */ a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));

/**
 * The maps from rho to sigma, as in vae_lib.posterior.
 * @type {Record<string, (rho: number) => number>}
 */
export const SIGMAS = {
  softplus,
  log_variance: (rho) => Math.exp(clamp(rho, -30, 30) / 2),
  log_deviation: (rho) => Math.exp(clamp(rho, -15, 15)),
  direct: Math.abs,
  bounded: (rho) => 2 * ACTIVATIONS.sigmoid(rho),
};

/**
 * Pixels as encoder and distortion see them: standardised where the likelihood is Gaussian.
 * @param {Float32Array} pixels
 * @param {Output} output
 */
const prepared = (pixels, output) =>
  typeof output === "string" ? pixels : pixels.map((pixel) => (pixel - output[1]) / output[0]);

/**
 * Encode pixels; the encoder's last layer holds mu and rho side by side.
 * @param {Layer[]} layers @param {Float32Array} pixels
 * @param {{activation: string, output: Output, posterior: string}} options @returns {Posterior}
 */
export function encode(layers, pixels, { activation, output, posterior }) {
  const both = run(layers, prepared(pixels, output), { activation, output: "linear" });
  const dim = both.length / 2;
  return { mu: both.subarray(0, dim), sigma: both.subarray(dim).map(SIGMAS[posterior]) };
}

/**
 * The terms of the −ELBO in nats: the rate in closed form, the distortion as the mean over draws of epsilon.
 * @param {Layer[]} decoder @param {Float32Array} pixels @param {Posterior} posterior
 * @param {{activation: string, output: Output}} options @param {Float32Array[]} epsilons
 */
export function elboTerms(decoder, pixels, { mu, sigma }, { activation, output }, epsilons) {
  const x = prepared(pixels, output);
  const cost = (/** @type {number} */ a, /** @type {number} */ i) =>
    typeof output === "string" ? softplus(a) - x[i] * a : (x[i] - a) ** 2;
  let [distortion, rate] = [0, 0];
  mu.forEach((m, i) => (rate += (m * m + sigma[i] ** 2 - 1) / 2 - Math.log(sigma[i])));
  for (const epsilon of epsilons) {
    const z = mu.map((m, i) => m + sigma[i] * epsilon[i]);
    run(decoder, z, { activation, output: "linear" }).forEach((a, i) => (distortion += cost(a, i)));
  }
  return { distortion: distortion / epsilons.length, rate };
}

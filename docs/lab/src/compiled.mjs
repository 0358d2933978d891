// The compiled functions of a network, made once for settings that ask for the same computation.
//
// beta, learning rate and digits are arguments: another value compiles nothing.

import { grad, jit, numpy as np, valueAndGrad } from "@jax-js/jax";
import { LIKELIHOODS } from "./likelihoods.mjs";
import { MAPS } from "./maps.mjs";
import { decode, encode, halves, loss, unitRates } from "./model.mjs";
import { OPTIMIZERS } from "./optimizers.mjs";

const KEPT = 3; // sets of functions that stay compiled, the least recently used going first
const cache = new Map();

/** Return the compiled functions for `settings` on `device`. */
export function compiled(settings, device) {
  const { latentDim, hidden, posterior, likelihood, optimizer } = settings;
  const key = JSON.stringify([latentDim, hidden, posterior, likelihood, optimizer, device]);
  const functions = cache.get(key) ?? compile(settings);
  cache.delete(key);
  cache.set(key, functions);
  for (const [old, unused] of cache) {
    if (cache.size <= KEPT) break;
    cache.delete(old);
    for (const one of Object.values(unused)) one.dispose();
  }
  return functions;
}

function compile(settings) {
  const likelihood = LIKELIHOODS[settings.likelihood];
  const toSigma = MAPS[settings.posterior];
  const optimizer = OPTIMIZERS[settings.optimizer];
  const lossOf = (weights, pixels, epsilon, beta) => loss(settings, weights, pixels, epsilon, beta);

  return {
    /** One gradient step: new weights, new optimizer state, and [loss, distortion, rate, squared norm of the gradient]. */
    step: jit((weights, slots, pixels, epsilon, beta, rate) => {
      const kept = weights.map((weight) => weight.ref);
      const [[total, [distortion, nats]], gradients] = valueAndGrad(lossOf, { hasAux: true })(kept, pixels, epsilon, beta);
      const norm = gradients.map((g) => np.sum(g.ref.mul(g.ref))).reduce((sum, square) => sum.add(square));
      const updated = weights.map((weight, i) => optimizer.update(weight, gradients[i], slots[i], rate.ref));
      rate.dispose();
      return [updated.map(([weight]) => weight), updated.map(([, slot]) => slot), np.stack([total, distortion, nats, norm])];
    }),

    /** The loss [loss, distortion, rate] and the gradient of every weight. */
    gradients: jit((weights, pixels, epsilon, beta) => {
      const [[total, [distortion, nats]], gradients] = valueAndGrad(lossOf, { hasAux: true })(weights, pixels, epsilon, beta);
      return [np.stack([total, distortion, nats]), gradients];
    }),

    /** Codes of digits and what they cost: [mu, sigma, distortion at one z, rate of each unit]. */
    look: jit((weights, pixels, epsilon) => {
      const [encoder, decoder] = halves(settings, weights);
      const x = likelihood.prepare(pixels);
      const [mu, rho] = encode(settings, encoder, x.ref);
      const [sigma, logSigma] = toSigma(rho);
      const z = mu.ref.add(sigma.ref.mul(epsilon));
      const distortion = likelihood.distortion(x, decode(settings, decoder, z));
      return [mu.ref, sigma.ref, distortion, unitRates(mu, sigma, logSigma)];
    }),

    /** The images that the decoder draws at codes z, pixels (batch, 784). */
    draw: jit((decoder, z) => likelihood.mean(decode(settings, decoder, z))),

    /** The way of one digit there and back: values and the gradients of loss, all of batch 1. */
    trace: jit((weights, pixels, epsilon, beta) => {
      const [encoder, decoder] = halves(settings, weights);
      const x = likelihood.prepare(pixels);
      const [mu, rho] = encode(settings, encoder, x.ref);
      const [sigma, logSigma] = toSigma(rho.ref);
      const z = mu.ref.add(sigma.ref.mul(epsilon.ref));
      const keep = (list) => list.map((array) => array.ref);
      const cost = (code) => np.sum(likelihood.distortion(x.ref, decode(settings, keep(decoder), code)));
      const toZ = grad(cost)(z.ref);
      const ofPosterior = (m, r) => {
        const [s, logS] = toSigma(r);
        const nats = np.sum(unitRates(m.ref, s.ref, logS));
        return cost(m.add(s.mul(epsilon.ref))).add(beta.ref.mul(nats));
      };
      const [toMu, toRho] = grad(ofPosterior, { argnums: [0, 1] })(mu.ref, rho.ref);
      const toSigmaGradient = toZ.ref.mul(epsilon.ref).add(beta.ref.mul(sigma.ref.sub(np.reciprocal(sigma.ref))));
      const logits = decode(settings, keep(decoder), z.ref);
      const image = likelihood.mean(logits.ref);
      const distortion = likelihood.distortion(x.ref, logits);
      const rates = unitRates(mu.ref, sigma.ref, logSigma);
      for (const array of [x, beta, epsilon, ...decoder]) array.dispose();
      return [mu, rho, sigma, z, image, distortion, rates, toZ, toMu, toSigmaGradient, toRho];
    }),
  };
}

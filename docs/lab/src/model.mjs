// The variational autoencoder: its layers, its forward pass, its two terms. The same network as vae_lib.model.VAE.

import { nn, numpy as np } from "@jax-js/jax";
import { LIKELIHOODS } from "./likelihoods.mjs";
import { MAPS } from "./maps.mjs";
import { layers } from "./shapes.mjs";

/** Return initial weights as Float32Arrays: He's truncated normal below a ReLU, Glorot's uniform elsewhere, biases 0. */
export function initialWeights(settings, random) {
  return layers(settings).flatMap(({ inputs, outputs, relu }) => {
    const deviation = Math.sqrt(2 / inputs) / 0.87962566103423978; // of a normal cut off at two deviations
    const limit = Math.sqrt(6 / (inputs + outputs));
    const draw = relu ? () => deviation * truncatedNormal(random) : () => limit * (2 * random.uniform() - 1);
    const kernel = new Float32Array(inputs * outputs);
    for (let i = 0; i < kernel.length; i++) kernel[i] = draw();
    return [kernel, new Float32Array(outputs)];
  });
}

function truncatedNormal(random) {
  let value;
  do value = random.normal();
  while (Math.abs(value) > 2);
  return value;
}

function dense(h, kernel, bias) {
  return np.matmul(h, kernel).add(bias);
}

/** Return [mu, rho], each (batch, latentDim), of x (batch, 784). Consumes `weights`, the whole list. */
export function encode(settings, weights, x) {
  const count = settings.hidden.length;
  let h = x;
  for (let i = 0; i < count; i++) h = nn.relu(dense(h, weights[2 * i], weights[2 * i + 1]));
  const [muKernel, muBias, rhoKernel, rhoBias] = weights.slice(2 * count);
  return [dense(h.ref, muKernel, muBias), dense(h, rhoKernel, rhoBias)];
}

/** Return the decoder's output (batch, 784) of z (batch, latentDim). Consumes `weights`. */
export function decode(settings, weights, z) {
  const count = settings.hidden.length;
  let h = z;
  for (let i = 0; i < count; i++) h = nn.relu(dense(h, weights[2 * i], weights[2 * i + 1]));
  return dense(h, weights[2 * count], weights[2 * count + 1]);
}

/** Split the list of all weights into the encoder's and the decoder's. */
export function halves(settings, weights) {
  const count = 2 * settings.hidden.length + 4;
  return [weights.slice(0, count), weights.slice(count)];
}

/** Return KL(N(mu, sigma²) ‖ N(0, I)) of every unit, (batch, latentDim), in nats. */
export function unitRates(mu, sigma, logSigma) {
  return mu.ref.mul(mu).add(sigma.ref.mul(sigma)).sub(1).mul(0.5).sub(logSigma);
}

/** Return [distortion, rate], each (batch,), in nats, of pixels (batch, 784) in [0, 1] at noise (batch, latentDim). */
export function terms(settings, weights, pixels, epsilon) {
  const likelihood = LIKELIHOODS[settings.likelihood];
  const [encoder, decoder] = halves(settings, weights);
  const x = likelihood.prepare(pixels);
  const [mu, rho] = encode(settings, encoder, x.ref);
  const [sigma, logSigma] = MAPS[settings.posterior](rho);
  const z = mu.ref.add(sigma.ref.mul(epsilon));
  const distortion = likelihood.distortion(x, decode(settings, decoder, z));
  return [distortion, np.sum(unitRates(mu, sigma, logSigma), -1)];
}

/** Return [loss, [distortion, rate]], batch means in nats per image, with loss = distortion + beta · rate. */
export function loss(settings, weights, pixels, epsilon, beta) {
  const [distortion, rate] = terms(settings, weights, pixels, epsilon).map((term) => np.mean(term));
  return [distortion.ref.add(beta.mul(rate.ref)), [distortion, rate]];
}

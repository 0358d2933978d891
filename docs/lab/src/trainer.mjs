// One training run: weights, optimizer, the order of the digits, and everything that can be asked of a network.

import { defaultDevice, numpy as np } from "@jax-js/jax";
import { compiled } from "./compiled.mjs";
import { halves, initialWeights } from "./model.mjs";
import { OPTIMIZERS } from "./optimizers.mjs";
import { Random } from "./random.mjs";
import { PIXELS, weightShapes } from "./shapes.mjs";

export const BATCH = 128;
export const CHUNK = 256; // digits that one look encodes, and codes that one call draws
const SMOOTHED = 20; // steps that the running means of the training terms look back

/** A number of a step is not finite; the trainer still holds its last good weights. */
export class NotFinite extends Error {}

export class Trainer {
  /** `digits` holds `train` and `heldOut`, each {images: Uint8Array (n·784), labels}; `weights` continue a saved network after `trained` {steps, epochs}. */
  constructor(settings, digits, { device = "wasm", weights = null, trained = null } = {}) {
    this.settings = settings;
    this.digits = digits;
    this.device = device;
    defaultDevice(device);
    this.functions = compiled(settings, device);
    this.random = new Random(settings.seed);
    this.shapes = weightShapes(settings);
    const start = weights ?? initialWeights(settings, this.random);
    this.weights = start.map((values, i) => np.array(values, { shape: this.shapes[i].shape, device }));
    this.slots = this.weights.map((weight) => this.newSlots(weight.shape));
    this.steps = trained?.steps ?? 0;
    this.updates = 0; // those of `steps` that the optimizer knows of
    this.epochs = trained?.epochs ?? 0; // passes over the chosen digits, with its fraction
    this.cursor = 0;
    this.order = null;
    this.orderOf = 0;
    this.recent = [];
    this.noise = new Random(settings.seed + 1); // of looks, so that looking does not change what is learned
  }

  newSlots(shape) {
    return Array.from({ length: OPTIMIZERS[this.settings.optimizer].slots }, () => np.zeros(shape, { device: this.device }));
  }

  /** Return the next batch of the first `count` training digits in a new random order each epoch, pixels in [0, 1]. */
  batch(count) {
    const pixels = new Float32Array(BATCH * PIXELS);
    for (let row = 0; row < BATCH; row++) {
      if (this.orderOf !== count || this.cursor >= count) {
        this.order = this.random.permutation(count);
        this.orderOf = count;
        this.cursor = 0;
      }
      copyDigit(this.digits.train.images, this.order[this.cursor++], pixels, row);
    }
    return pixels;
  }

  /** Take one gradient step; return {loss, distortion, rate}. Throws NotFinite, and keeps the weights, if any is not. */
  async step({ beta, learningRate, trainDigits }) {
    defaultDevice(this.device);
    const pixels = this.array(this.batch(trainDigits), [BATCH, PIXELS]);
    const epsilon = this.array(this.random.normals(BATCH * this.settings.latentDim), [BATCH, this.settings.latentDim]);
    const rate = OPTIMIZERS[this.settings.optimizer].rate(learningRate, this.updates + 1);
    const before = [this.weights.map((weight) => weight.ref), this.slots.map((slot) => slot.map((array) => array.ref))];
    const [weights, slots, numbers] = this.functions.step(
      this.weights, this.slots, pixels, epsilon, this.scalar(beta), this.scalar(rate),
    );
    const values = await numbers.data();
    const [loss, distortion, nats] = values;
    const good = values.every(Number.isFinite);
    [this.weights, this.slots] = good ? [weights, slots] : before;
    release(good ? before : [weights, slots]);
    if (!good) throw new NotFinite(`Step ${this.steps + 1}: distortion ${distortion}, rate ${nats}`);
    this.steps += 1;
    this.updates += 1;
    this.epochs += BATCH / trainDigits;
    this.recent.push([distortion, nats]);
    if (this.recent.length > SMOOTHED) this.recent.shift();
    return { loss, distortion, rate: nats };
  }

  /** Return {distortion, rate}, means over the last steps' batches, or null before the first step. */
  trainTerms() {
    if (!this.recent.length) return null;
    const mean = (i) => this.recent.reduce((sum, pair) => sum + pair[i], 0) / this.recent.length;
    return { distortion: mean(0), rate: mean(1) };
  }

  /** Return {mu, sigma, distortion, unitRates} of `pixels`, a Float32Array of up to CHUNK digits, with z sampled once. */
  async look(pixels, epsilon = null) {
    defaultDevice(this.device);
    const [count, size] = [pixels.length / PIXELS, this.settings.latentDim];
    const noise = padded(epsilon ?? this.noise.normals(count * size), CHUNK * size);
    const results = this.functions.look(
      this.kept(this.weights), this.array(padded(pixels, CHUNK * PIXELS), [CHUNK, PIXELS]), this.array(noise, [CHUNK, size]),
    );
    const [mu, sigma, distortion, unitRates] = await Promise.all(results.map((array) => array.data()));
    return {
      mu: mu.subarray(0, count * size), sigma: sigma.subarray(0, count * size),
      distortion: distortion.subarray(0, count), unitRates: unitRates.subarray(0, count * size),
    };
  }

  /** Return the images (n·784, in [0, 1] or near it) that the decoder draws at up to CHUNK codes `z` (n·latentDim). */
  async draw(z) {
    defaultDevice(this.device);
    const size = this.settings.latentDim;
    const decoder = halves(this.settings, this.weights)[1];
    const images = this.functions.draw(this.kept(decoder), this.array(padded(z, CHUNK * size), [CHUNK, size]));
    return (await images.data()).subarray(0, (z.length / size) * PIXELS);
  }

  /** Return the way of one digit there and back at noise `epsilon`: values and gradients by name. */
  async trace(pixels, epsilon, beta) {
    defaultDevice(this.device);
    const results = this.functions.trace(
      this.kept(this.weights), this.array(pixels, [1, PIXELS]),
      this.array(epsilon, [1, this.settings.latentDim]), this.scalar(beta),
    );
    const names = ["mu", "rho", "sigma", "z", "image", "distortion", "rates", "toZ", "toMu", "toSigma", "toRho"];
    const values = await Promise.all(results.map((array) => array.data()));
    return { epsilon, beta, ...Object.fromEntries(names.map((name, i) => [name, values[i]])) };
  }

  /** Return [loss, distortion, rate] and the gradient of every weight, as Float32Arrays. */
  async gradients(pixels, epsilon, beta) {
    defaultDevice(this.device);
    const count = pixels.length / PIXELS;
    const [numbers, gradients] = this.functions.gradients(
      this.kept(this.weights), this.array(pixels, [count, PIXELS]),
      this.array(epsilon, [count, this.settings.latentDim]), this.scalar(beta),
    );
    return [await numbers.data(), await Promise.all(gradients.map((array) => array.data()))];
  }

  /** Return the weights as Float32Arrays, in Keras' order. */
  async values() {
    return Promise.all(this.weights.map(async (weight) => (await weight.ref.data()).slice()));
  }

  /** Free the arrays of this run; the compiled functions stay for the next. */
  dispose() {
    release([this.weights, this.slots]);
  }

  array(values, shape) {
    return np.array(values, { shape, device: this.device });
  }

  scalar(value) {
    return this.array(Float32Array.of(value), []);
  }

  kept(arrays) {
    return arrays.map((array) => array.ref);
  }
}

/** Copy digit `index` of uint8 `images` into row `row` of `pixels`, as numbers in [0, 1]. */
export function copyDigit(images, index, pixels, row) {
  const [from, to] = [index * PIXELS, row * PIXELS];
  for (let i = 0; i < PIXELS; i++) pixels[to + i] = images[from + i] / 255;
}

function padded(values, length) {
  if (values.length === length) return values;
  const longer = new Float32Array(length);
  longer.set(values);
  return longer;
}

function release(tree) {
  for (const branch of tree) Array.isArray(branch) ? release(branch) : branch.dispose();
}

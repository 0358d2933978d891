// The laboratory's gradient step in TensorFlow.js on WebAssembly, for benchmarks/laboratory.py, which says when to go on.

import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import tf from "@tensorflow/tfjs"; // the whole library: its core alone knows no gradients
import "@tensorflow/tfjs-backend-wasm";

const BATCH = 128;
const { file, count, hidden, latentDim } = JSON.parse(process.argv[2]);
const bytes = readFileSync(file);
await tf.setBackend("wasm");

const encoder = [784, ...hidden];
const decoder = [latentDim, ...hidden.slice().reverse(), 784];
const dense = (inputs, outputs) => ({
  kernel: tf.variable(tf.truncatedNormal([inputs, outputs], 0, Math.sqrt(2 / inputs))), bias: tf.variable(tf.zeros([outputs])),
});
const chain = (widths) => widths.slice(1).map((outputs, i) => dense(widths[i], outputs));
const [encoding, decoding] = [chain(encoder), chain(decoder)];
const [toMu, toRho] = [dense(encoder.at(-1), latentDim), dense(encoder.at(-1), latentDim)];
const variables = [...encoding, toMu, toRho, ...decoding].flatMap(({ kernel, bias }) => [kernel, bias]);
const apply = (h, { kernel, bias }) => tf.add(tf.matMul(h, kernel), bias);
const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-7);

function loss(x) {
  let h = x;
  for (const layer of encoding) h = tf.relu(apply(h, layer));
  const [mu, rho] = [apply(h, toMu), apply(h, toRho)];
  const sigma = tf.softplus(rho);
  const rate = tf.sum(tf.sub(tf.mul(tf.add(tf.square(mu), tf.sub(tf.square(sigma), 1)), 0.5), tf.log(sigma)));
  h = tf.add(mu, tf.mul(sigma, tf.randomNormal([BATCH, latentDim])));
  decoding.forEach((layer, i) => (h = i + 1 < decoding.length ? tf.relu(apply(h, layer)) : apply(h, layer)));
  const distortion = tf.sum(tf.sub(tf.softplus(h), tf.mul(x, h)));
  return tf.div(tf.add(distortion, rate), BATCH);
}

async function epoch() {
  const order = tf.util.createShuffledIndices(count);
  const begin = performance.now();
  let [total, steps] = [0, 0];
  for (let start = 0; start < count; start += BATCH, steps++) {
    const pixels = new Float32Array(BATCH * 784);
    for (let row = 0; row < BATCH; row++) {
      const from = order[(start + row) % count] * 784;
      for (let i = 0; i < 784; i++) pixels[row * 784 + i] = bytes[from + i] / 255;
    }
    const value = tf.tidy(() => optimizer.minimize(() => loss(tf.tensor2d(pixels, [BATCH, 784])), true, variables));
    total += (await value.data())[0];
    value.dispose();
  }
  return { seconds: (performance.now() - begin) / 1000, loss: total / steps };
}

console.log(JSON.stringify("ready"));
for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(await epoch()));

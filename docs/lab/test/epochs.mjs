// Epochs of the laboratory's own trainer in node: one for every line that is read, for benchmarks/laboratory.py.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { init } from "@jax-js/jax";
import { BATCH, copyDigit, Trainer } from "../src/trainer.mjs";

const { file, count, settings, heldOut = null, decay = null } = JSON.parse(process.argv[2]);
await init("wasm");
const train = { images: new Uint8Array(readFileSync(file)) };
const judged = heldOut && new Uint8Array(readFileSync(heldOut));
const trainer = new Trainer(settings, { train });
let epochs = 0;

/** Return {distortion, rate} of the held-out images, z sampled once. */
async function evaluation() {
  const sums = [0, 0];
  const images = judged.length / 784;
  for (let first = 0; first < images; first += 250) {
    const pixels = new Float32Array(Math.min(250, images - first) * 784);
    for (let row = 0; row < pixels.length / 784; row++) copyDigit(judged, first + row, pixels, row);
    const seen = await trainer.look(pixels);
    sums[0] += seen.distortion.reduce((a, b) => a + b, 0);
    sums[1] += seen.unitRates.reduce((a, b) => a + b, 0);
  }
  return { distortion: sums[0] / images, rate: sums[1] / images };
}

async function epoch() {
  const steps = Math.ceil(count / BATCH);
  const learningRate = decay ? settings.learningRate * decay.factor ** Math.max(0, (epochs - decay.from) / decay.over) : settings.learningRate;
  const begin = performance.now();
  let total = 0;
  for (let i = 0; i < steps; i++) total += (await trainer.step({ ...settings, learningRate, trainDigits: count })).loss;
  epochs += 1;
  return { seconds: (performance.now() - begin) / 1000, loss: total / steps, ...(judged ? await evaluation() : {}) };
}

console.log(JSON.stringify("ready"));
for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(await epoch()));

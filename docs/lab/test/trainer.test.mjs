import assert from "node:assert/strict";
import test, { before } from "node:test";
import { init, numpy as np } from "@jax-js/jax";
import { MAPS, softplus } from "../src/maps.mjs";
import { OPTIMIZERS } from "../src/optimizers.mjs";
import { Random } from "../src/random.mjs";
import { DEFAULTS } from "../src/settings.mjs";
import { BATCH, NotFinite, Trainer } from "../src/trainer.mjs";
import { linearOptimum } from "../src/theory.mjs";
import { stripes } from "./stripes.mjs";

const SMALL = { ...DEFAULTS, hidden: [16], trainDigits: 256 };
before(() => init("wasm"));

test("softplus is exact to single precision, far out and near zero", async () => {
  const xs = [-80, -30, -15, -3, -0.1, 0, 0.1, 3, 15, 90];
  const found = await softplus(np.array(xs)).data();
  xs.forEach((x, i) => {
    const exact = x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
    assert.ok(Math.abs(found[i] - exact) <= 1e-5 * exact + 1e-37, `softplus(${x}) = ${found[i]}, not ${exact}`);
  });
});

test("every map gives sigma and its logarithm, finite wherever rho is", async () => {
  for (const [name, map] of Object.entries(MAPS)) {
    const [sigma, logSigma] = await Promise.all(map(np.array([-100, -20, -1, 0.5, 1, 20, 100])).map((array) => array.data()));
    sigma.forEach((value, i) => {
      assert.ok(Number.isFinite(logSigma[i]), `${name}: log sigma is ${logSigma[i]}`);
      if (value > 1e-30) assert.ok(Math.abs(Math.log(value) - logSigma[i]) < 2e-4, `${name}: ${value} and ${logSigma[i]}`);
    });
  }
});

test("Adam takes Keras' steps", async () => {
  const [gradients, rate] = [[0.5, -2, 0.25], 0.1];
  let weight = np.array([1]);
  let slots = [np.zeros([1]), np.zeros([1])];
  let [w, m, v] = [1, 0, 0];
  for (const [i, g] of gradients.entries()) {
    const size = OPTIMIZERS.adam.rate(rate, i + 1);
    [weight, slots] = OPTIMIZERS.adam.update(weight, np.array([g]), slots, np.array(size));
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w -= (rate * Math.sqrt(1 - 0.999 ** (i + 1)) / (1 - 0.9 ** (i + 1)) * m) / (Math.sqrt(v) + 1e-7);
  }
  assert.ok(Math.abs((await weight.data())[0] - w) < 1e-5);
});

test("training lowers the loss, beta acts on the next step, and the same seed gives the same run", async () => {
  const course = async () => {
    const trainer = new Trainer(SMALL, stripes());
    const losses = [];
    for (let i = 0; i < 60; i++) losses.push((await trainer.step(SMALL)).loss);
    const { distortion, rate, loss } = await trainer.step({ ...SMALL, beta: 12 });
    assert.ok(Math.abs(loss - (distortion + 12 * rate)) < 1e-3 * loss);
    trainer.dispose();
    return losses;
  };
  const [first, second] = [await course(), await course()];
  assert.deepEqual(first, second);
  assert.ok(first.at(-1) < 0.7 * first[0], `${first[0]} → ${first.at(-1)}`);
});

test("looking and drawing do not change what is learned", async () => {
  const after = async (look) => {
    const trainer = new Trainer(SMALL, stripes());
    for (let i = 0; i < 5; i++) {
      await trainer.step(SMALL);
      if (look) {
        await trainer.look(new Float32Array(3 * 784));
        await trainer.draw(new Float32Array(10));
        await trainer.trace(new Float32Array(784), new Float32Array(2), 1);
      }
    }
    const values = await trainer.values();
    trainer.dispose();
    return values;
  };
  assert.deepEqual(await after(true), await after(false));
});

test("a number that is not finite stops the step and keeps the last good weights", async () => {
  const trainer = new Trainer({ ...SMALL, optimizer: "sgd" }, stripes());
  await trainer.step({ ...SMALL, learningRate: 1e-4 });
  let good = await trainer.values();
  const wild = { ...SMALL, learningRate: 1e6 };
  await assert.rejects(async () => {
    for (let i = 0; i < 50; i++) {
      good = await trainer.values();
      await trainer.step(wild);
    }
  }, NotFinite);
  const kept = await trainer.values();
  assert.deepEqual(kept, good);
  assert.ok(kept.every((values) => values.every(Number.isFinite)));
  trainer.dispose();
});

test("the trace of one digit adds up and agrees with the gradients of the network", async () => {
  const trainer = new Trainer(SMALL, stripes());
  const pixels = new Random(5).normals(784).map((value) => Math.min(1, Math.abs(value)));
  const epsilon = Float32Array.of(0.7, -1.2);
  const t = await trainer.trace(pixels, epsilon, 4);
  const [[loss, distortion, rate], gradients] = await trainer.gradients(pixels, epsilon, 4);
  const close = (a, b) => assert.ok(Math.abs(a - b) <= 2e-4 * Math.max(1, Math.abs(b)), `${a} and ${b}`);
  close(t.distortion[0], distortion);
  close(t.rates[0] + t.rates[1], rate);
  close(t.distortion[0] + 4 * (t.rates[0] + t.rates[1]), loss);
  for (let i = 0; i < 2; i++) {
    close(t.z[i], t.mu[i] + t.sigma[i] * epsilon[i]);
    close(t.toMu[i], t.toZ[i] + 4 * t.mu[i]);
    close(t.toSigma[i], t.toZ[i] * epsilon[i] + 4 * (t.sigma[i] - 1 / t.sigma[i]));
    close(t.toRho[i], t.toSigma[i] / (1 + Math.exp(-t.rho[i]))); // softplus
    close(t.toMu[i], gradients[3][i]); // of the bias of mu
    close(t.toRho[i], gradients[5][i]); // of the bias of rho
  }
  trainer.dispose();
});

test("an untrained decoder draws an even grey at z = 0, and noise further out, as the page says", async () => {
  const trainer = new Trainer(DEFAULTS, stripes());
  const images = await trainer.draw(Float32Array.of(0, 0, 2.8, 2.8));
  const [middle, corner] = [images.subarray(0, 784), images.subarray(784)];
  assert.ok(middle.every((value) => Math.abs(value - 0.5) < 1e-6));
  const spread = Math.sqrt(corner.reduce((sum, value) => sum + (value - 0.5) ** 2, 0) / 784);
  assert.ok(spread > 0.2, `${spread}`);
  trainer.dispose();
});

test("batches take every digit once an epoch, in an order that changes", () => {
  const trainer = new Trainer(SMALL, stripes());
  const rows = () => Array.from({ length: 256 / BATCH }, () => trainer.batch(256)).flatMap((pixels) =>
    Array.from({ length: BATCH }, (_, row) => Math.round(pixels[row * 784] * 255)));
  const [first, second] = [rows(), rows()];
  assert.deepEqual([...first].sort((a, b) => a - b), Array.from({ length: 256 }, (_, i) => i));
  assert.notDeepEqual(first, second);
  trainer.dispose();
});

test("a linear network arrives at its exact optimum, within 0.5 %", async () => {
  const digits = stripes({ binary: false });
  const { eigenvalues } = digits;
  const settings = { ...DEFAULTS, hidden: [], likelihood: "gaussian", trainDigits: 256 };
  const beta = 0.5 * eigenvalues[1];
  const trainer = new Trainer(settings, digits);
  for (let i = 0; i < 1200; i++) await trainer.step({ ...settings, beta, learningRate: 1e-2 * 0.003 ** Math.max(0, (i - 400) / 800) });
  const sums = [0, 0];
  for (const point of [[1, 0], [-1, 0], [0, 1], [0, -1]]) { // the cost is quadratic in ε: four points give its exact mean
    const epsilon = Float32Array.from({ length: 2 * 256 }, (_, i) => Math.SQRT2 * point[i % 2]);
    const seen = await trainer.look(Float32Array.from(digits.train.images, (grey) => grey / 255), epsilon);
    sums[0] += seen.distortion.reduce((a, b) => a + b, 0);
    sums[1] += seen.unitRates.reduce((a, b) => a + b, 0);
  }
  const loss = (sums[0] + beta * sums[1]) / (4 * 256);
  const best = linearOptimum(eigenvalues, 2, beta);
  const optimum = best.distortion + beta * best.rate;
  assert.ok(best.rate > 0.5, "the optimum has a code");
  assert.ok(Math.abs(loss / optimum - 1) < 0.005, `${loss} against ${optimum}`);
  trainer.dispose();
});

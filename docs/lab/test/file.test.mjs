import assert from "node:assert/strict";
import test from "node:test";
import { fromFile, toFile } from "../src/file.mjs";
import { weightShapes } from "../src/shapes.mjs";

const settings = { latentDim: 3, hidden: [5, 4], posterior: "bounded", likelihood: "gaussian" };
const weights = weightShapes(settings).map(({ shape }, i) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, j) => Math.fround(Math.sin(i + j) / 3)));

test("a network survives its file", () => {
  const trained = { steps: 240, epochs: 3.072 };
  const read = fromFile(toFile(settings, 0.1, weights, trained));
  assert.deepEqual(read.settings, settings);
  assert.equal(read.beta, 0.1);
  assert.deepEqual(read.weights, weights);
  assert.deepEqual(read.trained, trained);
});

test("a file that does not say how long its network was trained, or says nonsense, opens all the same", () => {
  for (const trained of [undefined, null, 7, {}, { steps: -1, epochs: 0 }, { steps: 1.5, epochs: 1 }, { steps: 3, epochs: "x" }]) {
    assert.equal(fromFile(toFile(settings, 1, weights, trained)).trained, null);
  }
});

test("damaged and foreign files are refused with a sentence", () => {
  const good = JSON.parse(toFile(settings, 1, weights));
  const changed = (change) => JSON.stringify(Object.assign(structuredClone(good), change));
  const cases = [
    ["{", /damaged or no network/],
    ["[]", /holds no network/],
    ["null", /holds no network/],
    [changed({ format: "other" }), /holds no network/],
    [changed({ version: 2 }), /version 2/],
    [changed({ settings: { ...good.settings, latent_dim: 4 } }), /the shape of encoder\/mu/],
    [changed({ settings: { ...good.settings, activation: "tanh" } }), /activation is "tanh"/],
    [changed({ settings: { ...good.settings, hidden: [1e9] } }), /hidden is/],
    [changed({ weights: good.weights.slice(1) }), /number of weights/],
    [changed({ weights: good.weights.map((w, i) => (i ? w : { ...w, data: "?" })) }), /are damaged/],
    [changed({ weights: good.weights.map((w, i) => (i ? w : { ...w, data: w.data.slice(0, 40) })) }), /number of values/],
  ];
  for (const [text, message] of cases) assert.throws(() => fromFile(text), message);
  const infinite = weights.map((values, i) => (i ? values : values.map(() => Infinity)));
  assert.throws(() => fromFile(toFile(settings, 1, infinite)), /not finite/);
});

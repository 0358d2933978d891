import assert from "node:assert/strict";
import test from "node:test";
import { BETA_MARKS, betaAt, checked, DEFAULTS, fromAddress, LIVE, positionOf, toAddress } from "../src/settings.mjs";

test("the slider stops at 0 and meets every mark exactly", () => {
  assert.equal(betaAt(0), 0);
  for (const mark of BETA_MARKS) assert.equal(betaAt(positionOf(mark)), mark);
});

test("the slider never runs backwards", () => {
  let last = -1;
  for (let i = 0; i <= 1000; i++) {
    const beta = betaAt(i / 1000);
    assert.ok(beta >= last, `${beta} after ${last} at ${i / 1000}`);
    last = beta;
  }
  assert.equal(last, 400);
});

test("an address restores its settings", () => {
  const settings = { ...DEFAULTS, beta: 0.1, hidden: [], latentDim: 10, posterior: "direct", mean: true, seed: 7, learningRate: 0.0003 };
  const [restored, complaints] = fromAddress(toAddress(settings));
  assert.deepEqual(restored, settings);
  assert.deepEqual(complaints, []);
  assert.equal(toAddress(DEFAULTS), "");
});

test("an address that makes no sense is told of and not obeyed", () => {
  const [settings, complaints] = fromAddress("beta=-1&latentDim=2.5&hidden=9999&posterior=magic&colour=red&seed=&learningRate=x");
  assert.deepEqual(settings, DEFAULTS);
  assert.equal(complaints.length, 7);
  assert.match(complaints[0], /beta is "-1": pass a number from 0/);
  assert.match(complaints[4], /no setting colour/);
});

test("settings are checked by name and value", () => {
  assert.deepEqual(checked({ beta: "12", hidden: [64, 32] }), { beta: 12, hidden: [64, 32] });
  for (const bad of [{ beta: NaN }, { beta: Infinity }, { trainDigits: 100 }, { latentDim: 0 }, { hidden: [0] }, { likelihood: "poisson" }]) {
    assert.throws(() => checked(bad), /pass /);
  }
  assert.ok(LIVE.every((name) => name in DEFAULTS));
});

import assert from "node:assert/strict";
import test from "node:test";
import { History, Runs } from "../src/state.mjs";
import { linearCurve, linearOptimum } from "../src/theory.mjs";

test("a long history is thinned and keeps its first and last entries", () => {
  const history = new History();
  for (let step = 0; step < 20000; step++) history.enter({ step });
  assert.ok(history.length <= 1200);
  assert.equal(history.at(-1).step, 19999);
  assert.ok(history[0].step < 40);
  assert.ok(history.every((entry, i) => !i || entry.step > history[i - 1].step));
});

test("an entry of the same step takes the place of the last", () => {
  const history = new History();
  history.enter({ step: 1, rate: 1 });
  history.enter({ step: 1, rate: 2 });
  assert.deepEqual(Array.from(history), [{ step: 1, rate: 2 }]);
});

test("four runs are kept, each in a colour of its own, and a fifth is refused", () => {
  const runs = new Runs();
  for (let i = 0; i < 4; i++) runs.keep({ name: "β = 1", history: [] });
  assert.equal(new Set(runs.kept.map((run) => run.colour)).size, 4);
  assert.throws(() => runs.keep({ history: [] }), /remove one first/);
  assert.deepEqual(runs.kept.map((run) => run.name), ["β = 1", "β = 1 (2)", "β = 1 (3)", "β = 1 (4)"]);
  const [, second] = runs.kept;
  runs.remove(second);
  const { colour, name } = runs.keep({ name: "β = 1", history: [] });
  assert.deepEqual([colour, name, runs.room], [second.colour, second.name, 0]);
  const again = new Runs();
  again.keep({ name: "a", colour: runs.kept[2].colour });
  assert.equal(again.keep({ name: "b", colour: "red" }).colour, runs.kept[0].colour);
  assert.equal(again.kept[0].colour, runs.kept[2].colour);
});

test("runs of one likelihood are found without those of the other", () => {
  const runs = new Runs();
  for (const likelihood of ["bernoulli", "gaussian", "bernoulli"]) runs.keep({ history: [], settings: { likelihood } });
  assert.deepEqual(runs.of("bernoulli"), [runs.kept[0], runs.kept[2]]);
});

test("the linear optimum is reverse water-filling", () => {
  const { distortion, rate } = linearOptimum([10, 4, 1], 2, 8); // a noise variance of 4
  assert.equal(distortion, 4 + 4 + 1);
  assert.ok(Math.abs(rate - Math.log(2.5) / 2) < 1e-12);
  const curve = linearCurve([10, 4, 1], 2);
  assert.equal(curve[0].rate, 0);
  for (let i = 1; i < curve.length; i++) assert.ok(curve[i].rate >= curve[i - 1].rate && curve[i].distortion <= curve[i - 1].distortion);
});

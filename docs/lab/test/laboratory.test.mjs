import assert from "node:assert/strict";
import test from "node:test";
import { Laboratory } from "../src/laboratory.mjs";
import { DEFAULTS } from "../src/settings.mjs";

const picture = (run, step = 0) => ({ type: "picture", run, step, heldOut: { distortion: 200, rate: 3 }, train: null });

/** A laboratory whose worker only writes down what it is told. */
function silent() {
  const lab = new Laboratory(DEFAULTS);
  const told = [];
  lab.worker = { postMessage: ({ type, steps }) => told.push(steps ? `${type} ${steps}` : type) };
  return [lab, told];
}

test("a start reaches the worker before the network is ready, once, and counts from its first picture", () => {
  const [lab, told] = silent();
  lab.start(300);
  assert.deepEqual([told, lab.running, lab.until], [["start 300"], false, null]);
  lab.hear(picture(0));
  assert.deepEqual([told, lab.running, lab.until], [["start 300"], true, 300]);
});

test("a first step that fails before the first picture ends the start that waited", () => {
  const [lab] = silent();
  lab.start();
  lab.hear({ type: "running", run: 0, running: true });
  lab.hear({ type: "failed", run: 0, step: 1 });
  lab.hear({ type: "running", run: 0, running: false, step: 0 });
  lab.hear(picture(0));
  assert.deepEqual([lab.running, lab.failedAt, lab.ready], [false, 1, true]);
});

test("a start of so many steps that is paused before the first picture goes on to the same step", () => {
  const [lab, told] = silent();
  lab.start(300);
  lab.hear({ type: "running", run: 0, running: true });
  lab.pause();
  lab.resume();
  assert.deepEqual(told, ["start 300", "pause", "start 300"]);
});

test("a start that waited counts from where the network began, not from its first picture", () => {
  const [lab] = silent();
  lab.start(300);
  lab.hear({ type: "running", run: 0, running: true });
  lab.hear(picture(0, 1));
  assert.equal(lab.until, 300);
});

test("nothing late of an old network is heard", () => {
  const [lab] = silent();
  lab.hear(picture(0));
  lab.start();
  lab.reset();
  for (const late of [{ type: "running", run: 0, running: true }, { type: "failed", run: 0, step: 3 }, picture(0, 9)]) lab.hear(late);
  assert.deepEqual([lab.running, lab.failedAt, lab.picture], [false, null, null]);
  lab.hear(picture(1));
  assert.equal(lab.state().step, 0);
});

test("a network from a file begins at the step that the file tells", () => {
  const [lab] = silent();
  assert.equal(lab.begunAt, 0);
  lab.reset({ weights: [], trained: { steps: 240, epochs: 3 } });
  assert.equal(lab.begunAt, 240);
  lab.reset({ weights: [], trained: null });
  assert.equal(lab.begunAt, 0);
  lab.reset();
  assert.equal(lab.file, null);
});

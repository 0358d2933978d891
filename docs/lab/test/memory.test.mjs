// Arrays of jax-js are counted by hand: whatever a step, a picture or a new network forgets to release stays for good.

import assert from "node:assert/strict";
import test from "node:test";

const memories = [];
const Memory = WebAssembly.Memory;
WebAssembly.Memory = class extends Memory {
  constructor(options) {
    super(options);
    memories.push(this);
  }
};
const { init } = await import("@jax-js/jax");
const { DEFAULTS } = await import("../src/settings.mjs");
const { NotFinite, Trainer } = await import("../src/trainer.mjs");
const { stripes } = await import("./stripes.mjs");

const used = () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);

test("1,200 steps, pictures, failures and new networks leave the memory flat", async () => {
  await init("wasm");
  const digits = stripes();
  const settings = { ...DEFAULTS, hidden: [16], trainDigits: 256 };
  const work = async (steps) => {
    let trainer = new Trainer(settings, digits);
    for (let i = 0; i < steps; i++) {
      await trainer.step(settings);
      if (i % 10 === 0) {
        await trainer.look(new Float32Array(2 * 784));
        await trainer.draw(new Float32Array(4));
        await trainer.trace(new Float32Array(784), new Float32Array(2), 1);
        await trainer.values();
      }
      if (i % 100 === 99) {
        await assert.rejects(trainer.step({ ...settings, beta: NaN }), NotFinite);
        trainer.dispose();
        trainer = new Trainer(settings, digits);
      }
    }
    trainer.dispose();
  };
  await work(200);
  const before = used();
  assert.ok(before > 1e6, "the memory is watched");
  await work(1200);
  assert.ok(used() <= before, `${before} bytes grew to ${used()}`);
});

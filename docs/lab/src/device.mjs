// Where to compute: WebAssembly everywhere, the graphics processor where a measurement finds it faster.

import { init } from "@jax-js/jax";
import { Trainer } from "./trainer.mjs";

const TRIAL = 1000; // milliseconds that the whole comparison may take

/** Return {device, measured}: "wasm" or "webgpu", and the milliseconds a step of each that was tried. */
export async function chooseDevice(wanted, settings, digits) {
  await init("wasm");
  if (wanted === "wasm" || !globalThis.navigator?.gpu) return { device: "wasm", measured: {} };
  const ready = await init("webgpu").catch(() => []);
  if (!ready.includes("webgpu")) return { device: "wasm", measured: {} };
  if (wanted === "webgpu") return { device: "webgpu", measured: {} };
  const end = performance.now() + TRIAL;
  const measured = { wasm: await stepTime("wasm", settings, digits, performance.now() + TRIAL / 3) };
  measured.webgpu = await stepTime("webgpu", settings, digits, end);
  return { device: measured.webgpu < measured.wasm ? "webgpu" : "wasm", measured };
}

/** Return the median milliseconds of a step on `device`, the first, which compiles, left out; Infinity if it fails. */
async function stepTime(device, settings, digits, end) {
  const times = [];
  try {
    const trainer = new Trainer(settings, digits, { device });
    do {
      const begin = performance.now();
      await trainer.step(settings);
      times.push(performance.now() - begin);
    } while (performance.now() < end || times.length < 2);
    trainer.dispose();
  } catch {
    return Infinity;
  }
  const later = times.slice(1).sort((a, b) => a - b);
  return later[Math.floor(later.length / 2)];
}

// Reads {settings, beta, weights, pixels, epsilon} as JSON from a file and prints loss and gradients as JSON.
// tests/lab lays them beside those of Keras.

import { readFileSync } from "node:fs";
import { init } from "@jax-js/jax";
import { fromFile, toBase64 } from "../src/file.mjs";
import { Trainer } from "../src/trainer.mjs";

const { file, pixels, epsilon } = JSON.parse(readFileSync(process.argv[2], "utf8"));
await init("wasm"); // without a navigator the library would not find it
const { settings, beta, weights } = fromFile(file);
const trainer = new Trainer({ ...settings, optimizer: "adam", seed: 0 }, null, { weights });
const [numbers, gradients] = await trainer.gradients(Float32Array.from(pixels), Float32Array.from(epsilon), beta);
console.log(JSON.stringify({ numbers: [...numbers], gradients: gradients.map(toBase64) }));

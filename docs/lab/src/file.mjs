// A network as one file, `*.vae.json`: settings and weights, for vae_lib.experiments.laboratory_file.load_from_browser and back.

import { weightShapes } from "./shapes.mjs";
import { allowedLatentDim, LIKELIHOOD_NAMES, MAP_NAMES, MAX_WIDTH } from "./settings.mjs";

export const FORMAT = "vae_lib.VAE";
export const VERSION = 1;

/**
 * Return the text of a file that holds `weights` (Float32Arrays in Keras' order) of a network with `settings`, after
 * `trained` {steps, epochs}.
 */
export function toFile(settings, beta, weights, trained) {
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    trained,
    settings: {
      latent_dim: settings.latentDim, hidden: settings.hidden, posterior: settings.posterior,
      likelihood: settings.likelihood, beta, activation: "relu", image_shape: [28, 28],
    },
    weights: weightShapes(settings).map(({ name, shape }, i) => ({ name, shape, data: toBase64(weights[i]) })),
  });
}

/** Return {settings, beta, weights, trained} of a file's text, `trained` null where it does not say; throws an Error with one sentence for anything else. */
export function fromFile(text) {
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error("This file is damaged or no network: choose a .vae.json saved by the laboratory or by vae_lib.");
  }
  if (content?.format !== FORMAT || typeof content.settings !== "object" || !Array.isArray(content.weights)) {
    throw new Error("This file holds no network: choose a .vae.json saved by the laboratory or by vae_lib.");
  }
  if (content.version !== VERSION) {
    throw new Error(`This file is of version ${content.version}; the laboratory reads version ${VERSION}: save it again with this version.`);
  }
  const { latent_dim: latentDim, hidden, posterior, likelihood, beta, activation, image_shape: shape } = content.settings;
  check(activation === "relu", "activation", activation, '"relu"');
  check(Array.isArray(shape) && shape.length === 2 && shape.every((side) => side === 28), "image_shape", shape, "[28, 28]");
  check(allowedLatentDim(latentDim), "latent_dim", latentDim, "a whole number from 1 to 32");
  const widths = Array.isArray(hidden) && hidden.length <= 4 && hidden.every((w) => Number.isInteger(w) && w >= 1 && w <= MAX_WIDTH);
  check(widths, "hidden", hidden, `at most four widths from 1 to ${MAX_WIDTH}`);
  check(MAP_NAMES.includes(posterior), "posterior", posterior, MAP_NAMES.join(", "));
  check(LIKELIHOOD_NAMES.includes(likelihood), "likelihood", likelihood, LIKELIHOOD_NAMES.join(", "));
  check(Number.isFinite(beta) && beta >= 0, "beta", beta, "a number of 0 or more");
  const settings = { latentDim, hidden, posterior, likelihood };
  const shapes = weightShapes(settings);
  check(content.weights.length === shapes.length, "the number of weights", content.weights.length, shapes.length);
  const weights = shapes.map(({ name, shape: wanted }, i) => {
    const stored = content.weights[i];
    check(String(stored?.shape) === String(wanted), `the shape of ${name}`, stored?.shape, JSON.stringify(wanted));
    const values = fromBase64(stored.data, name);
    check(values.length === wanted.reduce((a, b) => a * b, 1), `the number of values of ${name}`, values.length, wanted);
    check(values.every(Number.isFinite), `a value of ${name}`, "not finite", "finite numbers");
    return values;
  });
  const { steps, epochs } = content.trained ?? {};
  const trained = Number.isInteger(steps) && steps >= 0 && Number.isFinite(epochs) && epochs >= 0 ? { steps, epochs } : null;
  return { settings, beta, weights, trained };
}

function check(fine, what, value, allowed) {
  if (!fine) throw new Error(`In this file ${what} is ${JSON.stringify(value)}, but the laboratory takes ${allowed}.`);
}

/** Return the little-endian bytes of a Float32Array as base64. */
export function toBase64(values) {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => view.setFloat32(4 * i, value, true));
  const bytes = new Uint8Array(view.buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}

function fromBase64(text, name) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new Error(`In this file the values of ${name} are damaged: save the network again.`);
  }
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => view.getFloat32(4 * i, true));
}

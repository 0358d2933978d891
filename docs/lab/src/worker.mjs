// The thread that learns. Between two steps it answers the page; at a bounded rate it sends a picture of the network.

import { chooseDevice } from "./device.mjs";
import { unpack } from "./data.mjs";
import { PIXELS } from "./shapes.mjs";
import { CHUNK, copyDigit, NotFinite, Trainer } from "./trainer.mjs";
import { Random } from "./random.mjs";
import { BOARD, boardCodes, keptCodes, NEW_DIGITS, shownDigits } from "./pictures.mjs";

const PART = 250; // held-out digits that one picture encodes; four pictures see all
const [FASTEST, SLOWEST] = [100, 400]; // milliseconds between two pictures, to the nearest step
const SHARE = 0.15; // of the time that pictures may take
const PERIOD = 1000; // milliseconds over which the speed is measured

let digits = null;
let trainer = null;
let device = "wasm";
let live = null; // beta, learningRate, trainDigits, mean: read before every step
let running = false; // gradient steps are being taken
let stopAfter = Infinity; // the step after which it pauses by itself
let heldOut = null; // what is known of the held-out digits: mu, sigma, distortion, unitRates
let looked = false; // whether all of the held-out digits have been seen since the network began
let noise = null; // of the held-out digits, always the same, so that curves do not jitter
let newCodes = null;
let view = { axes: [0, 1], extent: 3, point: [0, 0] };
let drawing = null; // pixels of the reader's own digit
let part = 0;
let nextPicture = 0;
let times = []; // when the last steps ended
let stepCost = 0;
let run = 0; // the page's count of networks

const inbox = new Map(); // the latest message of each type, in the order of arrival
let wake = null;
self.onmessage = ({ data }) => {
  inbox.delete(data.type);
  inbox.set(data.type, data);
  wake?.();
};

const channel = new MessageChannel();
/** Let waiting messages in; unlike a timer without a delay, at once. */
const breath = () => new Promise((resolve) => {
  channel.port1.onmessage = resolve;
  channel.port2.postMessage(0);
});

const say = (type, content = {}, transfer = []) => self.postMessage({ type, ...content }, transfer);

const handlers = {
  async open({ train, heldOut: judged, counts, settings, wanted }) {
    const [learned, judgedDigits] = await Promise.all([unpack(train, counts.train), unpack(judged, counts.heldOut)]);
    digits = { train: learned, heldOut: judgedDigits };
    live = settings;
    const chosen = await chooseDevice(wanted, settings, digits);
    device = chosen.device;
    begin(settings);
    say("ready", chosen);
    if (inbox.has("start")) return; // the first step first, then a picture
    await picture();
    await warmUp();
  },
  async reset({ settings, weights, trained, run: count }) {
    running = false;
    run = count;
    live = settings;
    begin(settings, weights, trained);
    say("fresh");
    await picture();
    await warmUp();
  },
  start({ steps }) {
    running = true;
    times = [];
    stopAfter = steps ? trainer.steps + steps : Infinity;
    say("running", { run, running });
  },
  async pause() {
    if (!running) return;
    await stop();
  },
  live({ settings }) {
    live = settings;
  },
  async view(message) {
    view = { ...view, ...message.view };
    if (!running) await picture();
  },
  async point({ z }) {
    view.point = z;
    const code = new Float32Array(trainer.settings.latentDim);
    view.axes.forEach((axis, i) => (code[axis] = z[i]));
    const image = bytes(await trainer.draw(code));
    say("point", { z, image }, [image.buffer]);
  },
  async codes() {
    newCodes = new Random(Math.floor(Math.random() * 2 ** 32)).normals(NEW_DIGITS * trainer.settings.latentDim);
    if (!running) await picture();
  },
  async keep() {
    const images = bytes(await trainer.draw(keptCodes(trainer.settings.latentDim)));
    say("keep", { run, images }, [images.buffer]);
  },
  async drawing({ pixels }) {
    drawing = pixels;
    if (pixels && !running) await lookAtDrawing();
  },
  async hover({ index }) {
    const image = bytes(await trainer.draw(codeOf(index)));
    say("hover", { index, image }, [image.buffer]);
  },
  async trace({ index, epsilon, stage }) {
    const pixels = new Float32Array(PIXELS);
    copyDigit(digits.train.images, index, pixels, 0);
    const found = await trainer.trace(pixels, epsilon, effectiveBeta());
    say("trace", { index, stage, trace: { ...found, pixels }, step: trainer.steps });
  },
  async save({ purpose }) {
    say("weights", { purpose, weights: await trainer.values(), settings: trainer.settings, beta: live.beta, trained: { steps: trainer.steps, epochs: trainer.epochs } });
  },
};

/** The beta that multiplies the rate when the distortion is summed: averaging over pixels is a larger beta in disguise. */
const effectiveBeta = () => (live.mean ? live.beta * PIXELS : live.beta);
const effectiveRate = () =>
  live.mean && trainer.settings.optimizer === "sgd" ? live.learningRate / PIXELS : live.learningRate;

function begin(settings, weights = null, trained = null) {
  trainer?.dispose();
  trainer = new Trainer(settings, digits, { device, weights, trained });
  const [count, size] = [digits.heldOut.labels.length, settings.latentDim];
  noise = new Random(7).normals(count * size);
  newCodes = new Random(11).normals(NEW_DIGITS * size);
  heldOut = {
    mu: new Float32Array(count * size), sigma: new Float32Array(count * size),
    distortion: new Float32Array(count), unitRates: new Float32Array(count * size),
  };
  view = { axes: [0, Math.min(1, size - 1)], extent: 3, point: [0, 0] };
  looked = false;
  part = 0;
  times = [];
}

/** Compile the gradient step while the reader looks around, unless Start waits: one step whose result is thrown away. */
async function warmUp() {
  await breath();
  if (inbox.has("start") || inbox.has("reset")) return;
  const { settings } = trainer;
  const rehearsal = new Trainer(settings, digits, { device, weights: await trainer.values() });
  try {
    await rehearsal.step({ ...live, beta: effectiveBeta(), learningRate: 0 });
  } catch (error) {
    if (!(error instanceof NotFinite)) throw error; // the run itself will say so
  }
  rehearsal.dispose();
}

const codeOf = (index) => {
  const size = trainer.settings.latentDim;
  return heldOut.mu.slice(index * size, (index + 1) * size);
};

/** Encode part `which` of the held-out digits, and the reader's own beside them. */
async function lookAt(which) {
  const size = trainer.settings.latentDim;
  const pixels = new Float32Array(CHUNK * PIXELS);
  const first = which * PART;
  for (let row = 0; row < PART; row++) copyDigit(digits.heldOut.images, first + row, pixels, row);
  if (drawing) pixels.set(drawing, PART * PIXELS);
  const epsilon = new Float32Array(CHUNK * size);
  epsilon.set(noise.subarray(first * size, (first + PART) * size));
  const seen = await trainer.look(pixels, epsilon);
  for (const [name, width] of [["mu", size], ["sigma", size], ["distortion", 1], ["unitRates", size]]) {
    heldOut[name].set(seen[name].subarray(0, PART * width), first * width);
  }
  if (drawing) await sayDrawing(seen, PART);
}

async function lookAtDrawing() {
  await sayDrawing(await trainer.look(drawing, new Float32Array(trainer.settings.latentDim)), 0);
}

async function sayDrawing(seen, row) {
  const size = trainer.settings.latentDim;
  const of = (name) => seen[name].slice(row * size, (row + 1) * size);
  const image = bytes(await trainer.draw(of("mu")));
  say("drawing", { mu: of("mu"), sigma: of("sigma"), distortion: seen.distortion[row], rates: of("unitRates"), image });
}

async function lookAtAll() {
  for (let which = 0; which * PART < digits.heldOut.labels.length; which++) await lookAt(which);
  looked = true;
}

/** Send the page all that it draws. */
async function picture() {
  if (!looked) await lookAtAll();
  const { settings } = trainer;
  const size = settings.latentDim;
  const codes = new Float32Array(CHUNK * size);
  codes.set(boardCodes(view.axes, view.extent, size));
  shownDigits(digits.heldOut.labels).forEach((index, i) => codes.set(codeOf(index), (BOARD * BOARD + i) * size));
  codes.set(newCodes, (BOARD * BOARD + 10) * size);
  view.axes.forEach((axis, i) => (codes[(CHUNK - 1) * size + axis] = view.point[i]));
  const images = bytes(await trainer.draw(codes));
  const count = digits.heldOut.labels.length;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const units = Array.from({ length: size }, (_, unit) => {
    let [rate, sum, squares] = [0, 0, 0];
    for (let i = unit; i < count * size; i += size) {
      rate += heldOut.unitRates[i];
      sum += heldOut.mu[i];
      squares += heldOut.mu[i] ** 2;
    }
    return { rate: rate / count, variance: squares / count - (sum / count) ** 2 };
  });
  const content = {
    run, step: trainer.steps, epoch: trainer.epochs, beta: live.beta, running, units, images,
    axes: view.axes, extent: view.extent, point: view.point,
    train: trainer.trainTerms(),
    heldOut: { distortion: mean(heldOut.distortion), rate: units.reduce((sum, unit) => sum + unit.rate, 0) },
    mu: heldOut.mu.slice(), sigma: heldOut.sigma.slice(), costs: heldOut.distortion.slice(), unitRates: heldOut.unitRates.slice(),
    stepsPerSecond: speed(), millisecondsPerStep: stepCost,
  };
  say("picture", content, [images.buffer, content.mu.buffer, content.sigma.buffer, content.costs.buffer, content.unitRates.buffer]);
}

function bytes(images) {
  const result = new Uint8ClampedArray(images.length);
  for (let i = 0; i < images.length; i++) result[i] = 255 * images[i];
  return result;
}

/** Steps a second over the last period. */
function speed() {
  const now = performance.now();
  times = times.filter((time) => now - time < PERIOD);
  if (times.length < 2) return 0;
  return (1000 * (times.length - 1)) / (times[times.length - 1] - times[0]);
}

async function step() {
  const begun = performance.now();
  try {
    await trainer.step({ ...live, beta: effectiveBeta(), learningRate: effectiveRate() });
  } catch (error) {
    if (!(error instanceof NotFinite)) throw error;
    say("failed", { run, step: trainer.steps + 1 });
    await stop();
    return;
  }
  const now = performance.now();
  times.push(now);
  stepCost = stepCost ? 0.95 * stepCost + 0.05 * (now - begun) : now - begun;
  if (trainer.updates === 1) say("first");
  if (trainer.steps >= stopAfter) await stop();
}

async function stop() {
  running = false;
  say("running", { run, running, step: trainer.steps });
  await lookAtAll();
  await picture();
}

async function main() {
  for (;;) {
    for (const [type, message] of [...inbox]) {
      inbox.delete(type);
      await handlers[type](message);
    }
    if (inbox.size) continue;
    if (!running) {
      await new Promise((resolve) => (wake = resolve));
      wake = null;
      continue;
    }
    await step();
    await breath();
    const begun = performance.now();
    if (running && !inbox.has("pause") && begun + stepCost / 2 >= nextPicture) {
      if (looked) await lookAt(part);
      part = (part + 1) % (digits.heldOut.labels.length / PART);
      await picture();
      const cost = performance.now() - begun;
      nextPicture = begun + Math.min(SLOWEST, Math.max(FASTEST, cost / SHARE));
    }
    await breath();
  }
}

main().catch((error) => say("broken", { message: String(error?.message ?? error) }));

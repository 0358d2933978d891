// The page: joins its controls and pictures to the laboratory.

import { drawTiles, SIDE, tiles } from "./canvas.mjs";
import { unpack } from "./data.mjs";
import { hasSimd } from "./simd.mjs";
import { fromFile, toFile } from "./file.mjs";
import { Guide } from "./guide.mjs";
import { Ink } from "./ink.mjs";
import { store, stored } from "./kept.mjs";
import { Laboratory } from "./laboratory.mjs";
import { parts, shownDigits } from "./pictures.mjs";
import * as S from "./settings.mjs";
import { Runs } from "./state.mjs";
import { linearCurve } from "./theory.mjs";
import { followTheme } from "./theme.mjs";
import { drawBoard } from "./views/board.mjs";
import { drawCurves } from "./views/curves.mjs";
import { extentFor, Plane } from "./views/plane.mjs";
import { drawRateDistortion } from "./views/rate_distortion.mjs";
import { drawSheet } from "./views/sheet.mjs";
import { drawSlow, STAGES, wordsOf } from "./views/slow.mjs";
import { drawFresh, drawReconstructions } from "./views/strips.mjs";
import { activeUnits, drawUnits, subscript } from "./views/units.mjs";
import * as W from "./words.mjs";

const $ = (id) => document.getElementById(id);
const known = JSON.parse($("known").textContent);
/** The settings in the address; it may name a place of the page instead. */
const inAddress = () => (document.getElementById(location.hash.slice(1)) ? null : location.hash.slice(1));
const [fromLink, complaints] = S.fromAddress(inAddress() ?? "");
const lab = new Laboratory(fromLink);
const runs = new Runs();
const wantedDevice = new URLSearchParams(location.search).get("device");
const DRAWN_AT_MOST = 12; // curves a second

let digits = null; // held-out images and labels
let plane = null;
let images = null; // the newest picture's, in parts
let dirty = new Set(); // what is to be drawn in the next frame
let frame = 0;

// ---------------------------------------------------------------- sentences

/** Show one sentence under the bar; none hides it. */
function say(sentence = "") {
  $("sentence").textContent = sentence;
  $("sentence").hidden = !sentence;
}

/** Let a screen reader say what stands there now. */
function speak(sentence) {
  $("spoken").textContent = sentence;
}

// ---------------------------------------------------------------- drawing, at most once a frame

const ALL = ["plane", "board", "strips", "curves", "rd", "units", "ink", "own", "slow"];

function redraw(...names) {
  for (const name of names.length ? names : ALL) dirty.add(name);
  if (!frame) frame = requestAnimationFrame(draw);
}

let lastCurves = 0;
const DRAWERS = {
  plane: () => plane?.draw(),
  board: () => drawBoard($("board"), images?.board, { point: plane?.point ?? [0, 0], extent: lab.picture?.extent ?? 3 }),
  strips() {
    if (!images) return;
    drawReconstructions($("reconstructions"), originals, images.reconstructions);
    drawFresh($("fresh"), images.fresh);
  },
  curves() {
    const [last, mean] = [lab.history.at(-1)?.elbo, references().meanDistortion];
    const most = Math.max(1.3 * mean, last < 6 * mean ? 1.05 * last : 0);
    drawCurves($("curves"), lab.history, runs.of(lab.settings.likelihood), most);
  },
  rd: () => drawRateDistortion($("rd"), lab.history, runs.of(lab.settings.likelihood), references(), lab.settings.mean ? lab.settings.beta * SIDE * SIDE : lab.settings.beta),
  units: () => lab.picture && drawUnits($("units"), lab.picture.units),
  ink: () => ink.draw(),
  own: () => drawTiles($("own-image"), ownImage ?? NO_INK, 1),
  slow: () => drawSlow($("slow-stage"), slow.stage, slow.trace, slow.after),
};

function draw(now) {
  frame = 0;
  const waits = new Set();
  if (plane?.moving && plane.glide()) waits.add("plane");
  if (plane?.shown) dirty.add("plane");
  for (const name of dirty) {
    const slowOnes = name === "curves" || name === "rd" || name === "units";
    if (slowOnes && now - lastCurves < 1000 / DRAWN_AT_MOST) waits.add(name);
    else DRAWERS[name]();
  }
  if (["curves", "rd", "units"].some((name) => dirty.has(name) && !waits.has(name))) lastCurves = now;
  dirty = waits;
  if (waits.size) frame = requestAnimationFrame(draw);
}

let originals = null;
function references() {
  const { likelihood, latentDim } = lab.settings;
  return {
    meanDistortion: known.meanImage[likelihood],
    curve: likelihood === "gaussian" ? linearCurve(known.eigenvalues, latentDim) : [],
  };
}

// ---------------------------------------------------------------- numbers

function showNumbers() {
  const { picture } = lab;
  if (!picture) return;
  const { distortion, rate } = picture.heldOut;
  $("n-distortion").textContent = W.short(distortion);
  $("n-rate").textContent = W.short(rate);
  $("n-elbo").textContent = W.short(distortion + rate);
  $("n-step").textContent = W.whole(picture.step);
  $("n-epoch").textContent = lab.file && !lab.file.trained ? "since opened" : `epoch ${picture.epoch.toFixed(1)}`;
  $("n-speed").textContent = lab.running ? `${picture.stepsPerSecond.toFixed(0)}/s` : "–";
  const active = activeUnits(picture.units);
  $("units-note").textContent = `${active} of ${picture.units.length} active`;
}

function speakNumbers(first = "Paused") {
  const { picture } = lab;
  if (!picture) return;
  const { distortion, rate } = picture.heldOut;
  speak(`${first} at step ${picture.step}. Held-out digits: distortion ${W.short(distortion)}, rate ${W.short(rate)}, ` +
    `minus ELBO ${W.short(distortion + rate)} nats. ${activeUnits(picture.units)} of ${picture.units.length} units active.`);
}

// ---------------------------------------------------------------- the laboratory's words

lab.addEventListener("picture", ({ detail: picture }) => {
  if (!plane) return; // its digits are still being unpacked; open() shows the picture then
  images = parts(picture.images);
  const size = lab.settings.latentDim;
  plane.take(picture, size, lab.history.length < 2);
  plane.pointImage = images.point;
  const extent = extentFor(picture.mu, size, picture.axes, picture.extent);
  if (extent !== picture.extent) sendView({ extent });
  if (Math.max(...plane.point.map(Math.abs)) > extent) { // the plane has shrunk: the ring stays on it
    movePoint(plane.point.map((value) => Math.min(extent, Math.max(-extent, value))));
  }
  showNumbers();
  $("board-under").textContent = picture.step > lab.begunAt ? "The plane, place by place; drag here, too."
    : !lab.file ? "Untrained: grey in the middle, noise around."
    : lab.file.trained ? `Opened from a file, after ${W.whole(picture.step)} steps.` : "Opened from a file that does not count its steps.";
  redraw("plane", "board", "strips", "curves", "rd", "units");
});
lab.addEventListener("prepared", () => {
  for (const id of ["start", "one", "reset"]) $(id).disabled = false;
});
lab.addEventListener("ready", () => {
  const name = { wasm: "WebAssembly", webgpu: "WebGPU" }[lab.device];
  $("n-device").textContent = name;
  const tried = Object.entries(lab.measured).map(([device, time]) =>
    `${{ wasm: "WebAssembly", webgpu: "WebGPU" }[device]} ${Number.isFinite(time) ? `${time.toFixed(0)} ms` : "did not work"}`);
  $("device-note").textContent = lab.device === "webgpu"
    ? `It computes on your graphics processor, with WebGPU${tried.length ? `, the faster one by measurement (a step: ${tried.join(", ")})` : ""}.`
    : `It computes on your processor, with WebAssembly${tried.length ? `, the faster one by measurement (a step: ${tried.join(", ")})` : "; no WebGPU was found"}.`;
});
let toSpeak = false;
lab.addEventListener("running", ({ detail }) => {
  $("start").textContent = lab.running ? "Pause" : "Start";
  if (!lab.running) $("n-speed").textContent = "–";
  if (detail.running === false && !detail.asked && !detail.anew) toSpeak = true;
  if (lab.running) say();
});
lab.addEventListener("picture", () => {
  if (!toSpeak || lab.running) return;
  toSpeak = false;
  speakNumbers(lab.failedAt ? "Stopped" : "Paused");
});
lab.addEventListener("failed", ({ detail: { step } }) => {
  say(`At step ${W.whole(step)} a number was no longer finite. The run has stopped and holds its last good weights: ` +
    "lower the learning rate or choose another map, then press Reset.");
  scrollBy(0, -$("sentence").offsetHeight); // so that the sentence covers nothing
  redraw("curves", "rd");
});
lab.addEventListener("broken", ({ detail }) => {
  say(`The network cannot be trained here (${detail.message}): open the page in a current Firefox, Chrome, Edge or Safari.`);
});
lab.addEventListener("settings", () => {
  const { settings } = lab;
  if (document.activeElement !== $("beta") || Math.abs(S.betaAt(Number($("beta").value)) - settings.beta) > 1e-9) {
    $("beta").value = S.positionOf(settings.beta);
  }
  showBeta();
  choose($("learning-rate"), settings.learningRate, (value) => String(value));
  choose($("train-digits"), settings.trainDigits, W.whole);
  $("network-summary").textContent = [W.widths(settings), ...["posterior", "likelihood", "optimizer"].filter((name) => settings[name] !== S.DEFAULTS[name])
    .map((name) => settings[name].replace("_", "-").replace("sgd", "SGD")), ...(settings.mean ? ["mean"] : [])].join(", ");
  $("network-open").title = W.inWords(settings);
  $("lede-code").textContent = W.codeInWords(settings.latentDim);
  showLeftOut();
  showAxes();
  history.replaceState(null, "", `#${S.toAddress(settings)}`);
  redraw("rd");
});
lab.addEventListener("point", ({ detail: { z, image } }) => {
  if (!plane) return;
  if (z[0] === plane.point[0] && z[1] === plane.point[1]) plane.pointImage = image;
  redraw("plane");
});

/** Say what is seen in the rate–distortion plane, and which kept runs are not. */
function showLeftOut() {
  const gaussian = lab.settings.likelihood === "gaussian";
  const others = runs.of(gaussian ? "bernoulli" : "gaussian").length;
  $("rd-note").textContent = (gaussian ? "green: the best linear VAE, exact" : "dashed: slope −β") + (others ? `; ${others} ${others > 1 ? "runs" : "run"} left out` : "");
  $("runs-others").textContent = `The pictures above leave out the ${gaussian ? "Bernoulli" : "Gaussian"} runs: nats of two likelihoods do not compare.`;
  $("runs-others").hidden = !others;
}

/** Choose `value` in a list, added to it if a link or a script brought one that it lacks. */
function choose(select, value, word) {
  if (![...select.options].some((option) => option.value === String(value))) select.append(new Option(word(value), String(value)));
  select.value = String(value);
}

// ---------------------------------------------------------------- the bar

$("start").addEventListener("click", () => (lab.running ? lab.pause() : lab.resume()));
$("one").addEventListener("click", () => lab.start(1));
$("reset").addEventListener("click", () => {
  lab.reset();
  say();
  speak("A new network, not yet trained.");
});

function showBeta() {
  const { beta } = lab.settings;
  $("beta-value").textContent = String(Number(beta.toPrecision(3)));
  $("beta").setAttribute("aria-valuetext", `beta ${Number(beta.toPrecision(3))}`);
  $("beta-hint").textContent = lab.settings.mean ? `averaged over pixels: as β = ${W.whole(SIDE * SIDE * beta)}` : beta === 0 ? "the code is free" : beta < 1 ? "a cheap code" : beta === 1 ? "the loss is −ELBO" : beta > 30 ? "a very expensive code" : "an expensive code";
  for (const button of $("beta-marks").children) button.setAttribute("aria-pressed", Number(button.dataset.beta) === beta);
}
for (const mark of S.BETA_MARKS) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: String(mark), title: `β = ${mark}` });
  button.setAttribute("aria-label", `beta ${mark}`);
  button.dataset.beta = mark;
  button.style.left = `${100 * S.positionOf(mark)}%`;
  button.addEventListener("click", () => lab.set({ beta: mark }));
  $("beta-marks").append(button);
}
$("beta").addEventListener("input", () => {
  const beta = S.betaAt(Number($("beta").value));
  if (beta !== lab.settings.beta) lab.set({ beta });
});
$("beta").addEventListener("change", () => ($("beta").value = S.positionOf(lab.settings.beta)));
$("beta").addEventListener("keydown", (event) => {
  const { beta } = lab.settings;
  const at = Number($("beta").value);
  const nexts = { PageUp: S.BETA_MARKS.find((mark) => mark > beta), PageDown: S.BETA_MARKS.filter((mark) => mark < beta).at(-1),
    ArrowRight: S.betaAt(at + 0.012), ArrowUp: S.betaAt(at + 0.012), ArrowLeft: S.betaAt(at - 0.012), ArrowDown: S.betaAt(at - 0.012) };
  if (!(event.key in nexts)) return;
  event.preventDefault();
  let next = nexts[event.key];
  if (next === undefined) return;
  if (event.key === "ArrowRight" || event.key === "ArrowUp") next = next <= beta ? S.betaAt(0.085) : next;
  $("beta").value = S.positionOf(next);
  lab.set({ beta: next });
});
for (const value of S.LEARNING_RATES) $("learning-rate").append(new Option(String(value), String(value)));
$("learning-rate").addEventListener("change", (event) => lab.set({ learningRate: Number(event.target.value) }));
for (const value of S.TRAIN_DIGITS) $("train-digits").append(new Option(W.whole(value), String(value)));
$("train-digits").addEventListener("change", (event) => lab.set({ trainDigits: Number(event.target.value) }));

// ---------------------------------------------------------------- the network's settings, which start anew

const form = $("network").querySelector("form");
const fill = (name, options) => form.elements[name].replaceChildren(...options.map(([word, value]) => new Option(word, value)));
fill("latentDim", S.LATENT_DIMS.map((n) => [`${n}`, n]));
fill("hidden", S.HIDDENS.map((widths) => [widths.length ? widths.join("–") : "none: the linear VAE", String(widths)]));
fill("posterior", S.MAP_NAMES.map((name) => [W.MAP_WORDS[name], name]));
fill("likelihood", S.LIKELIHOOD_NAMES.map((name) => [W.LIKELIHOOD_WORDS[name], name]));
fill("optimizer", S.OPTIMIZER_NAMES.map((name) => [W.OPTIMIZER_WORDS[name], name]));
fill("mean", [["summed, as a likelihood asks", "0"], ["averaged: β times 784 in disguise", "1"]]);
$("network-open").addEventListener("click", () => {
  for (const name of ["latentDim", "hidden", "posterior", "likelihood", "optimizer"]) {
    choose(form.elements[name], lab.settings[name], String);
  }
  form.elements.mean.value = Number(lab.settings.mean);
  form.elements.seed.value = lab.settings.seed;
  describeNetwork();
  $("network").returnValue = "cancel";
  $("network").showModal();
});
form.addEventListener("input", describeNetwork);
function describeNetwork() {
  const sgd = form.elements.optimizer.value === "sgd";
  const words = [];
  if (form.elements.hidden.value === "") words.push("Without hidden layers the Gaussian likelihood has an exact optimum: the green curve.");
  if (form.elements.posterior.value === "direct") words.push("The direct map is singular at ρ = 0 and may fail: that is worth seeing.");
  if (sgd) words.push("Plain gradient descent wants a smaller learning rate here: it starts at 0.0003.");
  $("network-words").textContent = words.join(" ");
}
$("network").addEventListener("close", () => {
  if ($("network").returnValue !== "new") return;
  const read = (name) => form.elements[name].value;
  const changes = {
    latentDim: Number(read("latentDim")), hidden: read("hidden"), posterior: read("posterior"), likelihood: read("likelihood"),
    optimizer: read("optimizer"), mean: read("mean") === "1", seed: Number(read("seed")),
  };
  if (changes.optimizer !== lab.settings.optimizer) changes.learningRate = changes.optimizer === "sgd" ? 3e-4 : 1e-3;
  const fine = S.checked(changes);
  lab.settings = { ...lab.settings, ...fine };
  lab.reset();
  speak("A new network, not yet trained.");
});

// ---------------------------------------------------------------- the plane: drag the point, hover a code

function sendView(view) {
  if (view.extent) plane.extent = view.extent;
  // whole, since the worker only hears the last of several
  lab.send("view", { view: { axes, extent: plane.extent, ...view } });
}

let axes = [0, 1];
function showAxes() {
  const size = lab.settings.latentDim;
  if (Math.max(...axes) >= size) axes = [0, Math.min(1, size - 1)];
  $("axes").hidden = size <= 2;
  for (const [i, id] of ["axis-across", "axis-up"].entries()) {
    $(id).replaceChildren(...Array.from({ length: size }, (_, unit) => new Option(`z${subscript(unit + 1)}`, unit)));
    $(id).value = axes[i];
    $(id).onchange = () => {
      axes[i] = Number($(id).value);
      sendView({ axes, extent: lab.picture ? extentFor(lab.picture.mu, size, axes, 3) : 3 });
      showPlace();
    };
  }
}
lab.addEventListener("running", ({ detail }) => {
  if (!detail.anew) return;
  axes = [0, Math.min(1, lab.settings.latentDim - 1)];
  showAxes();
  hideTip();
  if (plane) Object.assign(plane, { star: null, hovered: null, point: [0, 0], pointImage: null });
  showPlace();
});

/** Say below the plane which code the decoder draws, once the ring has left the middle. */
function showPlace() {
  const place = plane?.point ?? [0, 0];
  const numbers = place.map((value, i) => `z${subscript(axes[i] + 1)} = ${W.signed(value)}`);
  if (lab.settings.latentDim > 2) numbers.push("all others 0");
  $("plane-under").textContent = place.some(Boolean)
    ? `Drawn: ${numbers.join(", ")}.`
    : "Drag the ring; point at a dot to see its digit.";
}

function movePoint(place) {
  plane.point = place;
  lab.send("point", { z: place });
  showPlace();
  redraw("plane", "board");
}

let dragging = null;
for (const id of ["plane", "board"]) {
  const canvas = $(id);
  canvas.addEventListener("pointerdown", (event) => {
    if (!lab.picture) return;
    canvas.setPointerCapture(event.pointerId);
    dragging = id;
    const place = plane.placeOf(event, canvas);
    movePoint(place);
    if (id === "plane" && event.pointerType !== "mouse") hover(plane.nearest(place, 16), event.clientX, event.clientY);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!lab.picture) return;
    if (dragging === id) {
      hideTip();
      movePoint(plane.placeOf(event, canvas));
    } else if (id === "plane" && event.pointerType === "mouse") {
      hover(plane.nearest(plane.placeOf(event)), event.clientX, event.clientY);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (dragging === id) describePoint();
      dragging = null;
    });
  }
}
$("plane").addEventListener("pointerleave", () => hideTip());
$("plane").addEventListener("keydown", (event) => {
  const step = (event.shiftKey ? 0.2 : 0.04) * plane.extent;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
  if (event.key === "Escape") hideTip();
  if (!moves[event.key] || !lab.picture) return;
  event.preventDefault();
  movePoint(plane.point.map((value, i) => Math.min(plane.extent, Math.max(-plane.extent, value + moves[event.key][i]))));
});
$("plane").addEventListener("keyup", (event) => {
  if (!event.key.startsWith("Arrow") || !lab.picture) return;
  describePoint();
  const box = $("plane").getBoundingClientRect();
  const [x, y] = plane.toScreen(...plane.point, box.width, box.height);
  hover(plane.nearest(plane.point, Infinity), box.left + x, box.top + y);
});
$("plane").addEventListener("blur", () => hideTip());

/** Say, for screen readers, where the point is and which digit's code is nearest. */
function describePoint() {
  const row = plane.nearest(plane.point, Infinity);
  const near = row === null ? "" : ` The nearest code is that of a ${digits.labels[row]}.`;
  $("plane-spoken").textContent = `The point is at ${W.signed(plane.point[0])}, ${W.signed(plane.point[1])}.${near}`;
}

let tipFor = null;
function hover(row, x, y) {
  if (row === null) return hideTip();
  if (row !== tipFor) {
    tipFor = row;
    plane.hovered = row;
    lab.send("hover", { index: row });
    redraw("plane");
  }
  const tip = $("tip");
  tip.style.left = `${Math.min(x + 16, innerWidth - 190)}px`;
  tip.style.top = `${Math.max(4, y - 130)}px`;
}
function hideTip() {
  tipFor = null;
  $("tip").hidden = true;
  if (plane?.hovered !== null && plane) {
    plane.hovered = null;
    redraw("plane");
  }
}
lab.addEventListener("hover", ({ detail: { index, image } }) => {
  if (index !== tipFor || !lab.picture) return;
  const { mu, sigma, costs, unitRates } = lab.picture;
  const size = lab.settings.latentDim;
  const at = (values, axis) => W.signed(values[index * size + axis]);
  let rate = 0;
  for (let unit = 0; unit < size; unit++) rate += unitRates[index * size + unit];
  $("tip").innerHTML = `<canvas id="tip-x"></canvas><canvas id="tip-image"></canvas><div>a ${digits.labels[index]}, held out<br>μ = (${at(mu, axes[0])}, ${at(mu, axes[1])})<br>σ = (${at(sigma, axes[0])}, ${at(sigma, axes[1])})<br>D ${W.short(costs[index])} · R ${W.short(rate)} nats</div>`;
  $("tip").hidden = false;
  drawTiles($("tip-x"), digits.images.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE), 1);
  drawTiles($("tip-image"), image, 1);
});

// ---------------------------------------------------------------- a digit of the reader's own

let ownImage = null;
const NO_INK = new Uint8ClampedArray(SIDE * SIDE);
const ink = new Ink($("ink"), (pixels) => {
  lab.send("drawing", { pixels });
  if (!pixels && plane) {
    plane.star = null;
    ownImage = null;
    $("own-note").textContent = "Draw in the left square: a star on the plane shows its code.";
    redraw("plane", "own");
  }
});
lab.addEventListener("drawing", ({ detail: { mu, sigma, distortion, rates, image } }) => {
  if (ink.empty) return;
  plane.star = [mu[axes[0]], mu[axes[1]]];
  ownImage = image;
  const rate = rates.reduce((total, value) => total + value, 0);
  $("own-note").textContent = `μ = (${W.signed(mu[axes[0]])}, ${W.signed(mu[axes[1]])}), σ = (${W.signed(sigma[axes[0]])}, ${W.signed(sigma[axes[1]])}), D ${W.short(distortion)}, R ${W.short(rate)} nats. Right: as the network draws it.`;
  redraw("plane", "own");
});
$("ink-clear").addEventListener("click", () => ink.clear());
let example = 0;
$("ink-example").addEventListener("click", () => {
  example = (example + 37) % known.counts.heldOut;
  ink.show(digits.images.subarray(example * SIDE * SIDE, (example + 1) * SIDE * SIDE));
});
$("codes").addEventListener("click", () => lab.send("codes"));

// ---------------------------------------------------------------- one step in slow motion

const slow = { stage: -1, trace: null, after: null, index: 0, epsilon: null, waiting: false };
for (let i = 0; i < 10; i++) $("slow-digit").append(new Option(`no. ${i + 1}`, i));
function showSlow() {
  $("slow-words").innerHTML = wordsOf(Math.max(0, slow.stage), slow.trace, slow.after);
  $("slow-next").textContent = slow.stage === STAGES - 1 ? "Again" : "Next ›";
  $("slow-back").disabled = slow.stage <= 0 || slow.after !== null;
  redraw("slow");
}
function noise() {
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  slow.epsilon = Float32Array.from({ length: lab.settings.latentDim }, normal);
}
function traceAnew() {
  if (lab.running) lab.pause();
  if (slow.epsilon?.length !== lab.settings.latentDim) noise();
  slow.after = null;
  lab.send("trace", { index: slow.index, epsilon: slow.epsilon, stage: "before" });
}
lab.addEventListener("trace", ({ detail: { stage, trace } }) => {
  slow[stage === "before" ? "trace" : "after"] = trace;
  showSlow();
});
$("slow-next").addEventListener("click", () => {
  if (!lab.ready) return;
  if (slow.stage === STAGES - 1) {
    slow.stage = 0;
    noise();
    traceAnew();
  } else {
    slow.stage += 1;
    if (!slow.trace) traceAnew();
    if (slow.stage === STAGES - 1) {
      slow.waiting = true;
      lab.start(1);
    }
  }
  showSlow();
});
$("slow-back").addEventListener("click", () => {
  slow.stage = Math.max(0, slow.stage - 1);
  showSlow();
});
$("slow-noise").addEventListener("click", () => {
  if (!lab.ready) return;
  noise();
  slow.stage = slow.stage === STAGES - 1 ? 2 : Math.max(2, slow.stage);
  traceAnew();
});
$("slow-digit").addEventListener("change", () => {
  slow.index = Number($("slow-digit").value);
  slow.stage = slow.stage === STAGES - 1 ? 0 : Math.max(0, slow.stage);
  if (lab.ready) traceAnew();
});
lab.addEventListener("running", ({ detail }) => {
  if (detail.anew || (lab.running && !slow.waiting)) {
    Object.assign(slow, { stage: -1, trace: null, after: null, waiting: false });
    showSlow();
  } else if (slow.waiting && detail.running === false && detail.step) {
    slow.waiting = false;
    lab.send("trace", { index: slow.index, epsilon: slow.epsilon, stage: "after" });
  }
});

// ---------------------------------------------------------------- runs, links, files

/** Keep the present run; return it, or null with a sentence when four are kept already. */
function keep(about = {}) {
  if (!lab.history.length) return null;
  try {
    const run = runs.keep({
      name: W.nameOf(lab.settings), ...about, settings: { ...lab.settings }, history: Array.from(lab.history), failedAt: lab.failedAt,
      active: activeUnits(lab.picture.units), link: linkTo(lab.settings), thumbnail: thumbnail(), network: lab.run,
    });
    lab.send("keep"); // its new digits
    keptAt = { network: lab.run, step: lab.picture.step };
    runsChanged();
    return run;
  } catch (error) {
    say(error.message);
    return null;
  }
}
lab.addEventListener("keep", ({ detail: { run: network, images } }) => {
  const digits = tiles(images, 5, "kept").toDataURL("image/png");
  for (const run of runs.kept) if (run.network === network) run.digits ??= digits;
  runsChanged();
});

let keptAt = null; // the network and the step of what was kept last
/** Whether a new network would take something away that the reader has trained and not kept. */
function unkept() {
  const step = lab.picture?.step ?? 0;
  return step > lab.begunAt && !(keptAt?.network === lab.run && keptAt.step === step);
}

/**
 * Ask whether a new network may take the place of one that is not kept, and of the kept runs `going`; resolve at once
 * where nothing is lost. `more` is how many runs must find room later.
 */
function mayReplace(what, going = [], more = 0) {
  const dialog = $("anew");
  if (dialog.open) return Promise.resolve(false);
  if (!unkept() && !going.length) return Promise.resolve(true);
  const words = [`${what} starts a new network.`];
  if (unkept()) words.push(`The present one, at step ${W.whole(lab.picture.step)}, is not kept: keep its numbers and pictures as a run, or cancel and save the network itself.`);
  if (going.length) words.push(`Removed from the kept runs: ${going.map(({ name }) => `“${name}”`).join(", ")}.`);
  if (unkept() && runs.room + going.length <= more) words.push("There is no room for another run: cancel and remove one first.");
  $("anew-words").textContent = words.join(" ");
  $("anew-keep").hidden = !unkept();
  $("anew-keep").disabled = runs.room + going.length <= more;
  dialog.returnValue = "cancel";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    const answer = dialog.returnValue;
    if (answer !== "cancel") going.forEach((run) => runs.remove(run));
    if (answer !== "cancel" && going.length) runsChanged();
    resolve(answer === "new" || (answer === "keep" && keep() !== null));
  }, { once: true }));
}

const linkTo = (settings) => `${location.href.split("#")[0]}#${S.toAddress(settings)}`;
function thumbnail() {
  plane.draw();
  const small = document.createElement("canvas");
  small.width = small.height = 144;
  small.getContext("2d").drawImage($("plane"), 0, 0, 144, 144);
  return small.toDataURL("image/png");
}
const storage = () => sessionStorage;
function runsChanged() {
  store(runs.kept, storage);
  showRuns();
  redraw("curves", "rd");
}
function showRuns() {
  showLeftOut();
  $("runs-table").parentElement.hidden = $("runs-table").hidden = !runs.kept.length;
  $("runs-empty").hidden = runs.kept.length > 0;
  $("runs-table").tBodies[0].replaceChildren(...runs.kept.map((run) => {
    const row = document.createElement("tr");
    const end = run.history.at(-1);
    const cells = run.failedAt ? `<td colspan="4">failed at step ${W.whole(run.failedAt)}</td>`
      : `<td>${W.short(end.distortion)}</td><td>${W.short(end.rate)}</td><td>${W.short(end.elbo)}</td><td>${W.short(end.trainElbo)}</td>`;
    row.innerHTML = `<th scope="row"><i class="dot"></i><span></span></th><td><img class="plane-small" alt="Plane of codes of this run"></td><td><img class="digits-small" alt="Ten new digits of this run"></td><td class="settings"></td><td>${Number(end.beta.toPrecision(3))}</td><td>${W.whole(end.step)}</td>${cells}<td>${run.active} of ${run.settings.latentDim}</td>
      <td><button type="button" class="small">Set up again</button> <button type="button" class="small">Remove</button></td>`;
    row.querySelector(".dot").style.background = run.colour;
    row.querySelector("th span").textContent = run.name;
    row.querySelector(".plane-small").src = run.thumbnail;
    row.querySelector(".digits-small").hidden = !run.digits;
    if (run.digits) row.querySelector(".digits-small").src = run.digits;
    row.querySelector(".settings").textContent = W.inWords(run.settings);
    const [again, remove] = row.querySelectorAll("button");
    again.setAttribute("aria-label", `Set up ${run.name} again`);
    remove.setAttribute("aria-label", `Remove ${run.name}`);
    again.addEventListener("click", async () => {
      if (!(await mayReplace(`Setting up “${run.name}” again`))) return;
      lab.settings = { ...run.settings };
      lab.reset();
      scrollTo({ top: 0 });
    });
    remove.addEventListener("click", () => {
      runs.remove(run);
      runsChanged();
      $("keep").focus();
    });
    return row;
  }));
}
$("keep").addEventListener("click", () => {
  if (!lab.picture?.step) return say("Nothing has been trained yet: press Start first.");
  const run = keep();
  if (run) speak(`Kept as ${run.name}.`);
});
$("share").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(linkTo(lab.settings));
    speak("The link has been copied.");
    $("share").textContent = "Copied";
    setTimeout(() => ($("share").textContent = "Copy link to these settings"), 1500);
  } catch {
    say("The browser does not let the page copy: the address line holds the link.");
  }
});
function download(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
$("save-network").addEventListener("click", () => lab.ready && lab.send("save"));
lab.addEventListener("weights", ({ detail: { settings, beta, weights, trained } }) => {
  download(`step-${trained.steps}.vae.json`, toFile(settings, beta, weights, trained), "application/json");
});
$("open-network").addEventListener("click", () => $("network-file").click());
$("network-file").addEventListener("change", async () => {
  const [file] = $("network-file").files;
  $("network-file").value = "";
  if (file) openNetwork(await file.text());
});
async function openNetwork(text) {
  try {
    const { settings, beta, weights, trained } = fromFile(text);
    if (!(await mayReplace("Opening the file"))) return;
    lab.settings = { ...lab.settings, ...settings, beta, mean: false };
    lab.reset({ weights, trained });
    say();
    speak("The network from the file is ready.");
  } catch (error) {
    say(error.message);
  }
}
$("save-json").addEventListener("click", () => {
  if (!runs.kept.length) return say("No run is kept yet: press “Keep this run” first, then its numbers can be saved.");
  download("runs.json", JSON.stringify({ units: "nats per image", runs: runs.report() }, null, 1), "application/json");
});
$("save-pictures").addEventListener("click", () => {
  const { step, distortion, rate } = lab.history.at(-1) ?? { step: 0, distortion: NaN, rate: NaN };
  const sheet = drawSheet(`${W.inWords(lab.settings)}, β = ${lab.settings.beta}; step ${W.whole(step)}; held-out digits: D ${W.short(distortion)}, ` +
    `R ${W.short(rate)}, −ELBO ${W.short(distortion + rate)} nats`, $);
  sheet.toBlob((blob) => download("laboratory.png", blob));
});

// ---------------------------------------------------------------- guided experiments

/** Train as an experiment asks and keep the run; resolves with its numbers, or null when the reader goes another way. */
async function act(title, action, progress) {
  const inTheWay = runs.kept.filter(({ name, experiment }) => experiment && (experiment !== title || name === action.name));
  if (runs.room + inTheWay.length < 1) {
    say("Four runs are kept already: remove one of them, then press the experiment's button again.");
    return null;
  }
  if (!(await mayReplace("The experiment", inTheWay, 1))) return null;
  return new Promise((resolve) => {
    if (isSheet()) foldGuide(true);
    if (innerWidth <= 1340) document.querySelector(".plane").scrollIntoView();
    lab.settings = { ...action.settings };
    lab.reset();
    lab.start(action.steps);
    const mine = lab.run;
    const end = (result) => {
      lab.removeEventListener("picture", look);
      lab.removeEventListener("running", waits);
      foldGuide(false);
      resolve(result);
    };
    const look = () => {
      if (lab.run !== mine) return end(null);
      const { step, heldOut, units, train } = lab.picture;
      progress(step / action.steps);
      if (!lab.running && (lab.failedAt || step >= action.steps)) {
        const changed = strayed(action);
        if (changed) {
          say(changed);
          return end(null);
        }
        keep({ name: action.name, experiment: title });
        end({
          failedAt: lab.failedAt, ...heldOut, elbo: heldOut.distortion + heldOut.rate, trainElbo: train ? train.distortion + train.rate : NaN,
          active: activeUnits(units), units: units.length,
        });
      }
    };
    const waits = ({ detail }) => {
      if (detail.anew && lab.run !== mine) end(null);
      else if (detail.asked && lab.run === mine) say("The experiment waits: Start goes on with it, Reset gives it up.");
    };
    lab.addEventListener("picture", look);
    lab.addEventListener("running", waits);
  });
}

/** Return a sentence if the run of an experiment ended with other settings than it asks for, else null. */
function strayed({ settings, ends = {} }) {
  const asked = { ...settings, ...ends };
  const words = { beta: "β", learningRate: "the learning rate", trainDigits: "the number of digits" };
  const name = Object.keys(words).find((each) => lab.settings[each] !== asked[each]);
  return name ? `This run ended with ${words[name]} at ${lab.settings[name]}, and the experiment asks for ${asked[name]}: press its button again.` : null;
}
new Guide($("guide-body"), act);

/** Whether the experiments lie over the page's lower part, for want of a place beside it. */
const isSheet = () => getComputedStyle($("guide")).position === "fixed";

/** Shrink the experiments to one line while there is something to watch, or open them again. */
function foldGuide(fold) {
  if (fold && $("guide-body").contains(document.activeElement)) $("guide-fold").focus();
  $("guide").classList.toggle("folded", fold);
  $("guide-fold").textContent = fold ? "Open" : "Shrink";
  $("guide-fold").setAttribute("aria-expanded", !fold);
}
const folded = () => $("guide").classList.contains("folded");
$("guide-fold").addEventListener("click", () => foldGuide(!folded()));
function openGuide(open) {
  foldGuide(false);
  $("guide").hidden = !open;
  document.body.classList.toggle("guided", open);
  $("guide-open").setAttribute("aria-expanded", open);
  (open ? $("guide-close") : $("guide-open")).focus();
  redraw();
}
$("guide-open").addEventListener("click", () => openGuide($("guide").hidden));
$("guide-close").addEventListener("click", () => openGuide(false));
$("guide").addEventListener("keydown", (event) => event.key === "Escape" && openGuide(false));

// ---------------------------------------------------------------- the window

let resume = false;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    resume = lab.running;
    if (resume) lab.pause();
  } else if (resume) {
    resume = false;
    lab.resume();
  }
});
window.addEventListener("hashchange", async () => {
  if (inAddress() === null) return history.replaceState(null, "", `#${S.toAddress(lab.settings)}`);
  const [settings, problems] = S.fromAddress(inAddress());
  if (S.toAddress(settings) === S.toAddress(lab.settings)) return;
  if (!(await mayReplace("The link"))) return history.replaceState(null, "", `#${S.toAddress(lab.settings)}`);
  lab.settings = settings;
  lab.reset();
  say(problems.join(" "));
});
new ResizeObserver(() => {
  const [bar, lead] = [".bar", ".lead"].map((name) => document.querySelector(name).offsetHeight);
  document.documentElement.style.setProperty("--bar", `${bar || lead}px`); // on a phone the lead stays
  redraw();
}).observe(document.querySelector("main"));
followTheme($("theme"), () => redraw());

window.lab = {
  state: () => lab.state(),
  set: (changes) => lab.set(changes),
  start: () => lab.start(),
  pause: () => lab.pause(),
  reset: () => lab.reset(),
  /** For measurements: milliseconds from opening the page to the first finished step, and of a step, smoothed. */
  firstStep: () => lab.firstStep,
  millisecondsPerStep: () => lab.picture?.millisecondsPerStep ?? null,
};

async function open() {
  lab.tell("settings");
  showSlow();
  showPlace();
  for (const run of stored(storage)) if (runs.room) runs.keep(run);
  showRuns();
  if (complaints.length) say(complaints.join(" "));
  if (!hasSimd()) return say("This browser has no WebAssembly with SIMD instructions, which the network is trained with: update it, or open the page in another one.");
  if (typeof DecompressionStream === "undefined") return say("This browser cannot unpack the digits (it has no DecompressionStream): update it, or open the page in another one.");
  const texts = { train: $("train").textContent, heldOut: $("heldout").textContent, counts: known.counts };
  try {
    lab.open($("worker").textContent, texts, wantedDevice);
  } catch (error) {
    return say(`The browser does not let the page start its worker (${error.message}): open it in a current Firefox, Chrome, Edge or Safari.`);
  }
  digits = await unpack(texts.heldOut, known.counts.heldOut);
  plane = new Plane($("plane"), digits.labels, known.colours);
  originals = new Uint8ClampedArray(10 * SIDE * SIDE);
  shownDigits(digits.labels).forEach((row, i) => originals.set(digits.images.subarray(row * SIDE * SIDE, (row + 1) * SIDE * SIDE), i * SIDE * SIDE));
  if (lab.picture) lab.tell("picture", lab.picture);
  redraw();
}
open();

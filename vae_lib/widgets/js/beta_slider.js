// A slider for beta: codes, digits and the point on the rate-distortion curve follow, all computed here.

import { disc, drawBadge, drawDigit, fitCanvas, line, visibleOn, write } from "./lib/canvas.js";
import {
  add,
  addButton,
  addStatus,
  control,
  oncePerFrame,
  onResize,
  onThemeChange,
  onTraits,
  themeColours,
} from "./lib/dom.js";
import { readLayers, run } from "./lib/network.js";
import { clamp, nearestInRatio, rowsOf, unpack, writtenBeta } from "./lib/numbers.js";

/** @import { Model } from "./lib/codes.js" */
/** @import { Output } from "./lib/network.js" */
/** @import { Theme } from "./lib/dom.js" */

const PLAY_SECONDS = 12; // from one end of the slider to the other
const NARROW = 560; // CSS pixels: below, everything stands in one column
const ACROSS = 5; // digits in a row of the board
const BELOW = 490; // CSS pixels of the screen that all but the board takes
const LABELS = 76; // CSS pixels left of it
const ACTIVE = "#ffa90e";

/**
 * @typedef {object} Facts what Python has worked out, the betas along the first axis
 * @property {number} latent_dim
 * @property {[number, number]} units the two that are drawn
 * @property {number} reach of the map
 * @property {number} images that rate and distortion are means of
 * @property {number[]} betas
 * @property {number[]} ticks
 * @property {number[]} rates
 * @property {number[]} distortions
 * @property {number[][]} unit_rates
 * @property {boolean[][]} active
 * @property {number[]} labels of the codes
 * @property {number[]} classes of the images that are reconstructed
 * @property {string[]} colours
 * @property {Output} output
 * @property {string} activation
 * @property {number} columns of an image
 * @property {[number, number][]} dedicated rate and distortion of networks to compare with
 * @typedef {ReturnType<typeof readSlider>} State
 * @typedef {{ctx: CanvasRenderingContext2D, width: number, height: number, theme: Theme}} Sheet
 */

/** What the model's traits hold, unpacked once. @param {Model} model */
function readSlider(model) {
  const facts = /** @type {Facts} */ (model.get("facts"));
  const layers = readLayers(model);
  const widths = layers.slice(0, -1).map((layer) => layer.n_out);
  const rows = (/** @type {string} */ name, /** @type {number} */ size) =>
    rowsOf(unpack(model.get(name)), size);
  const modulation = rows("modulation", 2 * widths.reduce((a, b) => a + b, 0));
  const bytes = model.get("originals");
  const pixels = Float32Array.from(
    new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    (byte) => byte / 255,
  );
  const { latent_dim, labels, classes } = facts;
  return {
    ...facts,
    layers,
    gates: (/** @type {number} */ i) => gatesOf(modulation[i], widths),
    originals: rowsOf(pixels, pixels.length / classes.length),
    codes: rows("codes", 2 * labels.length),
    mu: rows("mu", classes.length * latent_dim).map((row) => rowsOf(row, latent_dim)),
    sigma: rows("sigma", classes.length * latent_dim).map((row) => rowsOf(row, latent_dim)),
    samples: rows("samples", latent_dim),
  };
}

/**
 * The scale and shift of each hidden layer.
 * @param {Float32Array} numbers
 * @param {number[]} widths
 */
function gatesOf(numbers, widths) {
  let place = 0;
  const take = (/** @type {number} */ width) => numbers.subarray(place, (place += width));
  return widths.map((width) => ({ scale: take(width), shift: take(width) }));
}

/** Decode with the decoder of the i-th beta. @param {State} state @param {number} i */
function decoderAt({ layers, gates, activation, output }, i) {
  const options = { activation, output, modulation: gates(i) };
  return (/** @type {Float32Array} */ z) => run(layers, z, options);
}

/**
 * The codes of all digits, and the posterior of those on the board.
 * @param {Sheet} sheet
 * @param {State} state
 * @param {number} i
 */
function drawCodes({ ctx, width, theme }, state, i) {
  const scale = width / 2 / state.reach;
  const seen = state.colours.map((colour) => visibleOn(ctx, colour, theme.paper));
  const colourOf = (/** @type {number} */ label) => seen[label % seen.length];
  const at = (/** @type {number} */ x, /** @type {number} */ y) => [
    width / 2 + x * scale,
    width / 2 - y * scale,
  ];
  for (const radius of [1, 2, 3]) {
    disc(ctx, at(0, 0), radius * scale, { stroke: theme.border });
    const [x, y] = at(0.7071 * radius, -0.7071 * radius);
    if (radius < state.reach) write(ctx, String(radius), x, y, theme.muted, { size: 11 });
  }
  state.labels.forEach((label, n) => {
    const place = at(state.codes[i][2 * n], state.codes[i][2 * n + 1]);
    disc(ctx, place, 2.6, { fill: colourOf(label), alpha: 0.75 });
  });
  const flat = state.units[0] === state.units[1]; // a single latent unit
  const shown = state.classes.map((label, n) => {
    const [mu, sigma] = [state.mu[i][n], state.sigma[i][n]].map((row) =>
      state.units.map((unit) => row[unit]),
    );
    return {
      label,
      colour: colourOf(label),
      middle: at(mu[0], flat ? 0 : mu[1]),
      radii: [sigma[0] * scale, flat ? 1 : sigma[1] * scale],
    };
  });
  for (const { colour, middle, radii } of shown) {
    disc(ctx, middle, radii, { fill: colour, alpha: 0.15 });
    disc(ctx, middle, radii, { stroke: colour, width: 2 });
  }
  for (const { label, colour, middle } of shown) drawBadge(ctx, middle, label, colour, "white");
}

/**
 * How the curve's axes turn nats into pixels.
 * @param {State} state
 * @param {number} width
 * @param {number} height
 */
function curveScale({ rates, distortions, dedicated }, width, height) {
  const [left, right, top, bottom] = [48, width - 10, 10, height - 38];
  const points = [...rates.map((rate, n) => [rate, distortions[n]]), ...dedicated];
  const most = Math.max(...points.map(([rate]) => rate)) * 1.04;
  const heights = points.map(([, distortion]) => distortion);
  const [low, high] = [Math.min(...heights) - 4, Math.max(...heights) + 6];
  return {
    left,
    right,
    top,
    bottom,
    most,
    low,
    high,
    points: points.slice(0, rates.length),
    at: (/** @type {number[]} */ [rate, nats]) => [
      left + (rate / most) * (right - left),
      top + ((high - nats) / (high - low)) * (bottom - top),
    ],
  };
}

/**
 * The rate-distortion curve, the point on it, and the tangent of slope -beta.
 * @param {Sheet} sheet
 * @param {State} state
 * @param {number} i
 */
function drawCurve({ ctx, width, height, theme }, state, i) {
  const scale = curveScale(state, width, height);
  drawCurveAxes(ctx, scale, theme);
  const [rate, distortion, beta] = [state.rates[i], state.distortions[i], state.betas[i]];
  ctx.save();
  ctx.beginPath();
  ctx.rect(scale.left, scale.top, scale.right - scale.left, scale.bottom - scale.top);
  ctx.clip();
  // the tangent: D + beta R is the same all along it
  const tangent = [0, scale.most].map((r) => scale.at([r, distortion + beta * (rate - r)]));
  line(ctx, tangent, theme.muted, 1.5, [6, 5]);
  ctx.restore();
  line(ctx, scale.points.map(scale.at), theme.accent, 2.5);
  Object.assign(ctx, { strokeStyle: theme.text, lineWidth: 1.5 });
  for (const pair of state.dedicated) {
    const [x, y] = scale.at(pair);
    ctx.strokeRect(x - 4, y - 4, 8, 8);
  }
  disc(ctx, scale.at([rate, distortion]), 8, { fill: theme.accent, stroke: "white", width: 2 });
  const legend = [
    "— one network",
    ...(state.dedicated.length ? ["▫ dedicated networks"] : []),
    `┄ slope −β = −${writtenBeta(beta)}`,
  ];
  legend.forEach((text, n) =>
    write(ctx, text, scale.right - 4, scale.top + 12 + 19 * n, n ? theme.text : theme.accent, {
      align: "right",
    }),
  );
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {ReturnType<typeof curveScale>} scale
 * @param {Theme} theme
 */
function drawCurveAxes(ctx, { left, right, top, bottom, most, low, high, at }, theme) {
  line(
    ctx,
    [
      [left, top],
      [left, bottom],
      [right, bottom],
    ],
    theme.border,
  );
  for (let rate = 0; rate < most; rate += most > 12 ? 5 : 2) {
    write(ctx, String(rate), at([rate, low])[0], bottom + 11, theme.muted, { align: "center", size: 12 });
  }
  for (let nats = Math.ceil(low / 20) * 20; nats < high; nats += 20) {
    write(ctx, String(nats), left - 6, at([0, nats])[1], theme.muted, { align: "right", size: 12 });
  }
  write(ctx, "rate R (nats)", right, bottom + 28, theme.text, { align: "right" });
  ctx.save();
  ctx.translate(9, top);
  ctx.rotate(-Math.PI / 2);
  write(ctx, "distortion D (nats)", 0, 0, theme.text, { align: "right" });
  ctx.restore();
}

/**
 * A bar for each latent unit, as long as its rate; those that are active are lit.
 * @param {Sheet} sheet
 * @param {State} state
 * @param {number} i
 */
function drawUnits({ ctx, width, height, theme }, state, i) {
  const rates = state.unit_rates[i];
  const most = Math.max(...state.unit_rates.flat());
  const [left, right, pitch] = [30, width - 140, (height - 4) / rates.length];
  rates.forEach((rate, unit) => {
    const [y, thick] = [2 + unit * pitch, Math.min(22, pitch - 3)];
    const active = state.active[i][unit];
    const colour = active ? theme.text : theme.muted;
    write(ctx, `z${"₁₂₃₄₅₆₇₈₉"[unit] ?? unit + 1}`, 4, y + thick / 2, colour, {
      weight: active ? "bold" : "normal",
    });
    ctx.fillStyle = active ? ACTIVE : theme.border;
    ctx.fillRect(left, y, Math.max(2, (Math.max(0, rate) / most) * (right - left)), thick);
    Object.assign(ctx, { strokeStyle: theme.border, lineWidth: 1 }).strokeRect(
      left + 0.5,
      y + 0.5,
      right - left,
      thick - 1,
    );
    const words = rates.length > 4 ? "" : active ? ", active" : ", collapsed";
    write(ctx, `${rate.toFixed(2)} nats${words}`, right + 8, y + thick / 2, colour, {
      size: Math.min(13, pitch),
    });
  });
}

/** The number of rows of the board. @param {State} state */
const boardRows = ({ classes, samples }) =>
  2 * Math.ceil(classes.length / ACROSS) + Math.ceil(samples.length / ACROSS);

/**
 * Test digits, below each what comes back, and what fixed codes decode to.
 * @param {Sheet} sheet
 * @param {State} state
 * @param {number} i
 */
function drawBoard({ ctx, width, theme }, state, i) {
  const decoded = decoderAt(state, i);
  const pitch = (width - LABELS) / ACROSS;
  const parts = /** @type {[string, Float32Array[]][]} */ ([
    ["test digits", state.originals],
    ["decoded", state.mu[i].map(decoded)],
    ["new digits", state.samples.map(decoded)],
  ]);
  const pairs = Math.ceil(state.classes.length / ACROSS);
  parts.forEach(([words, images], part) =>
    images.forEach((image, n) => {
      const [row, column] = [Math.floor(n / ACROSS), n % ACROSS];
      const y = part < 2 ? (2 * row + part) * pitch : (2 * pairs + row) * pitch + 8;
      drawDigit(ctx, image, LABELS + column * pitch, y, pitch - 2, state.columns);
      if (!column) write(ctx, words, LABELS - 8, y + pitch / 2, theme.text, { align: "right" });
    }),
  );
}

/**
 * Build the control's elements.
 * @param {HTMLElement} el
 * @param {State} state
 * @param {(beta: number) => void} choose
 * @param {() => void} toggle
 */
function build(el, state, choose, toggle) {
  const root = add(el, "div", { className: "vae-beta" });
  const head = add(root, "div", { className: "vae-beta-head" });
  const big = add(head, "output", { className: "vae-beta-value" }, { "aria-hidden": true });
  const play = addButton(head, "▶ Play", toggle, "Move β from one end to the other and back");
  const track = add(head, "div", { className: "vae-beta-track" });
  const last = state.betas.length - 1;
  const input = add(
    track,
    "input",
    { type: "range", min: 0, max: last, step: 1 },
    { "aria-label": "β, on a logarithmic scale" },
  );
  const marks = add(track, "div", { className: "vae-beta-marks" });
  for (const beta of state.ticks) {
    const tick = addButton(marks, String(beta), () => choose(beta), `β = ${beta}`);
    tick.style.left = `${(100 * nearestInRatio(state.betas, beta)) / last}%`;
  }
  const panels = add(root, "div", { className: "vae-beta-panels" });
  const figure = (/** @type {string} */ name, /** @type {string} */ caption) => {
    const box = add(panels, "figure", { className: `vae-beta-${name}` });
    add(box, "figcaption", { textContent: caption });
    return add(box, "canvas", {}, { role: "img", "aria-label": caption });
  };
  const two = state.latent_dim > 2 ? " in the two units that carry most" : "";
  return {
    root,
    big,
    play,
    input,
    panels,
    codes: figure("codes", `codes μ of ${state.labels.length} test digits${two}; ellipses: μ and σ of ten`),
    board: figure("board", "ten test digits, what their means μ decode to, ten fixed draws from the prior"),
    curve: figure("curve", `rate and distortion of ${state.images.toLocaleString("en")} test digits`),
    units: figure("units", "what each latent unit carries; lit: active"),
    status: addStatus(root, "vae-beta-status"),
  };
}

/**
 * Draw everything for the i-th beta, in columns or below one another.
 * @param {ReturnType<typeof build>} view
 * @param {State} state
 * @param {number} i
 */
function draw(view, state, i) {
  const whole = view.root.clientWidth;
  if (!whole) return;
  const narrow = whole < NARROW;
  view.panels.classList.toggle("vae-beta-stacked", narrow);
  const rows = boardRows(state);
  const gap = 18;
  const room = narrow ? (whole - LABELS) / ACROSS : (whole - gap - LABELS - 8) / (ACROSS + rows);
  const pitch = Math.floor(Math.min(room, clamp((window.innerHeight - BELOW) / rows, 44, 80)));
  const board = [LABELS + ACROSS * pitch, rows * pitch + 8];
  const side = narrow ? Math.min(whole, 420) : board[1];
  const half = narrow ? whole : Math.floor((whole - gap) / 2);
  const units = Math.min(180, 26 * state.latent_dim + 4);
  const theme = themeColours(view.root);
  const sheets = /** @type {[HTMLCanvasElement, number, number, typeof drawCodes][]} */ ([
    [view.codes, side, side, drawCodes],
    [view.board, ...board, drawBoard],
    [view.curve, half, 190, drawCurve],
    [view.units, half, units, drawUnits],
  ]);
  for (const [canvas, width, height, paint] of sheets) {
    if (canvas.parentElement) canvas.parentElement.style.width = `${width}px`;
    paint({ ctx: fitCanvas(canvas, width, height), width, height, theme }, state, i);
  }
}

/**
 * What the slider shows at the i-th beta, in one sentence.
 * @param {State} state
 * @param {number} i
 */
function sentence(state, i) {
  const active = state.active[i].filter(Boolean).length;
  return (
    `β = ${writtenBeta(state.betas[i])}: rate ${state.rates[i].toFixed(2)}, distortion ` +
    `${state.distortions[i].toFixed(1)} nats, ${active} of ${state.latent_dim} units active`
  );
}

/**
 * Move the slider to one end and back; `move` gets its place.
 * @param {number} from
 * @param {number} last
 * @param {(place: number) => void} move
 * @param {() => void} ended
 */
function sweep(from, last, move, ended) {
  const begin = performance.now();
  let request = requestAnimationFrame(step);
  function step(/** @type {number} */ time) {
    const way = ((time - begin) / 1000 / PLAY_SECONDS) * last;
    const place = from < last ? (from + way > last ? 2 * last - from - way : from + way) : last - way;
    move(clamp(place, 0, last));
    if (place <= 0) ended();
    else request = requestAnimationFrame(step);
  }
  return () => cancelAnimationFrame(request);
}

/** @type {Parameters<typeof control>[0]} */
function show(model, el, signal) {
  const state = readSlider(model);
  const view = build(el, state, choose, toggle);
  const now = () => Number(view.input.value);
  const redraw = oncePerFrame(() => draw(view, state, now()));
  /** @type {(() => void) | null} */
  let pause = null;

  function moveTo(/** @type {number} */ place) {
    view.input.value = String(place);
    view.big.textContent = `β = ${writtenBeta(state.betas[now()])}`;
    view.input.setAttribute("aria-valuetext", sentence(state, now()));
    redraw();
  }
  function tell() {
    view.status.textContent = sentence(state, now());
    model.set("beta", state.betas[now()]);
    model.save_changes();
  }
  function stop() {
    pause?.();
    pause = null;
    view.play.textContent = "▶ Play";
  }
  function toggle() {
    if (pause) {
      stop();
      tell();
      return;
    }
    view.play.textContent = "❚❚ Pause";
    pause = sweep(now(), state.betas.length - 1, moveTo, toggle);
  }
  function choose(/** @type {number} */ beta) {
    stop();
    moveTo(nearestInRatio(state.betas, beta));
    tell();
  }
  function follow() {
    const place = nearestInRatio(state.betas, model.get("beta"));
    if (place !== now()) moveTo(place);
    view.status.textContent = sentence(state, now());
  }
  view.input.addEventListener("input", () => {
    stop();
    moveTo(now());
  });
  view.input.addEventListener("change", tell);
  onTraits(model, ["beta"], follow, signal);
  onThemeChange(redraw, signal);
  onResize(view.root, redraw, signal);
  signal.addEventListener("abort", stop);
  moveTo(nearestInRatio(state.betas, model.get("beta")));
  follow();
}

export default control(show);

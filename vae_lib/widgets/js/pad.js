// The latent pad: a map of codes on which a point is dragged, and the digit that the decoder makes of it.

import { drawDigit, drawRing, fitCanvas, line } from "./lib/canvas.js";
import { makeTrail, mapScale, nearestCode, onMap, readCodes } from "./lib/codes.js";
import {
  add,
  addButton,
  addStatus,
  arrow,
  control,
  oncePerFrame,
  onResize,
  onThemeChange,
  onTraits,
  placeIn,
  themeColours,
} from "./lib/dom.js";
import { drawMap, drawPosterior } from "./lib/map.js";
import { readLayers, run } from "./lib/network.js";
import { clamp, snapped, written } from "./lib/numbers.js";

/** @import { Model, Point } from "./lib/codes.js" */

const DIGIT = 224; // CSS pixels of the decoded digit: eight for each of MNIST's
const SMALL = 84; // of the digits beside it
const BESIDE = 250; // CSS pixels that the digit takes up beside the map
const NARROW = 500; // below, the digit stands under the map
const NEAR = 14; // CSS pixels within which a code is pointed at
const WALK = 1600; // milliseconds that a walk takes
const FRAMES = 9; // pictures of a walk
const LEAP = 0.25; // of the map's reach: what moves further in one frame has leapt

const HELP =
  "Drag the ring, or move it with the arrow keys (Shift: larger steps). While the pad is selected, a digit's " +
  "key walks to the mean of its class, Home returns to the origin, Escape stops.";

/**
 * @typedef {Record<string, number>} Move the values of some units
 */

/** @type {Parameters<typeof control>[0]} */
function show(model, el, signal) {
  const pad = new Pad(model, makeView(el), signal);
  pad.load();
}

class Pad {
  /** @param {Model} model @param {ReturnType<typeof makeView>} view @param {AbortSignal} signal */
  constructor(model, view, signal) {
    this.model = model;
    this.view = view;
    this.layers = readLayers(model);
    this.codes = readCodes(model);
    this.scale = mapScale(400, this.codes.reach);
    this.free = /** @type {number[]} */ (model.get("free"));
    this.trail = makeTrail();
    this.hovered = -1;
    this.walking = 0;
    this.choosing = false;
    /** @type {Float32Array[]} */
    this.way = []; // the codes of the last walk
    /** @type {ImageBitmap | null} */
    this.atlas = null;
    this.draw = oncePerFrame(() => this.drawNow());
    this.redraw = oncePerFrame(() => this.drawGround());
    this.save = oncePerFrame(() => model.save_changes());
    onTraits(
      model,
      this.free.map((unit) => `z_${unit}`),
      this.draw,
      signal,
    );
    onTraits(model, ["weights", "codes", "atlas"], () => this.load(), signal);
    onResize(view.root, () => this.resize(), signal);
    onThemeChange(this.redraw, signal);
    signal.addEventListener("abort", () => this.stop());
    this.listen();
    this.chooseGoal(false);
  }

  // -- what is shown

  /** Unpack what the kernel has sent. */
  load() {
    const { model } = this;
    this.layers = readLayers(model);
    this.codes = readCodes(model);
    createImageBitmap(new Blob([model.get("atlas")], { type: "image/png" })).then((bitmap) => {
      this.atlas = bitmap;
      this.draw();
    });
    this.resize();
  }

  resize() {
    const { root } = this.view;
    const width = root.clientWidth || 600;
    const narrow = width < NARROW;
    root.classList.toggle("vae-pad-stacked", narrow);
    const wanted = parseFloat(getComputedStyle(root).getPropertyValue("--vae-pad-size")); // of a page that says so
    const most = wanted || (narrow ? 400 : clamp(0.6 * window.innerHeight, 300, 560));
    this.scale = mapScale(Math.floor(clamp(width - (narrow ? 4 : BESIDE), 240, most)), this.codes.reach);
    this.drawStrip();
    this.redraw();
  }

  /** The code z: the units without a slider stay at 0. */
  get code() {
    return Float32Array.from({ length: this.codes.dim }, (_, i) =>
      this.free.includes(i) ? this.model.get(`z_${i}`) : 0,
    );
  }

  get place() {
    return onMap(this.codes, this.code);
  }

  /** @param {Float32Array} z */
  decode(z) {
    return run(this.layers, z, {
      activation: this.model.get("activation"),
      output: this.model.get("output"),
    });
  }

  drawGround() {
    const { view, scale } = this;
    for (const side of /** @type {const} */ (["width", "height"])) view.stack.style[side] = `${scale.size}px`;
    drawMap(view.map, this.codes, scale, this.model, view.root);
    this.drawNow();
  }

  drawNow() {
    const { codes, scale, view, place } = this;
    const far = view.overlay.matches(".vae-pad-held") || this.walking ? Infinity : LEAP * codes.reach;
    this.trail.extend(place, far);
    drawDigit(fitCanvas(view.digit, DIGIT), this.decode(this.code), 0, 0, DIGIT, this.model.get("columns"));
    const here = scale.toPixels(place);
    const shown = this.hovered >= 0 ? this.hovered : nearestCode(codes, scale, here, NEAR);
    this.drawOverlay(here, shown);
    this.drawCard(shown);
    view.readout.textContent = codes.axes.map((name, i) => `${name} = ${written(place[i])}`).join(", ");
  }

  /** @param {Point} here @param {number} shown the index of a code, or -1 */
  drawOverlay(here, shown) {
    const { codes, scale } = this;
    const theme = themeColours(this.view.root);
    const ctx = fitCanvas(this.view.overlay, scale.size);
    ctx.globalAlpha = 0.5;
    for (const places of this.trail.lines) line(ctx, places.map(scale.toPixels), theme.text, 2);
    ctx.globalAlpha = 1;
    if (shown >= 0)
      drawPosterior(ctx, scale, onMap(codes, codes.mu(shown)), onMap(codes, codes.sigma(shown)), theme);
    drawRing(ctx, here);
  }

  /** @param {number} shown */
  drawCard(shown) {
    const { codes, model, view } = this;
    const [truth, copy] = [view.truth, view.copy].map((canvas) => fitCanvas(canvas, SMALL));
    view.card.classList.toggle("vae-pad-empty", shown < 0);
    if (shown < 0) {
      view.caption.textContent = `No test ${model.get("noun")} has its code here.`;
      return;
    }
    const [columns, across] = [model.get("columns"), model.get("atlas_columns")];
    const rows = this.layers[this.layers.length - 1].n_out / columns;
    const zoom = SMALL / Math.max(rows, columns);
    truth.imageSmoothingEnabled = false;
    if (this.atlas) {
      truth.drawImage(
        this.atlas,
        (shown % across) * columns,
        Math.floor(shown / across) * rows,
        columns,
        rows,
        0,
        0,
        columns * zoom,
        rows * zoom,
      );
    }
    drawDigit(copy, this.decode(codes.mu(shown)), 0, 0, SMALL, columns);
    const pair = (/** @type {Float32Array} */ values) =>
      `(${onMap(codes, values)
        .map((value) => written(value))
        .join(", ")})`;
    view.caption.textContent =
      `Test ${model.get("noun")}, ${model.get("names")[codes.label(shown)]}, and its ` +
      `reconstruction. μ = ${pair(codes.mu(shown))}, σ = ${pair(codes.sigma(shown))}`;
  }

  /** Tell screen readers where the ring is. */
  say() {
    const { codes, scale, place, model } = this;
    const near = nearestCode(codes, scale, scale.toPixels(place), NEAR);
    const where = codes.axes.map((name, i) => `${name} ${written(place[i])}`).join(", ");
    const what =
      near < 0
        ? `No test ${model.get("noun")} has its code here.`
        : `The nearest test ${model.get("noun")} is ${model.get("names")[codes.label(near)]}.`;
    this.view.status.textContent = `${where}. ${what}`;
  }

  // -- moving

  /** @param {Move} move */
  moveTo(move) {
    const [step, reach] = [this.model.get("step"), this.model.get("reach")];
    for (const [unit, value] of Object.entries(move))
      this.model.set(`z_${unit}`, snapped(value, step, reach));
    this.save();
  }

  /** @param {Point} place @returns {Move} */
  moveOnMap(place) {
    return Object.fromEntries(this.codes.units.map((unit, i) => [unit, place[i]]));
  }

  stop() {
    cancelAnimationFrame(this.walking);
    this.walking = 0;
  }

  /** Walk straight to other values of some units. @param {Move} goal */
  walkTo(goal) {
    this.stop();
    const start = this.code;
    const between = (/** @type {number} */ share) =>
      Object.fromEntries(
        Object.entries(goal).map(([unit, value]) => [unit, start[+unit] + share * (value - start[+unit])]),
      );
    this.way = Array.from({ length: FRAMES }, (_, i) => {
      const z = Float32Array.from(start);
      for (const [unit, value] of Object.entries(between(i / (FRAMES - 1)))) z[+unit] = value;
      return z;
    });
    this.drawStrip();
    const begin = performance.now();
    const time = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : WALK;
    const step = () => {
      const share = time ? Math.min(1, (performance.now() - begin) / time) : 1;
      this.moveTo(between(share));
      if (share < 1) {
        this.walking = requestAnimationFrame(step);
        return;
      }
      this.drawNow();
      this.walking = 0;
      this.say();
    };
    step();
  }

  /** Walk to the mean of a class. @param {number[]} mean */
  walkToClass(mean) {
    this.chooseGoal(false);
    this.walkTo(Object.fromEntries(this.free.map((unit) => [unit, mean[unit]])));
  }

  /** The pictures of a walk stand in the place of the hint, unless it says where to click. */
  showStrip() {
    const { strip, hint } = this.view;
    const shown = this.way.length > 0 && !this.choosing;
    strip.classList.toggle("vae-pad-blank", !shown);
    hint.classList.toggle("vae-pad-blank", shown);
  }

  /** Draw the pictures of the last walk. */
  drawStrip() {
    const { strip, root } = this.view;
    const width = Math.min(FRAMES * 56, Math.floor(root.clientWidth || 400) - 4);
    const side = width / FRAMES;
    this.showStrip();
    const ctx = fitCanvas(strip, width, side);
    this.way.forEach((z, i) =>
      drawDigit(ctx, this.decode(z), i * side, 0, side - 2, this.model.get("columns")),
    );
    if (!this.way.length) return;
    const end = onMap(this.codes, this.way[FRAMES - 1]);
    strip.setAttribute(
      "aria-label",
      `Digits on the straight way to ${end.map((value) => written(value)).join(", ")}`,
    );
  }

  /** @param {boolean} on */
  chooseGoal(on) {
    this.choosing = on;
    const { hint, walk } = this.view;
    walk.setAttribute("aria-pressed", String(on));
    hint.style.minHeight = on ? `${hint.offsetHeight}px` : ""; // what stands below it stays where it is
    hint.textContent = on ? "Click on the map where to walk to, or press a digit's key." : HELP;
    this.showStrip();
    if (on) this.view.overlay.focus();
  }

  // -- mouse, finger and keys

  listen() {
    const { view } = this;
    view.walk.addEventListener("click", () => this.chooseGoal(!this.choosing));
    view.clear.addEventListener("click", () => {
      this.trail.clear();
      this.way = [];
      this.drawStrip();
      this.draw();
    });
    for (const [label, mean] of this.model.get("means")) {
      const name = this.model.get("names")[label];
      const button = addButton(view.classes, String(label), () =>
        this.walkToClass(this.meanOf(String(label)) ?? mean),
      );
      button.title = `Walk to the mean of the codes of ${name}`;
      button.setAttribute("aria-label", button.title);
    }
    view.overlay.addEventListener("pointerdown", (event) => this.press(event));
    view.overlay.addEventListener("pointermove", (event) => this.point(event));
    for (const type of ["pointerup", "pointercancel"]) {
      view.overlay.addEventListener(type, () => {
        view.overlay.classList.remove("vae-pad-held");
        this.say();
      });
    }
    view.overlay.addEventListener("pointerleave", () => {
      this.hovered = -1;
      this.draw();
    });
    view.root.addEventListener("keydown", (event) => this.key(event));
    view.root.addEventListener("keyup", () => this.say());
  }

  /** The mean of a class as it is now. @param {string} label @returns {number[] | undefined} */
  meanOf(label) {
    return this.model
      .get("means")
      .find((/** @type {[number, number[]]} */ [of]) => String(of) === label)?.[1];
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button) return;
    this.stop();
    const { overlay } = this.view;
    const target = this.scale.toCode(placeIn(event, overlay));
    if (this.choosing) {
      this.chooseGoal(false);
      this.walkTo(this.moveOnMap(target));
      return;
    }
    overlay.setPointerCapture(event.pointerId);
    overlay.classList.add("vae-pad-held");
    this.hovered = -1;
    this.trail.lift();
    this.moveTo(this.moveOnMap(target));
  }

  /** @param {PointerEvent} event */
  point(event) {
    const { overlay } = this.view;
    const place = placeIn(event, overlay);
    if (overlay.hasPointerCapture(event.pointerId)) {
      this.moveTo(this.moveOnMap(this.scale.toCode(place)));
    } else if (event.pointerType !== "touch") {
      this.hovered = nearestCode(this.codes, this.scale, place, NEAR);
      this.draw();
    }
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.answer(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Do what a key asks for; return whether it asks for anything. @param {KeyboardEvent} event */
  answer({ key, shiftKey }) {
    const [way, mean] = [arrow(key), this.meanOf(key)];
    if (!way && !mean && key !== "Home" && key !== "Escape") return false;
    this.stop();
    if (way) {
      const step = this.model.get("step") * (shiftKey ? 10 : 1);
      const [x, y] = this.place;
      this.moveTo(this.moveOnMap([x + step * way[0], y + step * way[1]]));
    } else if (mean) this.walkToClass(mean);
    else if (key === "Escape") this.chooseGoal(false);
    else {
      this.trail.lift();
      this.moveTo(Object.fromEntries(this.free.map((unit) => [unit, 0])));
    }
    return true;
  }
}

let pads = 0; // for ids that two pads on one page do not share

/** Build the pad's elements. @param {HTMLElement} el */
function makeView(el) {
  const id = `vae-pad-help-${pads++}`;
  const root = add(el, "div", { className: "vae-pad", tabIndex: -1 });
  const pair = add(root, "div", { className: "vae-pad-pair" });
  const stack = add(pair, "div", { className: "vae-pad-map" });
  const map = add(stack, "canvas", {}, { "aria-hidden": true });
  const overlay = add(
    stack,
    "canvas",
    { tabIndex: 0, className: "vae-pad-overlay" },
    {
      role: "application",
      "aria-roledescription": "pad",
      "aria-label": "Map of the codes; the ring marks z",
      "aria-describedby": id,
    },
  );
  const side = add(pair, "div", { className: "vae-pad-side" });
  const digit = add(
    side,
    "canvas",
    { className: "vae-pad-digit" },
    { role: "img", "aria-label": "The decoded digit" },
  );
  const readout = add(side, "div", { className: "vae-pad-readout" });
  const card = add(side, "div", { className: "vae-pad-card" });
  const [truth, copy] = ["The test digit", "Its reconstruction"].map((label) =>
    add(card, "canvas", {}, { role: "img", "aria-label": label }),
  );
  const caption = add(side, "div", { className: "vae-pad-caption" });
  const foot = add(root, "div", { className: "vae-foot vae-pad-foot" });
  const classes = add(
    foot,
    "div",
    { className: "vae-pad-classes" },
    { role: "group", "aria-label": "Walk to a class" },
  );
  add(classes, "span", { textContent: "Walk to" });
  const [walk, clear] = ["Walk to a place …", "Clear trail"].map((text) => addButton(foot, text, () => {}));
  const below = add(root, "div", { className: "vae-pad-below" });
  const hint = add(below, "span", { className: "vae-hint", id });
  const strip = add(below, "canvas", { className: "vae-pad-strip vae-pad-blank" }, { role: "img" });
  const status = addStatus(root, "vae-pad-status vae-unseen");
  return {
    root,
    stack,
    map,
    overlay,
    digit,
    readout,
    card,
    truth,
    copy,
    caption,
    classes,
    walk,
    clear,
    hint,
    strip,
    status,
  };
}

export default control(show);

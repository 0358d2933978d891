// The drawing board: ink, the digit that the network sees, its reconstruction, its place on the map, its −ELBO.

import { disc, drawDigit, fitCanvas } from "./lib/canvas.js";
import { mapScale, onMap, readCodes } from "./lib/codes.js";
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
import { FIELD, inkBox, normaliseInk } from "./lib/ink.js";
import { drawCross, drawMap, drawPosterior } from "./lib/map.js";
import { elboTerms, encode, readLayers, run } from "./lib/network.js";
import { clamp, rowsOf, unpack, written } from "./lib/numbers.js";

/** @import { Model, Point } from "./lib/codes.js" */
/** @import { Posterior } from "./lib/network.js" */

const SIDE = 280; // of the ink, in pixels of its own
const PEN = 22;
const DOT = 48; // ink that is smaller than this is a dot
const PAPER = 252; // CSS pixels, less where there is no room for the copies beside it
const BESIDE = 132; // … which take up so many
const COPY = 112;
const BLANK = new Float32Array(FIELD * FIELD);
const WAITING = "Draw a digit: with the mouse, a finger or a pen.";
const A_DOT = "A dot is scaled up to a blob, which is no digit: draw larger.";
const KEYS =
  "By keyboard: the arrow keys move the pen (with Shift by little), the space bar puts it down and lifts it, " +
  "Backspace takes back the last line, Delete clears.";

/** @type {Parameters<typeof control>[0]} */
function show(model, el, signal) {
  const board = new Board(model, makeView(el), signal);
  board.load();
}

/** What encodes, decodes and judges. @param {Model} model */
const readNetwork = (model) => ({
  encoder: readLayers(model, "encoder_"),
  decoder: readLayers(model),
  options: {
    activation: model.get("activation"),
    output: model.get("output"),
    posterior: model.get("posterior"),
  },
  epsilons: rowsOf(unpack(model.get("epsilons")), model.get("latent_dim")),
  reference: unpack(model.get("reference")), // −ELBOs of test digits, ascending
});

class Board {
  /** @param {Model} model @param {ReturnType<typeof makeView>} view @param {AbortSignal} signal */
  constructor(model, view, signal) {
    this.model = model;
    this.view = view;
    this.network = readNetwork(model);
    this.codes = readCodes(model);
    this.scale = mapScale(300, this.codes.reach);
    this.paper = PAPER;
    this.ink = /** @type {OffscreenCanvasRenderingContext2D} */ (
      new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true })
    );
    this.strokes = /** @type {Point[][]} */ ([]);
    this.pen = /** @type {Point} */ ([SIDE / 2, SIDE / 2]);
    this.down = false;
    this.seen = /** @type {Float32Array | null} */ (null); // the digit, once there is one
    this.ground = document.createElement("canvas");
    this.draw = oncePerFrame(() => this.drawNow());
    this.redraw = oncePerFrame(() => this.drawGround());
    onTraits(model, ["weights", "encoder_weights", "codes", "reference"], () => this.load(), signal);
    onResize(view.root, this.redraw, signal);
    onThemeChange(this.redraw, signal);
    this.listen();
  }

  /** Unpack what the kernel has sent. */
  load() {
    this.network = readNetwork(this.model);
    this.codes = readCodes(this.model);
    this.redraw();
  }

  // -- what is shown

  drawGround() {
    const width = Math.floor(this.view.root.clientWidth);
    this.paper = clamp(Math.min(width - BESIDE, Math.max(0.38 * width, 226)), 200, PAPER);
    const left = width - this.paper - BESIDE - 20; // for the map beside both
    const size = clamp(left > 180 ? left : width - 4, 180, 300);
    this.scale = mapScale(size, this.codes.reach);
    drawMap(this.ground, this.codes, this.scale, this.model, this.view.root);
    this.drawNow();
  }

  drawNow() {
    const { view } = this;
    const { encoder, decoder, options } = this.network;
    this.drawInk();
    const { data } = this.ink.getImageData(0, 0, SIDE, SIDE);
    const ink = Float32Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i + 3] / 255);
    const box = inkBox(ink, SIDE);
    const dot = box && Math.max(box.width, box.height) < DOT;
    this.seen = box && !dot ? normaliseInk(ink, SIDE) : null;
    const posterior = this.seen && encode(encoder, this.seen, options);
    drawDigit(fitCanvas(view.seen, COPY), this.seen ?? BLANK, 0, 0, COPY);
    drawDigit(
      fitCanvas(view.copy, COPY),
      posterior ? run(decoder, posterior.mu, options) : BLANK,
      0,
      0,
      COPY,
    );
    this.drawPlace(posterior);
    view.verdict.textContent =
      this.seen && posterior ? this.judge(this.seen, posterior) : dot ? A_DOT : WAITING;
  }

  drawInk() {
    const { ink, view, paper } = this;
    ink.clearRect(0, 0, SIDE, SIDE);
    Object.assign(ink, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.strokes) {
      ink.beginPath();
      ink.moveTo(...stroke[0]);
      for (const point of stroke) ink.lineTo(...point);
      ink.stroke();
    }
    const ctx = fitCanvas(view.paper, paper);
    ctx.fillStyle = "white";
    ctx.fillRect(0, 0, paper, paper);
    ctx.drawImage(ink.canvas, 0, 0, paper, paper);
    if (document.activeElement !== view.paper) return;
    const zoom = paper / SIDE;
    const stroke = this.down ? "#d32f2f" : "#1976d2";
    disc(
      ctx,
      this.pen.map((value) => value * zoom),
      (PEN / 2) * zoom,
      { stroke, width: 2 },
    );
  }

  /** @param {Posterior | null} posterior */
  drawPlace(posterior) {
    const { codes, scale } = this;
    const theme = themeColours(this.view.root);
    const ctx = fitCanvas(this.view.map, scale.size);
    ctx.drawImage(this.ground, 0, 0, scale.size, scale.size);
    if (!posterior) return;
    const mu = onMap(codes, posterior.mu);
    drawCross(ctx, scale, scale.toPixels(mu), theme.accent);
    drawPosterior(ctx, scale, mu, onMap(codes, posterior.sigma), theme);
  }

  /** Say how unusual the drawing is. @param {Float32Array} pixels @param {Posterior} posterior */
  judge(pixels, posterior) {
    const { decoder, options, epsilons, reference } = this.network;
    const { distortion, rate } = elboTerms(decoder, pixels, posterior, options, epsilons);
    const nats = distortion + rate;
    this.view.verdict.dataset.nats = String(nats);
    return (
      `−ELBO ${written(nats, 1)} nats = distortion ${written(distortion, 1)} + rate ${written(rate, 1)}. ` +
      compared(nats, reference)
    );
  }

  // -- the pen

  /** Show what was drawn, and tell Python the digit as the network sees it. */
  finish() {
    this.drawNow();
    const bytes = Uint8Array.from(this.seen ?? BLANK, (pixel) => Math.round(255 * pixel));
    this.model.set("pixels", new DataView(bytes.buffer));
    this.model.save_changes();
    this.view.status.textContent = this.view.verdict.textContent;
  }

  /** @param {Point} place */
  moveTo(place) {
    this.pen = /** @type {Point} */ (place.map((value) => clamp(value, 0, SIDE)));
    if (this.down) this.strokes.at(-1)?.push(this.pen);
    this.draw();
  }

  putDown() {
    this.down = true;
    this.strokes.push([this.pen]);
    this.draw();
  }

  lift() {
    if (!this.down) return;
    this.down = false;
    this.finish();
  }

  /** @param {Point[][]} left what is left of the strokes */
  erase(left) {
    this.down = false;
    this.strokes = left;
    this.finish();
  }

  undo() {
    this.erase(this.strokes.slice(0, -1));
  }

  // -- mouse, finger and keys

  listen() {
    const { view } = this;
    const { paper } = view;
    const place = (/** @type {MouseEvent} */ event) =>
      /** @type {Point} */ (placeIn(event, paper).map((value) => (value / this.paper) * SIDE));
    view.undo.addEventListener("click", () => this.undo());
    view.clear.addEventListener("click", () => this.erase([]));
    paper.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      paper.setPointerCapture(event.pointerId);
      this.pen = place(event);
      this.putDown();
    });
    paper.addEventListener("pointermove", (event) => {
      if (!paper.hasPointerCapture(event.pointerId)) return;
      for (const part of event.getCoalescedEvents?.() ?? []) this.moveTo(place(part));
      this.moveTo(place(event));
    });
    for (const type of ["pointerup", "pointercancel", "blur"])
      paper.addEventListener(type, () => this.lift());
    for (const type of ["focus", "blur"]) paper.addEventListener(type, this.draw);
    paper.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const way = arrow(event.key);
    const step = event.shiftKey ? 2 : 14;
    const action = way
      ? () => this.moveTo([this.pen[0] + step * way[0], this.pen[1] - step * way[1]])
      : {
          " ": () => (this.down ? this.lift() : this.putDown()),
          Backspace: () => this.undo(),
          Delete: () => this.erase([]),
        }[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    action();
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * Say how a −ELBO compares with those of test digits, which ascend.
 * @param {number} nats
 * @param {Float32Array} reference
 */
function compared(nats, reference) {
  const easier = reference.filter((value) => value < nats).length;
  const [share, n] = [easier / reference.length, reference.length.toLocaleString("en")];
  const percent = (/** @type {number} */ value) =>
    `${(100 * value).toFixed(value < 0.01 || value > 0.99 ? 1 : 0)} %`;
  const hardest = written(reference[reference.length - 1], 0);
  const them = `of ${n} test digits`;
  if (share === 1) {
    return `None ${them} is as hard, the hardest costs ${hardest}: the model has seen nothing like it.`;
  }
  if (share < 0.01)
    return `Cheaper than ${percent(1 - share)} ${them}: little ink costs little, digit or not.`;
  const verdict = share > 0.95 ? "Unusual" : "An ordinary digit";
  return `${verdict}: ${percent(share)} ${them} are easier to explain.`;
}

let boards = 0; // for ids that two boards on one page do not share

/** Build the board's elements. @param {HTMLElement} el */
function makeView(el) {
  const id = `vae-board-help-${boards++}`;
  const root = add(el, "div", { className: "vae-board", tabIndex: -1 });
  const row = add(root, "div", { className: "vae-board-row" });
  const paper = add(
    row,
    "canvas",
    { tabIndex: 0, className: "vae-board-paper" },
    {
      role: "application",
      "aria-roledescription": "drawing board",
      "aria-label": "Paper to draw a digit on",
      "aria-describedby": id,
    },
  );
  const copies = add(row, "div", { className: "vae-board-copies" });
  const [seen, copy] = ["as the network sees it", "its reconstruction"].map((label) => {
    const figure = add(copies, "figure");
    const canvas = add(figure, "canvas", {}, { role: "img", "aria-label": `The digit ${label}` });
    add(figure, "figcaption", { textContent: label });
    return canvas;
  });
  const map = add(
    row,
    "canvas",
    { className: "vae-board-map" },
    { role: "img", "aria-label": "Its place among the codes" },
  );
  const verdict = add(root, "div", { className: "vae-board-verdict" });
  const foot = add(root, "div", { className: "vae-foot" });
  const [undo, clear] = ["Undo", "Clear"].map((text) => addButton(foot, text, () => {}));
  add(foot, "span", { className: "vae-hint", id, textContent: KEYS });
  return { root, paper, seen, copy, map, undo, clear, verdict, status: addStatus(root, "vae-unseen") };
}

export default control(show);

// The drawing board: ink, the digit that the network sees, its reconstruction, its place on the map, its −ELBO.
// decoder.js, map.js and ink.js stand in front of it.

const SIDE = 280; // of the ink, in pixels of its own
const PEN = 22;
const DOT = 48; // ink that is smaller than this is a dot
const PAPER = 252; // CSS pixels
const COPY = 112;
const WAITING = "Draw a digit: with the mouse, a finger or a pen.";
const KEYS = "By keyboard: the arrow keys move the pen (with Shift by little), the space bar puts it down and lifts it, " +
  "Backspace takes back the last line, Delete clears.";

function render({ model, el }) {
  const view = makeBoard(el);
  const ink = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true });
  let encoder, decoder, map, epsilons, reference, strokes = [], pen = [SIDE / 2, SIDE / 2], down = false, seen = null;

  function load() {
    const [dtype, dim] = [model.get("dtype"), model.get("latent_dim")];
    encoder = unpackWeights(model.get("encoder_weights"), model.get("encoder_shapes"), dtype);
    decoder = unpackWeights(model.get("weights"), model.get("shapes"), dtype);
    map = readMap(model);
    const noise = unpackHalf(model.get("epsilons"));
    epsilons = Array.from({ length: noise.length / dim }, (_, i) => noise.subarray(i * dim, (i + 1) * dim));
    reference = unpackHalf(model.get("reference")); // −ELBOs of test digits, ascending
    redraw();
  }

  const options = () => ({
    activation: model.get("activation"), output: model.get("output"), posterior: model.get("posterior"),
  });

  function drawInk() {
    ink.clearRect(0, 0, SIDE, SIDE);
    Object.assign(ink, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    for (const stroke of strokes) {
      ink.beginPath();
      ink.moveTo(...stroke[0]);
      for (const point of stroke) ink.lineTo(...point);
      ink.stroke();
    }
    const ctx = fitCanvas(view.paper, PAPER, PAPER);
    ctx.fillStyle = "white";
    ctx.fillRect(0, 0, PAPER, PAPER);
    ctx.drawImage(ink.canvas, 0, 0, PAPER, PAPER);
    if (document.activeElement !== view.paper) return;
    const [x, y] = pen.map((value) => (value * PAPER) / SIDE);
    ctx.beginPath();
    ctx.arc(x, y, (PEN / 2) * (PAPER / SIDE), 0, 2 * Math.PI);
    ctx.strokeStyle = down ? "#d32f2f" : "#1976d2";
    ctx.lineWidth = 2;
    ctx.stroke();
  }

  function pixelsOfInk() {
    const { data } = ink.getImageData(0, 0, SIDE, SIDE);
    const levels = Float32Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i + 3] / 255);
    const box = inkBox(levels, SIDE);
    if (!box) return null;
    return Math.max(box.width, box.height) < DOT ? "dot" : normaliseInk(levels, SIDE);
  }

  function now() {
    drawInk();
    seen = pixelsOfInk();
    const empty = new Float32Array(FIELD * FIELD);
    const usable = seen instanceof Float32Array;
    const posterior = usable ? encode(encoder, seen, options()) : null;
    drawDigit(fitCanvas(view.seen, COPY, COPY), usable ? seen : empty, 0, 0, COPY);
    drawDigit(fitCanvas(view.copy, COPY, COPY), usable ? decode(decoder, posterior.mu, options()) : empty, 0, 0, COPY);
    drawPlace(posterior);
    if (usable) judge(posterior);
    else view.verdict.textContent = seen === "dot" ? "A dot is scaled up to a blob, which is no digit: draw larger." : WAITING;
  }
  const draw = oncePerFrame(now);

  function drawPlace(posterior) {
    const theme = themeColours(el);
    const size = view.size;
    const ctx = fitCanvas(view.map, size, size);
    const scale = mapScale(size, map.reach);
    ctx.drawImage(view.ground, 0, 0, size, size);
    if (!posterior) return;
    const mu = onMap(map, posterior.mu);
    const [x, y] = scale.toPixels(mu);
    ctx.strokeStyle = theme.accent;
    ctx.beginPath();
    ctx.moveTo(MARGIN, y); ctx.lineTo(MARGIN + scale.side, y);
    ctx.moveTo(x, 8); ctx.lineTo(x, 8 + scale.side);
    ctx.stroke();
    drawPosterior(ctx, scale, mu, onMap(map, posterior.sigma), theme);
  }

  const redraw = oncePerFrame(() => {
    view.size = Math.min(300, Math.max(220, Math.floor(el.clientWidth) - 4));
    view.map.style.width = view.map.style.height = `${view.size}px`;
    drawMap(fitCanvas(view.ground, view.size, view.size), map, view.size, themeColours(el));
    now();
  });

  function judge(posterior) {
    const { distortion, rate } = elboTerms(decoder, seen, posterior, options(), epsilons);
    const nats = distortion + rate;
    const easier = reference.reduce((count, value) => count + (value < nats), 0);
    const [share, n] = [easier / reference.length, reference.length.toLocaleString("en")];
    const percent = (value) => `${(100 * value).toFixed(value < 0.01 || value > 0.99 ? 1 : 0)} %`;
    const hardest = number(reference.at(-1), 0);
    const words =
      easier === reference.length ? `None of ${n} test digits is as hard, the hardest costs ${hardest}: the model has seen nothing like it.`
      : share > 0.95 ? `Unusual: ${percent(share)} of ${n} test digits are easier to explain.`
      : share < 0.01 ? `Cheaper than ${percent(1 - share)} of ${n} test digits: little ink costs little, digit or not.`
      : `An ordinary digit: ${percent(share)} of ${n} test digits are easier to explain.`;
    view.verdict.textContent = `−ELBO ${number(nats, 1)} nats = distortion ${number(distortion, 1)} + rate ${number(rate, 1)}. ${words}`;
    view.verdict.dataset.nats = nats;
  }

  // -- the pen

  function tell() { // Python gets the digit as the network sees it
    const usable = seen instanceof Float32Array;
    const bytes = Uint8Array.from(usable ? seen : new Float32Array(FIELD * FIELD), (pixel) => Math.round(255 * pixel));
    model.set("pixels", new DataView(bytes.buffer));
    model.save_changes();
    view.status.textContent = view.verdict.textContent;
  }

  function finish() {
    now();
    tell();
  }

  function moveTo(point) {
    pen = point.map((value) => Math.min(SIDE, Math.max(0, value)));
    if (down) strokes.at(-1).push(pen);
    draw();
  }

  function putDown() {
    down = true;
    strokes.push([pen]);
    draw();
  }

  function lift() {
    if (!down) return;
    down = false;
    finish();
  }

  function erase(all) {
    down = false;
    strokes = all ? [] : strokes.slice(0, -1);
    finish();
  }

  const place = (event) => {
    const box = view.paper.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  };

  const listeners = {
    pointerdown(event) {
      if (event.button) return;
      view.paper.setPointerCapture(event.pointerId);
      pen = place(event);
      putDown();
    },
    pointermove(event) {
      if (!view.paper.hasPointerCapture(event.pointerId)) return;
      for (const part of event.getCoalescedEvents?.() ?? [event]) moveTo(place(part));
      moveTo(place(event));
    },
    pointerup: lift,
    pointercancel: lift,
    keydown(event) {
      const step = event.shiftKey ? 2 : 14;
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (way) moveTo(pen.map((value, i) => value + step * way[i]));
      else if (event.key === " ") down ? lift() : putDown();
      else if (event.key === "Backspace") erase(false);
      else if (event.key === "Delete") erase(true);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    focus: draw,
    blur: lift,
  };
  for (const [type, listener] of Object.entries(listeners)) view.paper.addEventListener(type, listener);
  view.paper.addEventListener("blur", draw);
  view.undo.addEventListener("click", () => erase(false));
  view.clear.addEventListener("click", () => erase(true));
  const traits = ["weights", "encoder_weights", "codes", "reference"].map((trait) => `change:${trait}`);
  for (const trait of traits) model.on(trait, load);
  const sizes = new ResizeObserver(() => map && redraw());
  sizes.observe(el);
  const endTheme = onThemeChange(redraw);
  load();
  return () => {
    sizes.disconnect();
    endTheme();
    for (const trait of traits) model.off(trait, load);
  };
}

let boards = 0; // for ids that two boards on one page do not share

function makeBoard(el) {
  const id = `vae-board-help-${boards++}`;
  const root = add(el, "div", { className: "vae-board" });
  const paper = add(root, "canvas", { tabIndex: 0, className: "vae-board-paper" }, {
    role: "application", "aria-roledescription": "drawing board", "aria-label": "Paper to draw a digit on",
    "aria-describedby": id, "data-lm-suppress-shortcuts": "true",
  });
  paper.style.width = paper.style.height = `${PAPER}px`;
  const copies = add(root, "div", { className: "vae-board-copies" });
  const [seen, copy] = ["as the network sees it", "its reconstruction"].map((label) => {
    const figure = add(copies, "figure");
    const canvas = add(figure, "canvas", {}, { role: "img", "aria-label": `The digit ${label}` });
    canvas.style.width = canvas.style.height = `${COPY}px`;
    add(figure, "figcaption", { textContent: label });
    return canvas;
  });
  const map = add(root, "canvas", { className: "vae-board-map" }, { role: "img", "aria-label": "Its place among the codes" });
  const ground = document.createElement("canvas");
  const verdict = add(el, "div", { className: "vae-board-verdict" });
  const foot = add(el, "div", { className: "vae-pad-foot" });
  const undo = add(foot, "button", { type: "button", textContent: "Undo" });
  const clear = add(foot, "button", { type: "button", textContent: "Clear" });
  add(foot, "span", { className: "vae-pad-hint", id, textContent: KEYS });
  const status = add(el, "div", { className: "vae-pad-status" }, { role: "status", "aria-live": "polite" });
  return { paper, seen, copy, map, ground, undo, clear, verdict, status, size: 300 };
}

export default { render };

// The latent pad: a map of codes on which a point is dragged, and the digit that the decoder makes of it.
// decoder.js and map.js stand in front of it.

const DIGIT = 224; // CSS pixels of the decoded digit: eight for each of its own
const SMALL = 84; // of the digits beside it
const TRAIL = 300; // places that the trail remembers
const WALK = 1600; // milliseconds that a walk takes
const FRAMES = 9; // pictures of a walk

const HELP = "Drag the ring, or use the arrow keys, with Shift in larger steps. Press a digit to walk to the mean of " +
  "its class, Home to return to the origin, Escape to stop.";

function render({ model, el }) {
  const view = makeView(el);
  const name = (unit) => `z_${unit}`;
  const free = model.get("free");
  let layers, map, scale, atlas, size, hovered = -1, walk = 0, choosing = false, trail = [];

  const code = () => Float32Array.from({ length: map.dim }, (_, i) => (free.includes(i) ? model.get(name(i)) : 0));
  const options = () => ({ activation: model.get("activation"), output: model.get("output") });
  const place = () => onMap(map, code());

  function snapped(value) {
    const step = model.get("step");
    const reach = model.get("reach");
    return Math.min(reach, Math.max(-reach, +(Math.round(value / step) * step).toFixed(6)));
  }

  function moveTo(target) { // {unit: value}
    for (const [unit, value] of Object.entries(target)) model.set(name(unit), snapped(value));
    save();
  }

  const moveOnMap = (values) => moveTo(Object.fromEntries(map.units.map((unit, i) => [unit, values[i]])));
  const save = oncePerFrame(() => model.save_changes());

  // -- drawing

  function load() {
    layers = unpackWeights(model.get("weights"), model.get("shapes"), model.get("dtype"));
    map = readMap(model);
    const png = model.get("atlas");
    createImageBitmap(new Blob([png], { type: "image/png" })).then((bitmap) => { atlas = bitmap; draw(); });
    resize();
  }

  function resize() {
    size = Math.max(240, Math.min(400, Math.floor(el.clientWidth || 400) - 4));
    for (const canvas of [view.map, view.overlay]) canvas.style.width = canvas.style.height = `${size}px`;
    view.stack.style.width = view.stack.style.height = `${size}px`;
    scale = mapScale(size, map.reach);
    redraw();
  }

  const redraw = oncePerFrame(() => {
    drawMap(fitCanvas(view.map, size, size), map, size, themeColours(el));
    now();
  });

  function now() {
    if (!map) return;
    const z = code();
    drawDigit(fitCanvas(view.digit, DIGIT, DIGIT), decode(layers, z, options()), 0, 0, DIGIT, model.get("columns"));
    const here = scale.toPixels(place());
    const shown = hovered >= 0 ? hovered : nearestCode(map, scale, here, 14);
    drawOverlay(here, shown);
    drawCard(shown);
    view.readout.textContent = map.units.map((unit, i) => `${map.names[i]} = ${number(z[unit])}`).join(", ");
  }
  const draw = oncePerFrame(now);

  function drawOverlay(here, shown) {
    const theme = themeColours(el);
    const ctx = fitCanvas(view.overlay, size, size);
    ctx.lineWidth = 2;
    ctx.strokeStyle = theme.text;
    for (let i = 1; i < trail.length; i++) {
      ctx.globalAlpha = 0.15 + (0.6 * i) / trail.length;
      ctx.beginPath();
      ctx.moveTo(...scale.toPixels(trail[i - 1]));
      ctx.lineTo(...scale.toPixels(trail[i]));
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
    if (shown >= 0) drawPosterior(ctx, scale, onMap(map, map.mu(shown)), onMap(map, map.sigma(shown)), theme);
    drawRing(ctx, here);
  }

  function drawCard(shown) {
    const truth = fitCanvas(view.truth, SMALL, SMALL);
    const copy = fitCanvas(view.copy, SMALL, SMALL);
    view.card.classList.toggle("vae-pad-empty", shown < 0);
    if (shown < 0) {
      view.caption.textContent = "No test digit has its code here.";
      return;
    }
    const columns = model.get("columns");
    const rows = layers.at(-1).n_out / columns;
    const across = model.get("atlas_columns");
    if (atlas) {
      truth.imageSmoothingEnabled = false;
      const zoom = SMALL / Math.max(rows, columns);
      truth.drawImage(atlas, (shown % across) * columns, Math.floor(shown / across) * rows, columns, rows,
        0, 0, columns * zoom, rows * zoom);
    }
    drawDigit(copy, decode(layers, map.mu(shown), options()), 0, 0, SMALL, columns);
    const pair = (values) => `(${onMap(map, values).map((value) => number(value)).join(", ")})`;
    view.caption.textContent = `Test digit, a ${map.label(shown)}, and its reconstruction. μ = ${pair(map.mu(shown))}, ` +
      `σ = ${pair(map.sigma(shown))}`;
  }

  function say() {
    const near = nearestCode(map, scale, scale.toPixels(place()), 14);
    const where = map.units.map((_, i) => `${map.names[i]} ${number(place()[i])}`).join(", ");
    view.status.textContent = `${where}. ` +
      (near < 0 ? "No test digit has its code here." : `The nearest test digit is a ${map.label(near)}.`);
  }

  // -- moving

  function extendTrail() {
    const here = place();
    const last = trail.at(-1);
    if (!last || here[0] !== last[0] || here[1] !== last[1]) trail.push(here);
    trail = trail.slice(-TRAIL);
  }

  function stopWalk() {
    cancelAnimationFrame(walk);
    walk = 0;
  }

  function walkTo(target) { // {unit: value}
    stopWalk();
    const units = Object.keys(target);
    const start = code();
    const between = (share) => Object.fromEntries(units.map((u) => [u, start[u] + share * (target[u] - start[u])]));
    drawStrip(start, between);
    view.strip.setAttribute("aria-label", `Digits on the straight way to ${onMap(map, { ...start, ...between(1) })
      .map((value) => number(value)).join(", ")}`);
    const begin = performance.now();
    const time = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : WALK;
    const step = () => {
      const share = time ? Math.min(1, (performance.now() - begin) / time) : 1;
      moveTo(between(share));
      walk = share < 1 ? requestAnimationFrame(step) : 0;
      if (share === 1) say();
    };
    step();
  }

  function drawStrip(start, between) {
    const width = Math.min(FRAMES * 56, Math.floor(el.clientWidth || 400) - 4);
    const side = width / FRAMES;
    view.strip.hidden = false;
    view.strip.style.width = `${width}px`;
    view.strip.style.height = `${side}px`;
    const ctx = fitCanvas(view.strip, width, side);
    for (let i = 0; i < FRAMES; i++) {
      const z = Float32Array.from(start);
      for (const [unit, value] of Object.entries(between(i / (FRAMES - 1)))) z[unit] = value;
      drawDigit(ctx, decode(layers, z, options()), i * side, 0, side - 2, model.get("columns"));
    }
  }

  function chooseGoal(on) {
    choosing = on;
    view.walk.setAttribute("aria-pressed", on);
    view.hint.textContent = on ? "Click where to walk to, or press a digit's key." : HELP;
    if (on) view.overlay.focus();
  }

  const pixels = (event) => {
    const box = view.overlay.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  const listeners = {
    pointerdown(event) {
      if (event.button) return;
      stopWalk();
      const target = scale.toCode(pixels(event));
      if (choosing) {
        chooseGoal(false);
        walkTo(Object.fromEntries(map.units.map((unit, i) => [unit, snapped(target[i])])));
      } else {
        view.overlay.setPointerCapture(event.pointerId);
        hovered = -1;
        moveOnMap(target);
      }
    },
    pointermove(event) {
      if (view.overlay.hasPointerCapture(event.pointerId)) {
        moveOnMap(scale.toCode(pixels(event)));
      } else if (event.pointerType !== "touch") {
        hovered = nearestCode(map, scale, pixels(event), 14);
        draw();
      }
    },
    pointerup: say,
    pointerleave() { hovered = -1; draw(); },
    keydown(event) {
      const step = model.get("step") * (event.shiftKey ? 10 : 1);
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (dx !== undefined) {
        stopWalk();
        moveOnMap(place().map((value, i) => value + step * [dx, dy][i]));
      } else if (event.key === "Home") {
        stopWalk();
        moveTo(Object.fromEntries(free.map((unit) => [unit, 0])));
      } else if (event.key === "Escape") {
        stopWalk();
        chooseGoal(false);
      } else {
        const goal = model.get("means").find(([label]) => String(label) === event.key);
        if (!goal) return;
        chooseGoal(false);
        walkTo(Object.fromEntries(free.map((unit) => [unit, snapped(goal[1][unit])])));
      }
      event.preventDefault();
      event.stopPropagation();
    },
    keyup: () => say(),
  };
  for (const [type, listener] of Object.entries(listeners)) view.overlay.addEventListener(type, listener);
  view.walk.addEventListener("click", () => chooseGoal(!choosing));
  view.clear.addEventListener("click", () => { trail = []; view.strip.hidden = true; draw(); });

  const moved = () => { extendTrail(); draw(); };
  for (const unit of free) model.on(`change:${name(unit)}`, moved);
  for (const trait of ["weights", "codes", "atlas"]) model.on(`change:${trait}`, load);
  const sizes = new ResizeObserver(() => map && resize());
  sizes.observe(el);
  const endTheme = onThemeChange(redraw);
  chooseGoal(false);
  load();
  return () => {
    stopWalk();
    sizes.disconnect();
    endTheme();
    for (const unit of free) model.off(`change:${name(unit)}`, moved);
    for (const trait of ["weights", "codes", "atlas"]) model.off(`change:${trait}`, load);
  };
}

let pads = 0; // for ids that two pads on one page do not share

function makeView(el) {
  const id = `vae-pad-help-${pads++}`;
  const root = add(el, "div", { className: "vae-pad" });
  const stack = add(root, "div", { className: "vae-pad-map" });
  const map = add(stack, "canvas", {}, { "aria-hidden": "true" });
  const overlay = add(stack, "canvas", { tabIndex: 0, className: "vae-pad-overlay" }, {
    role: "application", "aria-roledescription": "pad", "aria-label": "Map of the codes; the ring marks z",
    "aria-describedby": id, "data-lm-suppress-shortcuts": "true",
  });
  const side = add(root, "div", { className: "vae-pad-side" });
  const digit = add(side, "canvas", { className: "vae-pad-digit" }, { role: "img", "aria-label": "The decoded digit" });
  digit.style.width = digit.style.height = `${DIGIT}px`;
  const readout = add(side, "div", { className: "vae-pad-readout" });
  const card = add(side, "div", { className: "vae-pad-card" });
  const [truth, copy] = ["The test digit", "Its reconstruction"].map((label) => {
    const canvas = add(card, "canvas", {}, { role: "img", "aria-label": label });
    canvas.style.width = canvas.style.height = `${SMALL}px`;
    return canvas;
  });
  const caption = add(side, "div", { className: "vae-pad-caption" });
  const foot = add(el, "div", { className: "vae-pad-foot" });
  const walk = add(foot, "button", { type: "button", textContent: "Walk to …" });
  const clear = add(foot, "button", { type: "button", textContent: "Clear trail" });
  const hint = add(foot, "span", { className: "vae-pad-hint", id });
  const strip = add(el, "canvas", { hidden: true, className: "vae-pad-strip" }, { role: "img" });
  const status = add(el, "div", { className: "vae-pad-status" }, { role: "status", "aria-live": "polite" });
  return { root, stack, map, overlay, digit, readout, card, truth, copy, caption, walk, clear, hint, strip, status };
}

export default { render };

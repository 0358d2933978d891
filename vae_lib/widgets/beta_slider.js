// A slider for beta: codes, digits and the point on the rate-distortion curve follow, all computed here.

const PLAY_SECONDS = 12; // from one end of the slider to the other

// Return the part of a packed float16 trait that belongs to each beta, `size` numbers long, as a function of its index.
function slices(view, size) {
  const numbers = unpackHalf(view);
  return (i) => numbers.subarray(i * size, (i + 1) * size);
}

// Return what the model's traits hold, unpacked once.
function unpackBeta(model) {
  const get = (name) => model.get(name);
  const layers = unpackWeights(get("weights"), get("shapes"), get("dtype"));
  const { latent_dim, labels, betas, classes } = get("facts");
  const widths = layers.slice(0, -1).map((layer) => layer.n_out);
  const modulation = slices(get("modulation"), 2 * widths.reduce((a, b) => a + b, 0));
  const gates = (i) => {
    const numbers = modulation(i);
    let place = 0;
    const take = (width) => numbers.subarray(place, (place += width));
    return widths.map((width) => ({ scale: take(width), shift: take(width) }));
  };
  const originals = new Uint8Array(get("originals").buffer, get("originals").byteOffset, get("originals").byteLength);
  return {
    layers, gates, originals: Float32Array.from(originals, (value) => value / 255),
    codes: slices(get("codes"), 2 * labels.length),
    mu: slices(get("mu"), classes.length * latent_dim),
    sigma: slices(get("sigma"), classes.length * latent_dim),
    samples: unpackHalf(get("samples")),
    ...get("facts"),
  };
}

// Return beta as a reader writes it: three digits.
const written = (beta) => (beta >= 100 ? beta.toFixed(0) : Number(beta.toPrecision(2)).toString());

// Return the place of beta between the ends of the slider, in [0, 1].
const share = (beta, betas) => Math.log(beta / betas[0]) / Math.log(betas[betas.length - 1] / betas[0]);

function label(ctx, text, x, y, colour, { align = "left", size = 13, weight = "normal" } = {}) {
  ctx.fillStyle = colour;
  ctx.textAlign = align;
  ctx.font = `${weight} ${size}px system-ui, sans-serif`;
  ctx.fillText(text, x, y);
}

// Draw the codes of all digits, each class's numeral at its middle, and the spread of a few posteriors.
function drawCodes(ctx, size, state, i, theme) {
  const [reach, scale] = [state.reach, size / 2 / state.reach];
  const at = (x, y) => [size / 2 + x * scale, size / 2 - y * scale];
  ctx.clearRect(0, 0, size, size);
  ctx.strokeStyle = theme.border;
  ctx.lineWidth = 1;
  for (const radius of [1, 2, 3]) {
    ctx.beginPath();
    ctx.arc(size / 2, size / 2, radius * scale, 0, 2 * Math.PI);
    ctx.stroke();
    if (radius < reach) label(ctx, String(radius), ...at(radius * 0.7071, -radius * 0.7071 - 0.12), theme.muted, { size: 11 });
  }
  const codes = state.codes(i);
  state.labels.forEach((digit, n) => {
    ctx.fillStyle = state.colours[digit % 10];
    ctx.globalAlpha = 0.75;
    ctx.beginPath();
    ctx.arc(...at(codes[2 * n], codes[2 * n + 1]), 2.6, 0, 2 * Math.PI);
    ctx.fill();
  });
  ctx.globalAlpha = 1;
  const [mu, sigma, [one, two]] = [state.mu(i), state.sigma(i), state.units];
  state.classes.forEach((digit, n) => {
    const [a, b] = [n * state.latent_dim + one, n * state.latent_dim + two];
    const flat = one === two; // a single latent unit
    const [x, y] = at(mu[a], flat ? 0 : mu[b]);
    ctx.strokeStyle = ctx.fillStyle = state.colours[digit % 10];
    ctx.lineWidth = 2;
    ctx.beginPath();
    ctx.ellipse(x, y, sigma[a] * scale, flat ? 1 : sigma[b] * scale, 0, 0, 2 * Math.PI);
    ctx.stroke();
    ctx.globalAlpha = 0.15;
    ctx.fill();
    ctx.globalAlpha = 1;
  });
  state.classes.forEach((digit, n) => {
    const [a, b] = [n * state.latent_dim + one, n * state.latent_dim + two];
    const [x, y] = at(mu[a], one === two ? 0 : mu[b]);
    ctx.beginPath();
    ctx.arc(x, y, 9, 0, 2 * Math.PI);
    ctx.fillStyle = state.colours[digit % 10];
    ctx.fill();
    ctx.strokeStyle = "white";
    ctx.lineWidth = 1.5;
    ctx.stroke();
    label(ctx, String(digit), x, y + 4.5, "white", { align: "center", weight: "bold" });
  });
}

// Draw the rate-distortion curve, the point on it, and the tangent of slope -beta.
function drawCurve(ctx, width, height, state, i, theme) {
  const { rates, distortions, betas, dedicated } = state;
  const [left, right, top, bottom] = [48, 10, 10, 38];
  const points = [...rates.map((rate, n) => [rate, distortions[n]]), ...dedicated];
  const maxRate = Math.max(...points.map(([rate]) => rate)) * 1.04;
  const heights = points.map(([, distortion]) => distortion);
  const [low, high] = [Math.min(...heights) - 4, Math.max(...heights) + 6];
  const x = (rate) => left + (rate / maxRate) * (width - left - right);
  const y = (nats) => top + ((high - nats) / (high - low)) * (height - top - bottom);
  ctx.clearRect(0, 0, width, height);
  ctx.lineWidth = 1;
  ctx.strokeStyle = theme.border;
  ctx.beginPath();
  ctx.moveTo(left, top);
  ctx.lineTo(left, height - bottom);
  ctx.lineTo(width - right, height - bottom);
  ctx.stroke();
  const step = maxRate > 12 ? 5 : 2;
  for (let rate = 0; rate < maxRate; rate += step) label(ctx, String(rate), x(rate), height - bottom + 15, theme.muted, { align: "center", size: 12 });
  for (let nats = Math.ceil(low / 20) * 20; nats < high; nats += 20) label(ctx, String(nats), left - 6, y(nats) + 4, theme.muted, { align: "right", size: 12 });
  label(ctx, "rate R (nats)", width - right, height - 6, theme.text, { align: "right" });
  ctx.save();
  ctx.translate(13, top);
  ctx.rotate(-Math.PI / 2);
  label(ctx, "distortion D (nats)", 0, 0, theme.text, { align: "right" });
  ctx.restore();
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width - left - right, height - top - bottom);
  ctx.clip();
  ctx.strokeStyle = theme.muted; // the tangent: D + beta R is the same all along it
  ctx.setLineDash([6, 5]);
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(x(0), y(distortions[i] + betas[i] * rates[i]));
  ctx.lineTo(x(maxRate), y(distortions[i] + betas[i] * (rates[i] - maxRate)));
  ctx.stroke();
  ctx.restore();
  ctx.setLineDash([]);
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 2.5;
  ctx.beginPath();
  rates.forEach((rate, n) => ctx.lineTo(x(rate), y(distortions[n])));
  ctx.stroke();
  ctx.strokeStyle = theme.text;
  ctx.lineWidth = 1.5;
  for (const [rate, distortion] of dedicated) {
    ctx.strokeRect(x(rate) - 4, y(distortion) - 4, 8, 8);
  }
  ctx.beginPath();
  ctx.arc(x(rates[i]), y(distortions[i]), 8, 0, 2 * Math.PI);
  ctx.fillStyle = theme.accent;
  ctx.fill();
  ctx.strokeStyle = "white";
  ctx.lineWidth = 2;
  ctx.stroke();
  const legend = ["— one network", ...(dedicated.length ? ["▫ dedicated networks"] : []), `┄ slope −β = −${written(betas[i])}`];
  legend.forEach((text, n) => label(ctx, text, width - right - 4, top + 16 + 19 * n, n ? theme.text : theme.accent, { align: "right" }));
}

// Draw a bar for each latent unit, as long as its rate; those that are active are lit.
function drawUnits(ctx, width, height, state, i, theme) {
  const rates = state.unit_rates[i];
  const most = Math.max(...state.unit_rates.flat());
  const [left, pitch] = [30, (height - 4) / rates.length];
  ctx.clearRect(0, 0, width, height);
  rates.forEach((rate, unit) => {
    const [y, thick] = [2 + unit * pitch, Math.min(22, pitch - 3)];
    const active = state.active[i][unit];
    label(ctx, `z${"₁₂₃₄₅₆₇₈₉"[unit] ?? unit + 1}`, 4, y + thick / 2 + 4, active ? theme.text : theme.muted, { weight: active ? "bold" : "normal" });
    const length = (Math.max(0, rate) / most) * (width - left - 140);
    ctx.fillStyle = active ? "#ffa90e" : theme.border;
    ctx.fillRect(left, y, Math.max(2, length), thick);
    ctx.strokeStyle = theme.border;
    ctx.strokeRect(left + 0.5, y + 0.5, width - left - 140, thick - 1);
    const words = `${rate.toFixed(2)} nats${rates.length <= 4 ? (active ? ", active" : ", collapsed") : ""}`;
    label(ctx, words, width - 132, y + thick / 2 + 4, active ? theme.text : theme.muted, { size: Math.min(13, pitch) });
  });
}

// Draw the test digits, below each what comes back, and what fixed codes from the prior decode to.
function drawBoard(ctx, width, size, state, i, theme) {
  const { layers, activation, output, columns, latent_dim, classes } = state;
  const gates = state.gates(i);
  const make = (z) => decode(layers, z, { activation, output, modulation: gates });
  const mu = state.mu(i);
  const pixels = state.originals.length / classes.length;
  const left = width - classes.length * (size + 2);
  const place = (n, row) => [left + n * (size + 2), row * (size + 2) + (row > 1 ? 8 : 0), size, columns];
  ctx.clearRect(0, 0, width, 3 * (size + 2) + 8);
  classes.forEach((_, n) => {
    const [from, to] = [n * latent_dim, (n + 1) * latent_dim];
    drawDigit(ctx, state.originals.subarray(n * pixels, (n + 1) * pixels), ...place(n, 0));
    drawDigit(ctx, make(mu.subarray(from, to)), ...place(n, 1));
    drawDigit(ctx, make(state.samples.subarray(from, to)), ...place(n, 2));
  });
  const words = left > 84 ? ["test digits", "decoded", "new digits"] : ["x", "x̂", "new"];
  words.forEach((text, row) => label(ctx, text, left - 8, place(0, row)[1] + size / 2 + 4, theme.text, { align: "right" }));
}

// Return a new element inside `parent`.
function add(parent, tag, properties = {}, attributes = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

// Build the control's elements.
function build(el, state) {
  const root = add(el, "div", { className: "vae-beta" });
  const head = add(root, "div", { className: "vae-beta-head" });
  const big = add(head, "output", { className: "vae-beta-value" }, { "aria-hidden": "true" });
  const play = add(head, "button", { type: "button", textContent: "▶ Play" }, { title: "Move β from one end to the other and back" });
  const track = add(head, "div", { className: "vae-beta-track" });
  const input = add(track, "input", { type: "range", min: 0, max: state.betas.length - 1, step: 1 }, {
    "aria-label": "β, on a logarithmic scale", "data-lm-suppress-shortcuts": "true",
  });
  const marks = add(track, "div", { className: "vae-beta-marks" }, { "aria-hidden": "true" });
  for (const beta of [0.1, 1, 4, 12, 40, 200].filter((b) => b >= state.betas[0] && b <= state.betas.at(-1))) {
    add(marks, "span", { textContent: String(beta) }).style.left = `${100 * share(beta, state.betas)}%`;
  }
  const panels = add(root, "div", { className: "vae-beta-panels" });
  const figure = (caption, name) => {
    const box = add(panels, "figure", { className: `vae-beta-${name}` });
    add(box, "figcaption", { textContent: caption });
    return add(box, "canvas", {}, { role: "img", "aria-label": caption });
  };
  const two = state.latent_dim > 2 ? " in the two units that carry most" : "";
  const codes = figure(`codes μ of ${state.labels.length} test digits${two}; discs: μ and σ of the ten below`, "codes");
  const curve = figure(`rate and distortion of ${state.images.toLocaleString("en")} test digits`, "curve");
  const units = figure("what each latent unit carries; lit: active", "units");
  const board = figure("ten test digits, what their means μ decode to, and what ten fixed draws from the prior decode to", "board");
  const status = add(root, "div", { className: "vae-beta-status" }, { role: "status", "aria-live": "polite" });
  return { root, big, play, input, codes, curve, units, board, status };
}

function render({ model, el }) {
  const state = unpackBeta(model);
  const parts = build(el, state);
  const last = state.betas.length - 1;
  const index = (beta) => Math.round(last * Math.min(1, Math.max(0, share(beta, state.betas))));
  const now = () => Number(parts.input.value);

  const paint = (canvas, height, draw) => {
    const width = canvas.parentElement.clientWidth;
    if (!width) return;
    const tall = height(width);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${tall}px`;
    draw(fitCanvas(canvas, width, tall), width, tall);
  };
  const draw = oncePerFrame(() => {
    const [i, theme] = [now(), themeColours(el)];
    const size = (width) => Math.min(66, Math.floor((width - 90) / state.classes.length) - 2);
    const units = Math.min(150, 26 * state.latent_dim + 4);
    paint(parts.codes, (width) => width, (ctx, width) => drawCodes(ctx, width, state, i, theme));
    paint(parts.curve, () => Math.max(200, parts.codes.clientWidth - units - 8), (ctx, width, height) => drawCurve(ctx, width, height, state, i, theme));
    paint(parts.units, () => units, (ctx, width, height) => drawUnits(ctx, width, height, state, i, theme));
    paint(parts.board, (width) => 3 * (size(width) + 2) + 8, (ctx, width) => drawBoard(ctx, width, size(width), state, i, theme));
  });
  const sentence = (i) => {
    const active = state.active[i].filter(Boolean).length;
    return `β = ${written(state.betas[i])}: rate ${state.rates[i].toFixed(2)}, distortion ${state.distortions[i].toFixed(1)} nats, ` +
      `${active} of ${state.latent_dim} units active`;
  };
  const moved = () => {
    parts.big.textContent = `β = ${written(state.betas[now()])}`;
    parts.input.setAttribute("aria-valuetext", sentence(now()));
    draw();
  };
  const released = () => {
    parts.status.textContent = sentence(now());
    model.set("beta", state.betas[now()]);
    model.save_changes();
  };
  const follow = () => {
    if (index(model.get("beta")) === now()) return;
    parts.input.value = index(model.get("beta"));
    moved();
    parts.status.textContent = sentence(now());
  };

  let playing = 0;
  const stop = () => {
    cancelAnimationFrame(playing);
    playing = 0;
    parts.play.textContent = "▶ Play";
  };
  const start = () => {
    parts.play.textContent = "❚❚ Pause";
    const [begin, from] = [performance.now(), now() >= last ? last : now()];
    const forth = from < last;
    const step = (time) => {
      const way = from + ((time - begin) / 1000 / PLAY_SECONDS) * last * (forth ? 1 : -1);
      const turn = forth && way > last ? 2 * last - way : way;
      parts.input.value = Math.max(0, turn);
      moved();
      if (turn <= 0) return stop(), released();
      playing = requestAnimationFrame(step);
    };
    playing = requestAnimationFrame(step);
  };
  parts.play.addEventListener("click", () => (playing ? (stop(), released()) : start()));
  parts.input.addEventListener("input", () => (playing && stop(), moved()));
  parts.input.addEventListener("change", released);
  model.on("change:beta", follow);
  const endTheme = onThemeChange(draw);
  const resized = new ResizeObserver(draw);
  resized.observe(parts.root);

  parts.input.value = index(model.get("beta"));
  moved();
  parts.status.textContent = sentence(now());
  return () => {
    stop();
    endTheme();
    resized.disconnect();
    model.off("change:beta", follow);
  };
}

export default { render };

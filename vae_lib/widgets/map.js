// The map of codes that the pad and the drawing board share; decoder.js stands in front of it.

const MARGIN = 30; // CSS pixels at the left and below, for the numbers

// Return what the map shows, unpacked from the model's bytes: n codes with their sigmas and labels, and the badges.
function readMap(model) {
  const numbers = unpackHalf(model.get("codes"));
  const dim = model.get("latent_dim");
  const n = numbers.length / 2 / dim;
  const labels = model.get("labels");
  const row = (start) => (i) => numbers.subarray(start + i * dim, start + (i + 1) * dim);
  const units = model.get("units");
  const [x, y] = units.map((unit) => Float32Array.from({ length: n }, (_, i) => numbers[i * dim + unit]));
  return {
    n, dim, x, y, units, names: model.get("names"), reach: model.get("reach"),
    mu: row(0), sigma: row(n * dim), label: (i) => labels.getUint8(i),
    colours: model.get("colours"), badges: model.get("badges"),
  };
}

// Return how a map of `size` CSS pixels turns codes [x, y] into pixels and back.
function mapScale(size, reach) {
  const side = size - MARGIN - 8;
  return {
    side,
    toPixels: ([x, y]) => [MARGIN + ((x + reach) / (2 * reach)) * side, 8 + ((reach - y) / (2 * reach)) * side],
    toCode: ([left, top]) => [((left - MARGIN) / side) * 2 * reach - reach, reach - ((top - 8) / side) * 2 * reach],
  };
}

// Return the two units of a code that the map shows.
const onMap = (map, code) => map.units.map((unit) => code[unit]);

const number = (value, places = 2) => value.toFixed(places).replace("-", "−");

// Return the code nearest to the pixel, if it is within `within` pixels of it, else -1.
function nearestCode(map, scale, pixel, within) {
  const [x, y] = scale.toCode(pixel);
  let best = -1;
  let least = ((within / scale.side) * 2 * map.reach) ** 2;
  for (let i = 0; i < map.n; i++) {
    const distance = (map.x[i] - x) ** 2 + (map.y[i] - y) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

// Draw axes, codes and, at each class's mean, its digit, so that colour is never alone.
function drawMap(ctx, map, size, theme) {
  const scale = mapScale(size, map.reach);
  const [left, right, top, bottom] = [MARGIN, MARGIN + scale.side, 8, 8 + scale.side];
  ctx.fillStyle = theme.paper;
  ctx.fillRect(0, 0, size, size);
  ctx.font = "12px system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  const every = Math.ceil(map.reach / 5);
  for (let tick = -every * Math.floor(map.reach / every); tick <= map.reach; tick += every) {
    const [x, y] = scale.toPixels([tick, tick]);
    ctx.strokeStyle = theme.border;
    ctx.globalAlpha = tick === 0 ? 0.9 : 0.35;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x, top); ctx.lineTo(x, bottom);
    ctx.moveTo(left, y); ctx.lineTo(right, y);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme.muted;
    if (Math.abs(tick) < map.reach) {
      ctx.fillText(number(tick, 0), x, bottom + 11);
      ctx.fillText(number(tick, 0), left - 12, y);
    }
  }
  ctx.fillStyle = theme.text;
  ctx.fillText(map.names[0], right - 8, bottom + 11);
  ctx.fillText(map.names[1], left - 14, top + 8);
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, scale.side, scale.side);
  ctx.clip();
  ctx.globalAlpha = 0.6;
  for (let i = 0; i < map.n; i++) {
    const [x, y] = scale.toPixels([map.x[i], map.y[i]]);
    ctx.fillStyle = map.colours[map.label(i) % 10];
    ctx.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
  }
  ctx.globalAlpha = 1;
  ctx.restore();
  for (const [label, x, y] of map.badges) drawBadge(ctx, scale.toPixels([x, y]), label, map.colours[label % 10], theme);
}

// Draw a class's digit on a disc of its colour.
function drawBadge(ctx, [x, y], label, colour, theme) {
  ctx.beginPath();
  ctx.arc(x, y, 10, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.strokeStyle = theme.paper;
  ctx.lineWidth = 2;
  ctx.stroke();
  ctx.font = "bold 13px system-ui, sans-serif";
  ctx.lineWidth = 3;
  ctx.strokeStyle = "rgba(0, 0, 0, 0.55)";
  ctx.strokeText(label, x, y + 1);
  ctx.fillStyle = "white";
  ctx.fillText(label, x, y + 1);
}

// Draw the posterior N(mu, sigma²) as ellipses of one and two standard deviations.
function drawPosterior(ctx, scale, mu, sigma, theme) {
  const [x, y] = scale.toPixels(mu);
  const unit = scale.toPixels([1, 0])[0] - scale.toPixels([0, 0])[0];
  for (const [times, alpha] of [[2, 0.5], [1, 1]]) {
    ctx.globalAlpha = alpha;
    ctx.strokeStyle = theme.text;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.ellipse(x, y, Math.max(1, times * sigma[0] * unit), Math.max(1, times * sigma[1] * unit), 0, 0, 2 * Math.PI);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  ctx.fillStyle = theme.text;
  ctx.beginPath();
  ctx.arc(x, y, 2.5, 0, 2 * Math.PI);
  ctx.fill();
}

// Draw the ring that marks a place, visible on any ground.
function drawRing(ctx, [x, y]) {
  for (const [radius, colour] of [[9, "white"], [7.5, "black"], [6, "white"]]) {
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.strokeStyle = colour;
    ctx.lineWidth = 2;
    ctx.stroke();
  }
}

// Append a new element with these properties to its parent; return it.
function add(parent, name, properties = {}, attributes = {}) {
  const element = Object.assign(document.createElement(name), properties);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

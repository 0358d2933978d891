// Drawing on a canvas at the screen's own resolution, and images of 28 × 28 pixels.

import { inkTable } from "./theme.mjs";

export const SIDE = 28;

/** Fit the canvas to its place and return [context, width, height] in CSS pixels, cleared. */
export function fresh(canvas) {
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [wide, high] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
}

const scratch = new Map();

/** Return an off-screen canvas with `images` (bytes, n·784) side by side, `columns` in a row. */
export function tiles(images, columns, name) {
  const count = images.length / (SIDE * SIDE);
  const rows = Math.ceil(count / columns);
  const sheet = scratch.get(name) ?? document.createElement("canvas");
  scratch.set(name, sheet);
  if (sheet.width !== columns * SIDE || sheet.height !== rows * SIDE) [sheet.width, sheet.height] = [columns * SIDE, rows * SIDE];
  const context = sheet.getContext("2d");
  const data = context.createImageData(sheet.width, sheet.height);
  const [pixels, ink] = [new Uint32Array(data.data.buffer), inkTable()];
  for (let i = 0; i < count; i++) {
    const [top, left] = [Math.floor(i / columns) * SIDE, (i % columns) * SIDE];
    for (let row = 0; row < SIDE; row++) {
      const [from, to] = [i * SIDE * SIDE + row * SIDE, (top + row) * sheet.width + left];
      for (let column = 0; column < SIDE; column++) pixels[to + column] = ink[images[from + column]];
    }
  }
  context.putImageData(data, 0, 0);
  return sheet;
}

/** Draw `images` into the whole of `canvas`, `columns` in a row. */
export function drawTiles(canvas, images, columns) {
  const [context, width, height] = fresh(canvas);
  context.imageSmoothingEnabled = width < columns * SIDE;
  context.drawImage(tiles(images, columns, canvas.id || "tile"), 0, 0, width, height);
}

/** Return numbers from `low` to `high` at round distances, about `count` of them. */
export function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const result = [];
  for (let i = Math.ceil(low / step); i * step <= high + 1e-9 * step; i++) result.push(i * step);
  return result;
}

const FAILURE = 1000; // nats of rate that no code needs: they belong to a run that fails

/**
 * Return the largest rate worth a place in a picture: not far beyond the median, at least `least`. The rates of `always`,
 * where the present run is and where kept ones ended, have a place in any case.
 */
export function worthShowing(rates, least, always = []) {
  const sensible = rates.filter((rate) => rate < FAILURE).sort((a, b) => a - b);
  if (!sensible.length) return least;
  const most = Math.min(sensible.at(-1), Math.max(least, 4 * sensible[sensible.length >> 1]));
  return Math.max(most, ...always.filter((rate) => rate < FAILURE));
}

// From ink to a digit as MNIST's were prepared (LeCun et al. 1998).

import { clamp } from "./numbers.js";

export const BOX = 20; // MNIST scaled every digit into a box of 20 × 20 pixels …
export const FIELD = 28; // … and put its centre of mass into the middle of 28 × 28

/**
 * The box of the ink in a square of `side` × `side` numbers in [0, 1], or null where there is none.
 * @param {ArrayLike<number>} ink @param {number} side
 */
export function inkBox(ink, side) {
  let [left, top, right, bottom] = [side, side, -1, -1];
  for (let i = 0; i < side * side; i++) {
    if (ink[i] < 0.1) continue;
    const [x, y] = [i % side, Math.floor(i / side)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/**
 * Make 28 × 28 pixels in [0, 1] of ink: scaled into the box of 20 × 20 by averaging over areas, then moved by whole
 * pixels until the centre of mass is in the middle. Null without ink.
 * @param {ArrayLike<number>} ink @param {number} side
 */
export function normaliseInk(ink, side) {
  const box = inkBox(ink, side);
  if (!box) return null;
  const small = shrunk(ink, side, box);
  let [mass, x, y] = [0, 0, 0];
  small.pixels.forEach((pixel, i) => {
    mass += pixel;
    x += pixel * (i % small.columns);
    y += pixel * Math.floor(i / small.columns);
  });
  const middle = FIELD / 2; // the index that MNIST's own centres of mass round to
  const [dx, dy] = [x, y].map((sum) => middle - Math.round(sum / mass));
  const pixels = new Float32Array(FIELD * FIELD);
  small.pixels.forEach((pixel, i) => {
    const [row, column] = [Math.floor(i / small.columns) + dy, (i % small.columns) + dx];
    const inside = Math.min(row, column) >= 0 && Math.max(row, column) < FIELD;
    if (inside) pixels[row * FIELD + column] = Math.min(1, pixel);
  });
  return pixels;
}

/**
 * Scale the box of the ink to at most BOX × BOX pixels.
 * @param {ArrayLike<number>} ink @param {number} side
 * @param {{left: number, top: number, width: number, height: number}} box
 */
function shrunk(ink, side, box) {
  const zoom = Math.max(box.width, box.height) / BOX; // pixels of the ink for one of the digit
  const [columns, rows] = [box.width, box.height].map((length) => Math.ceil(length / zoom - 1e-9));
  const left = box.left - (columns * zoom - box.width) / 2;
  const top = box.top - (rows * zoom - box.height) / 2;
  const area = areaOf(ink, side);
  const pixels = Float32Array.from({ length: rows * columns }, (_, i) => {
    const [x, y] = [left + (i % columns) * zoom, top + Math.floor(i / columns) * zoom];
    return area(x, y, x + zoom, y + zoom) / zoom ** 2;
  });
  return { pixels, columns };
}

/**
 * A function that integrates the ink over a rectangle whose edges may cut pixels (a summed-area table).
 * @param {ArrayLike<number>} ink @param {number} side
 */
function areaOf(ink, side) {
  const width = side + 1;
  const sums = new Float64Array(width * width);
  for (let y = 0; y < side; y++) {
    for (let x = 0, row = 0; x < side; x++) {
      row += ink[y * side + x];
      sums[(y + 1) * width + x + 1] = sums[y * width + x + 1] + row;
    }
  }
  const corner = (/** @type {number} */ x, /** @type {number} */ y) => {
    const [cx, cy] = [x, y].map((value) => clamp(value, 0, side));
    const [x0, y0] = [cx, cy].map((value) => Math.min(side - 1, Math.floor(value)));
    const [u, v] = [cx - x0, cy - y0];
    const i = y0 * width + x0;
    return (
      (1 - v) * ((1 - u) * sums[i] + u * sums[i + 1]) +
      v * ((1 - u) * sums[i + width] + u * sums[i + width + 1])
    );
  };
  /** @type {(left: number, top: number, right: number, bottom: number) => number} */
  return (left, top, right, bottom) =>
    corner(right, bottom) - corner(left, bottom) - corner(right, top) + corner(left, top);
}

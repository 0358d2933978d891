// The codes of a set of images and the geometry of the map that shows them; nothing here draws.

import { unpack } from "./numbers.js";

/**
 * @typedef {[number, number]} Point
 * @typedef {{get(name: string): any, set(name: string, value: any): void, save_changes(): void,
 *   on(names: string, listener: () => void): void, off(names: string, listener: () => void): void}} Model
 * @typedef {ReturnType<typeof readCodes>} Codes
 * @typedef {ReturnType<typeof mapScale>} Scale
 */

export const MARGIN = 30; // CSS pixels at the left and below, for the numbers
export const EDGE = 8; // … and at the right and above

/**
 * Unpack n codes with their sigmas and labels, and where each class's name stands.
 * @param {Model} model
 */
export function readCodes(model) {
  const numbers = unpack(model.get("codes"));
  const [dim, units, labels] = [model.get("latent_dim"), model.get("units"), model.get("labels")];
  const n = numbers.length / 2 / dim;
  const row = (/** @type {number} */ start) => (/** @type {number} */ i) =>
    numbers.subarray(start + i * dim, start + (i + 1) * dim);
  const [x, y] = units.map((/** @type {number} */ unit) =>
    Float32Array.from({ length: n }, (_, i) => numbers[i * dim + unit]),
  );
  return {
    n,
    dim,
    x,
    y,
    mu: row(0),
    sigma: row(n * dim),
    label: (/** @type {number} */ i) => labels.getUint8(i),
    units: /** @type {Point} */ (units),
    axes: /** @type {string[]} */ (model.get("axes")),
    reach: /** @type {number} */ (model.get("reach")),
    badges: /** @type {[number, number, number][]} */ (model.get("badges")),
  };
}

/**
 * How a map of `size` CSS pixels turns codes into places and back.
 * @param {number} size
 * @param {number} reach
 */
export function mapScale(size, reach) {
  const side = size - MARGIN - EDGE;
  return {
    size,
    side,
    toPixels: (/** @type {Point} */ [x, y]) =>
      /** @type {Point} */ ([
        MARGIN + ((x + reach) / (2 * reach)) * side,
        EDGE + ((reach - y) / (2 * reach)) * side,
      ]),
    toCode: (/** @type {Point} */ [left, top]) =>
      /** @type {Point} */ ([
        ((left - MARGIN) / side) * 2 * reach - reach,
        reach - ((top - EDGE) / side) * 2 * reach,
      ]),
  };
}

/**
 * The two units of a code that the map shows.
 * @param {Codes} codes
 * @param {ArrayLike<number>} code
 */
export const onMap = (codes, code) => /** @type {Point} */ (codes.units.map((unit) => code[unit]));

/**
 * The code nearest to a place on the map, if it is within `within` pixels of it, else -1.
 * @param {Codes} codes @param {Scale} scale @param {Point} pixel @param {number} within
 */
export function nearestCode(codes, scale, pixel, within) {
  const [x, y] = scale.toCode(pixel);
  let best = -1;
  let least = ((within / scale.side) * 2 * codes.reach) ** 2;
  for (let i = 0; i < codes.n; i++) {
    const distance = (codes.x[i] - x) ** 2 + (codes.y[i] - y) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

/** Where the axes have numbers. @param {number} reach */
export function mapTicks(reach) {
  const every = Math.ceil(reach / 5);
  const last = Math.floor((reach - 1e-9) / every);
  return Array.from({ length: 2 * last + 1 }, (_, i) => (i - last) * every);
}

/**
 * The trail of a point: lines of places, a new one begun wherever the point leaps rather than moves.
 * @param {number} most places that it remembers
 */
export function makeTrail(most = 300) {
  /** @type {Point[][]} */
  let lines = [];
  let leap = true;
  return {
    get lines() {
      return lines;
    },
    /** Say that the next place is no neighbour of the last. */
    lift() {
      leap = true;
    },
    clear() {
      [lines, leap] = [[], true];
    },
    /** @param {Point} place @param {number} [far] leaps are longer than that */
    extend(place, far = Infinity) {
      const last = lines.at(-1)?.at(-1);
      const length = last ? Math.hypot(place[0] - last[0], place[1] - last[1]) : Infinity;
      if (!length) return;
      if (leap || !last || length > far) lines.push([place]);
      else lines.at(-1)?.push(place);
      leap = false;
      if (lines.flat().length > most) lines[0].shift();
      lines = lines.filter((places) => places.length);
    },
  };
}

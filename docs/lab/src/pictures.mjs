// What both threads must agree on: which codes and digits the pictures show, and in which order.

import { Random } from "./random.mjs";
import { PIXELS } from "./shapes.mjs";

export const BOARD = 15; // the decoded board is BOARD × BOARD images
export const NEW_DIGITS = 20;

/** Return the codes of the board's images, row by row from the top, the plane's other units at 0. */
export function boardCodes([across, up], extent, size) {
  const codes = new Float32Array(BOARD * BOARD * size);
  for (let row = 0; row < BOARD; row++) {
    for (let column = 0; column < BOARD; column++) {
      const at = (row * BOARD + column) * size;
      codes[at + across] = extent * ((2 * column + 1) / BOARD - 1);
      codes[at + up] = extent * (1 - (2 * row + 1) / BOARD);
    }
  }
  return codes;
}

const KEPT_DIGITS = 10; // new ones that a kept run shows

/** Return the codes of a kept run's new digits: the same for all, a longer code beginning with the numbers of a shorter. */
export function keptCodes(size) {
  const codes = new Float32Array(KEPT_DIGITS * size);
  for (let i = 0; i < KEPT_DIGITS; i++) codes.set(new Random(100 + i).normals(size), i * size);
  return codes;
}

/** Return the rows of the ten held-out digits whose reconstructions are shown, the first of each class. */
export function shownDigits(labels) {
  return Array.from({ length: 10 }, (_, digit) => labels.indexOf(digit));
}

/** Return the parts of a picture's images: board, reconstructions, new digits, the image at the point. */
export function parts(images) {
  const ends = [BOARD * BOARD, 10, NEW_DIGITS, 1].reduce((list, count) => [...list, list.at(-1) + count], [0]);
  const [board, reconstructions, fresh, point] = ends.slice(1).map((end, i) => images.subarray(ends[i] * PIXELS, end * PIXELS));
  return { board, reconstructions, fresh, point };
}

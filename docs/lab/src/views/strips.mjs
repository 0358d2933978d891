// Rows of digits: held-out ones over their reconstructions, and new ones.

import { drawTiles, SIDE } from "../canvas.mjs";

export function drawReconstructions(canvas, originals, reconstructions) {
  const both = new Uint8ClampedArray(20 * SIDE * SIDE);
  both.set(originals);
  both.set(reconstructions, 10 * SIDE * SIDE);
  drawTiles(canvas, both, 10);
}

export function drawFresh(canvas, images) {
  drawTiles(canvas, images, 10);
}

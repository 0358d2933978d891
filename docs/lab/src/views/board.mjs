// The decoded board: what the decoder draws at every place of the plane, and the point on it.

import { fresh, tiles } from "../canvas.mjs";
import { BOARD } from "../pictures.mjs";
import { colours } from "../theme.mjs";

export function drawBoard(canvas, images, { point, extent }) {
  const [context, width, height] = fresh(canvas);
  if (!images) return;
  context.imageSmoothingEnabled = true;
  context.drawImage(tiles(images, BOARD, "board"), 0, 0, width, height);
  const [x, y] = [(width * (point[0] / extent + 1)) / 2, (height * (1 - point[1] / extent)) / 2];
  const theme = colours();
  for (const [colour, line] of [[theme.paper, 6], [theme.accent, 3]]) {
    context.beginPath();
    context.arc(x, y, 9, 0, 7);
    context.lineWidth = line;
    context.strokeStyle = colour;
    context.stroke();
  }
}

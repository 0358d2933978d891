// One picture of the page's pictures, each under its title, to be saved.

import { colours } from "../theme.mjs";

const [WIDTH, HEIGHT] = [1680, 1230];
const TITLE = 10; // from a title's foot to its picture

/** [id of a canvas, its title, the place that it is fitted into] */
const PANELS = [
  ["plane", "The plane of codes", [14, 84, 820, 820]],
  ["board", "What the decoder draws at every place of the plane", [846, 84, 820, 820]],
  ["curves", "Nats per image: −ELBO blue, in training grey, D orange, R green", [14, 948, 560, 270]],
  ["rd", "Rate and distortion", [590, 948, 380, 270]],
  ["units", "Rate of each unit, nats", [986, 948, 270, 270]],
  ["reconstructions", "Held-out digits over their reconstructions", [1272, 948, 394, 79]],
  ["fresh", "New digits, decoded from random codes", [1272, 1068, 394, 79]],
];

/** Return a canvas with `line` at its top and below it a picture of each panel; `of` gives the canvas of an id. */
export function drawSheet(line, of) {
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [WIDTH, HEIGHT];
  const context = sheet.getContext("2d");
  const theme = colours();
  context.fillStyle = theme.paper;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = theme.ink;
  context.font = "20px system-ui, sans-serif";
  context.fillText(line, 14, 32, WIDTH - 28);
  context.font = "600 14px system-ui, sans-serif";
  for (const [id, title, [x, y, width, height]] of PANELS) {
    context.fillText(title, x, y - TITLE, width);
    const canvas = of(id);
    const scale = Math.min(width / canvas.width, height / canvas.height);
    context.drawImage(canvas, x, y, scale * canvas.width, scale * canvas.height);
  }
  return sheet;
}

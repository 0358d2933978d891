// The map of codes, drawn.

import { disc, drawBadge, fitCanvas, line, visibleOn, write } from "./canvas.js";
import { EDGE, MARGIN, mapTicks } from "./codes.js";
import { themeColours } from "./dom.js";
import { written } from "./numbers.js";

/** @import { Codes, Model, Point, Scale } from "./codes.js" */
/** @import { Theme } from "./dom.js" */

/**
 * Draw axes, codes and, near each class's mean, its label, so that colour is never alone.
 * @param {HTMLCanvasElement} canvas made as large as the scale says
 * @param {Codes} codes @param {Scale} scale
 * @param {Model} model which knows the classes' colours
 * @param {Element} element whose page is light or dark
 */
export function drawMap(canvas, codes, scale, model, element) {
  const ctx = fitCanvas(canvas, scale.size);
  const theme = themeColours(element);
  const colours = /** @type {string[]} */ (model.get("colours"));
  const seen = colours.map((colour) => visibleOn(ctx, colour, theme.paper));
  const colourOf = (/** @type {number} */ label) => seen[label % seen.length];
  ctx.fillStyle = theme.paper;
  ctx.fillRect(0, 0, scale.size, scale.size);
  drawAxes(ctx, codes, scale, theme);
  ctx.save();
  ctx.beginPath();
  ctx.rect(MARGIN, EDGE, scale.side, scale.side);
  ctx.clip();
  ctx.globalAlpha = 0.6;
  for (let i = 0; i < codes.n; i++) {
    const [x, y] = scale.toPixels([codes.x[i], codes.y[i]]);
    ctx.fillStyle = colourOf(codes.label(i));
    ctx.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
  }
  ctx.restore();
  for (const [label, x, y] of codes.badges)
    drawBadge(ctx, scale.toPixels([x, y]), label, colourOf(label), theme.paper);
}

/** Left, right, top and bottom of the map inside its margins. @param {Scale} scale */
const edges = ({ side }) => [MARGIN, MARGIN + side, EDGE, EDGE + side];

/**
 * Draw a line down and a line across the map, through a place in pixels.
 * @param {CanvasRenderingContext2D} ctx @param {Scale} scale @param {Point} place @param {string} colour
 */
export function drawCross(ctx, scale, [x, y], colour) {
  const [left, right, top, bottom] = edges(scale);
  const down = [top, bottom].map((end) => [x, end]);
  const across = [left, right].map((end) => [end, y]);
  for (const points of [down, across]) line(ctx, points, colour);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Codes} codes
 * @param {Scale} scale
 * @param {Theme} theme
 */
function drawAxes(ctx, codes, scale, theme) {
  const [left, right, top, bottom] = edges(scale);
  const small = /** @type {const} */ ({ align: "center", size: 12 });
  for (const tick of mapTicks(codes.reach)) {
    const [x, y] = scale.toPixels([tick, tick]);
    ctx.globalAlpha = tick === 0 ? 0.9 : 0.35;
    drawCross(ctx, scale, [x, y], theme.border);
    ctx.globalAlpha = 1;
    write(ctx, written(tick, 0), x, bottom + 11, theme.muted, small);
    write(ctx, written(tick, 0), left - 12, y, theme.muted, small);
  }
  write(ctx, codes.axes[0], right - 8, bottom + 11, theme.text, small);
  write(ctx, codes.axes[1], left - 14, top + 8, theme.text, small);
}

/**
 * Draw the posterior N(mu, sigma²) as ellipses of one and two standard deviations.
 * @param {CanvasRenderingContext2D} ctx @param {Scale} scale @param {Point} mu @param {Point} sigma
 * @param {Theme} theme
 */
export function drawPosterior(ctx, scale, mu, sigma, theme) {
  const middle = scale.toPixels(mu);
  const unit = scale.toPixels([1, 0])[0] - scale.toPixels([0, 0])[0];
  for (const [times, alpha] of [
    [2, 0.5],
    [1, 1],
  ]) {
    const radii = sigma.map((value) => Math.max(1, times * value * unit));
    disc(ctx, middle, radii, { stroke: theme.text, width: 1.5, alpha });
  }
  disc(ctx, middle, 2.5, { fill: theme.text });
}

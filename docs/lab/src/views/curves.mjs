// Distortion, rate and −ELBO over steps, of this run and of those that were kept.

import { fresh, ticks, worthShowing } from "../canvas.mjs";
import { colours } from "../theme.mjs";
import { atAxis, whole } from "../words.mjs";

const LEFT = 38;
const RIGHT = 8;

/** Values above `most` run out of the picture at its top: the first steps would flatten all others. */
export function drawCurves(canvas, history, kept, most) {
  const [context, width, height] = fresh(canvas);
  const theme = colours();
  const runs = [...kept.map((run) => run.history), history];
  const last = Math.max(100, ...runs.map((run) => run.at(-1)?.step ?? 0));
  const split = Math.round(0.66 * height);
  const x = (step) => LEFT + ((width - LEFT - RIGHT) * step) / last;
  context.font = "11px system-ui, sans-serif";

  const values = (run, name) => run.map((entry) => [entry.step, entry[name]]).filter(([, value]) => Number.isFinite(value));
  const shown = [history, ...kept.map((run) => run.history)].flatMap((run) => [...values(run, "elbo"), ...values(run, "trainElbo")]);
  const drawn = [...shown, ...values(history, "distortion")].map(([, value]) => Math.min(value, most));
  const top = panel(context, [6, split - 14], drawn, width, theme);
  const rates = runs.map((run) => values(run, "rate").map(([, value]) => value));
  const highest = worthShowing(rates.flat(), 10, rates.map((each) => each.at(-1)));
  const bottom = panel(context, [split + 2, height - 18], [0, highest], width, theme);

  context.fillStyle = theme.soft;
  context.textAlign = "center";
  for (const step of ticks(0, last, 4)) if (x(step) < width - 12) context.fillText(whole(step), x(step), height - 4);

  const line = (points, y, colour, thickness, dash = []) => {
    context.beginPath();
    points.forEach(([step, value], i) =>
      context[i ? "lineTo" : "moveTo"](x(step), Math.max(-2000, y(value))));
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.stroke();
    context.setLineDash([]);
  };
  const inside = (from, to, draw) => {
    context.save();
    context.beginPath();
    context.rect(LEFT, from, width - LEFT, to - from);
    context.clip();
    draw();
    context.restore();
  };
  inside(0, split - 8, () => {
    for (const run of kept) line(values(run.history, "elbo"), top, run.colour, 1.5, [5, 3]);
    line(values(history, "trainElbo"), top, theme.soft, 1.2);
    line(values(history, "distortion"), top, theme.warm, 1.8);
    line(values(history, "elbo"), top, theme.accent, 2.4);
    for (const run of [...kept, { history, failedAt: history.failedAt }]) {
      if (run.failedAt) cross(context, x(run.failedAt), (split - 8) / 2, theme.bad);
    }
  });
  inside(split - 4, height - 14, () => {
    for (const run of kept) line(values(run.history, "rate"), bottom, run.colour, 1.5, [5, 3]);
    line(values(history, "rate"), bottom, theme.good, 2.2);
  });
}

/** Draw a panel's grid and return the function from a value to its height. */
function panel(context, [top, bottom], values, width, theme) {
  let low = values.length ? Math.min(...values) : 0;
  let high = values.length ? Math.max(...values) : 1;
  const room = 0.06 * (high - low) || 0.5;
  low = low === 0 ? 0 : low - room;
  high += room;
  const y = (value) => bottom - ((bottom - top) * (value - low)) / (high - low);
  context.textAlign = "right";
  for (const value of ticks(low, high, Math.max(2, Math.round((bottom - top) / 34)))) {
    context.fillStyle = theme.grid;
    context.fillRect(LEFT, Math.round(y(value)), width - LEFT - RIGHT, 1);
    context.fillStyle = theme.soft;
    context.fillText(atAxis(value), LEFT - 5, y(value) + 4);
  }
  return y;
}

/** A failure is drawn as a failure: a cross at the step where a number was not finite. */
export function cross(context, x, y, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 3;
  for (const [a, b] of [[-6, -6], [-6, 6]]) {
    context.beginPath();
    context.moveTo(x + a, y + b);
    context.lineTo(x - a, y - b);
    context.stroke();
  }
}

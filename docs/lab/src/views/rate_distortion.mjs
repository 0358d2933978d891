// The rate–distortion plane: where the network is, where it came from, and what is known without training.

import { fresh, ticks, worthShowing } from "../canvas.mjs";
import { colours } from "../theme.mjs";
import { cross } from "./curves.mjs";

const [LEFT, BOTTOM] = [38, 30];

/** `references` holds meanDistortion and the linear curve, [] where there is none. */
export function drawRateDistortion(canvas, history, kept, { meanDistortion, curve }, beta) {
  const [context, width, height] = fresh(canvas);
  const theme = colours();
  const here = history.at(-1);
  const trail = history.length > 12 ? history.slice(2) : history;
  const finite = (points) => points.filter((point) => Number.isFinite(point.rate) && Number.isFinite(point.distortion));
  const seen = finite([...trail, ...kept.map((run) => run.history.at(-1)).filter(Boolean)]);
  const rates = seen.map((point) => point.rate);
  const right = Math.max(4, worthShowing(rates.slice(-400), 10)) * 1.12;
  const shown = curve.filter((point) => point.rate <= right);
  const heights = [...seen.slice(-400).map((point) => point.distortion), meanDistortion, ...shown.map((point) => point.distortion)];
  const low = Math.min(...heights.filter((value) => value < 3 * meanDistortion));
  const nearby = here && here.distortion < 6 * meanDistortion ? here.distortion : 0; // the first steps are far above all others
  const high = Math.max(meanDistortion, nearby, Math.min(1.6 * meanDistortion, Math.max(...heights)));
  const room = 0.08 * (high - low) || 1;
  const x = (rate) => LEFT + ((width - LEFT - 10) * rate) / right;
  const y = (distortion) => 6 + ((height - BOTTOM - 6) * (high + room - distortion)) / (high - low + 2 * room);
  context.font = "11px system-ui, sans-serif";
  for (const value of ticks(low - room, high + room, 4)) {
    context.fillStyle = theme.grid;
    context.fillRect(LEFT, Math.round(y(value)), width, 1);
    context.fillStyle = theme.soft;
    context.textAlign = "right";
    context.fillText(String(Number(value.toPrecision(4))), LEFT - 5, y(value) + 4);
  }
  context.textAlign = "center";
  for (const value of ticks(0, right, 5)) {
    context.fillStyle = theme.soft;
    if (x(value) < width - 60) context.fillText(String(Number(value.toPrecision(4))), x(value), height - BOTTOM + 14);
  }
  context.textAlign = "right";
  context.fillText("rate R, nats", width - 8, height - 4);
  context.textAlign = "left";
  context.fillText("↑ distortion D, nats", 4, height - 4);

  context.save();
  context.beginPath();
  context.rect(LEFT, 0, width - LEFT, height - BOTTOM);
  context.clip();
  const path = (points, colour, thickness, dash = []) => {
    context.beginPath();
    points.forEach((point, i) => context[i ? "lineTo" : "moveTo"](x(point.rate), y(point.distortion)));
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.stroke();
    context.setLineDash([]);
  };
  if (curve.length) {
    path(curve, theme.good, 2);
    label(context, theme, theme.good, "best linear VAE", x(right * 0.98), y(shown.at(-1)?.distortion ?? low) - 6, "right");
  }
  context.fillStyle = theme.ink;
  context.fillRect(x(0) - 1, y(meanDistortion) - 4, 9, 9);
  label(context, theme, theme.ink, "mean image", x(0) + 13, y(meanDistortion) + 4, "left");
  for (const run of kept) {
    const end = run.history.at(-1);
    if (!end) continue;
    if (run.failedAt) cross(context, x(end.rate), y(end.distortion), run.colour);
    else dot(context, x(end.rate), y(end.distortion), 6, run.colour, theme.paper);
  }
  path(finite(trail), theme.soft, 1.5);
  if (here && Number.isFinite(here.rate)) {
    if (beta > 0) {
      const reach = right * 0.16;
      path([{ rate: here.rate - reach, distortion: here.distortion + beta * reach }, { rate: here.rate + reach, distortion: here.distortion - beta * reach }], theme.accent, 1.5, [4, 3]);
    }
    if (history.failedAt) cross(context, x(here.rate), y(here.distortion), theme.bad);
    else dot(context, x(here.rate), y(here.distortion), 7, theme.accent, theme.paper);
  }
  context.restore();
}

function dot(context, x, y, radius, colour, rim) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = colour;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = rim;
  context.stroke();
}

function label(context, theme, colour, text, x, y, align) {
  context.textAlign = align;
  context.lineWidth = 4;
  context.strokeStyle = theme.paper;
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

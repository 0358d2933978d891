// The rate–distortion plane: where the network is, where it came from, and what is known without training.

import { fresh, ticks, worthShowing } from "../canvas.mjs";
import { along, around, bestPlace } from "../labels.mjs";
import { colours } from "../theme.mjs";
import { atAxis } from "../words.mjs";
import { cross } from "./curves.mjs";

const [LEFT, BOTTOM] = [38, 30];

/** `references` holds meanDistortion and the linear curve, [] where there is none. */
export function drawRateDistortion(canvas, history, kept, { meanDistortion, curve }, beta) {
  const [context, width, height] = fresh(canvas);
  const theme = colours();
  const here = history.at(-1);
  const trail = history.length > 12 ? history.slice(2) : history;
  const finite = (points) => points.filter((point) => Number.isFinite(point.rate) && Number.isFinite(point.distortion));
  const last = finite([here, ...kept.map((run) => run.history.at(-1))].filter(Boolean));
  const seen = [...finite(trail), ...last];
  const rates = seen.map((point) => point.rate);
  const right = Math.max(4, worthShowing(rates.slice(-400), 10, last.map((point) => point.rate))) * 1.12;
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
    context.fillText(atAxis(value), LEFT - 5, y(value) + 4);
  }
  context.textAlign = "center";
  for (const value of ticks(0, right, 5)) {
    context.fillStyle = theme.soft;
    if (x(value) < width - 60) context.fillText(atAxis(value), x(value), height - BOTTOM + 14);
  }
  context.textAlign = "right";
  context.fillText("rate R, nats", width - 8, height - 4);
  context.textAlign = "left";
  context.fillText("↑ distortion D, nats", 4, height - 4);

  const picture = { left: LEFT, top: 0, right: width, bottom: height - BOTTOM };
  const between = (low, high, value) => Math.min(high, Math.max(low, value));
  const at = ({ rate, distortion }) => // not so far away that a canvas cannot draw it
    [between(-2000, width + 2000, x(rate)), between(-2000, height + 2000, y(distortion))];
  const failure = ({ rate, distortion }) => [ // at the rim where its numbers lie beyond, or are none
    between(LEFT + 8, width - 8, x(Number.isFinite(rate) ? rate : Infinity)),
    between(8, height - BOTTOM - 8, y(Number.isFinite(distortion) ? distortion : Infinity)),
  ];
  const ends = kept.filter((run) => run.history.length).map((run) => {
    const end = run.history.at(-1);
    const place = run.failedAt ? failure(end) : at(end);
    return { colour: run.colour, failed: run.failedAt, place };
  });
  const place = here && (history.failedAt ? failure(here) : Number.isFinite(here.rate) && at(here));
  const reach = right * 0.16;
  const slope = place && beta > 0 && !history.failedAt ? [-reach, reach].map((gap) =>
    at({ rate: here.rate + gap, distortion: here.distortion - beta * gap })) : [];
  const trailed = finite(trail).map(at);

  context.save();
  context.beginPath();
  context.rect(picture.left, picture.top, picture.right - picture.left, picture.bottom);
  context.clip();
  const path = (points, colour, thickness, dash = []) => {
    context.beginPath();
    points.forEach((point, i) => context[i ? "lineTo" : "moveTo"](...point));
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.stroke();
    context.setLineDash([]);
  };
  const best = curve.map(at);
  path(best, theme.good, 2);
  const [left, top] = at({ rate: 0, distortion: meanDistortion });
  context.fillStyle = theme.ink;
  context.fillRect(left - 1, top - 4, 9, 9);

  const points = [...ends.map((end) => end.place), ...(place ? [place] : [])];
  const solid = [around(left + 3, top, 11), ...points.map((point) => around(...point, 20))];
  const light = [trailed, slope, best].flatMap((line) => along(line, picture));
  const label = (text, colour, anchors) => {
    const size = context.measureText(text).width + 6;
    const places = anchors(size).map((anchor) => around(...anchor, size, 14));
    const box = bestPlace(places, picture, solid, light);
    solid.push(box);
    write(context, theme, colour, text, box.left + 3, box.bottom - 3);
  };
  label("mean image", theme.ink, (size) =>
    [0, -18, 18, -36, 36].flatMap((down) =>
      [12, 36, 64].map((across) => [left + across + size / 2, top + down])));
  if (shown.length) {
    const some = shown.map(at).reverse().filter((_, i) => i % 4 === 0);
    label("best linear VAE", theme.good, (size) => some.flatMap(([across, down]) =>
      [-1, 1].flatMap((side) => [-12, 12].map((gap) => [across + (side * size) / 2, down + gap]))));
  }

  path(trailed, theme.soft, 1.5);
  path(slope, theme.accent, 1.5, [4, 3]);
  for (const end of ends) {
    if (end.failed) cross(context, ...end.place, end.colour);
    else dot(context, ...end.place, 6, end.colour, theme.paper);
  }
  if (place && history.failedAt) cross(context, ...place, theme.bad);
  else if (place) dot(context, ...place, 7, theme.accent, theme.paper);
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

function write(context, theme, colour, text, x, y) {
  context.textAlign = "left";
  context.lineWidth = 4;
  context.strokeStyle = theme.paper;
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

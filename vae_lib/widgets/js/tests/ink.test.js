import assert from "node:assert/strict";
import { test } from "node:test";
import { FIELD, inkBox, normaliseInk } from "../lib/ink.js";

const SIDE = 280;
const square = (left, top, width, height) =>
  Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    return x >= left && x < left + width && y >= top && y < top + height ? 1 : 0;
  });

test("the box of the ink", () => {
  assert.deepEqual(inkBox(square(30, 50, 40, 80), SIDE), { left: 30, top: 50, width: 40, height: 80 });
  assert.equal(inkBox(new Float32Array(SIDE * SIDE), SIDE), null);
  assert.equal(normaliseInk(new Float32Array(SIDE * SIDE), SIDE), null);
});

test("ink fills a box of 20 pixels, keeps its shape, and is centred", () => {
  const pixels = normaliseInk(square(10, 120, 60, 120), SIDE);
  const ink = [...pixels].flatMap((pixel, i) => (pixel > 0.5 ? [[i % FIELD, Math.floor(i / FIELD)]] : []));
  const spans = [0, 1]
    .map((axis) => ink.map((place) => place[axis]))
    .map((all) => [Math.min(...all), Math.max(...all)]);
  assert.deepEqual(
    spans.map(([low, high]) => high - low + 1),
    [10, 20],
  );
  spans.forEach(([low, high]) => assert.ok(Math.abs((low + high) / 2 - 13.5) <= 0.5));
});

test("where and how large one draws does not matter", () => {
  const [first, second] = [square(0, 0, 40, 80), square(150, 90, 80, 160)].map((ink) =>
    normaliseInk(ink, SIDE),
  );
  first.forEach((pixel, i) => assert.ok(Math.abs(pixel - second[i]) < 1e-6));
});

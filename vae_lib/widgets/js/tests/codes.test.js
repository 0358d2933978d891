import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, legibleOn, visibleOn } from "../lib/canvas.js";
import { makeTrail, mapScale, mapTicks, nearestCode, onMap, readCodes } from "../lib/codes.js";

const HALVES = [0x0000, 0x3c00, 0x4000, 0xbc00, 0x3800, 0x3800, 0x3800, 0x3800]; // mu (0, 1), (2, −1); sigma ½
const TRAITS = {
  codes: new DataView(new Uint16Array(HALVES).buffer),
  latent_dim: 2,
  units: [1, 0],
  axes: ["z₂", "z₁"],
  labels: new DataView(new Uint8Array([7, 3]).buffer),
  reach: 3,
  badges: [],
};
const codes = readCodes({ get: (name) => TRAITS[name] });

test("codes are unpacked, and the map shows two of their units", () => {
  assert.deepEqual(
    [codes.n, [...codes.mu(1)], [...codes.sigma(0)], codes.label(0)],
    [2, [2, -1], [0.5, 0.5], 7],
  );
  assert.deepEqual(onMap(codes, codes.mu(1)), [-1, 2]);
});

test("the map's geometry goes there and back, y upwards", () => {
  const scale = mapScale(400, 3);
  const [left, top] = scale.toPixels([1, 2]);
  const middle = scale.toPixels([0, 0]);
  assert.ok(left > middle[0] && top < middle[1]);
  scale.toCode([left, top]).forEach((value, i) => assert.ok(Math.abs(value - [1, 2][i]) < 1e-12));
});

test("the nearest code, within reach of the pointer only", () => {
  const scale = mapScale(400, 3);
  const place = scale.toPixels([-1, 2]);
  assert.equal(nearestCode(codes, scale, [place[0] + 5, place[1]], 14), 1);
  assert.equal(nearestCode(codes, scale, [place[0] + 20, place[1]], 14), -1);
});

test("ticks are whole numbers inside the map", () => {
  assert.deepEqual(mapTicks(3), [-2, -1, 0, 1, 2]);
  assert.deepEqual(mapTicks(8), [-6, -4, -2, 0, 2, 4, 6]);
});

test("a trail joins neighbours, and never draws a leap", () => {
  const trail = makeTrail(4);
  trail.extend([0, 0]);
  trail.extend([0, 0]);
  trail.extend([0.1, 0], 0.5);
  trail.extend([2, 2], 0.5); // too far for one step
  trail.lift(); // a press elsewhere
  trail.extend([2.1, 2]);
  assert.deepEqual(trail.lines, [
    [
      [0, 0],
      [0.1, 0],
    ],
    [[2, 2]],
    [[2.1, 2]],
  ]);
  trail.extend([2.2, 2]); // the fifth place: the first is forgotten
  assert.deepEqual(trail.lines[0], [[0.1, 0]]);
  trail.clear();
  assert.deepEqual(trail.lines, []);
});

const COLOURS = [
  ...["#3f90da", "#ffa90e", "#bd1f01", "#14213d", "#832db6"],
  ...["#a96b59", "#e76300", "#b9ac70", "#9fff80", "#92dadd"],
];

test("labels stand out from every colour, at 4.5 to 1 or more", () => {
  for (const colour of COLOURS) assert.ok(contrast(colour, legibleOn(colour)) >= 4.5, colour);
});

test("every colour is seen on a dark page", () => {
  const named = { white: "#ffffff", black: "#000000" }; // a canvas knows the names of colours
  const ctx = {
    set fillStyle(colour) {
      this.known = named[colour] ?? colour;
    },
    get fillStyle() {
      return this.known;
    },
  };
  for (const colour of COLOURS) {
    assert.equal(visibleOn(ctx, colour, "white"), colour); // as in the figures
    for (const ground of ["#111111", "black"]) {
      const seen = visibleOn(ctx, colour, ground);
      assert.ok(contrast(seen, named[ground] ?? ground) >= 1.6, `${seen} on ${ground}`);
    }
  }
  assert.ok(contrast(visibleOn(ctx, "#14213d", "#111111"), "#111111") > 3);
});

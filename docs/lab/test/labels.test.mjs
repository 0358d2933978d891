import assert from "node:assert/strict";
import test from "node:test";
import { along, around, bestPlace, shared } from "../src/labels.mjs";

const bounds = { left: 0, top: 0, right: 100, bottom: 100 };
const places = [around(50, 50, 20, 10), around(50, 30, 20, 10), around(99, 30, 20, 10)];

test("boxes share what lies in both", () => {
  assert.equal(shared(around(0, 0, 10), around(5, 5, 10)), 25);
  assert.equal(shared(around(0, 0, 10), around(10, 0, 10)), 0);
});

test("a label stays at its first place unless it would hide something there", () => {
  assert.equal(bestPlace(places, bounds, []), places[0]);
  assert.equal(bestPlace(places, bounds, [around(55, 52, 4)]), places[1]);
});

test("it hides a line rather than a point, and does not leave the picture", () => {
  const line = along([[40, 28], [60, 31]], bounds);
  assert.ok(line.length >= 5);
  assert.equal(bestPlace(places, bounds, [around(50, 50, 8)], line), places[1]);
});

test("a line far beyond the picture costs nothing", () => {
  assert.deepEqual(along([[-1e20, 50], [1e20, 1e21]], bounds), []);
});

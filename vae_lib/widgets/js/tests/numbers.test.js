import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHalf, nearestInRatio, rowsOf, snapped, unpack, written, writtenBeta } from "../lib/numbers.js";

test("half-precision numbers, ordinary, subnormal and not finite", () => {
  const pairs = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x0001, 2 ** -24],
    [0x7bff, 65504],
  ];
  for (const [bits, value] of pairs) assert.equal(fromHalf(bits), value);
  assert.deepEqual([0x7c00, 0xfc00, 0x7e00].map(fromHalf), [Infinity, -Infinity, NaN]);
});

test("bytes come out as numbers, little-endian, from wherever the view begins", () => {
  const view = new DataView(new Uint8Array([9, 9, 0x00, 0x3c, 0x00, 0xc0]).buffer, 2);
  assert.deepEqual([...unpack(view)], [1, -2]);
  const floats = new DataView(new Float32Array([0.1, -7]).buffer);
  assert.deepEqual([...unpack(floats, "float32")], [...new Float32Array([0.1, -7])]);
  assert.deepEqual(
    rowsOf(Float32Array.of(1, 2, 3, 4), 2).map((row) => [...row]),
    [
      [1, 2],
      [3, 4],
    ],
  );
});

test("numbers as readers write them", () => {
  assert.deepEqual(
    [written(-1.234), written(2, 0), writtenBeta(0.1), writtenBeta(200), writtenBeta(4)],
    ["−1.23", "2", "0.1", "200", "4"],
  );
});

test("places snap to steps and stay on the map", () => {
  assert.deepEqual([snapped(0.26, 0.05, 3), snapped(9, 0.05, 3), snapped(-9, 0.05, 3)], [0.25, 3, -3]);
});

test("the nearest beta is that of the least ratio", () => {
  assert.equal(nearestInRatio([0.1, 1, 10], 3), 1);
  assert.equal(nearestInRatio([0.1, 1, 10], 4), 2);
});

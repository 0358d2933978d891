import assert from "node:assert/strict";
import { test } from "node:test";

import { worthShowing } from "../src/canvas.mjs";

test("a kept run and the present one have a place among many small rates", () => {
  const silent = Array(300).fill(0.01);
  assert.equal(worthShowing([...silent, 19], 10), 10);
  assert.equal(worthShowing([...silent, 19], 10, [19, 0.01]), 19);
  assert.equal(worthShowing([...silent, 3e21], 10, [3e21, NaN]), 0.01);
});

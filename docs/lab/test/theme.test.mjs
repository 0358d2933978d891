import assert from "node:assert/strict";
import test from "node:test";
import { seenOn } from "../src/theme.mjs";

const [light, dark] = [{ paper: "#ffffff", ink: "#16181d" }, { paper: "#17191e", ink: "#eceef2" }];

test("a dark colour becomes lighter on dark paper, all others stay", () => {
  assert.equal(seenOn("#14213d", light), "#14213d");
  assert.equal(seenOn("#3f90da", dark), "#3f90da");
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(seenOn("#14213d", dark).slice(i, i + 2), 16));
  assert.ok(blue > 0x3d + 30 && blue > green && green > red);
});

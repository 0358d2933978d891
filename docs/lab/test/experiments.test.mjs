import assert from "node:assert/strict";
import test from "node:test";
import { EXPERIMENTS } from "../src/experiments.mjs";
import { checked, DEFAULTS } from "../src/settings.mjs";

test("every experiment asks, and its runs differ in the one setting that it asks about", () => {
  const varied = ["beta", "mean", "posterior seed", "beta", "trainDigits", "beta"];
  EXPERIMENTS.forEach(({ guesses, actions }, i) => {
    assert.ok(guesses.length >= 3 && actions.length >= 2);
    const all = actions.map(({ settings }) => checked(settings));
    const values = (name) => new Set(all.map((settings) => String(settings[name])));
    const differ = Object.keys(DEFAULTS).filter((name) => values(name).size > 1);
    assert.equal(differ.join(" "), varied[i]);
  });
});

import assert from "node:assert/strict";
import test from "node:test";
import { DEFAULTS } from "../src/settings.mjs";
import { atAxis, nameOf, short, signed } from "../src/words.mjs";

test("a number is short however large it is, and says when it is none", () => {
  const cases = [
    [0, "0.00"], [1e-7, "<0.001"], [0.0017, "0.002"], [0.0994, "0.099"], [0.0996, "0.10"], [9.994, "9.99"], [9.996, "10.0"], [205.34, "205.3"], [999.97, "1,000"],
    [12345.6, "12,346"], [99999.4, "99,999"], [123456, "1.2e5"], [3.6e21, "3.6e21"],
    [3.4e38, "3.4e38"], [NaN, "failed"], [Infinity, "failed"], [-Infinity, "failed"],
  ];
  for (const [value, text] of cases) assert.equal(short(value), text);
  for (let power = -9; power < 39; power += 0.01) {
    assert.ok(short(10 ** power).length <= 6, `${10 ** power} is ${short(10 ** power)}`);
  }
});

test("signs, decimals and huge values of a code, a gradient or an axis", () => {
  assert.equal(signed(-1.234), "−1.23");
  assert.equal(signed(0.1234, 3), "0.123");
  assert.equal(signed(-4.56e9), "−4.6e9");
  assert.equal(signed(NaN), "failed");
  assert.deepEqual([0, 0.3, -2.5, 205, 50000, 2e5, 3.6e21].map(atAxis),
    ["0", "0.3", "−2.5", "205", "50000", "2.0e5", "3.6e21"]);
});

test("the name of a run tells β and what is not as the page begins", () => {
  const named = (changes) => nameOf({ ...DEFAULTS, ...changes });
  assert.equal(named({}), "β = 1");
  assert.equal(named({ beta: 4, mean: true }), "β = 4, mean");
  assert.equal(named({ beta: 0.123456, latentDim: 10, hidden: [], posterior: "log_variance", likelihood: "gaussian" }),
    "β = 0.123, 10 units, linear, log-variance, Gaussian");
  assert.equal(named({ hidden: [128, 64], optimizer: "sgd", learningRate: 3e-4, trainDigits: 5000, seed: 2 }),
    "β = 1, 128–64, SGD, learning rate 0.0003, 5,000 digits, seed 2");
});

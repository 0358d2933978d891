import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIVATIONS, SIGMAS, elboTerms, encode, run, unpackLayers } from "../lib/network.js";

const layer = (W, b) => ({
  W: Float32Array.from(W),
  b: Float32Array.from(b),
  n_in: W.length / b.length,
  n_out: b.length,
});
const near = (found, wanted, tolerance = 1e-6) =>
  [...found].forEach((value, i) =>
    assert.ok(Math.abs(value - wanted[i]) < tolerance, `${value} is not ${wanted[i]}`),
  );

test("layers are unpacked in the order kernel, bias", () => {
  const view = new DataView(new Float32Array([1, 2, 3, 4, 5, 6, 7, 8, 9]).buffer);
  const [first, second] = unpackLayers(
    view,
    [
      [2, 2],
      [2, 1],
    ],
    "float32",
  );
  assert.deepEqual(
    [[...first.W], [...first.b], [...second.W], [...second.b]],
    [[1, 2, 3, 4], [5, 6], [7, 8], [9]],
  );
});

test("a network by hand: relu between, sigmoid or scale and shift at the end", () => {
  const layers = [layer([1, -1, 2, 1], [0, 0]), layer([1, 2], [0.5])];
  near(run(layers, [1, 1], { output: "linear" }), [3.5]); // the second unit is 0 after relu
  near(run(layers, [1, 1]), [1 / (1 + Math.exp(-3.5))]);
  near(run(layers, [1, 1], { output: [2, 10] }), [17]);
});

test("scale and shift act on hidden layers, before the activation", () => {
  const layers = [layer([1], [1]), layer([1], [0])];
  near(run(layers, [2], { output: "linear", modulation: [{ scale: [-1], shift: [2] }] }), [0]);
  near(run(layers, [2], { output: "linear", modulation: [{ scale: [2], shift: [-1] }] }), [5]);
});

test("gelu is x times the normal distribution function", () => {
  near([-2, 0, 1].map(ACTIVATIONS.gelu), [-0.04550026, 0, 0.84134475]);
});

test("the maps from rho to sigma are those of vae_lib.posterior", () => {
  const at = (rho) => Object.fromEntries(Object.entries(SIGMAS).map(([name, map]) => [name, map(rho)]));
  near(Object.values(at(0)), [Math.log(2), 1, 1, 0, 1]);
  near(Object.values(at(-2)), [0.126928, Math.exp(-1), Math.exp(-2), 2, 0.2384058]);
  assert.ok(Object.values(at(1000)).every(Number.isFinite));
});

test("an encoder's outputs are mu and rho, side by side", () => {
  const { mu, sigma } = encode([layer([1, 2, 3, 4], [0, 0, 0, 0])], Float32Array.of(0.5), {
    activation: "relu",
    output: "sigmoid",
    posterior: "log_deviation",
  });
  near([...mu, ...sigma], [0.5, 1, Math.exp(1.5), Math.exp(2)], 1e-5);
});

test("the terms of the ELBO: closed-form rate, Bernoulli and squared distortion", () => {
  const posterior = { mu: Float32Array.of(2), sigma: Float32Array.of(0.5) };
  const decoder = [layer([1], [0])];
  const epsilons = [Float32Array.of(0), Float32Array.of(2)]; // z = 2 and 3
  const pixels = Float32Array.of(1);
  const { distortion, rate } = elboTerms(
    decoder,
    pixels,
    posterior,
    { activation: "relu", output: "sigmoid" },
    epsilons,
  );
  near([rate], [(4 + 0.25 - 1) / 2 + Math.log(2)]);
  near([distortion], [(Math.log1p(Math.exp(-2)) + Math.log1p(Math.exp(-3))) / 2]);
  const squared = elboTerms(decoder, pixels, posterior, { activation: "relu", output: [0.5, 0] }, epsilons);
  near([squared.distortion], [((2 - 2) ** 2 + (2 - 3) ** 2) / 2]);
});

// Small images of known covariance for tests: every pixel is one of three random patterns, weighted.

import { Random } from "../src/random.mjs";
import { DEVIATION } from "../src/likelihoods.mjs";

const COUNT = 256;

/** Return digits {train, heldOut} of 256 images; the first pixel of image i is grey level i; with `eigenvalues` if not binary. */
export function stripes({ binary = true } = {}) {
  const random = new Random(3);
  const images = new Uint8Array(COUNT * 784);
  const patterns = [90, 40, 8].map((size) => random.normals(784).map((value) => (size * value) / 28));
  const weights = patterns.map(() => orthogonalised(random.normals(COUNT)));
  for (let i = 0; i < COUNT; i++) {
    for (let p = 0; p < 784; p++) {
      const value = (binary ? 128 : 33) + patterns.reduce((sum, pattern, k) => sum + (binary ? 8 : 4) * weights[k][i] * pattern[p], 0);
      images[i * 784 + p] = binary ? (value > 128 ? 255 : 0) : Math.min(255, Math.max(0, value));
    }
    if (binary) images[i * 784] = i;
  }
  const digits = { images, labels: new Uint8Array(COUNT) };
  return { train: digits, heldOut: digits, eigenvalues: binary ? null : largestEigenvalues(images) };
}

function orthogonalised(values) {
  const mean = values.reduce((a, b) => a + b, 0) / COUNT;
  return values.map((value) => value - mean);
}

/** Return the eigenvalues of the standardised pixels' covariance, the largest first: those of the Gram matrix, by Jacobi. */
function largestEigenvalues(images) {
  const centred = new Float64Array(COUNT * 784);
  for (let p = 0; p < 784; p++) {
    let mean = 0;
    for (let i = 0; i < COUNT; i++) mean += images[i * 784 + p] / 255 / COUNT;
    for (let i = 0; i < COUNT; i++) centred[i * 784 + p] = (images[i * 784 + p] / 255 - mean) / DEVIATION;
  }
  let total = 0;
  for (const value of centred) total += value ** 2 / COUNT;
  const found = [];
  for (let k = 0; k < 3; k++) { // by power iteration, one after another
    let vector = new Random(k).normals(784).map(Number);
    let size = 0;
    for (let turn = 0; turn < 400; turn++) {
      const next = new Float64Array(784);
      for (let i = 0; i < COUNT; i++) {
        let dot = 0;
        for (let p = 0; p < 784; p++) dot += centred[i * 784 + p] * vector[p];
        for (let p = 0; p < 784; p++) next[p] += (dot * centred[i * 784 + p]) / COUNT;
      }
      size = Math.hypot(...next);
      vector = next.map((value) => value / size);
    }
    found.push(size);
    for (let i = 0; i < COUNT; i++) {
      let dot = 0;
      for (let p = 0; p < 784; p++) dot += centred[i * 784 + p] * vector[p];
      for (let p = 0; p < 784; p++) centred[i * 784 + p] -= dot * vector[p];
    }
  }
  return [...found, total - found.reduce((a, b) => a + b, 0)]; // the rest as one: beyond the code, only their sum counts
}

// From ink to a code, as plain functions: what MNIST did to its digits, the encoder, and the ELBO.
// decoder.js stands in front of it.

const BOX = 20; // MNIST scaled every digit into a box of 20 × 20 pixels …
const FIELD = 28; // … and put its centre of mass into the middle of 28 × 28

// Return the box {left, top, width, height} of the ink in a square of `side` × `side` numbers in [0, 1], or null.
function inkBox(ink, side) {
  let [left, top, right, bottom] = [side, side, -1, -1];
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++, i++) {
      if (ink[i] < 0.1) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

// Return 28 × 28 pixels in [0, 1] from ink: scaled into the box of 20 × 20 by averaging over areas, then moved by whole
// pixels until the centre of mass is in the middle; null without ink.
function normaliseInk(ink, side) {
  const box = inkBox(ink, side);
  if (!box) return null;
  const zoom = Math.max(box.width, box.height) / BOX; // pixels of the ink for one of the digit
  const columns = Math.ceil(box.width / zoom - 1e-9);
  const rows = Math.ceil(box.height / zoom - 1e-9);
  const left = box.left - (columns * zoom - box.width) / 2;
  const top = box.top - (rows * zoom - box.height) / 2;
  const area = areaOf(ink, side);
  const small = new Float32Array(rows * columns);
  let [mass, x, y] = [0, 0, 0];
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++, i++) {
      small[i] = area(left + c * zoom, top + r * zoom, left + (c + 1) * zoom, top + (r + 1) * zoom) / zoom ** 2;
      mass += small[i];
      x += small[i] * c;
      y += small[i] * r;
    }
  }
  const middle = FIELD / 2; // the index that MNIST's own centres of mass round to
  const [dx, dy] = [x, y].map((sum) => middle - Math.round(sum / mass));
  const pixels = new Float32Array(FIELD * FIELD);
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++, i++) {
      const [row, column] = [r + dy, c + dx];
      if (row >= 0 && row < FIELD && column >= 0 && column < FIELD) pixels[row * FIELD + column] = Math.min(1, small[i]);
    }
  }
  return pixels;
}

// Return a function that integrates the ink over a rectangle with broken edges (a summed-area table).
function areaOf(ink, side) {
  const width = side + 1;
  const sums = new Float64Array(width * width);
  for (let y = 0; y < side; y++) {
    for (let x = 0, row = 0; x < side; x++) {
      row += ink[y * side + x];
      sums[(y + 1) * width + x + 1] = sums[y * width + x + 1] + row;
    }
  }
  const corner = (x, y) => {
    const [cx, cy] = [x, y].map((value) => Math.min(side, Math.max(0, value)));
    const [x0, y0] = [cx, cy].map((value) => Math.min(side - 1, Math.floor(value)));
    const [u, v] = [cx - x0, cy - y0];
    const i = y0 * width + x0;
    return (1 - v) * ((1 - u) * sums[i] + u * sums[i + 1]) + v * ((1 - u) * sums[i + width] + u * sums[i + width + 1]);
  };
  return (left, top, right, bottom) => corner(right, bottom) - corner(left, bottom) - corner(right, top) + corner(left, top);
}

const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const clipped = (a, limit) => Math.min(limit, Math.max(-limit, a));

// The maps from rho to sigma, as in vae_lib.posterior.
const SIGMAS = {
  softplus,
  log_variance: (rho) => Math.exp(clipped(rho, 30) / 2),
  log_deviation: (rho) => Math.exp(clipped(rho, 15)),
  direct: Math.abs,
  bounded: (rho) => 2 * ACTIVATIONS.sigmoid(rho),
};

// Return the pixels as encoder and distortion see them: as they are, or standardised for the Gaussian likelihood.
const prepared = (pixels, output) =>
  typeof output === "string" ? pixels : pixels.map((pixel) => (pixel - output[1]) / output[0]);

// Return the posterior {mu, sigma} of pixels; the encoder's last layer holds mu and rho side by side.
function encode(layers, pixels, { activation, output, posterior }) {
  const both = decode(layers, prepared(pixels, output), { activation, output: "linear" });
  const dim = both.length / 2;
  return { mu: both.subarray(0, dim), sigma: both.subarray(dim).map(SIGMAS[posterior]) };
}

// Return {distortion, rate} in nats: the rate by its closed form, the distortion as the mean over rows of `epsilons`.
function elboTerms(layers, pixels, { mu, sigma }, { activation, output }, epsilons) {
  const x = prepared(pixels, output);
  let [distortion, rate] = [0, 0];
  mu.forEach((m, i) => (rate += (m * m + sigma[i] ** 2 - 1) / 2 - Math.log(sigma[i])));
  for (const epsilon of epsilons) {
    const z = mu.map((m, i) => m + sigma[i] * epsilon[i]);
    const made = decode(layers, z, { activation, output: "linear" });
    made.forEach((a, i) => (distortion += typeof output === "string" ? softplus(a) - x[i] * a : (x[i] - a) ** 2));
  }
  return { distortion: distortion / epsilons.length, rate };
}

// Numbers: out of bytes, and into words.

/** Unpack one IEEE 754 half-precision number. @param {number} bits @returns {number} */
export function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Unpack little-endian numbers.
 * @param {DataView} view
 * @param {string} [dtype] "float16" or "float32"
 */
export function unpack(view, dtype = "float16") {
  const half = dtype === "float16";
  const numbers = new Float32Array(view.byteLength / (half ? 2 : 4));
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = half ? fromHalf(view.getUint16(2 * i, true)) : view.getFloat32(4 * i, true);
  }
  return numbers;
}

/** Cut numbers into parts of `size`. @param {Float32Array} numbers @param {number} size */
export const rowsOf = (numbers, size) =>
  Array.from({ length: numbers.length / size }, (_, i) => numbers.subarray(i * size, (i + 1) * size));

/** Write a number with a typographic minus. @param {number} value @param {number} [places] */
export const written = (value, places = 2) => value.toFixed(places).replace("-", "−");

/** Write a β as readers do, to two digits. @param {number} beta */
export const writtenBeta = (beta) => (beta >= 100 ? beta.toFixed(0) : String(Number(beta.toPrecision(2))));

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/**
 * The multiple of `step` nearest to a value, at most `reach` from 0.
 * @param {number} value
 * @param {number} step
 * @param {number} reach
 */
export const snapped = (value, step, reach) =>
  clamp(Number((Math.round(value / step) * step).toFixed(6)), -reach, reach);

/**
 * The index of the value nearest to `wanted` in ratio.
 * @param {number[]} values
 * @param {number} wanted
 */
export function nearestInRatio(values, wanted) {
  const distance = (/** @type {number} */ value) => Math.abs(Math.log(value / wanted));
  return values.reduce((best, value, i) => (distance(value) < distance(values[best]) ? i : best), 0);
}

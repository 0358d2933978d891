// Shared by the widgets that decode in the browser: plain functions, put in front of each widget's own script.

// Return the Dense layers [{W, b, n_in, n_out}, ...] packed by weights.py into a DataView; W is row by row (n_in, n_out).
function unpackWeights(view, shapes, dtype) {
  const bytes = dtype === "float16" ? 2 : 4;
  let place = 0;
  const take = (count) => {
    const numbers = new Float32Array(count);
    for (let i = 0; i < count; i++, place += bytes) {
      numbers[i] = bytes === 2 ? fromHalf(view.getUint16(place, true)) : view.getFloat32(place, true);
    }
    return numbers;
  };
  return shapes.map(([n_in, n_out]) => ({ W: take(n_in * n_out), b: take(n_out), n_in, n_out }));
}

// Return the numbers of a DataView of float16, for codes and the like.
function unpackHalf(view) {
  return Float32Array.from({ length: view.byteLength / 2 }, (_, i) => fromHalf(view.getUint16(2 * i, true)));
}

// Return the number that 16 bits stand for (IEEE 754 half precision).
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// The error function to 1.2e-7 (Numerical Recipes, erfc by a Chebyshev fit).
function erf(x) {
  const t = 1 / (1 + Math.abs(x) / 2);
  const fit = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277].reduceRight((sum, c) => sum * t + c, 0);
  const complement = t * Math.exp(-x * x + fit);
  return x >= 0 ? 1 - complement : complement - 1;
}

const ACTIVATIONS = {
  linear: (a) => a,
  relu: (a) => (a > 0 ? a : 0),
  gelu: (a) => (a * (1 + erf(a / Math.SQRT2))) / 2,
  tanh: Math.tanh,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
};

// Return the last layer's outputs for the input `z`. `activation` names what follows each hidden layer, `output` what
// follows the last: a name, or [scale, shift]. `modulation` holds {scale, shift} for each hidden layer, applied to it
// before the activation.
function decode(layers, z, { activation = "relu", output = "sigmoid", modulation = null } = {}) {
  const last = layers.length - 1;
  const finish = typeof output === "string" ? ACTIVATIONS[output] : (a) => a * output[0] + output[1];
  let inputs = z;
  layers.forEach(({ W, b, n_in, n_out }, depth) => {
    const sums = Float32Array.from(b);
    for (let i = 0; i < n_in; i++) {
      const input = inputs[i];
      if (input === 0) continue; // after a ReLU, half of them
      for (let j = 0, k = i * n_out; j < n_out; j++, k++) sums[j] += input * W[k];
    }
    const gate = depth < last && modulation ? modulation[depth] : null;
    if (gate) for (let j = 0; j < n_out; j++) sums[j] = sums[j] * gate.scale[j] + gate.shift[j];
    const act = depth < last ? ACTIVATIONS[activation] : finish;
    for (let j = 0; j < n_out; j++) sums[j] = act(sums[j]);
    inputs = sums;
  });
  return inputs;
}

// Draw pixels in [0, 1] as crisp squares, dark on light, into the square of this size at (x, y), `columns` wide.
function drawDigit(ctx, pixels, x, y, size, columns = 28) {
  const rows = pixels.length / columns;
  const picture = new ImageData(columns, rows);
  picture.data.fill(255);
  for (let i = 0, k = 0; i < pixels.length; i++, k += 4) {
    const grey = 255 * (1 - Math.min(1, Math.max(0, pixels[i])));
    picture.data[k] = picture.data[k + 1] = picture.data[k + 2] = grey;
  }
  const board = (drawDigit.board ??= document.createElement("canvas"));
  if (board.width !== columns || board.height !== rows) Object.assign(board, { width: columns, height: rows });
  board.getContext("2d").putImageData(picture, 0, 0);
  ctx.imageSmoothingEnabled = false;
  const scale = size / Math.max(columns, rows);
  ctx.drawImage(board, x, y, columns * scale, rows * scale);
}

// Give the canvas `width` by `height` CSS pixels at the screen's own resolution; return its context, in CSS pixels and
// with nothing drawn. Its size is set only where it changes, since that makes a new canvas.
function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const ctx = canvas.getContext("2d");
  const [columns, rows] = [width, height].map((length) => Math.round(length * ratio));
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, columns, rows);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  return ctx;
}

// Return the page's colours, as CSS colours, where JupyterLab's variables are set, else those of a light page.
function themeColours(element) {
  const style = getComputedStyle(element);
  const of = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    paper: of("--jp-layout-color0", "#ffffff"),
    text: of("--jp-ui-font-color1", "#212121"),
    muted: of("--jp-ui-font-color2", "#616161"),
    border: of("--jp-border-color1", "#bdbdbd"),
    accent: of("--jp-brand-color1", "#1976d2"),
  };
}

// Call `redraw` whenever the page changes between light and dark; return the function that ends it.
function onThemeChange(redraw) {
  const observer = new MutationObserver(redraw);
  const attributeFilter = ["data-jp-theme-name", "data-theme", "data-mode", "class"];
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true, attributeFilter });
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", redraw);
  return () => {
    observer.disconnect();
    dark.removeEventListener("change", redraw);
  };
}

// Return a function that asks for one call of `draw` before the next frame, however often it is called until then.
function oncePerFrame(draw) {
  let pending = 0;
  return () => {
    pending ||= requestAnimationFrame(() => {
      pending = 0;
      draw();
    });
  };
}

// Drawing on a canvas, in CSS pixels.

const FONT = "system-ui, sans-serif";

/**
 * Give a canvas a size in CSS pixels at the screen's own resolution; return its context with nothing drawn.
 * The size is set only where it changes, since that makes a new canvas.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} [height] @returns {CanvasRenderingContext2D}
 */
export function fitCanvas(canvas, width, height = width) {
  const ratio = window.devicePixelRatio || 1;
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const [columns, rows] = [width, height].map((length) => Math.round(length * ratio));
  if (canvas.width !== columns || canvas.height !== rows)
    Object.assign(canvas, { width: columns, height: rows });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, columns, rows);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  return ctx;
}

/** @type {HTMLCanvasElement | undefined} */
let board; // one for all digits

/**
 * Draw pixels in [0, 1] as crisp squares, dark on light, into the square of this size at (x, y).
 * @param {CanvasRenderingContext2D} ctx @param {ArrayLike<number>} pixels row by row, `columns` in each
 * @param {number} x @param {number} y @param {number} size @param {number} [columns]
 */
export function drawDigit(ctx, pixels, x, y, size, columns = 28) {
  const rows = pixels.length / columns;
  const picture = new ImageData(columns, rows);
  picture.data.fill(255);
  for (let i = 0; i < pixels.length; i++) {
    picture.data.fill(255 * (1 - Math.min(1, Math.max(0, pixels[i]))), 4 * i, 4 * i + 3);
  }
  board ??= document.createElement("canvas");
  if (board.width !== columns || board.height !== rows)
    Object.assign(board, { width: columns, height: rows });
  board.getContext("2d")?.putImageData(picture, 0, 0);
  ctx.imageSmoothingEnabled = false;
  const scale = size / Math.max(columns, rows);
  ctx.drawImage(board, x, y, columns * scale, rows * scale);
}

/**
 * Write a text whose middle stands at the height y.
 * @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} x @param {number} y @param {string} colour
 * @param {{align?: CanvasTextAlign, size?: number, weight?: string}} [style]
 */
export function write(ctx, text, x, y, colour, { align = "left", size = 13, weight = "normal" } = {}) {
  Object.assign(ctx, {
    fillStyle: colour,
    textAlign: align,
    textBaseline: "middle",
    font: `${weight} ${size}px ${FONT}`,
  });
  ctx.fillText(text, x, y);
}

/**
 * Draw a line through points, in the given style.
 * @param {CanvasRenderingContext2D} ctx @param {ArrayLike<number>[]} points @param {string} colour
 * @param {number} [width] @param {number[]} [dash]
 */
export function line(ctx, points, colour, width = 1, dash = []) {
  Object.assign(ctx, { strokeStyle: colour, lineWidth: width });
  ctx.setLineDash(dash);
  ctx.beginPath();
  for (const [x, y] of /** @type {[number, number][]} */ (points)) ctx.lineTo(x, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

/**
 * Draw an ellipse: filled, outlined, or both.
 * @param {CanvasRenderingContext2D} ctx @param {ArrayLike<number>} middle @param {number | number[]} radius
 * @param {{fill?: string, stroke?: string, width?: number, alpha?: number}} style
 */
export function disc(ctx, middle, radius, { fill, stroke, width = 1, alpha = 1 }) {
  const [rx, ry] = Array.isArray(radius) ? radius : [radius, radius];
  ctx.globalAlpha = alpha;
  ctx.beginPath();
  ctx.ellipse(middle[0], middle[1], rx, ry, 0, 0, 2 * Math.PI);
  if (fill) Object.assign(ctx, { fillStyle: fill }).fill();
  if (stroke) Object.assign(ctx, { strokeStyle: stroke, lineWidth: width }).stroke();
  ctx.globalAlpha = 1;
}

/**
 * Draw a class's label on a disc of its colour.
 * @param {CanvasRenderingContext2D} ctx
 * @param {ArrayLike<number>} middle
 * @param {number} label
 * @param {string} colour
 * @param {string} edge
 */
export function drawBadge(ctx, middle, label, colour, edge) {
  disc(ctx, middle, 10, { fill: colour, stroke: edge, width: 2 });
  const size = label < 10 ? 13 : 11;
  write(ctx, String(label), middle[0], middle[1] + 1, legibleOn(colour), {
    align: "center",
    size,
    weight: "bold",
  });
}

/**
 * Draw the ring that marks a place, visible on any ground.
 * @param {CanvasRenderingContext2D} ctx
 * @param {ArrayLike<number>} middle
 */
export function drawRing(ctx, middle) {
  for (const [radius, stroke] of /** @type {[number, string][]} */ ([
    [9, "white"],
    [7.5, "black"],
    [6, "white"],
  ])) {
    disc(ctx, middle, radius, { stroke, width: 2 });
  }
}

/** The relative luminance of a colour "#rrggbb" (WCAG). @param {string} colour */
function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const share = parseInt(colour.slice(i, i + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** How much two colours "#rrggbb" stand out from each other, from 1 (WCAG). @param {string} a @param {string} b */
export function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Black or white, whichever stands out more from a colour. @param {string} colour */
export const legibleOn = (colour) =>
  contrast(colour, "#ffffff") >= contrast(colour, "#000000") ? "#ffffff" : "#000000";

/**
 * A colour, made lighter where it would hardly be seen on a dark ground; on a light one it is as in the figures.
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} colour
 * @param {string} ground any CSS colour
 */
export function visibleOn(ctx, colour, ground) {
  ctx.fillStyle = ground; // the context turns names into "#rrggbb"
  const known = String(ctx.fillStyle);
  if (legibleOn(known) === "#000000" || contrast(colour, known) >= 1.6) return colour;
  const parts = [1, 3, 5].map((i) => Math.round((parseInt(colour.slice(i, i + 2), 16) + 255) / 2));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

// The plane of codes: a dot for each held-out digit, gliding to its newest place; class marks; the point; ellipses.

import { fresh, tiles, ticks } from "../canvas.mjs";
import { colours, reducedMotion, seenOn } from "../theme.mjs";
import { atAxis } from "../words.mjs";

const GLIDE = 0.18; // of the way to its place that a dot goes in a frame
const NEAR = 12; // pixels within which a dot is meant

export class Plane {
  constructor(canvas, labels, palette) {
    Object.assign(this, { canvas, labels, palette });
    this.extent = 3;
    this.shownExtent = 3;
    this.point = [0, 0];
    this.pointImage = null;
    this.star = null; // the reader's own digit: [x, y]
    this.hovered = null;
    this.target = null; // places of the dots, x and y in turn
    this.shown = null;
    this.sigma = null;
    this.moving = false;
  }

  /** Take in the newest picture; `jump` shows it at once, without gliding. */
  take({ mu, sigma, axes, extent }, size, jump) {
    const [across, up] = axes;
    const count = this.labels.length;
    const [target, spread] = [new Float32Array(2 * count), new Float32Array(2 * count)];
    for (let i = 0; i < count; i++) {
      target.set([mu[i * size + across], mu[i * size + up]], 2 * i);
      spread.set([sigma[i * size + across], sigma[i * size + up]], 2 * i);
    }
    this.sigma = spread;
    this.target = target;
    this.extent = extent;
    if (jump || !this.shown || reducedMotion()) {
      this.shown = target.slice();
      this.shownExtent = extent;
    }
    this.moving = true;
  }

  /** Bring the dots nearer to their places; return whether any is still on its way. */
  glide() {
    if (!this.target) return false;
    let far = 0;
    for (let i = 0; i < this.shown.length; i++) {
      const gap = this.target[i] - this.shown[i];
      this.shown[i] += GLIDE * gap;
      far = Math.max(far, Math.abs(gap));
    }
    this.shownExtent += GLIDE * (this.extent - this.shownExtent);
    if (Math.abs(this.shownExtent - this.extent) < 0.002 * this.extent) this.shownExtent = this.extent;
    this.moving = far > 0.002 * this.extent || this.shownExtent !== this.extent;
    return this.moving;
  }

  /** Return the means of the classes, [[x, y], …], a class without digits left out. */
  means() {
    const sums = Array.from({ length: 10 }, () => [0, 0, 0]);
    for (let i = 0; i < this.labels.length; i++) {
      const sum = sums[this.labels[i]];
      sum[0] += this.shown[2 * i];
      sum[1] += this.shown[2 * i + 1];
      sum[2] += 1;
    }
    return sums.map(([x, y, count]) => [x / count, y / count]);
  }

  toScreen(x, y, width, height) {
    return [(width * (x / this.shownExtent + 1)) / 2, (height * (1 - y / this.shownExtent)) / 2];
  }

  /** Return the place in the plane of a pointer event on `canvas`. */
  placeOf(event, canvas = this.canvas) {
    const box = canvas.getBoundingClientRect();
    const [u, v] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const clip = (value) => Math.min(1, Math.max(-1, value)) * this.extent;
    return [clip(2 * u - 1), clip(1 - 2 * v)];
  }

  /** Return the row of the held-out digit whose dot is nearest to a place, or null if none is within `pixels`. */
  nearest([x, y], pixels = NEAR) {
    if (!this.shown) return null;
    const unit = this.canvas.clientWidth / (2 * this.shownExtent);
    let [best, row] = [(pixels / unit) ** 2, null];
    for (let i = 0; i < this.labels.length; i++) {
      const gap = (this.shown[2 * i] - x) ** 2 + (this.shown[2 * i + 1] - y) ** 2;
      if (gap < best) [best, row] = [gap, i];
    }
    return row;
  }

  draw() {
    const [context, width, height] = fresh(this.canvas);
    const theme = colours();
    this.shades = this.palette.map((colour) => seenOn(colour, theme));
    this.drawAxes(context, width, height, theme);
    if (!this.shown) return;
    const radius = width < 360 ? 2.2 : 2.8;
    for (let digit = 0; digit < 10; digit++) {
      context.fillStyle = this.shades[digit];
      context.beginPath();
      for (let i = 0; i < this.labels.length; i++) {
        if (this.labels[i] !== digit) continue;
        const [x, y] = this.toScreen(this.shown[2 * i], this.shown[2 * i + 1], width, height);
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 7);
      }
      context.fill();
    }
    if (this.hovered !== null) this.drawEllipse(context, width, height, theme);
    this.drawMarks(context, width, height, theme);
    if (this.star) this.drawStar(context, width, height, theme);
    this.drawPoint(context, width, height, theme);
  }

  drawAxes(context, width, height, theme) {
    context.fillStyle = theme.paper;
    context.fillRect(0, 0, width, height);
    const extent = this.shownExtent;
    context.font = "11px system-ui, sans-serif";
    for (const value of ticks(-extent, extent, 6)) {
      const [x, y] = this.toScreen(value, value, width, height);
      context.fillStyle = Math.abs(value) < 1e-9 ? theme.line : theme.grid;
      context.fillRect(Math.round(x), 0, 1, height);
      context.fillRect(0, Math.round(y), width, 1);
      const text = atAxis(value);
      context.fillStyle = theme.soft;
      context.textAlign = "center";
      if (x > 14 && x < width - 14) context.fillText(text, x, height - 4);
      context.textAlign = "left";
      if (y > 14 && y < height - 22) context.fillText(text, 4, y + 4);
    }
  }

  drawMarks(context, width, height, theme) {
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = "700 13px system-ui, sans-serif";
    this.means().forEach(([x, y], digit) => {
      if (!Number.isFinite(x)) return;
      const [left, top] = this.toScreen(x, y, width, height);
      context.beginPath();
      context.arc(left, top, 10, 0, 7);
      context.fillStyle = theme.paper;
      context.fill();
      context.lineWidth = 3;
      context.strokeStyle = this.shades[digit];
      context.stroke();
      context.fillStyle = theme.ink;
      context.fillText(digit, left, top + 0.5);
    });
    context.textBaseline = "alphabetic";
  }

  drawEllipse(context, width, height, theme) {
    const i = this.hovered;
    const [x, y] = this.toScreen(this.shown[2 * i], this.shown[2 * i + 1], width, height);
    const unit = width / (2 * this.shownExtent);
    context.strokeStyle = theme.ink;
    context.lineWidth = 1.5;
    for (const deviations of [1, 2]) {
      context.setLineDash(deviations === 2 ? [4, 3] : []);
      context.beginPath();
      context.ellipse(x, y, deviations * this.sigma[2 * i] * unit, deviations * this.sigma[2 * i + 1] * unit, 0, 0, 7);
      context.stroke();
    }
    context.setLineDash([]);
    context.beginPath();
    context.arc(x, y, 4.5, 0, 7);
    context.stroke();
  }

  drawStar(context, width, height, theme) {
    const [x, y] = this.toScreen(...this.star, width, height);
    context.beginPath();
    for (let i = 0; i < 10; i++) {
      const [angle, radius] = [(Math.PI * (i - 2.5)) / 5, i % 2 ? 5 : 12];
      context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
    }
    context.closePath();
    context.fillStyle = theme.lit;
    context.strokeStyle = theme.ink;
    context.lineWidth = 1.5;
    context.fill();
    context.stroke();
  }

  drawPoint(context, width, height, theme) {
    const [x, y] = this.toScreen(...this.point, width, height);
    const size = width < 360 ? 52 : 68;
    if (this.pointImage) {
      context.imageSmoothingEnabled = false;
      context.drawImage(tiles(this.pointImage, 1, "point"), width - size - 5, 5, size, size);
      context.strokeStyle = theme.accent;
      context.lineWidth = 2;
      context.strokeRect(width - size - 5, 5, size, size);
    }
    for (const [colour, line] of [[theme.paper, 6], [theme.accent, 3]]) {
      context.beginPath();
      context.arc(x, y, 9, 0, 7);
      context.lineWidth = line;
      context.strokeStyle = colour;
      context.stroke();
    }
  }
}

/** Return the round extent of a plane in which 98 % of `mu` have a place; `present` stays unless it fits badly. */
export function extentFor(mu, size, axes, present) {
  const values = [];
  for (let i = 0; i < mu.length; i += size) values.push(Math.max(Math.abs(mu[i + axes[0]]), Math.abs(mu[i + axes[1]])));
  values.sort((a, b) => a - b);
  const needed = 1.05 * values[Math.floor(0.98 * values.length)];
  const sizes = [3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096];
  const best = sizes.find((extent) => extent >= needed) ?? sizes.at(-1);
  return best > present || best < present / 1.9 || (best === 3 && needed < 2.6) ? best : present;
}

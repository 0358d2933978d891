// Drawing a digit by hand: strokes on a square, made into 28 × 28 pixels as MNIST's digits were.

import { fresh, SIDE } from "./canvas.mjs";
import { colours } from "./theme.mjs";

const SIZE = 280; // of the sheet that is drawn on
const PEN = 22;

export class Ink {
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed });
    this.sheet = document.createElement("canvas");
    this.sheet.width = this.sheet.height = SIZE;
    this.context = this.sheet.getContext("2d", { willReadFrequently: true });
    this.context.lineCap = this.context.lineJoin = "round";
    this.context.lineWidth = PEN;
    this.empty = true;
    this.last = null;
    const end = () => (this.last = null);
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.last = this.placeOf(event);
      this.stroke(event);
    });
    canvas.addEventListener("pointermove", (event) => this.last && this.stroke(event));
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
  }

  placeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIZE, ((event.clientY - box.top) / box.height) * SIZE];
  }

  stroke(event) {
    const place = this.placeOf(event);
    this.context.beginPath();
    this.context.moveTo(...this.last);
    this.context.lineTo(place[0] + 0.01, place[1]);
    this.context.stroke();
    this.last = place;
    this.empty = false;
    this.draw();
    this.changed(this.pixels());
  }

  clear() {
    this.context.clearRect(0, 0, SIZE, SIZE);
    this.empty = true;
    this.draw();
    this.changed(null);
  }

  /** Show a digit of the data in place of a drawing; `image` is 784 bytes. */
  show(image) {
    this.context.clearRect(0, 0, SIZE, SIZE);
    const small = document.createElement("canvas");
    small.width = small.height = SIDE;
    const context = small.getContext("2d");
    const data = context.createImageData(SIDE, SIDE);
    image.forEach((grey, i) => (data.data[4 * i + 3] = grey));
    context.putImageData(data, 0, 0);
    this.context.drawImage(small, 0, 0, SIZE, SIZE);
    this.empty = false;
    this.draw();
    this.changed(Float32Array.from(image, (grey) => grey / 255));
  }

  /** Return the drawing as 784 numbers in [0, 1]: fitted into 20 × 20 and centred by its mass, as MNIST's were. */
  pixels() {
    const alpha = this.context.getImageData(0, 0, SIZE, SIZE).data;
    let [left, right, top, bottom] = [SIZE, -1, SIZE, -1];
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        if (alpha[4 * (y * SIZE + x) + 3] < 40) continue;
        [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      }
    }
    if (right < 0) return null;
    const scale = Math.min(20 / (right - left + 1), 20 / (bottom - top + 1), 20 / 100);
    const place = (x, y) => this.scaled(scale, x, y);
    const first = place(SIDE / 2 - (scale * (left + right)) / 2, SIDE / 2 - (scale * (top + bottom)) / 2);
    let [mass, across, down] = [0, 0, 0];
    first.forEach((ink, i) => {
      mass += ink;
      across += ink * (i % SIDE);
      down += ink * Math.floor(i / SIDE);
    });
    const shift = [SIDE / 2 - 0.5 - across / mass, SIDE / 2 - 0.5 - down / mass];
    return place(SIDE / 2 - (scale * (left + right)) / 2 + shift[0], SIDE / 2 - (scale * (top + bottom)) / 2 + shift[1]);
  }

  scaled(scale, x, y) {
    const fine = document.createElement("canvas"); // four times finer, then averaged: no browser's own smoothing decides
    fine.width = fine.height = 4 * SIDE;
    const context = fine.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.sheet, 4 * x, 4 * y, 4 * scale * SIZE, 4 * scale * SIZE);
    const alpha = context.getImageData(0, 0, 4 * SIDE, 4 * SIDE).data;
    const pixels = new Float32Array(SIDE * SIDE);
    for (let row = 0; row < 4 * SIDE; row++) {
      for (let column = 0; column < 4 * SIDE; column++) {
        pixels[(row >> 2) * SIDE + (column >> 2)] += alpha[4 * (row * 4 * SIDE + column) + 3] / (16 * 255);
      }
    }
    return pixels;
  }

  draw() {
    const [context, width, height] = fresh(this.canvas);
    const theme = colours();
    context.drawImage(this.sheet, 0, 0, width, height);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = theme.ink;
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = theme.paper;
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "source-over";
  }
}

// The rate of each unit of the code; a unit is lit when it is active: its mean varies from digit to digit.

import { fresh } from "../canvas.mjs";
import { colours } from "../theme.mjs";
import { short, signed } from "../words.mjs";

export const ACTIVE = 0.01; // the variance of a unit's mean above which it counts as active (Burda et al. 2016)

export const activeUnits = (units) => units.filter((unit) => unit.variance > ACTIVE).length;

export function drawUnits(canvas, units) {
  const [context, width, height] = fresh(canvas);
  const theme = colours();
  const most = Math.max(1, ...units.map((unit) => unit.rate)) * 1.15;
  const [left, bottom] = [8, 22];
  const step = (width - 2 * left) / units.length;
  const thick = Math.min(64, 0.62 * step);
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  context.fillStyle = theme.line;
  context.fillRect(left, height - bottom, width - 2 * left, 1);
  units.forEach(({ rate, variance }, i) => {
    const middle = left + step * (i + 0.5);
    const tall = Math.max(2, ((height - bottom - 20) * rate) / most);
    const active = variance > ACTIVE;
    context.fillStyle = active ? theme.lit : theme.line;
    context.beginPath();
    context.roundRect(middle - thick / 2, height - bottom - tall, thick, tall, 4);
    context.fill();
    if (active) {
      context.strokeStyle = theme.ink;
      context.lineWidth = 1;
      context.stroke();
    }
    context.fillStyle = theme.ink;
    const number = step < 34 ? signed(rate, 1) : short(rate);
    if (context.measureText(number).width < step) context.fillText(number, middle, height - bottom - tall - 5);
    context.fillStyle = theme.soft;
    context.fillText(`z${subscript(i + 1)}`, middle, height - 6);
  });
}

export const subscript = (number) => String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

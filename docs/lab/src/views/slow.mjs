// One gradient step in slow motion: one digit there and back, with its numbers.

import { drawTiles } from "../canvas.mjs";
import { signed } from "../words.mjs";
import { subscript } from "./units.mjs";

const MOST = 3; // units whose numbers are shown, those of the largest rate
export const STAGES = 7;

const row = (name, cells) => `<tr><th scope="row">${name}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;

/** The words of a stage; `t` is the trace, `after` that of the same digit and noise after the step. */
export function wordsOf(stage, t, after) {
  if (!t) return "Choose a digit and press <b>Next</b>: training pauses, and one gradient step is taken apart.";
  const loss = t.distortion[0] + t.beta * sum(t.rates);
  return [
    "<b>The digit x</b>, one of the training digits: 784 pixels between 0 and 1.",
    "<b>The encoder</b> turns x into two numbers for each unit of the code: μ, a place, and ρ, from which the map makes σ > 0, an uncertainty.",
    "<b>The sample.</b> ε is drawn from a standard normal distribution, and z = μ + σ ⊙ ε is the code that the decoder will see. Press “Other ε” to draw again.",
    `<b>The decoder</b> sees z and nothing else. Its drawing predicts the pixels of x with a distortion of D = ${signed(t.distortion[0], 1)} nats.`,
    `<b>The bill.</b> The code costs R = ${signed(sum(t.rates), 2)} nats. The loss is D + β R = ${signed(t.distortion[0], 1)} + ${Number(t.beta.toPrecision(4))} · ${signed(sum(t.rates), 2)} = ${signed(loss, 1)}.`,
    "<b>The way back.</b> The gradient arrives at z and passes on to μ unchanged, and to σ multiplied by ε. To both, R adds its own share. Nothing flows to ε: it is no output of the network, and this is why training works although z is random.",
    after
      ? `<b>The step.</b> The gradients of the 128 digits of one batch were averaged, and all weights moved a little. For this digit and this ε the loss went from ${signed(loss, 3)} to ${signed(after.distortion[0] + after.beta * sum(after.rates), 3)}. A single digit may well get worse: the step is taken for the batch.`
      : "<b>The step.</b> Taking it …",
  ][stage];
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Draw the six boxes of the way, those up to `stage` lit. */
export function drawSlow(place, stage, t, after) {
  if (!t) {
    place.innerHTML = "";
    return;
  }
  const order = [...t.mu.keys()].sort((a, b) => t.rates[b] - t.rates[a]).slice(0, MOST).sort((a, b) => a - b);
  const pick = (values, digits = 2) => order.map((i) => signed(values[i], digits));
  const head = order.length > 1 || t.mu.length > 1 ? row("unit", order.map((i) => `z${subscript(i + 1)}`)) : "";
  const more = t.mu.length > MOST ? `<p class="hint">the ${MOST} busiest of ${t.mu.length} units</p>` : "";
  const back = stage >= 5 ? "back-line on" : "back-line";
  const box = (at, title, body) =>
    `<div class="step-box ${stage >= at ? "on" : ""} ${stage === at ? "now" : ""}"><h3>${title}</h3>${body}</div>`;
  const total = t.distortion[0] + t.beta * sum(t.rates);
  place.innerHTML = [
    box(0, "x", '<canvas id="slow-x" role="img" aria-label="The digit"></canvas>'),
    box(1, "encoder → μ, ρ → σ", `<table>${head}${row("μ", pick(t.mu))}${row("ρ", pick(t.rho))}${row("σ", pick(t.sigma, 3))}</table>${more}
      <div class="${back}"><table class="back">${row("∂L/∂μ", pick(t.toMu))}${row("∂L/∂σ", pick(t.toSigma))}${row("∂L/∂ρ", pick(t.toRho))}</table></div>`),
    box(2, "z = μ + σ ⊙ ε", `<table>${head}${row("ε", pick(t.epsilon))}${row("z", pick(t.z))}</table>
      <div class="${back}"><table class="back">${row("∂D/∂z", pick(t.toZ))}${row("to σ: × ε", order.map((i) => signed(t.toZ[i] * t.epsilon[i], 2)))}${row('<span class="no-way">to ε</span>', order.map(() => "none"))}</table></div>`),
    box(3, "decoder", `<canvas id="slow-image" role="img" aria-label="What the decoder draws"></canvas>`),
    box(4, "D + β R", `<table>${row("D", [signed(t.distortion[0], 1)])}${row("R", [signed(sum(t.rates), 2)])}${row("loss", [signed(total, 1)])}</table>
      <div class="${back}">∂L/∂D = 1<br>∂L/∂R = β = ${Number(t.beta.toPrecision(4))}</div>`),
    box(6, "after the step", after
      ? `<canvas id="slow-after" role="img" aria-label="What the decoder draws after the step"></canvas><table>${row("D", [`${signed(t.distortion[0], 2)} → ${signed(after.distortion[0], 2)}`])}${row("R", [`${signed(sum(t.rates), 3)} → ${signed(sum(after.rates), 3)}`])}</table>`
      : ""),
  ].join("");
  const show = (id, pixels) => {
    const canvas = place.querySelector(id);
    if (canvas) drawTiles(canvas, Uint8ClampedArray.from(pixels, (value) => 255 * value), 1);
  };
  show("#slow-x", t.pixels);
  if (stage >= 3) show("#slow-image", t.image);
  if (after) show("#slow-after", after.image);
}

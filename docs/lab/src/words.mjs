// Numbers and settings in words.

import { DEFAULTS } from "./settings.mjs";

export const MAP_WORDS = {
  softplus: "softplus, σ = log(1 + e^ρ)",
  log_variance: "log-variance, σ = e^(ρ/2)",
  log_deviation: "log-deviation, σ = e^ρ",
  direct: "direct, σ = |ρ|",
  bounded: "bounded, σ = 2 sigmoid(ρ)",
};
export const LIKELIHOOD_WORDS = {
  bernoulli: "Bernoulli (cross-entropy)",
  gaussian: "Gaussian (squared error)",
};
export const OPTIMIZER_WORDS = { adam: "Adam", sgd: "gradient descent (SGD)" };
const COUNTS = { 1: "one number", 2: "two numbers", 5: "five numbers", 10: "ten numbers" };

export const codeInWords = (latentDim) => COUNTS[latentDim] ?? `${latentDim} numbers`;
export const whole = (value) => Math.round(value).toLocaleString("en-US");
/** Return a number with `digits` decimals, a huge one as 3.6e21, one that is not finite as failed. */
export function signed(value, digits = 2) {
  if (!Number.isFinite(value)) return "failed";
  const text = Math.abs(value) < 99999.5 ? value.toFixed(digits) : value.toExponential(1);
  return text.replace("e+", "e").replace("-", "−");
}

/** Return nats with as many decimals as matter: a small rate is not none. */
export function short(value) {
  if (value >= 999.95 && value < 99999.5) return whole(value);
  if (value > 0 && value < 0.0005) return "<0.001";
  return signed(value, value >= 9.995 ? 1 : value > 0 && value < 0.0995 ? 3 : 2);
}

/** Return a number at an axis, which has room for about six characters. */
export function atAxis(value) {
  const rounded = Number(value.toPrecision(4));
  return Math.abs(rounded) < 1e5 ? String(rounded).replace("-", "−") : signed(rounded);
}

/** Return a network in few words, such as "784–256–128–2". */
export const widths = ({ hidden, latentDim }) => [784, ...hidden, latentDim].join("–");

/** Return the name of a run: β, and what else is not as the page begins. */
export function nameOf(settings) {
  const differs = (name) => String(settings[name]) !== String(DEFAULTS[name]);
  const words = {
    mean: "mean",
    latentDim: `${settings.latentDim} units`,
    hidden: settings.hidden.join("–") || "linear",
    posterior: settings.posterior.replace("_", "-"),
    likelihood: "Gaussian",
    optimizer: "SGD",
    learningRate: `learning rate ${settings.learningRate}`,
    trainDigits: `${whole(settings.trainDigits)} digits`,
    seed: `seed ${settings.seed}`,
  };
  return [`β = ${Number(settings.beta.toPrecision(3))}`, ...Object.keys(words).filter(differs).map((name) => words[name])].join(", ");
}

/** Return what distinguishes a run besides beta. */
export function inWords(settings) {
  const parts = [widths(settings), settings.posterior.replace("_", "-"), settings.likelihood, settings.optimizer === "adam" ? "Adam" : "SGD"];
  parts.push(`learning rate ${settings.learningRate}`, `${whole(settings.trainDigits)} digits`);
  if (settings.mean) parts.push("averaged over pixels");
  if (settings.seed !== 1) parts.push(`seed ${settings.seed}`);
  return parts.join(", ");
}

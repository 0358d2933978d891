// The settings of a run: what they may be, their words on the page, and their place in the page's address.

export const MAP_NAMES = ["softplus", "log_variance", "log_deviation", "direct", "bounded"];
export const LIKELIHOOD_NAMES = ["bernoulli", "gaussian"];
export const OPTIMIZER_NAMES = ["adam", "sgd"];
export const LATENT_DIMS = [2, 5, 10];
export const HIDDENS = [[], [64, 32], [128, 64], [256, 128], [512, 256]];
export const MAX_WIDTH = 1024;
export const TRAIN_DIGITS = [128, 250, 500, 1000, 2000, 5000, 10000];
export const BETA_MARKS = [0, 0.1, 1, 4, 12, 40, 200];
export const allowedLatentDim = (n) => Number.isInteger(n) && n >= 1 && n <= 32;
const [BETA_LOW, BETA_HIGH] = [0.05, 400]; // the ends of the logarithmic part of the slider
const BETA_STOP = 0.08; // the part of the slider's way that belongs to the stop at 0
export const LEARNING_RATES = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1];

export const DEFAULTS = Object.freeze({
  latentDim: 2, hidden: [256, 128], posterior: "softplus", likelihood: "bernoulli", optimizer: "adam",
  beta: 1, learningRate: 1e-3, trainDigits: 10000, mean: false, seed: 1,
});

/** Those that act on the next step; a change of any other starts a new network. */
export const LIVE = ["beta", "learningRate", "trainDigits", "mean"];

const number = (text) => (typeof text === "string" && text.trim() === "" ? NaN : Number(text));
const whole = (low, high) => (text) => {
  const value = number(text);
  return Number.isInteger(value) && value >= low && value <= high ? value : undefined;
};
const between = (low, high) => (text) => {
  const value = number(text);
  return value >= low && value <= high ? value : undefined;
};
const oneOf = (names) => (text) => (names.includes(text) ? text : undefined);
const flag = (text) => (text === true || text === "1" ? true : text === false || text === "0" ? false : undefined);

function widths(value) {
  const list = Array.isArray(value) ? value : String(value) === "" ? [] : String(value).split(",").map(Number);
  const fine = list.length <= 4 && list.every((w) => Number.isInteger(w) && w >= 1 && w <= MAX_WIDTH);
  return fine ? list : undefined;
}

const READERS = {
  latentDim: [whole(1, 32), "a whole number from 1 to 32"],
  hidden: [widths, `at most four whole numbers from 1 to ${MAX_WIDTH}`],
  posterior: [oneOf(MAP_NAMES), MAP_NAMES.join(", ")],
  likelihood: [oneOf(LIKELIHOOD_NAMES), LIKELIHOOD_NAMES.join(", ")],
  optimizer: [oneOf(OPTIMIZER_NAMES), OPTIMIZER_NAMES.join(", ")],
  beta: [between(0, 1e6), "a number from 0 to 1,000,000"],
  learningRate: [between(1e-7, 10), "a number from 0.0000001 to 10"],
  trainDigits: [whole(128, 10000), "a whole number from 128 to 10,000"],
  mean: [flag, "true or false"],
  seed: [whole(0, 4294967295), "a whole number from 0 to 4,294,967,295"],
};

/** Return `changes` checked, names and values; throws an Error with one sentence for the first that is not allowed. */
export function checked(changes) {
  const result = {};
  for (const [name, value] of Object.entries(changes)) {
    if (!(name in READERS)) throw new Error(`There is no setting ${name}: choose from ${Object.keys(READERS).join(", ")}.`);
    const [read, allowed] = READERS[name];
    result[name] = read(value);
    if (result[name] === undefined) throw new Error(`${name} is ${JSON.stringify(value)}: pass ${allowed}.`);
  }
  return result;
}

/** Return the part of an address that restores `settings`, without those at their default; "" if all are. */
export function toAddress(settings) {
  const parameters = new URLSearchParams();
  for (const [name, initial] of Object.entries(DEFAULTS)) {
    const value = settings[name];
    if (String(value) !== String(initial)) parameters.set(name, typeof value === "boolean" ? Number(value) : String(value));
  }
  return parameters.toString();
}

/** Return [settings, complaints]: those of an address over the defaults, and a sentence for each part that makes no sense. */
export function fromAddress(text) {
  const [settings, complaints] = [{ ...DEFAULTS }, []];
  for (const [name, value] of new URLSearchParams(text)) {
    try {
      Object.assign(settings, checked({ [name]: value }));
    } catch (error) {
      complaints.push(`${error.message} The laboratory took its default instead.`);
    }
  }
  return [settings, complaints];
}

/** Return the beta of a slider's position in [0, 1]: 0 at its left stop, else logarithmic, exact at the marks. */
export function betaAt(position) {
  if (position < BETA_STOP / 2) return 0;
  const along = Math.max(0, (position - BETA_STOP) / (1 - BETA_STOP));
  const beta = BETA_LOW * (BETA_HIGH / BETA_LOW) ** along;
  const near = BETA_MARKS.find((mark) => mark > 0 && Math.abs(positionOf(mark) - position) < 0.006);
  return near ?? Number(beta.toPrecision(2));
}

/** Return the slider's position in [0, 1] of a beta. */
export function positionOf(beta) {
  if (beta <= 0) return 0;
  const along = Math.log(beta / BETA_LOW) / Math.log(BETA_HIGH / BETA_LOW);
  return BETA_STOP + (1 - BETA_STOP) * Math.min(1, Math.max(0, along));
}

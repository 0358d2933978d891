// Kept runs outlast a reload of the page: they are written into the tab's storage, where the browser has one.

import { checked, DEFAULTS } from "./settings.mjs";

const KEY = "vae-laboratory-runs";
const LARGEST = 4_000_000; // characters; browsers hold about five million

/** Write the runs into `storage()`; where that is refused they last as long as the page. */
export function store(kept, storage) {
  try {
    storage().removeItem(KEY); // so that a refusal leaves nothing old behind
    const text = JSON.stringify(kept);
    if (kept.length && text.length <= LARGEST) storage().setItem(KEY, text);
  } catch { /* there is no storage, or it is full */ }
}

/** Return the runs in `storage()`, damaged ones left out. */
export function stored(storage) {
  try {
    return JSON.parse(storage().getItem(KEY)).map(sound).filter(Boolean);
  } catch {
    return [];
  }
}

const isPicture = (text) => typeof text === "string" && text.startsWith("data:image/png;base64,");

/** Return the run that an entry holds, or null if anything in it is not as the page wrote it. */
function sound(entry) {
  try {
    const { name, experiment, colour, thumbnail, digits, link, failedAt, active } = entry;
    const history = entry.history.map((point) => // JSON writes null where a number is not finite
      Object.fromEntries(Object.entries(point).map(([of, value]) => [of, value === null ? NaN : value])));
    const numbers = history.every((point) => Object.values(point).every((value) => typeof value === "number"));
    const end = history.at(-1);
    const fine = numbers && ["step", "beta", "distortion", "rate", "elbo", "trainElbo"].every((of) => of in end) && Number.isInteger(end.step)
      && Number.isInteger(active) && (failedAt === null || Number.isInteger(failedAt)) && isPicture(thumbnail)
      && (digits === undefined || isPicture(digits)) && [name, link, experiment ?? ""].every((text) => typeof text === "string");
    return fine ? { name, experiment, colour, thumbnail, digits, link, failedAt, active, history, settings: { ...DEFAULTS, ...checked(entry.settings) } } : null;
  } catch {
    return null;
  }
}

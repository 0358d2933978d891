// Colours: those of the page, read from its style sheet when something is drawn, and the ten of the digits.

let cached = null;

/** Return the page's colours by name, as the theme has them now. */
export function colours() {
  if (cached) return cached;
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "desk", "ink", "soft", "line", "grid", "accent", "warm", "good", "bad", "lit"];
  cached = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  return cached;
}

/** Follow the system's theme until the reader chooses one; call `changed` after every change. */
export function followTheme(button, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const apply = () => {
    const dark = chosen ?? system.matches;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", dark);
    cached = null;
    table = null;
    changed();
  };
  button.addEventListener("click", () => {
    chosen = !(chosen ?? system.matches);
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}

const channels = (colour) => [1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16));

/** Return the relative luminance of a colour "#rrggbb", as WCAG defines it. */
function luminance(colour) {
  const [red, green, blue] = channels(colour).map((value) =>
    value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Return `colour`, mixed with `ink` as far as a dark one needs it to be seen on dark `paper`. */
export function seenOn(colour, { paper, ink }) {
  for (let part = 0; part < 1; part += 0.05) {
    const mixed = channels(colour).map((value, i) => value + part * (channels(ink)[i] - value));
    const text = `#${mixed.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
    if ((luminance(text) + 0.05) / (luminance(paper) + 0.05) >= 2.2 || luminance(paper) > 0.2) return text;
  }
  return ink;
}

export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

let table = null;

/** Return the 256 colours from paper to ink, as the numbers that an ImageData of Uint32 takes. */
export function inkTable() {
  if (table) return table;
  const dark = document.documentElement.dataset.theme === "dark";
  const [from, to] = dark ? [[23, 25, 30], [242, 243, 245]] : [[255, 255, 255], [16, 18, 22]];
  table = Uint32Array.from({ length: 256 }, (_, grey) => {
    const [red, green, blue] = from.map((low, i) => Math.round(low + ((to[i] - low) * grey) / 255));
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
  return table;
}

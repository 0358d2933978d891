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

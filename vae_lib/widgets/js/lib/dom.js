// What every control does with the page around it.

/** @import { Model } from "./codes.js" */

/** @typedef {Record<"paper" | "text" | "muted" | "border" | "accent", string>} Theme */

/**
 * Append a new element to its parent.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {Element} parent @param {T} tag @param {object} [properties] @param {Record<string, unknown>} [attributes]
 */
export function add(parent, tag, properties = {}, attributes = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  parent.append(element);
  return element;
}

/**
 * Append a button.
 * @param {Element} parent
 * @param {string} textContent
 * @param {() => void} press
 * @param {string} [title]
 */
export function addButton(parent, textContent, press, title = "") {
  const button = add(parent, "button", { type: "button", textContent, title });
  button.addEventListener("click", press);
  return button;
}

/**
 * Append a sentence that screen readers announce when it changes.
 * @param {Element} parent
 * @param {string} className
 */
export const addStatus = (parent, className) =>
  add(parent, "div", { className }, { role: "status", "aria-live": "polite" });

/**
 * The page's colours: JupyterLab's variables, else those of a light page.
 * @param {Element} element
 * @returns {Theme}
 */
export function themeColours(element) {
  const style = getComputedStyle(element);
  const of = (/** @type {string} */ name, /** @type {string} */ otherwise) =>
    style.getPropertyValue(name).trim() || otherwise;
  return {
    paper: of("--jp-layout-color0", "#ffffff"),
    text: of("--jp-ui-font-color1", "#212121"),
    muted: of("--jp-ui-font-color2", "#616161"),
    border: of("--jp-border-color1", "#bdbdbd"),
    accent: of("--jp-brand-color1", "#1976d2"),
  };
}

/**
 * Call `redraw` whenever the page changes between light and dark, until `signal`.
 * @param {() => void} redraw
 * @param {AbortSignal} signal
 */
export function onThemeChange(redraw, signal) {
  const observer = new MutationObserver(redraw);
  const attributeFilter = ["data-jp-theme-name", "data-theme", "data-mode", "class"];
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true, attributeFilter });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
}

/**
 * Call `resized` whenever the element's size changes, until `signal`.
 * @param {Element} element
 * @param {() => void} resized
 * @param {AbortSignal} signal
 */
export function onResize(element, resized, signal) {
  const observer = new ResizeObserver(resized);
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}

/**
 * Call `listener` whenever one of the model's traits changes, until `signal`.
 * @param {Model} model
 * @param {string[]} names
 * @param {() => void} listener
 * @param {AbortSignal} signal
 */
export function onTraits(model, names, listener, signal) {
  for (const name of names) model.on(`change:${name}`, listener);
  signal.addEventListener("abort", () => names.forEach((name) => model.off(`change:${name}`, listener)));
}

/**
 * Make a function that asks for one call of `draw` before the next frame, however often it is called.
 * @param {() => void} draw
 */
export function oncePerFrame(draw) {
  let pending = 0;
  return () => {
    pending ||= requestAnimationFrame(() => {
      pending = 0;
      draw();
    });
  };
}

/**
 * Make anywidget's module of a control: `show(model, el, signal)` builds it, `signal` is aborted when it is removed.
 * @param {(model: Model, el: HTMLElement, signal: AbortSignal) => void} show
 */
export const control = (show) => ({
  render(/** @type {{model: Model, el: HTMLElement}} */ { model, el }) {
    const life = new AbortController();
    show(model, el, life.signal);
    return () => life.abort();
  },
});

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * The direction [right, up] of an arrow key, or undefined.
 * @param {string} key
 * @returns {number[] | undefined}
 */
export const arrow = (key) => ARROWS[/** @type {keyof typeof ARROWS} */ (key)];

/**
 * Where an event took place in an element, in CSS pixels.
 * @param {MouseEvent} event
 * @param {Element} element
 * @returns {[number, number]}
 */
export function placeIn(event, element) {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

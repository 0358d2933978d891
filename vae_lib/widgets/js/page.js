// Widgets without a kernel: enough of ipywidgets to show boxes, sliders, texts, pictures, links, and anywidgets.

import { add } from "./lib/dom.js";

/**
 * @typedef {{path: (string | number)[], data: string}} Stream bytes as base64, and where they belong
 * @typedef {{state: Record<string, any>, buffers?: Stream[], model_name: string}} Stored
 */

/** A model as anywidget's scripts know it. */
class Model {
  /** @param {Stored} stored */
  constructor({ state, buffers = [], model_name }) {
    this.kind = model_name;
    this.state = state;
    /** @type {Map<string, Set<Function>>} */
    this.listeners = new Map();
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const owner = path.slice(0, -1).reduce((part, key) => part[key], state);
      owner[path[path.length - 1]] = new DataView(bytes.buffer);
    }
  }

  /** @param {string} name */
  get(name) {
    return this.state[name];
  }

  /** @param {string | Record<string, any>} name @param {any} [value] */
  set(name, value) {
    if (typeof name === "object") Object.entries(name).forEach(([key, of]) => this.set(key, of));
    else if (!Object.is(this.state[name], value)) {
      this.state[name] = value;
      this.emit(`change:${name}`, this, value);
      this.emit("change", this);
    }
  }

  /** @param {string} names @param {Function} listener */
  on(names, listener) {
    for (const name of names.split(" "))
      this.listeners.set(name, (this.listeners.get(name) ?? new Set()).add(listener));
  }

  /** @param {string | null} [names] @param {Function | null} [listener] */
  off(names, listener) {
    for (const name of names?.split(" ") ?? [...this.listeners.keys()]) {
      if (listener) this.listeners.get(name)?.delete(listener);
      else this.listeners.delete(name);
    }
  }

  /** @param {string} name @param {...any} values */
  emit(name, ...values) {
    for (const listener of [...(this.listeners.get(name) ?? [])]) listener(...values);
  }

  save_changes() {} // there is nobody to save them for
  send() {}
}

const content = /** @type {HTMLElement} */ (document.getElementById("state")).textContent ?? "";
/** @type {{roots: string[], models: Record<string, Stored>}} */
const { roots, models: stored } = JSON.parse(content);
const models = Object.fromEntries(Object.entries(stored).map(([id, entry]) => [id, new Model(entry)]));
const modelOf = (/** @type {string} */ reference) => models[String(reference).replace("IPY_MODEL_", "")];

/**
 * Call `update` now and whenever the model changes.
 * @param {Model} model
 * @param {() => void} update
 */
function follow(model, update) {
  model.on("change", update);
  update();
}

const root = (/** @type {string} */ className, tag = "div") =>
  Object.assign(document.createElement(tag), { className: `jupyter-widgets ${className}` });

/**
 * A slider: label, range and read-out.
 * @param {Model} model @param {(x: number) => number} [shown] from the range's number to the value
 * @param {(x: number) => number} [inverse]
 */
function slider(model, shown = (x) => x, inverse = (x) => x) {
  const el = root("widget-slider", "label");
  add(el, "span", { className: "widget-label", textContent: model.get("description") });
  const range = add(el, "input", { type: "range" });
  const readout = add(el, "output", { className: "widget-readout" });
  const places = Number(/\.(\d+)[fge]/.exec(model.get("readout_format") ?? "")?.[1] ?? 0);
  follow(model, () => {
    for (const name of /** @type {const} */ (["min", "max", "step"])) range[name] = model.get(name);
    range.value = String(inverse(model.get("value")));
    range.disabled = model.get("disabled");
    readout.textContent = model.get("value").toFixed(places).replace("-", "−");
  });
  range.addEventListener("input", () => model.set("value", shown(Number(range.value))));
  return el;
}

/** A text. @param {Model} model @param {"innerHTML" | "textContent"} property */
function text(model, property) {
  const el = root("");
  const label = model.get("description");
  if (label) add(el, "span", { className: "widget-label", textContent: label });
  const body = add(el, "div", { className: "widget-html-content" });
  follow(model, () => (body[property] = model.get("value")));
  return el;
}

/** @param {Model} model @param {string} className */
async function box(model, className) {
  const el = root(`widget-box ${className}`);
  el.append(
    ...(await Promise.all(model.get("children").map((/** @type {string} */ child) => view(modelOf(child))))),
  );
  return el;
}

/** @param {Model} model */
function picture(model) {
  const el = /** @type {HTMLImageElement} */ (root("widget-image", "img"));
  el.alt = model.get("tooltip") ?? "";
  if (model.get("width")) el.width = model.get("width");
  follow(model, () => {
    URL.revokeObjectURL(el.src);
    el.src = URL.createObjectURL(new Blob([model.get("value")], { type: `image/${model.get("format")}` }));
  });
  return el;
}

/** @type {Map<string, Promise<any>>} */
const modules = new Map(); // each script once, however many widgets share it
/** @type {(() => Promise<void>)[]} */
const waiting = []; // anywidgets to show once they stand in the page and have a size

/** @param {Model} model */
async function anywidget(model) {
  const [source, css] = [model.get("_esm"), model.get("_css")];
  if (!modules.has(source)) {
    modules.set(source, import(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))));
    if (css) add(document.head, "style", { textContent: css });
  }
  const { default: made } = await modules.get(source);
  const widget = typeof made === "function" ? await made() : made;
  const el = root("");
  waiting.push(async () => {
    await widget.initialize?.({ model });
    await widget.render?.({ model, el });
  });
  return el;
}

/** @type {Record<string, (model: Model) => HTMLElement | Promise<HTMLElement>>} */
const VIEWS = {
  BoxModel: (model) => box(model, ""),
  HBoxModel: (model) => box(model, "widget-hbox"),
  VBoxModel: (model) => box(model, "widget-vbox"),
  GridBoxModel: (model) => box(model, "widget-gridbox"),
  FloatSliderModel: (model) => slider(model),
  IntSliderModel: (model) => slider(model),
  FloatLogSliderModel: (model) =>
    slider(
      model,
      (x) => model.get("base") ** x,
      (x) => Math.log(x) / Math.log(model.get("base")),
    ),
  HTMLModel: (model) => text(model, "innerHTML"),
  LabelModel: (model) => text(model, "textContent"),
  ImageModel: picture,
  AnyModel: anywidget,
};

/** @param {Model} model */
async function view(model) {
  const el = await VIEWS[model.kind](model);
  el.classList.add(...(model.get("_dom_classes") ?? []));
  for (const [name, value] of Object.entries(modelOf(model.get("layout"))?.state ?? {})) {
    if (value && !name.startsWith("_")) el.style.setProperty(name.replaceAll("_", "-"), String(value));
  }
  return el;
}

/** Join the ends of a jslink or jsdlink. @param {Model} link */
function join(link) {
  const [[source, from], [target, to]] = ["source", "target"].map((end) => link.get(end));
  const follows = (
    /** @type {Model} */ a,
    /** @type {string} */ name,
    /** @type {Model} */ b,
    /** @type {string} */ other,
  ) => a.on(`change:${name}`, () => b.set(other, a.get(name)));
  follows(modelOf(source), from, modelOf(target), to);
  if (link.kind === "LinkModel") follows(modelOf(target), to, modelOf(source), from);
  modelOf(target).set(to, modelOf(source).get(from));
}

Object.values(models)
  .filter(({ kind }) => /^(Directional)?LinkModel$/.test(kind))
  .forEach(join);
const views = await Promise.all(roots.map((id) => view(models[id])));
document.getElementById("widgets")?.replaceChildren(...views);
for (const show of waiting) await show();
document.documentElement.dataset.ready = "true";

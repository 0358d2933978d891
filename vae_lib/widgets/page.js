// Widgets without a kernel: enough of ipywidgets to show boxes, sliders, texts, pictures, links, and anywidgets.

const { roots, models: stored } = JSON.parse(document.getElementById("state").textContent);

// A model as anywidget's scripts know it: get, set, on, off, save_changes.
class Model {
  constructor({ state, buffers = [], model_name }) {
    this.kind = model_name;
    this.state = state;
    this.listeners = {};
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const owner = path.slice(0, -1).reduce((part, key) => part[key], state);
      owner[path.at(-1)] = new DataView(bytes.buffer);
    }
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    if (typeof name === "object") return Object.entries(name).forEach(([key, of]) => this.set(key, of));
    if (Object.is(this.state[name], value)) return;
    this.state[name] = value;
    this.emit(`change:${name}`, this, value);
    this.emit("change", this);
  }

  on(names, listener) {
    for (const name of names.split(" ")) (this.listeners[name] ??= new Set()).add(listener);
  }

  off(names, listener) {
    if (names == null) this.listeners = {};
    else for (const name of names.split(" ")) listener ? this.listeners[name]?.delete(listener) : delete this.listeners[name];
  }

  emit(name, ...values) {
    for (const listener of [...(this.listeners[name] ?? [])]) listener(...values);
  }

  save_changes() {} // there is nobody to save them for
  send() {}
}

const models = Object.fromEntries(Object.entries(stored).map(([id, entry]) => [id, new Model(entry)]));
const modelOf = (reference) => models[String(reference).replace("IPY_MODEL_", "")];

function element(name, className = "", properties = {}) {
  return Object.assign(document.createElement(name), { className, ...properties });
}

// A slider: label, range and read-out. `shown` turns the range's number into the value, `stored` the value back.
function slider(model, shown = (x) => x, stored = (x) => x) {
  const root = element("label", "jupyter-widgets widget-slider");
  const range = element("input", "", { type: "range" });
  const readout = element("output", "widget-readout");
  root.append(element("span", "widget-label", { textContent: model.get("description") }), range, readout);
  const places = Number(/\.(\d+)[fge]/.exec(model.get("readout_format") ?? "")?.[1] ?? 0);
  const update = () => {
    for (const name of ["min", "max", "step"]) range[name] = model.get(name);
    range.value = stored(model.get("value"));
    range.disabled = model.get("disabled");
    readout.textContent = model.get("value").toFixed(places).replace("-", "−");
  };
  range.addEventListener("input", () => {
    model.set("value", shown(Number(range.value)));
    model.save_changes();
  });
  model.on("change", update);
  update();
  return root;
}

// A text; `property` says whether it is HTML.
function text(model, property) {
  const root = element("div", "jupyter-widgets");
  const content = element("div", "widget-html-content");
  const label = model.get("description");
  if (label) root.append(element("span", "widget-label", { textContent: label }));
  root.append(content);
  const update = () => (content[property] = model.get("value"));
  model.on("change:value", update);
  update();
  return root;
}

async function box(model, className) {
  const root = element("div", `jupyter-widgets widget-box ${className}`);
  root.append(...(await Promise.all(model.get("children").map((child) => view(modelOf(child))))));
  return root;
}

function picture(model) {
  const root = element("img", "jupyter-widgets widget-image", { alt: model.get("tooltip") ?? "" });
  const update = () => {
    URL.revokeObjectURL(root.src);
    root.src = URL.createObjectURL(new Blob([model.get("value")], { type: `image/${model.get("format")}` }));
  };
  if (model.get("width")) root.width = model.get("width");
  model.on("change:value", update);
  update();
  return root;
}

const modules = new Map(); // each script once, however many widgets share it
async function anywidget(model) {
  const [source, css] = [model.get("_esm"), model.get("_css")];
  if (!modules.has(source)) {
    modules.set(source, import(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))));
    if (css) document.head.append(element("style", "", { textContent: css }));
  }
  const module = await modules.get(source);
  const widget = typeof module.default === "function" ? await module.default() : module.default ?? module;
  if (!model.initialized) {
    model.initialized = true;
    await widget.initialize?.({ model });
  }
  const root = element("div", "jupyter-widgets");
  const show = () => widget.render?.({ model, el: root });
  return Object.assign(root, { show });
}

const VIEWS = {
  BoxModel: (model) => box(model, ""),
  HBoxModel: (model) => box(model, "widget-hbox"),
  VBoxModel: (model) => box(model, "widget-vbox"),
  GridBoxModel: (model) => box(model, "widget-gridbox"),
  FloatSliderModel: (model) => slider(model),
  IntSliderModel: (model) => slider(model),
  FloatLogSliderModel: (model) => {
    const base = model.get("base");
    return slider(model, (x) => base ** x, (x) => Math.log(x) / Math.log(base));
  },
  HTMLModel: (model) => text(model, "innerHTML"),
  LabelModel: (model) => text(model, "textContent"),
  ImageModel: picture,
  AnyModel: anywidget,
};

const drawn = []; // anywidgets to show once they stand in the page and have a size

async function view(model) {
  const root = await VIEWS[model.kind](model);
  root.classList.add(...(model.get("_dom_classes") ?? []));
  const layout = modelOf(model.get("layout"));
  for (const [name, value] of Object.entries(layout?.state ?? {})) {
    if (value && !name.startsWith("_")) root.style.setProperty(name.replaceAll("_", "-"), value);
  }
  if (root.show) drawn.push(root.show);
  return root;
}

// Join the ends of every jslink and jsdlink.
for (const link of Object.values(models).filter(({ kind }) => /^(Directional)?LinkModel$/.test(kind))) {
  const [[source, from], [target, to]] = ["source", "target"].map((end) => link.get(end));
  const join = (a, name, b, other) => a.on(`change:${name}`, () => b.set(other, a.get(name)));
  join(modelOf(source), from, modelOf(target), to);
  if (link.kind === "LinkModel") join(modelOf(target), to, modelOf(source), from);
  modelOf(target).set(to, modelOf(source).get(from));
}

const place = document.getElementById("widgets");
place.replaceChildren(...(await Promise.all(roots.map((id) => view(models[id])))));
for (const show of drawn) await show();
document.documentElement.dataset.ready = "true";

// The laboratory without its page: settings, the worker, the newest picture, and what a reader may ask of it.

import { checked, LIVE } from "./settings.mjs";
import { entryOf, History } from "./state.mjs";

/** Emits, as events with a `detail`: ready, picture, running, failed, fresh, settings, broken, and the worker's answers. */
export class Laboratory extends EventTarget {
  constructor(settings) {
    super();
    this.settings = settings;
    this.running = false;
    this.ready = false;
    this.wantsStart = null; // {steps} of a start that waits for the network
    this.until = null; // the step after which it pauses by itself
    this.picture = null;
    this.device = null;
    this.measured = {};
    this.history = new History();
    this.failedAt = null;
    this.file = null; // {weights, trained} of the file that the network was opened from
    this.firstStep = null; // milliseconds from the opening of the page to the first finished step
    this.run = 0; // counts networks, so that nothing late of an old one is shown
  }

  /** Start the worker from the text of its script, and send it the digits. */
  open(script, digits, wanted) {
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    this.worker = new Worker(address);
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => this.tell("broken", { message: event.message || "the worker did not start" });
    this.send("open", { ...digits, settings: this.settings, wanted });
  }

  send(type, content = {}, transfer = []) {
    this.worker?.postMessage({ type, ...content }, transfer);
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  hear(message) {
    const { type } = message;
    if ((message.run ?? this.run) !== this.run) return; // of an old network
    if (type === "ready") {
      Object.assign(this, { device: message.device, measured: message.measured });
    } else if (type === "first") {
      this.firstStep = performance.now();
    } else if (type === "running") {
      this.running = message.running;
      if (!message.running) this.wantsStart = null; // it has ended before its first picture
    } else if (type === "failed") {
      this.running = false;
      this.failedAt = message.step;
      this.history.failedAt = message.step;
    } else if (type === "picture") {
      this.picture = message;
      this.history.enter(entryOf(message));
      if (!this.ready) {
        this.ready = true;
        this.tell("prepared");
        if (this.wantsStart) this.begin(this.wantsStart.steps, this.begunAt);
      }
    }
    this.tell(type, message);
  }

  /** The step that the network began at: 0, or that of its file. */
  get begunAt() {
    return this.file?.trained?.steps ?? 0;
  }

  /** Start or go on; with `steps`, pause by itself after so many. */
  start(steps = null) {
    this.send("start", { steps }); // the worker starts when its network is ready
    if (this.ready) this.begin(steps);
    else this.wantsStart = { steps };
  }

  begin(steps, from = this.picture.step) {
    this.failedAt = this.history.failedAt = null;
    this.running = true;
    this.wantsStart = null;
    this.until = steps && from + steps;
    this.tell("running", { running: true });
  }

  pause() {
    if (this.wantsStart?.steps) this.until = this.begunAt + this.wantsStart.steps; // for `resume`
    this.wantsStart = null;
    this.running = false;
    this.send("pause");
    this.tell("running", { running: false, asked: true });
  }

  /** Go on where `pause` stopped, up to the step that `start` was given. */
  resume() {
    const left = this.until ? this.until - (this.picture?.step ?? this.begunAt) : 0;
    this.start(left > 0 ? left : null);
  }

  /** Begin again with an untrained network, or with that of a file. */
  reset(file = null) {
    this.run += 1;
    Object.assign(this, { file, running: false, ready: false, wantsStart: null, until: null, failedAt: null, picture: null, history: new History() });
    this.send("reset", { settings: this.settings, ...file, run: this.run });
    this.tell("running", { running: false, anew: true });
    this.tell("settings", this.settings);
  }

  /** Change settings: beta, learningRate, trainDigits and mean act on the next step, any other starts anew. */
  set(changes) {
    const fine = checked(changes);
    const anew = Object.entries(fine).some(([name, value]) => !LIVE.includes(name) && String(value) !== String(this.settings[name]));
    this.settings = { ...this.settings, ...fine };
    if (anew) this.reset();
    else {
      this.send("live", { settings: this.settings });
      this.tell("settings", this.settings);
    }
  }

  /** The public state of window.lab, nats per image; null for what is not known before the first picture. */
  state() {
    const { picture, settings } = this;
    const heldOut = picture ? { ...picture.heldOut, elbo: -(picture.heldOut.distortion + picture.heldOut.rate) } : null;
    return {
      step: picture?.step ?? 0, epoch: picture?.epoch ?? 0, beta: settings.beta, latentDim: settings.latentDim,
      device: this.device, stepsPerSecond: picture?.stepsPerSecond ?? 0, train: picture?.train ?? null, heldOut, running: this.running,
    };
  }
}

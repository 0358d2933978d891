// What the page knows of the present run, and the runs that were kept.

const MOST = 4; // kept runs
const LONG = 1200; // entries of a history; beyond, every second one goes

export const RUN_COLOURS = ["#b5459b", "#0b8a8f", "#8a6d00", "#5a54c9"];

/** The course of one run: entries {step, distortion, rate, elbo (−ELBO), trainElbo, …}, thinned when it gets long. */
export class History extends Array {
  failedAt = null;

  enter(entry) {
    const last = this[this.length - 1];
    if (last && last.step === entry.step) this[this.length - 1] = entry;
    else this.push(entry);
    if (this.length > LONG) this.splice(0, this.length, ...Array.from(this).filter((_, i) => i === 0 || i % 2 === this.length % 2 || i > this.length - 20));
  }

  static get [Symbol.species]() {
    return Array;
  }
}

/** Return the entry of a history that a picture makes. */
export function entryOf({ step, epoch, beta, heldOut, train }) {
  return {
    step, epoch, beta, distortion: heldOut.distortion, rate: heldOut.rate, elbo: heldOut.distortion + heldOut.rate,
    trainDistortion: train?.distortion ?? NaN, trainRate: train?.rate ?? NaN,
    trainElbo: train ? train.distortion + train.rate : NaN,
  };
}

export class Runs {
  kept = [];

  /** How many more can be kept. */
  get room() {
    return MOST - this.kept.length;
  }

  /** Keep a run under a name and in a colour that no other has; throws an Error with one sentence when there are four. */
  keep(run) {
    if (!this.room) throw new Error("Four runs are kept already: remove one first.");
    const taken = (what, value) => this.kept.some((other) => other[what] === value);
    let [name, count] = [run.name, 1];
    while (taken("name", name)) name = `${run.name} (${++count})`;
    const colour = [run.colour, ...RUN_COLOURS].find((each) => RUN_COLOURS.includes(each) && !taken("colour", each));
    const kept = { ...run, name, colour };
    this.kept.push(kept);
    return kept;
  }

  /** Return the runs of one likelihood: only their nats compare. */
  of(likelihood) {
    return this.kept.filter((run) => run.settings.likelihood === likelihood);
  }

  remove(run) {
    this.kept = this.kept.filter((other) => other !== run);
  }

  /** Return what the JSON file of a reader's runs holds. */
  report() {
    const named = ({ elbo, trainElbo, ...entry }) => ({ ...entry, negativeElbo: elbo, trainNegativeElbo: trainElbo });
    return this.kept.map(({ name, settings, history, failedAt, active, link }) => ({
      name, settings, failedAt, activeUnits: active, address: link, final: named(history.at(-1)), history: Array.from(history, named),
    }));
  }
}

// The guided experiments on the page: choose one, guess, do, and then read the answer beside what was seen.

import { EXPERIMENTS } from "./experiments.mjs";
import { short } from "./words.mjs";

const COLUMNS = {
  distortion: ["D", (result) => short(result.distortion)],
  rate: ["R", (result) => short(result.rate)],
  elbo: ["held-out −ELBO", (result) => short(result.elbo)],
  trainElbo: ["training −ELBO", (result) => short(result.trainElbo)],
  active: ["active units", (result) => `${result.active} of ${result.units}`],
};

export class Guide {
  /** `act(title, action, progress)` trains and resolves with the kept run, or null when the reader did something else. */
  constructor(body, act) {
    Object.assign(this, { body, act });
    this.guesses = {};
    this.done = {};
    this.showList();
  }

  showList() {
    this.body.innerHTML = `<p>Each begins with a guess. Commit to one, then let the network answer. Two to four minutes each.</p><ol class="list"></ol>`;
    const list = this.body.querySelector("ol");
    EXPERIMENTS.forEach((experiment, i) => {
      const item = document.createElement("li");
      item.innerHTML = `<button type="button"><b>${i + 1}. ${experiment.title}</b><small>about ${experiment.minutes} minutes${this.guesses[i] === undefined ? "" : ", begun"}</small></button>`;
      item.firstChild.addEventListener("click", () => this.show(i));
      list.append(item);
    });
  }

  show(i) {
    const experiment = EXPERIMENTS[i];
    this.body.innerHTML = `<button type="button" class="small" data-to="list">‹ All six</button>
      <h3>${i + 1}. ${experiment.title}</h3><p>${experiment.question}</p>
      <fieldset><legend>Your guess</legend>${experiment.guesses.map((guess, g) =>
        `<label class="guess"><input type="radio" name="guess" value="${g}"> <span>${guess}</span></label>`).join("")}</fieldset>
      <div data-part="do" hidden><p>${experiment.watch}</p><div class="doing"></div><progress max="1" value="0" hidden aria-label="Progress of the training"></progress></div>
      <div data-part="results"></div>
      <button type="button" class="small" data-to="answer" hidden>What happened?</button>
      <div class="answer" data-part="answer" hidden tabindex="-1">${experiment.answer.map((part) => `<p>${part}</p>`).join("")}<p><b>In one sentence:</b> ${experiment.sentence}</p></div>`;
    const find = (selector) => this.body.querySelector(selector);
    find('[data-to="list"]').addEventListener("click", () => this.showList());
    for (const radio of this.body.querySelectorAll("input")) {
      radio.checked = this.guesses[i] === Number(radio.value);
      radio.addEventListener("change", () => {
        this.guesses[i] = Number(radio.value);
        find('[data-part="do"]').hidden = false;
      });
    }
    find('[data-part="do"]').hidden = this.guesses[i] === undefined;
    this.done[i] ??= [];
    experiment.actions.forEach((action, a) => {
      const button = document.createElement("button");
      button.type = "button";
      button.innerHTML = `${action.label} <span class="hint">${action.steps} steps</span>`;
      this.mark(button, this.done[i][a]);
      button.addEventListener("click", () => this.perform(i, a, button));
      find(".doing").append(button);
    });
    find('[data-to="answer"]').addEventListener("click", () => {
      find('[data-part="answer"]').hidden = false;
      find('[data-part="answer"]').focus();
      find('[data-to="answer"]').hidden = true;
    });
    this.showResults(i);
  }

  async perform(i, a, button) {
    const buttons = this.body.querySelectorAll(".doing button");
    const progress = this.body.querySelector("progress");
    buttons.forEach((other) => (other.disabled = true));
    progress.hidden = false;
    const { title, actions } = EXPERIMENTS[i];
    const result = await this.act(title, actions[a], (share) => (progress.value = share));
    if (result) this.done[i][a] = result;
    buttons.forEach((other) => (other.disabled = false));
    if (document.activeElement === document.body) button.focus({ preventScroll: true }); // which it lost while disabled
    progress.hidden = true;
    this.mark(button, this.done[i][a]);
    if (!button.isConnected) return;
    this.showResults(i);
    this.body.querySelector('[data-part="results"]').scrollIntoView({ block: "nearest" });
  }

  /** Show on its button that an action was done, and whether its run failed. */
  mark(button, result) {
    button.classList.toggle("done", Boolean(result));
    button.classList.toggle("failed", Boolean(result?.failedAt));
    if (result?.failedAt) button.querySelector(".hint").textContent = `failed at step ${result.failedAt}`;
  }

  /** Lay the numbers of what was done side by side; the answer is offered once all is done. */
  showResults(i) {
    const [results, { shows }] = [this.done[i], EXPERIMENTS[i]];
    const rows = results.map((result, a) => result && { ...result, name: EXPERIMENTS[i].actions[a].name }).filter(Boolean);
    const place = this.body.querySelector('[data-part="results"]');
    place.innerHTML = rows.length
      ? `<table><thead><tr><th scope="col">your run</th>${shows.map((name) =>
          `<th scope="col">${COLUMNS[name][0]}</th>`).join("")}</tr></thead><tbody>${rows.map((row) =>
          `<tr><th scope="row">${row.name}</th>${row.failedAt
            ? `<td colspan="${shows.length}">failed at step ${row.failedAt}</td>`
            : shows.map((name) => `<td>${COLUMNS[name][1](row)}</td>`).join("")}</tr>`).join("")}</tbody></table>`
      : "";
    const all = EXPERIMENTS[i].actions.every((_, a) => results[a]);
    const answer = this.body.querySelector('[data-part="answer"]');
    this.body.querySelector('[data-to="answer"]').hidden = !all || !answer.hidden;
  }
}

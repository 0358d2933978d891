import assert from "node:assert/strict";
import test from "node:test";
import { store, stored } from "../src/kept.mjs";
import { keptCodes } from "../src/pictures.mjs";
import { DEFAULTS } from "../src/settings.mjs";

const picture = "data:image/png;base64,AAAA";
const point = { step: 5, epoch: 0.1, beta: 1, distortion: 200, rate: 3, elbo: 203, trainDistortion: 210, trainRate: 4, trainElbo: 214 };
const run = {
  name: "β = 1", experiment: undefined, colour: "#0b8a8f", thumbnail: picture, digits: picture, link: "file:///lab.html#", failedAt: null, active: 2,
  history: [{ ...point, step: 0, trainDistortion: NaN, trainRate: NaN, trainElbo: NaN }, point], settings: { ...DEFAULTS, seed: 4294967295 },
};

function shelf(most = Infinity) {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    removeItem: (key) => kept.delete(key),
    setItem(key, text) {
      if (text.length > most) throw new Error("full");
      kept.set(key, text);
    },
    change: (change) => kept.forEach((text, key) => kept.set(key, change(text))),
    size: () => kept.size,
  };
}

test("runs come back as they were, those removed do not", () => {
  const storage = shelf();
  store([run, { ...run, experiment: "Sum or mean?", failedAt: 7 }], () => storage);
  assert.deepEqual(stored(() => storage), [run, { ...run, experiment: "Sum or mean?", failedAt: 7 }]);
  store([run], () => storage);
  assert.equal(stored(() => storage).length, 1);
  store([], () => storage);
  assert.equal(storage.size(), 0);
});

test("without a storage, or with a full one, nothing happens", () => {
  const refused = () => {
    throw new Error("refused");
  };
  store([run], refused);
  assert.deepEqual(stored(refused), []);
  const full = shelf(3000);
  store([run], () => full);
  store(Array(50).fill(run), () => full);
  assert.deepEqual(stored(() => full), []);
  const large = shelf();
  store([{ ...run, thumbnail: picture + "A".repeat(5e6) }], () => large);
  assert.equal(large.size(), 0);
});

test("a damaged entry is left out", () => {
  const storage = shelf();
  const bad = [{ active: "<b>" }, { history: [] }, { history: [{ ...point, rate: "3" }] }, { settings: { latentDim: 99 } },
    { thumbnail: "https://example.org/a.png" }, { failedAt: "x" }, { name: 3 }, { link: null }];
  store([...bad.map((change) => ({ ...run, ...change })), null, run], () => storage);
  assert.deepEqual(stored(() => storage), [run]);
  for (const text of ["", "{", "null", "{}", "3"]) {
    storage.change(() => text);
    assert.deepEqual(stored(() => storage), []);
  }
});

test("kept runs draw the same codes, a longer one beginning with the numbers of a shorter", () => {
  const [two, five] = [keptCodes(2), keptCodes(5)];
  assert.deepEqual(two, keptCodes(2));
  for (let i = 0; i < 10; i++) assert.deepEqual(two.slice(2 * i, 2 * i + 2), five.slice(5 * i, 5 * i + 2));
  assert.equal(new Set(two).size, 20);
});

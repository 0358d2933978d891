// A living page on its own, or in a frame: there it takes the theme of the page around it and tells its height.
const root = document.documentElement;
const framed = window.parent !== window;
root.classList.toggle("framed", framed);

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function setTheme(name) {
  if (["light", "dark"].includes(name)) root.dataset.theme = name;
  else delete root.dataset.theme; // as the reader's system has it
}

setTheme(stored("theme"));
if (framed) {
  addEventListener("message", (event) => event.source === window.parent && setTheme(event.data?.theme));
  document.addEventListener("DOMContentLoaded", () => {
    const main = document.querySelector("main");
    const tell = () => window.parent.postMessage({ height: Math.ceil(main.getBoundingClientRect().bottom) }, "*");
    new ResizeObserver(tell).observe(main);
  });
}

// On the front page the ring takes a short walk, unless somebody takes hold of it first: so it can be seen to move.
const WALKS = ["0", "7"]; // the digits whose codes it walks to
const PAUSE = 2100; // milliseconds from one walk to the next

function stroll(pad) {
  const left = [...WALKS];
  const timer = setInterval(() => {
    if (left.length) pad.dispatchEvent(new KeyboardEvent("keydown", { key: left.shift() }));
    else clearInterval(timer);
  }, PAUSE);
  for (const kind of ["pointerdown", "keydown", "focusin"]) {
    addEventListener(kind, (event) => event.isTrusted && clearInterval(timer), { capture: true });
  }
}

if (framed && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
  addEventListener("load", () => {
    if (!document.body.matches(".living-front")) return;
    const find = () => document.querySelector(".vae-pad");
    const watch = new MutationObserver(() => find() && (watch.disconnect(), stroll(find())));
    if (find()) stroll(find());
    else watch.observe(document.body, { childList: true, subtree: true });
  });
}

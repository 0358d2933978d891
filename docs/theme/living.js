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

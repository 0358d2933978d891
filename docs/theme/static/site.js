// Frames with living widgets follow the theme of their page and are as high as what is in them.
const page = document.documentElement;
const livingFrames = () => [...document.querySelectorAll("figure.alive iframe")];
const tell = (frame) => frame.contentWindow?.postMessage({ theme: page.dataset.theme }, "*");

addEventListener("message", (event) => {
  const frame = livingFrames().find(({ contentWindow }) => contentWindow === event.source);
  if (!frame || !(event.data?.height > 0)) return;
  frame.style.height = `${event.data.height + frame.offsetHeight - frame.clientHeight}px`; // with its border
  tell(frame);
});
new MutationObserver(() => livingFrames().forEach(tell)).observe(page, { attributes: true, attributeFilter: ["data-theme"] });

// From disk a browser does not let a page read its neighbours, which the excerpts of the search come from.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  document.addEventListener("DOMContentLoaded", () => {
    const results = document.getElementById("search-results");
    if (!results) return;
    const note = document.createElement("p");
    note.className = "search-note";
    note.textContent = "Opened from disk, the search lists pages and sections without excerpts: a browser shows these " +
      "where the site comes from a web server.";
    results.before(note);
  });
}

// A formula within a line that is wider than a phone gets a line of its own, which scrolls.
const breakWide = () => {
  for (const formula of document.querySelectorAll("mjx-container:not([display])")) {
    formula.classList.remove("wide");
    const line = formula.closest("p, li, td, summary");
    if (line && formula.offsetWidth > line.clientWidth) formula.classList.add("wide");
  }
};

// What scrolls in its own box can be reached by the keyboard.
const BOXES = ".cell_output .output, .cell_output pre, .highlight pre, .pst-scrollable-table-container, a.image-reference, mjx-container";
const reachable = () => {
  breakWide();
  for (const box of document.querySelectorAll(BOXES)) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
  }
};
addEventListener("load", () => Promise.resolve(window.MathJax?.startup?.promise).then(reachable));
addEventListener("resize", reachable);

// Sections that go deeper are folded, as in the notebooks; a link to one, or into it, opens it.
for (const heading of document.querySelectorAll("article.bd-article :is(h2, h3)")) {
  if (!heading.textContent.startsWith("Going deeper")) continue;
  const fold = document.createElement("details");
  const summary = document.createElement("summary");
  fold.className = "deeper";
  summary.textContent = "Unfold this section";
  const rest = [...heading.parentElement.children].filter((part) => part !== heading && part.tagName !== "SPAN");
  fold.append(summary, ...rest);
  heading.after(fold);
  fold.addEventListener("toggle", reachable);
}
const unfold = () => {
  const place = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place) return;
  const folds = [place.closest("details"), place.querySelector(":scope > details.deeper")].filter(Boolean);
  for (const fold of folds) fold.open = true;
  if (folds.length) place.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();

// Frames load here and not before: folding a section moves them, which would load them twice.
for (const frame of livingFrames()) if (frame.dataset.src) frame.src = frame.dataset.src;

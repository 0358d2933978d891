// Frames with living widgets follow the theme of their page and are as high as what is in them.
const page = document.documentElement;
const frames = () => [...document.querySelectorAll("figure.alive iframe")];
const tell = (frame) => frame.contentWindow?.postMessage({ theme: page.dataset.theme }, "*");

addEventListener("message", (event) => {
  const frame = frames().find(({ contentWindow }) => contentWindow === event.source);
  if (!frame || !(event.data?.height > 0)) return;
  frame.style.height = `${event.data.height}px`;
  tell(frame);
});
new MutationObserver(() => frames().forEach(tell)).observe(page, { attributes: true, attributeFilter: ["data-theme"] });

// From disk a browser does not let a page read its neighbours, which the excerpts of the search come from.
if (location.protocol === "file:" && window.DOCUMENTATION_OPTIONS) {
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

// What scrolls in its own box can be reached by the keyboard.
const BOXES = ".cell_output .output, .cell_output pre, .highlight pre, .pst-scrollable-table-container, a.image-reference, mjx-container";
const reachable = () => {
  for (const box of document.querySelectorAll(BOXES)) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
  }
};
addEventListener("load", () => setTimeout(reachable, 300));
addEventListener("resize", reachable);

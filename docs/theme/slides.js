// Lay the blocks of each group out on slides: what belongs together stays together, and what is too large is made to fit.
// On a screen on which that would be too small to read, the groups are a page that scrolls.
const [WIDTH, HEIGHT] = [1120, 760];
const MARGIN = 0.03;
const SMALL = "(max-width: 619px), (max-height: 429px)"; // there 27 pixels of a slide are less than 14 of the screen
const FOOT = 24; // pixels that stay free at the bottom
const SMALLEST = 0.4; // times the usual size
const PICTURE = 0.6; // the smallest a picture gets before the words beside it shrink, too
const WORDS = 0.7; // the smallest that words get, rather than have a slide of their own
const HIGH = 1.4; // times its height: the widest picture that stands beside its caption
const LONE = 0.34; // of the height: what fills less has no slide of its own
const reveal = document.querySelector(".reveal");
const slides = reveal.querySelector(".slides");

await MathJax.startup.promise;
await Promise.all([...slides.querySelectorAll("img")].map((image) => image.decode().catch(() => {})));

const partsIn = (box) => [...box.querySelectorAll("*")].filter((part) => !part.closest("mjx-assistive-mml")); // that one is not seen
const bottom = (slide) => {
  const box = slide.getBoundingClientRect();
  return Math.max(...partsIn(slide).map((part) => part.getBoundingClientRect().bottom)) - box.top;
};
const right = (block) =>
  Math.max(block.scrollWidth, ...partsIn(block).map((part) => part.getBoundingClientRect().right - block.getBoundingClientRect().left));
const full = (slide) => bottom(slide) > HEIGHT - FOOT;

// Blocks that may not be parted: a figure with its caption, a sentence with what it leads to, a guess with its choices.
function unitsOf(group) {
  const units = [];
  let open = false;
  for (const block of group.querySelectorAll(":scope > .block")) {
    if (units.length && (open || block.dataset.join)) units.at(-1).push(block);
    else units.push([block]);
    open = Boolean(block.dataset.keep);
  }
  return units.map(beside);
}

// A picture that is about as high as wide stands beside its caption: it gets larger so.
function beside(unit) {
  const at = unit.findIndex((block, i) => block.matches(".figure:not(.living)") && unit[i + 1]?.matches(".caption, .text"));
  const image = unit[at]?.querySelector("img");
  if (!image || image.naturalWidth > HIGH * image.naturalHeight) return unit;
  const pair = document.createElement("div");
  pair.className = "block beside";
  unit[at].before(pair);
  pair.append(unit[at], unit[at + 1]);
  return unit.toSpliced(at, 2, pair);
}

// Make a unit fit its slide; return whether it does at a size of at least `smallest`, and leave it as it was if not.
function shrink(unit, slide, smallest = SMALLEST) {
  const room = document.createElement("div");
  room.className = "fitted";
  unit[0].before(room);
  room.append(...unit);
  let scale = 1;
  const wide = () => {
    const edge = slide.getBoundingClientRect().left + WIDTH;
    return partsIn(room).some((part) => part.getBoundingClientRect().right > edge + 0.5);
  };
  const images = [...room.querySelectorAll("img")].map((image) => {
    const height = image.getBoundingClientRect().height / (image.currentCSSZoom ?? 1);
    image.dataset.height ??= height; // before it was made smaller
    return { image, height, share: height / image.dataset.height, before: image.style.maxHeight };
  });
  let part = 1;
  const least = (limit) => images.every(({ share }) => part * scale * share > limit);
  while (full(slide) && images.length && least(smallest === SMALLEST ? PICTURE : smallest)) {
    part *= 0.96;
    for (const { image, height } of images) image.style.maxHeight = `${part * height}px`;
  }
  const words = smallest === SMALLEST ? smallest : Math.max(smallest, WORDS);
  while ((full(slide) || wide()) && scale > words && (smallest === SMALLEST || least(smallest))) room.style.zoom = scale *= 0.96;
  if (!full(slide) || smallest === SMALLEST) return true;
  for (const { image, before } of images) image.style.maxHeight = before;
  room.replaceWith(...unit);
  return false;
}

// The blocks of a slide, or the boxes in which they were made to fit.
const partsOf = (slide) => [...slide.children].slice(1);
const asks = (slide) => Boolean(slide.querySelector(".predict"));
const lone = (slide) => partsOf(slide).length === 1 && bottom(slide) < LONE * HEIGHT && !asks(slide) && !slide.querySelector("img, table, pre");
// How small all of a slide may get to take in a part; a picture that leads to a living page may be small.
const lowest = (slide) => (slide.querySelector(".living") ? 0.5 : slide.querySelector("img") ? 0.7 : 0.75);

// Put a sentence that stands alone on its slide on the slide before or after it, or take the last part of the slide before
// over to it; after a question, say the question again.
function join(made) {
  for (const slide of [...made]) {
    const i = made.indexOf(slide);
    const [before, after] = [made[i - 1], made[i + 1]];
    if (!lone(slide)) continue;
    const [part] = partsOf(slide);
    const drop = () => {
      slide.remove();
      made.splice(i, 1);
    };
    if (before && !asks(before)) {
      const earlier = partsOf(before);
      before.append(part);
      if (!full(before) || shrink([...earlier, part], before, lowest(before))) {
        drop();
        continue;
      }
      slide.append(part);
      if (earlier.length > 1) {
        part.before(earlier.at(-1));
        if (!full(slide) || shrink(partsOf(slide), slide, lowest(slide))) continue;
        before.append(earlier.at(-1));
      }
    }
    if (after) {
      after.firstElementChild.after(part);
      if (!full(after) || shrink(partsOf(after), after, lowest(after))) {
        drop();
        continue;
      }
      slide.append(part);
    }
    if (before && asks(before)) {
      for (const question of [...before.querySelectorAll(".predict")]) {
        const again = question.cloneNode(true);
        again.className = "block asked";
        part.before(again);
      }
    }
  }
}

// A link to a living page stands on a slide once.
function linkOnce(slide) {
  const seen = new Set();
  for (const link of slide.querySelectorAll(".to-living a")) {
    if (seen.has(link.href)) link.parentElement.remove();
    seen.add(link.href);
  }
}

function layOut(group) {
  const units = unitsOf(group);
  const heading = group.firstElementChild;
  const made = [];
  let slide, count;
  const begin = () => {
    slide = document.createElement("section");
    slide.className = group.className;
    slide.append(heading.cloneNode(true));
    group.before(slide);
    made.push(slide);
    count = 0;
  };
  begin();
  for (const unit of units) {
    const filled = bottom(slide);
    slide.append(...unit);
    const rather = filled < HEIGHT / 3 ? 0.7 : 0.9; // a little smaller, rather than a sentence alone on its slide
    if (full(slide) && count && !shrink(unit, slide, rather)) {
      if (unit.every((block) => block.matches(".output"))) { // printed lines are no slide of their own
        for (const block of unit) block.remove();
        continue;
      }
      begin();
      slide.append(...unit);
    }
    if (full(slide)) shrink(unit, slide);
    for (const block of unit) if (right(block) > WIDTH + 1) shrink([block], slide);
    count += 1;
    if (unit.some((block) => block.dataset.last) && unit !== units.at(-1)) begin();
  }
  join(made);
  join(made); // what the first has moved may have left a part alone
  made.forEach(linkOnce);
  group.remove();
}

// The groups one below the other; an answer is folded, as in the notebook.
function scroll() {
  reveal.classList.add("scrolling");
  for (const answer of slides.querySelectorAll(".answer")) {
    const fold = document.createElement("details");
    const summary = document.createElement("summary");
    fold.className = answer.className;
    summary.textContent = "The answer";
    fold.append(summary, ...answer.childNodes);
    fold.querySelector("b")?.remove();
    answer.replaceWith(fold);
  }
  for (const block of slides.querySelectorAll(".block")) if (block.scrollWidth > block.clientWidth + 1) block.tabIndex = 0;
}

const small = matchMedia(SMALL);
small.addEventListener("change", () => location.reload());
if (small.matches) scroll();
else for (const group of [...slides.children]) layOut(group);
reveal.classList.remove("measuring");
if (!small.matches) {
  await Reveal.initialize({ hash: true, slideNumber: "c/t", width: WIDTH, height: HEIGHT, margin: MARGIN, center: false,
    transition: "none", navigationMode: "linear", controlsTutorial: false });
  const seen = () => { // Tab leads to links of the slide in sight alone
    for (const slide of slides.querySelectorAll("section")) slide.inert = slide !== Reveal.getCurrentSlide();
  };
  Reveal.on("slidechanged", seen);
  seen();
}

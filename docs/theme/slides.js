// Lay the blocks of each group out on slides: what belongs together stays together, and what is too large is made to fit.
const [WIDTH, HEIGHT] = [1120, 760];
const FOOT = 24; // pixels that stay free at the bottom
const SMALLEST = 0.4; // times the usual size
const reveal = document.querySelector(".reveal");
const slides = reveal.querySelector(".slides");

await MathJax.startup.promise;
await Promise.all([...slides.querySelectorAll("img")].map((image) => image.decode().catch(() => {})));

const bottom = (slide) => {
  const box = slide.getBoundingClientRect();
  return Math.max(...[...slide.querySelectorAll("*")].map((part) => part.getBoundingClientRect().bottom)) - box.top;
};
const right = (block) =>
  Math.max(block.scrollWidth, ...[...block.querySelectorAll("*")].map((part) => part.getBoundingClientRect().right - block.getBoundingClientRect().left));
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
  return units;
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
    return [...room.querySelectorAll("*")].some((part) => part.getBoundingClientRect().right > edge + 0.5);
  };
  while ((full(slide) || wide()) && scale > smallest) room.style.zoom = scale *= 0.96;
  if (!full(slide) || smallest === SMALLEST) return true;
  room.replaceWith(...unit);
  return false;
}

for (const group of [...slides.children]) {
  const units = unitsOf(group);
  const heading = group.firstElementChild;
  let slide, count;
  const begin = () => {
    slide = document.createElement("section");
    slide.className = group.className;
    slide.append(heading.cloneNode(true));
    group.before(slide);
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
    if (full(slide) || unit.some((block) => right(block) > WIDTH + 1)) shrink(unit, slide);
    count += 1;
    if (unit.some((block) => block.dataset.last) && unit !== units.at(-1)) begin();
  }
  group.remove();
}

reveal.classList.remove("measuring");
await Reveal.initialize({ hash: true, slideNumber: "c/t", width: WIDTH, height: HEIGHT, margin: 0.03, center: false, transition: "none",
  navigationMode: "linear", controlsTutorial: false });

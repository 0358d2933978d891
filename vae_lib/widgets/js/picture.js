// A picture with a description for those who cannot see it; a ring may mark a place on it, and a click choose one.

import { add, control, onTraits, placeIn } from "./lib/dom.js";

/** @type {Parameters<typeof control>[0]} */
function show(model, el, signal) {
  const frame = add(el, "div", { className: "vae-picture" });
  const image = add(frame, "img", { className: "widget-image", draggable: false });
  const ring = add(frame, "div", { className: "vae-point", hidden: true });
  let address = "";

  const load = () => {
    const before = address;
    address = URL.createObjectURL(new Blob([model.get("value")], { type: "image/png" }));
    image.src = address;
    image
      .decode()
      .catch(() => {})
      .finally(() => URL.revokeObjectURL(before)); // the next one may have overtaken it
  };
  const describe = () => {
    image.alt = image.title = model.get("alt");
    frame.style.width = `${model.get("width")}px`;
    image.style.imageRendering = model.get("sharp") ? "pixelated" : "auto";
    frame.classList.toggle("vae-answers", model.get("clickable"));
  };
  const mark = () => {
    const place = model.get("mark");
    ring.hidden = !place.length;
    [ring.style.left, ring.style.top] = place.map((/** @type {number} */ share) => `${100 * share}%`);
  };
  const choose = (/** @type {PointerEvent} */ event) => {
    const place = placeIn(event, image);
    model.set("chosen", [place[0] / image.clientWidth, place[1] / image.clientHeight]);
    model.save_changes();
  };

  onTraits(model, ["value"], load, signal);
  onTraits(model, ["alt", "width", "sharp", "clickable"], describe, signal);
  onTraits(model, ["mark"], mark, signal);
  if (model.get("clickable")) {
    frame.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      frame.setPointerCapture(event.pointerId);
      choose(event);
    });
    frame.addEventListener(
      "pointermove",
      (event) => frame.hasPointerCapture(event.pointerId) && choose(event),
    );
  }
  signal.addEventListener("abort", () => URL.revokeObjectURL(address));
  load();
  describe();
  mark();
}

export default control(show);

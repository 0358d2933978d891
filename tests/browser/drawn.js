// Fingerprints of what is drawn, and the time until they change. Installed in every page under test.
window.drawn = {
  board: document.createElement("canvas").getContext("2d", { willReadFrequently: true }),

  // The numbers that make an element's look: its pictures' pixels or, without pictures, its text.
  values(element) {
    const inside = [...element.querySelectorAll("img, canvas")];
    const pictures = element.matches("img, canvas") ? [element] : inside;
    if (!pictures.length) return [new TextEncoder().encode(element.textContent)];
    return pictures.map((picture) => {
      if (picture.complete === false) return null; // still loading, nothing is drawn for the moment
      const { canvas } = this.board;
      canvas.width = picture.naturalWidth ?? picture.width; // setting the size clears the board
      canvas.height = picture.naturalHeight ?? picture.height;
      if (!canvas.width || !canvas.height) return null;
      this.board.drawImage(picture, 0, 0);
      return new Uint32Array(this.board.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    });
  },

  // One number for the look of an element (FNV-1a), or null while it is being loaded.
  fingerprint(element) {
    const values = this.values(element);
    if (values.includes(null)) return null;
    let hash = 0x811c9dc5;
    for (const list of values) for (const value of list) hash = Math.imul(hash ^ value, 0x01000193);
    return hash >>> 0;
  },

  frame: () => new Promise(requestAnimationFrame),

  // Note, in milliseconds since the page was opened, when the first element of this kind is there.
  async watchFirst(selector) {
    this.firstSeen = null;
    while (!document.querySelector(selector)) await this.frame();
    this.firstSeen = performance.now();
  },

  // Milliseconds from `start` until the element looks different from `before`.
  async changed(element, before, timeout, start = performance.now()) {
    for (;;) {
      const now = performance.now();
      const look = this.fingerprint(element);
      if (look !== null && look !== before) return now - start;
      if (now - start > timeout) throw new Error(`Unchanged after ${timeout} ms.`);
      await this.frame();
    }
  },

  // Milliseconds from now to the last change that is followed by `quiet` milliseconds without one.
  async still(element, quiet, timeout) {
    const start = performance.now();
    let last = start;
    let before = this.fingerprint(element);
    while (performance.now() - last < quiet) {
      const look = this.fingerprint(element);
      if (look !== null && look !== before) [before, last] = [look, performance.now()];
      if (performance.now() - start > timeout) throw new Error(`Still changing after ${timeout} ms.`);
      await this.frame();
    }
    return last - start;
  },

  // Milliseconds from the next event of this type to the change of each element.
  afterEvent(type, elements, timeout) {
    const before = elements.map((element) => this.fingerprint(element));
    const event = new Promise((resolve) => addEventListener(type, resolve, { capture: true, once: true }));
    this.measured = event.then(({ timeStamp }) =>
      Promise.all(elements.map((element, i) => this.changed(element, before[i], timeout, timeStamp)))
    );
  },
};

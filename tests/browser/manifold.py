"""What a reader does with the latent pad and the drawing board, on any page."""

import re

import numpy as np
from latencies import Latency

# A canvas of the digit's size that is filled in the frame after an event: what any
# picture takes on this page.
FLOOR = """(type) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 224;
  canvas.id = `floor-${type}`;
  document.body.append(canvas);
  let count = 0;
  addEventListener(type, () => requestAnimationFrame(() => {
    const ctx = canvas.getContext("2d");
    ctx.fillStyle = ["red", "blue"][count++ % 2];
    ctx.fillRect(0, 0, 224, 224);
  }), { capture: true });
}"""
# Milliseconds from the next event of this type to the end of the frame in which each
# element has changed.
AFTER = """([type, elements]) => {
  const before = elements.map((element) => drawn.fingerprint(element));
  const event = new Promise((resolve) => addEventListener(type, resolve, { capture: true, once: true }));
  const frameOver = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  drawn.measured = event.then(async ({ timeStamp }) => {
    const times = elements.map(() => null);
    while (times.includes(null)) {
      await frameOver();
      const now = performance.now() - timeStamp;
      elements.forEach((element, i) => {
        if (times[i] === null && drawn.fingerprint(element) !== before[i]) times[i] = now;
      });
      if (now > 5000) throw new Error("Unchanged after 5 s.");
    }
    return times;
  });
}"""
GREYS = """(canvas, side) => {
  const n = canvas.width / side;  // pixels of the screen for one of the digit
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return Array.from({ length: side * side }, (_, i) => {
    const [row, column] = [Math.floor(i / side), i % side].map((place) => Math.floor((place + 0.5) * n));
    return data[4 * (row * canvas.width + column)];
  });
}"""


def greys(canvas, side=28):
    """Return the grey levels, 0 to 255, that a canvas shows of an image of `side` ×
    `side` pixels.
    """
    return np.array(canvas.evaluate(GREYS, side)).reshape(side, side)


def darkness(image):
    """Return the grey levels that an image in [0, 1] has when drawn dark on light."""
    return 255 * (1 - image)


def minus(text):
    """Return a number written with a typographic minus."""
    return float(text.replace("−", "-"))


class Pad:
    """The latent pad on a page."""

    def __init__(self, page, control=None, index=0):
        self.page, self.reach = page, control.pad.reach if control else 3.0
        self.box = (
            page.page.locator(".vae")
            .filter(has=page.page.locator(".vae-pad"))
            .nth(index)
        )
        self.map = self.box.locator(".vae-pad-overlay")
        self.ground = self.box.locator(".vae-pad-map canvas").first
        self.digit, self.strip = (
            self.box.locator(".vae-pad-digit"),
            self.box.locator(".vae-pad-strip"),
        )
        self.truth, self.copy = (
            self.box.locator(".vae-pad-card canvas").nth(i) for i in range(2)
        )
        self.caption = self.box.locator(".vae-pad-caption")
        self.status = self.box.locator(".vae-pad-status")

    @property
    def z(self):
        """The two numbers on the read-out."""
        return [
            minus(text)
            for text in re.findall(
                r"= (\S+?),?(?= |$)",
                self.box.locator(".vae-pad-readout").text_content(),
            )
        ]

    def at(self, code):
        """Return the place of a code on the screen."""
        self.map.scroll_into_view_if_needed()
        box = self.map.bounding_box()
        side = box["width"] - 38
        x, y = map(float, code)
        share = (x + self.reach) / (2 * self.reach), (self.reach - y) / (2 * self.reach)
        return box["x"] + 30 + share[0] * side, box["y"] + 8 + share[1] * side

    def settle(self):
        """Wait until a walk, or whatever else moves, is over."""
        self.page.wait_still(self.digit, quiet=0.3)

    def drag(self, start, end, moves=20):
        """Drag with the mouse from one code to another."""
        mouse = self.page.page.mouse
        mouse.move(*self.at(start))
        mouse.down()
        mouse.move(*self.at(end), steps=moves)
        mouse.up()
        self.settle()

    def press(self, key, times=1):
        """Press a key on the map and wait for the end of what it starts."""
        self.map.focus()
        for _ in range(times):
            self.page.page.keyboard.press(key)
        self.settle()

    def latency(self, presses=20):
        """Time key presses on the map to the changed digit; the floor is a canvas that
        draws and does nothing else.
        """
        return timed(
            self.page,
            "keydown",
            self.digit,
            self.map.focus,
            lambda i: self.page.page.keyboard.press(("ArrowRight", "ArrowLeft")[i % 2]),
            presses,
        )

    def drag_latency(self, moves=30):
        """Time moves of the mouse, in the middle of a drag, to the changed digit."""
        places = [self.at((np.cos(i), np.sin(i))) for i in range(moves)]
        self.page.page.mouse.move(*self.at((0, 0)))
        self.page.page.mouse.down()
        latency = timed(
            self.page,
            "pointermove",
            self.digit,
            lambda: None,
            lambda i: self.page.page.mouse.move(*places[i]),
            moves,
        )
        self.page.page.mouse.up()
        return latency


def timed(page, event, element, prepare, act, times):
    """Return the `Latency` from each event that `act(i)` causes to the changed element,
    and to the floor.
    """
    if not page.page.locator(f"#floor-{event}").count():
        page.page.evaluate(FLOOR, event)
    floor = page.page.locator(f"#floor-{event}")
    handles = [part.element_handle() for part in (element, floor)]
    prepare()
    found = []
    for i in range(times):
        page.page.evaluate(AFTER, [event, handles])
        act(i)
        found.append(page.page.evaluate("drawn.measured"))
    return Latency.of(*map(list, zip(*found)))


def quick(latency):
    """Whether pictures follow within 25 ms, and 19 of 20 within 50, or as fast as this
    machine draws anything.
    """
    return latency.p50 <= max(25, 1.5 * latency.floor_p50) and latency.p95 <= max(
        50, 1.5 * latency.floor_p95
    )


class Board:
    """The drawing board on a page."""

    THREE = [
        (0.3, 0.25),
        (0.45, 0.18),
        (0.6, 0.2),
        (0.65, 0.32),
        (0.55, 0.45),
        (0.45, 0.5),
        (0.6, 0.55),
        (0.68, 0.68),
        (0.6, 0.8),
        (0.45, 0.85),
        (0.3, 0.8),
    ]

    def __init__(self, page):
        self.page = page
        self.paper = page.page.locator(".vae-board-paper")
        self.box = self.paper.locator(
            "xpath=ancestor::*[contains(@class, 'vae')][last()]"
        )
        self.seen, self.copy = (
            page.page.locator(".vae-board-copies canvas").nth(i) for i in range(2)
        )
        self.map = page.page.locator(".vae-board-map")
        self.verdict = page.page.locator(".vae-board-verdict")

    def draw(self, points, steps=5):
        """Draw a line through points given as shares of the paper."""
        self.paper.scroll_into_view_if_needed()
        box, mouse = self.paper.bounding_box(), self.page.page.mouse
        places = [
            (box["x"] + x * box["width"], box["y"] + y * box["height"])
            for x, y in points
        ]
        mouse.move(*places[0])
        mouse.down()
        for place in places[1:]:
            mouse.move(*place, steps=steps)
        mouse.up()
        self.page.wait_still(self.paper, quiet=0.2)

    def press(self, *keys):
        """Press keys on the paper."""
        self.paper.focus()
        for key in keys:
            self.page.page.keyboard.press(key)
        self.page.wait_still(self.paper, quiet=0.2)

    def button(self, name):
        """Press a button of this board; there may be others on the page."""
        self.box.locator(".vae-foot button").filter(has_text=name).click()
        self.page.wait_still(self.paper, quiet=0.2)

    @property
    def says(self):
        """The verdict."""
        return self.verdict.text_content()

    @property
    def nats(self):
        """The −ELBO of the verdict."""
        return float(self.verdict.get_attribute("data-nats"))

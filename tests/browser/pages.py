"""What a reader does on a page: run cells, move sliders, press buttons, look at
pictures.

`Page` holds what JupyterLab and Voilà have in common; `Notebook` is a notebook in
JupyterLab. Elements are Playwright locators throughout.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from latencies import Latency

SCRIPT = Path(__file__).with_name("drawn.js")
TALL = {
    "width": 1400,
    "height": 3000,
}  # most of a notebook at once: JupyterLab skips what is off the screen
PROJECTOR = {"width": 1024, "height": 768}

ICONS = re.compile(
    "/fontawesome-free@"
)  # Voilà asks the network for this font, which nothing here draws


class Slider:
    """One ipywidgets slider."""

    def __init__(self, page, control):
        self.page, self.control = page, control
        self.handle = control.locator(".noUi-handle").first
        self.readout = control.locator(".widget-readout")

    @property
    def value(self):
        """The number on the read-out."""
        return float(self.readout.text_content().replace("−", "-"))

    def press(self, key, times=1):
        """Press a key ("ArrowRight", "Home", …) on the handle."""
        self.handle.focus()
        for _ in range(times):
            self.handle.press(key)

    def drag(self, to, moves=20):
        """Drag the handle with the mouse to a fraction of the track, in that many
        moves.
        """
        track, handle = (
            part.bounding_box()
            for part in (self.control.locator(".noUi-base"), self.handle)
        )
        self.page.mouse.move(
            handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
        )
        self.page.mouse.down()
        self.page.mouse.move(
            track["x"] + to * track["width"],
            track["y"] + track["height"] / 2,
            steps=moves,
        )
        self.page.mouse.up()

    def type(self, text):
        """Replace the read-out's number by hand."""
        self.readout.fill(str(text))
        self.readout.press("Enter")


class Page:
    """A page with widgets and pictures, at `address`.

    `errors` collects console errors, uncaught exceptions and requests to anywhere but
    this machine: at the end of a test it is to be empty.
    """

    outputs = "body"

    def __init__(self, browser, address, viewport=TALL, scheme="light", touch=False):
        self.context = browser.new_context(
            viewport=viewport, color_scheme=scheme, has_touch=touch
        )
        self.context.add_init_script(path=SCRIPT)
        self.context.route(
            ICONS, lambda route: route.fulfill(content_type="text/css", body="")
        )
        self.errors = []
        self.open(address)

    def open(self, address):
        """Open the address in a new tab, which takes the place of any before."""
        self.page = self.context.new_page()
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._note_outside)
        self.page.goto(address, timeout=240_000)

    def _note_message(self, message):
        attached = message.location["url"].startswith("attachment:")
        if message.type == "error" and not attached:
            self.errors.append(message.text)

    def _note_outside(self, request):
        parts = urlsplit(request.url)
        inside = parts.hostname == "127.0.0.1" or parts.scheme in (
            "data",
            "blob",
            "file",
            "attachment",  # JupyterLab asks for its name before it puts the picture in
        )
        if not inside and not ICONS.search(request.url):
            self.errors.append(f"The page asked for {request.url}")

    def close(self):
        """Close the page."""
        self.context.close()

    # -- controls

    def slider_keys(self, handle):
        """Return two keys, of which the first certainly moves the slider and the second
        takes it back.
        """
        low, high, now = (
            float(handle.get_attribute(f"aria-value{x}")) for x in ("min", "max", "now")
        )
        return (
            ("ArrowRight", "ArrowLeft")
            if now - low < high - now
            else ("ArrowLeft", "ArrowRight")
        )

    def controls(self):
        """Return the controls of vae_lib, whole, with what is inside them."""
        return self.page.locator(".vae")

    def control(self, label, within=None):
        """Return the widget with this description: slider, drop-down list, check box,
        text.
        """
        exact = re.compile(rf"^\s*{re.escape(label)}\s*$")
        return (
            (within or self.page)
            .locator(".jupyter-widgets, .widget-hslider")
            .filter(has=self.page.locator("> .widget-label").filter(has_text=exact))
        )

    def slider(self, label, within=None):
        """Return the slider with this description."""
        return Slider(self.page, self.control(label, within))

    def button(self, text, within=None):
        """Return the button with this text."""
        exact = re.compile(rf"^\s*{re.escape(text)}\s*$")
        return (within or self.page).locator(".jupyter-button").filter(has_text=exact)

    # -- what is drawn

    def pictures(self):
        """Return all pictures in outputs."""
        return self.page.locator(self.outputs).locator("img, canvas")

    def look(self, element):
        """Return a number that stands for the pixels drawn in the element, or for its
        text if it has none.
        """
        return element.evaluate("element => drawn.fingerprint(element)")

    def wait_change(self, element, before, timeout=5):
        """Wait until the element looks different from `before`; return the milliseconds
        that took.
        """
        script = (
            "(element, [before, timeout]) => drawn.changed(element, before, timeout)"
        )
        return element.evaluate(script, [before, 1000 * timeout])

    def wait_still(self, element, quiet=1, timeout=60):
        """Wait until the element has looked the same for `quiet` seconds; return the ms
        that took.
        """
        script = "(element, [quiet, timeout]) => drawn.still(element, quiet, timeout)"
        return element.evaluate(script, [1000 * quiet, 1000 * timeout])

    def latency(self, slider, element, floor=None, presses=20, timeout=5):
        """Time `presses` key presses on the slider, each to the changed element and to
        the changed floor.

        The floor is an element that changes with least work: by default the slider's
        read-out, which needs no kernel. Its time is what this page, on this machine, at
        this moment, takes for any change.
        """
        slider.handle.focus()
        keys = self.slider_keys(slider.handle)
        handles = [part.element_handle() for part in (element, floor or slider.readout)]
        times = []
        for i in range(presses):
            self.page.evaluate(
                "([parts, timeout]) => drawn.afterEvent('keydown', parts, timeout)",
                [handles, 1000 * timeout],
            )
            self.page.keyboard.press(keys[i % 2])
            times.append(self.page.evaluate("drawn.measured"))
        return Latency.of(*map(list, zip(*times)))

    def screenshot(self, path, element=None):
        """Save what is on the screen, or one element, as PNG."""
        (element or self.page).screenshot(path=path)


class Application(Page):
    """A notebook served by Voilà: no cells, widgets only."""

    def wait_ready(self, timeout=120):
        """Wait for the first widget."""
        self.page.locator(".jupyter-widgets").first.wait_for(timeout=1000 * timeout)


class Notebook(Page):
    """A notebook in JupyterLab."""

    outputs = ".jp-OutputArea-output"

    def __init__(self, browser, server, name, viewport=TALL):
        self.server, self.name = server, name
        super().__init__(browser, server.address(name), viewport)
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
        self.wait_idle(120)

    def close(self):
        """Close the page and end its kernel."""
        super().close()
        self.server.shut_down_kernel(self.name)

    def wait_idle(self, timeout=900):
        """Wait until the kernel is there and idle, and no cell waits for its turn."""
        idle = """() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === "idle"
            && [...document.querySelectorAll(".jp-InputPrompt")].every(p => !p.textContent.includes("*"))"""
        # JupyterLab's own indicator is of no use here: it says "idle" before there is a
        # kernel.
        self.page.wait_for_function(idle, timeout=1000 * timeout)

    def command(self, name, timeout=30, **arguments):
        """Carry out a command of JupyterLab ("kernelmenu:restart") and wait for its
        end.
        """
        script = """([name, options, timeout]) => Promise.race([
            jupyterapp.commands.execute(name, options).then(() => null),
            new Promise((_, reject) => setTimeout(reject, timeout, `${name}: no end in ${timeout} ms`)),
        ])"""
        self.page.evaluate(script, [name, arguments, 1000 * timeout])

    def reopen(self):
        """Close the tab, as a reader does who goes away, and open the notebook in a new
        one.
        """
        self.page.close()
        self.open(self.server.address(self.name))

    def execute(self, code, timeout=60):
        """Run code in the kernel, in no cell, as soon as no cell runs; return what it
        prints.
        """
        script = """([code, timeout]) => new Promise((resolve, reject) => {
            const future = jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code });
            let printed = "";
            future.onIOPub = ({ content }) => { printed += content.text ?? ""; };
            future.done.then(({ content }) => content.status === "ok" ? resolve(printed) : reject(content.evalue));
            setTimeout(reject, timeout, `no end in ${timeout} ms`);
        })"""
        return self.page.evaluate(script, [code, 1000 * timeout])

    def start_all(self):
        """Begin to run all cells; return at once."""
        self.page.evaluate(
            "() => { jupyterapp.commands.execute('notebook:run-all-cells') }"
        )

    def run_all(self, timeout=900):
        """Run all cells to the end; return the seconds from opening to the first
        picture, or None.
        """
        self.page.evaluate(
            "selector => { drawn.watchFirst(selector) }",
            f"{self.outputs} :is(img, canvas)",
        )
        self.command("notebook:run-all-cells", timeout)
        self.wait_idle(timeout)
        first = self.page.evaluate("drawn.firstSeen")
        return first and first / 1000

    def alarms(self):
        """Return the texts of all error and stderr outputs."""
        kinds = "application/vnd.jupyter.error", "application/vnd.jupyter.stderr"
        selector = ", ".join(
            f'.jp-OutputArea-output[data-mime-type="{kind}"]' for kind in kinds
        )
        return self.page.locator(selector).all_text_contents()

    def theme(self, name):
        """Change to "JupyterLab Light" or "JupyterLab Dark"."""
        self.command("apputils:change-theme", theme=name)
        self.page.locator(f'body[data-jp-theme-name="{name}"]').wait_for(
            state="attached"
        )

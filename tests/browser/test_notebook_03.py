"""The beta slider in a real browser: on a page without a kernel, and in notebook 03."""

import base64
import functools
import json

import keras
import numpy as np
import pytest
from latencies import Latency
from pages import PROJECTOR, SCRIPT, TALL

from vae_lib.data import load_mnist
from vae_lib.experiments.one_network import ConditionedVAE
from vae_lib.training import train
from vae_lib.widgets.beta_slider import BETAS, BetaSlider, BetaView
from vae_lib.widgets.page import write_page

pytestmark = pytest.mark.full

DIGITS = load_mnist()
LIMIT = (
    100  # milliseconds from a drag to the changed picture, on a machine of one's own
)
CODES, BOARD, CURVE, UNITS = range(4)  # the canvases of the slider
PAGE = """<!doctype html><meta charset="utf-8"><style>%s</style><div id="root"></div><script type="module">
const source = %s;
const state = %s;
for (const [name, value] of Object.entries(state)) {
  if (value.base64 === undefined) continue;
  const bytes = Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0));
  state[name] = new DataView(bytes.buffer);
}
const heard = {};
window.model = { get: (name) => state[name], on: (name, f) => (heard[name] = f), off() {}, save_changes() {},
  set(name, value) { state[name] = value; heard[`change:${name}`]?.(); } };
const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
(await import(address)).default.render({ model, el: document.getElementById("root") });
</script>"""


class Control:
    """The slider on a page."""

    def __init__(self, page):
        self.page = page
        self.box = page.locator(".vae-beta").first
        self.box.scroll_into_view_if_needed()
        self.input = self.box.locator("input[type=range]")
        self.canvases = self.box.locator("canvas")
        self.status = self.box.locator("[role=status]")

    def looks(self):
        """Return a fingerprint of each canvas."""
        return [
            self.canvases.nth(i).evaluate("element => drawn.fingerprint(element)")
            for i in range(4)
        ]

    def changes(self, before, seconds=10):
        """Return whether each canvas comes to look different from `before`."""
        for _ in range(10 * seconds):
            if all(a != b for a, b in zip(before, self.looks())):
                return True
            self.page.wait_for_timeout(100)
        return False

    def press(self, key, times=1):
        """Press a key on the slider and wait for the picture."""
        self.input.focus()
        for _ in range(times):
            self.page.keyboard.press(key)
        self.page.evaluate("async () => { await drawn.frame(); await drawn.frame(); }")

    def timed(self, event, act, canvas=BOARD):
        """Return the milliseconds from the next `event`, which `act` causes, to the
        changed canvas.
        """
        self.page.evaluate(
            f"([part]) => drawn.afterEvent({event!r}, [part], 5000)",
            [self.canvases.nth(canvas).element_handle()],
        )
        act()
        return self.page.evaluate("drawn.measured")[0]

    def drag(self, moves=25):
        """Drag the thumb from the left to the right and return the time of each move."""
        self.press("Home")
        track = self.input.bounding_box()
        y, left, width = (
            track["y"] + track["height"] / 2,
            track["x"] + 10,
            track["width"] - 20,
        )
        self.page.mouse.move(left, y)
        self.page.mouse.down()
        times = [
            self.timed(
                "pointermove",
                functools.partial(
                    self.page.mouse.move, left + width * (i + 1) / moves, y
                ),
            )
            for i in range(moves - 1)
        ]
        self.page.mouse.up()
        return times


@pytest.fixture(scope="module")
def slider():
    """A slider of a small network, trained for a moment."""
    keras.utils.set_random_seed(0)
    network = ConditionedVAE(2)
    train(
        network,
        DIGITS.train.images[:5000],
        epochs=2,
        learning_rate=2e-3,
        progress=False,
    )
    return BetaSlider(
        network,
        DIGITS.test.images,
        DIGITS.test.labels,
        beta=4.0,
        dedicated=[(4.5, 143.0)],
    )


@pytest.fixture(scope="module")
def page(browser, slider):
    """A page with the slider and nothing else: no kernel, no server."""
    traits = {
        name: value
        for name, value in slider.view.trait_values().items()
        if name in BetaView.class_own_traits()
    }
    state = {
        name: {"base64": base64.b64encode(value).decode()}
        if isinstance(value, bytes)
        else value
        for name, value in traits.items()
        if not name.startswith("_")
    }
    page = browser.new_page(viewport=TALL)
    page.failures = []
    page.on("pageerror", lambda error: page.failures.append(str(error)))
    script = json.dumps(slider.view._esm).replace("<", "\\u003c")
    page.set_content(PAGE % (slider.view._css, script, json.dumps(state)))
    page.add_script_tag(path=SCRIPT)
    page.locator(".vae-beta canvas").first.wait_for()
    yield page
    assert page.failures == []
    page.close()


def test_without_a_kernel_everything_follows_and_within_the_limit(
    page, latencies, results
):
    control = Control(page)
    before = control.looks()
    control.press("ArrowRight", times=8)
    assert all(a != b for a, b in zip(before, control.looks()))
    times = control.drag()
    latencies["β slider, no kernel: drag to digits"] = Latency.of(times)
    assert np.median(times) < LIMIT
    control.box.screenshot(path=results / "beta-slider-static.png")


def test_the_keyboard_is_enough_and_both_ends_are_named(page, slider):
    control = Control(page)
    control.press("End")
    assert control.input.get_attribute("aria-valuetext").startswith("β = 300: rate 0.0")
    assert page.evaluate("model.get('beta')") == pytest.approx(300)
    control.press("Home")
    assert control.status.text_content().startswith("β = 0.05: rate ")
    control.press("ArrowRight")
    assert page.evaluate("model.get('beta')") == pytest.approx(slider.betas[1])
    page.evaluate("model.set('beta', 12)")  # as the kernel would
    assert int(control.input.input_value()) == np.argmin(
        np.abs(np.log(slider.betas / 12))
    )


def test_every_labelled_beta_is_reached_exactly(page):
    control = Control(page)
    for label in ("0.1", "1", "4", "12", "40", "200"):
        page.get_by_role("button", name=label, exact=True).click()
        assert page.evaluate("model.get('beta')") == float(label)
        assert control.status.text_content().startswith(f"β = {label}:")
        tick, thumb = page.evaluate(
            """label => {
            const [input] = document.querySelectorAll('.vae-beta input');
            const tick = [...document.querySelectorAll('.vae-beta-marks button')].find(e => e.textContent === label);
            const [a, b] = [tick, input].map(e => e.getBoundingClientRect());
            return [(a.left + a.right) / 2, b.left + 8 + (b.width - 16) * input.value / input.max];
        }""",
            label,
        )
        assert abs(tick - thumb) < 3


def test_the_digits_stand_beside_the_codes_under_the_slider(page):
    """600 CSS pixels are left in JupyterLab on a projector, its file browser open."""
    page.set_viewport_size({"width": 616, "height": 640})
    page.wait_for_timeout(300)
    control = Control(page)
    slider, codes, board, curve = (
        part.bounding_box()
        for part in (
            control.input,
            *(control.canvases.nth(i) for i in (CODES, BOARD, CURVE)),
        )
    )
    page.set_viewport_size(TALL)
    assert codes["x"] + codes["width"] < board["x"]
    assert board["x"] + board["width"] <= 616
    assert board["y"] < codes["y"] + codes["height"] and slider["y"] < codes["y"]
    assert curve["y"] + curve["height"] - slider["y"] <= 640


def test_play_moves_it_and_pause_holds_it(page):
    control, button = Control(page), page.get_by_role("button", name="Play")
    control.press("Home")
    button.click()
    page.wait_for_function(
        "() => document.querySelector('.vae-beta input').value > 3", timeout=10_000
    )
    page.get_by_role("button", name="Pause").click()
    held = control.input.input_value()
    page.wait_for_timeout(300)
    assert control.input.input_value() == held and 3 < int(held) < BETAS - 1


def test_it_lives_on_a_page_of_its_own(browser, slider, tmp_path):
    write_page(slider, tmp_path / "beta.html", "The beta slider")
    page = browser.new_page(viewport=TALL)
    page.add_init_script(path=SCRIPT)
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto((tmp_path / "beta.html").as_uri())
    control = Control(page)
    before = control.looks()
    control.press("ArrowRight", times=8)
    after = control.looks()
    page.close()
    assert all(a != b for a, b in zip(before, after)) and failures == []


@pytest.mark.parametrize("width", [1024, 600, 390])
def test_it_fits_projector_tablet_and_phone(page, width, results):
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(200)
    outside = page.evaluate("""() => [...document.querySelectorAll('.vae-beta, .vae-beta *')]
        .filter(part => part.getBoundingClientRect().right > innerWidth + 1).map(part => part.className || part.tagName)""")
    page.screenshot(path=results / f"beta-slider-{width}.png", full_page=True)
    page.set_viewport_size(TALL)
    assert outside == []


@pytest.mark.parametrize("notebook", ["03_beta.ipynb"], indirect=True)
def test_the_slider_of_the_notebook_is_instantaneous(notebook, latencies, results):
    control = Control(notebook.page)
    before = control.looks()
    control.press("ArrowRight", times=10)
    assert control.changes(before)
    keys = [
        control.timed("keydown", functools.partial(control.press, key))
        for key in 10 * ("ArrowRight", "ArrowLeft")
    ]
    latencies["β slider: key to digits"] = Latency.of(keys)
    times = control.drag()
    latencies["β slider: drag to digits"] = Latency.of(times)
    assert np.median(times) < LIMIT and np.median(keys) < LIMIT
    notebook.screenshot(results / "beta-slider-notebook.png", control.box)


@pytest.mark.parametrize("notebook", ["03_beta.ipynb"], indirect=True)
def test_the_units_go_out_and_the_panel_hears_of_it(notebook):
    control = Control(notebook.page)
    control.press("End")
    assert (
        "rate 0.0" in control.status.text_content()
        and "0 of 2 units active" in control.status.text_content()
    )
    control.press("Home")
    assert "2 of 2 units active" in control.status.text_content()
    notebook.command("notebook:expand-all-headings")  # the panel is in a folded section
    panel = notebook.controls().filter(has=notebook.button("Start"))
    field = panel.get_by_role("spinbutton").first
    notebook.page.wait_for_function(
        "element => Math.abs(element.value - 0.05) < 1e-6", arg=field.element_handle()
    )


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
@pytest.mark.parametrize("notebook", ["03_beta.ipynb"], indirect=True)
def test_it_is_legible_on_a_projector_in_either_theme(notebook, theme, results):
    control = Control(notebook.page)
    control.press("Home")
    control.press("ArrowRight", times=70)
    before = control.looks()[CODES]
    notebook.theme(theme)
    notebook.page.set_viewport_size(PROJECTOR)
    control.box.evaluate("element => element.scrollIntoView()")
    notebook.page.wait_for_timeout(500)
    notebook.screenshot(results / f"beta-slider-{theme.split()[1].lower()}.png")
    outside = control.box.evaluate(
        "element => element.getBoundingClientRect().right - innerWidth"
    )
    notebook.page.set_viewport_size(TALL)
    assert outside <= 0 and (
        theme.endswith("Light") or control.looks()[CODES] != before
    )
    assert notebook.errors == [] and notebook.alarms() == []

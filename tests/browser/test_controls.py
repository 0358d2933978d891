"""The controls in a real browser: they answer, also while a model trains, and survive what readers do."""

import re

import pytest
from latencies import Latency
from pages import PROJECTOR, Notebook

SETUP = """
from vae_lib.data import load_mnist
from vae_lib.model import VAE
from vae_lib.widgets.panel import TrainingPanel
from vae_lib.widgets.plane import LatentPlane

digits = load_mnist()
"""
PANEL = """
panel = TrainingPanel(digits, images=2000, epochs=3)
panel
"""
PLANE = """
vae = VAE()
LatentPlane(vae, vae.encode(digits.test.images[:1000])[0], digits.test.labels[:1000])
"""
BUSY = "print(panel.work.busy)"
WAITING = """
panel.start(epochs=100)
panel.result().settings["epochs"]
"""
PATIENCE = 180  # seconds, for what takes a few on a machine of one's own


class Panel:
    """The training panel on a page."""

    def __init__(self, page):
        self.page = page
        self.box = page.page.locator(".vae").filter(has=page.button("Start")).first
        self.curves, self.digits, self.samples, self.codes = (
            self.box.get_by_title(re.compile(words)) for words in ("Curves", "Test digits", "Samples", "Mean codes")
        )

    def says(self, words, timeout=PATIENCE):
        """Wait until the status says the words."""
        self.box.locator("[role=status]").filter(has_text=re.compile(words)).wait_for(timeout=1000 * timeout)

    def press(self, name):
        """Press a button and return the milliseconds until the status says something else."""
        status = self.box.locator(".widget-html-content").filter(has=self.page.page.locator("[role=status]"))
        return self.timed(name, status)

    def timed(self, name, element):
        """Press a button and return the milliseconds until the element looks different."""
        handle = element.element_handle()
        self.page.page.evaluate("([part, timeout]) => drawn.afterEvent('click', [part], timeout)",
                                [handle, 1000 * PATIENCE])
        self.page.button(name).click()
        return self.page.page.evaluate("drawn.measured")[0]

    def usable(self):
        """Return the names of the buttons that can be pressed."""
        names = ("Start", "Stop", "Continue", "Reset", "Save")
        return {name for name in names if self.page.button(name).is_enabled()}

    def choose(self, label, value):
        """Type a value beside a slider."""
        self.page.slider(label).type(value)


@pytest.fixture(scope="module")
def opened(browser, jupyterlab):
    """A notebook with the panel and the sliders, run once."""
    path = jupyterlab.write("controls.ipynb", [SETUP, PANEL, PLANE, BUSY])
    notebook = Notebook(browser, jupyterlab, path.name)
    notebook.run_all()
    yield notebook
    notebook.close()


@pytest.fixture
def notebook(opened):
    """The same, with nothing going on, and nothing alarming afterwards."""
    panel = Panel(opened)
    opened.button("Reset").click()
    panel.says(r"press Start\.$")
    yield opened
    assert opened.errors == [] and opened.alarms() == []


def run_cell(notebook, source):
    """Run the cell with this source and return the text below it."""
    cell = notebook.page.locator(".jp-CodeCell").filter(has_text=source).last
    cell.locator(".jp-InputArea-editor").click()
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.text_content()
    notebook.page.keyboard.press("Control+Enter")
    cell.locator(".jp-InputPrompt").filter(has_not_text=before).filter(has_not_text="*").wait_for(
        timeout=1000 * PATIENCE)
    return cell.locator(".jp-OutputArea-output").last.text_content().strip()


def test_the_digit_and_the_map_follow_the_sliders(notebook, latencies):
    slider, other = notebook.slider("z₁"), notebook.slider("z₂")
    digit = notebook.page.get_by_title("The digit that the decoder makes of z")
    ring = notebook.page.locator(".vae-point")
    for moved in (slider, other):
        before, place = notebook.look(digit), ring.get_attribute("style")
        moved.press("ArrowRight", times=3)
        notebook.wait_change(digit, before, PATIENCE)
        assert ring.get_attribute("style") != place
    timed = latencies["latent slider: key to digit"] = notebook.latency(slider, digit, timeout=PATIENCE)
    assert timed.p50 < max(75, 10 * timed.floor_p50)


def test_a_fast_drag_ends_at_the_last_value(notebook):
    slider, digit = notebook.slider("z₁"), notebook.page.get_by_title("The digit that the decoder makes of z")
    slider.drag(to=0.2)
    slider.drag(to=1.0, moves=200)
    notebook.wait_still(digit, quiet=1.0, timeout=PATIENCE)
    dragged = notebook.look(digit)
    slider.type(0)
    notebook.wait_change(digit, dragged, PATIENCE)
    slider.type(1000)  # beyond the end: the message below says what becomes of it
    notebook.wait_still(digit, quiet=1.0, timeout=PATIENCE)
    assert slider.value == 3 and notebook.look(digit) == dragged
    assert "typed beyond ±3 becomes ±3" in notebook.page.locator("[role=status]").last.text_content()


def test_a_whole_run_with_pictures_before_during_and_after(notebook, latencies, results):
    panel = Panel(notebook)
    notebook.screenshot(results / "panel-1-before.png", panel.box)
    panel.choose("Epochs (passes)", 20)
    latencies["Start to the first new picture"] = Latency.of([panel.timed("Start", panel.digits)])
    intervals = []
    for _ in range(5):
        intervals.append(notebook.wait_change(panel.curves, notebook.look(panel.curves), PATIENCE))
    latencies["training: new picture after"] = Latency.of(intervals)
    assert panel.usable() == {"Stop", "Reset"}
    notebook.screenshot(results / "panel-2-during.png", panel.box)
    panel.says("Run 1 is finished: 20 epochs")
    assert panel.usable() == {"Start", "Continue", "Reset", "Save"}
    notebook.screenshot(results / "panel-3-after.png", panel.box)


def test_stop_continue_and_save(notebook, latencies):
    panel = Panel(notebook)
    panel.choose("Epochs (passes)", 100)
    panel.timed("Start", panel.digits)
    latencies["Stop to stopped"] = Latency.of([panel.press("Stop")])
    panel.says("Run 1 was stopped after .* of 100 epochs: Continue goes on")
    assert panel.usable() == {"Start", "Continue", "Reset", "Save"}
    before = notebook.look(panel.curves)
    notebook.button("Continue").click()
    notebook.wait_change(panel.curves, before, PATIENCE)
    notebook.button("Stop").click()
    panel.says("Run 1 was stopped")
    notebook.button("Save").click()
    panel.says("Run 1 is saved")
    assert panel.box.locator(".vae-card").count() == 1
    notebook.button("Save run 1").click()
    panel.says(r"-2\.keras")


def test_sliders_and_cells_answer_while_it_trains(notebook, latencies):
    panel, slider = Panel(notebook), notebook.slider("z₁")
    digit = notebook.page.get_by_title("The digit that the decoder makes of z")
    panel.choose("Epochs (passes)", 100)
    panel.timed("Start", panel.digits)
    slider.type(0)
    timed = latencies["latent slider while training: key to digit"] = notebook.latency(
        slider, digit, presses=10, timeout=PATIENCE)
    assert timed.p50 < max(150, 15 * timed.floor_p50)
    assert run_cell(notebook, BUSY) == "True"
    panel.choose("Latent dimension (units)", 7)
    panel.says(r"Latent dimension \(units\): 7, from the next Start; the run that is training keeps its own")
    notebook.button("Stop").click()
    panel.says("Run 1 was stopped")


def test_settings_typed_by_hand_are_checked(notebook):
    panel = Panel(notebook)
    beta = panel.box.get_by_role("spinbutton").first
    beta.fill("-1")
    beta.press("Enter")
    panel.says("beta is -1.0: pass a finite number of 0 or more")
    notebook.button("Start").click()
    panel.says("beta is -1.0")
    beta.fill("0")
    beta.press("Enter")
    panel.says("β, weight of the rate: 0, from the next Start")
    panel.choose("Latent dimension (units)", 1000)
    panel.says(r"Latent dimension \(units\): 50")


def test_every_setting_can_be_changed_and_the_keyboard_is_enough(notebook):
    panel, page = Panel(notebook), notebook.page
    for label in ("β, weight of the rate", "Latent dimension (units)", "Learning rate (of Adam)", "Training images",
                  "Epochs (passes)"):
        notebook.slider(label).press("ArrowRight")
        panel.says(re.escape(label))
    for label, option in (("Map ρ → σ", "log-variance"), ("Likelihood of the pixels", "Gaussian")):
        select = notebook.control(label).locator("select")
        select.focus()
        page.keyboard.type(option[:5])
        panel.says(f"{re.escape(label)}: {option}")
    notebook.control("Seed (weights, order, ε)").locator("input").fill("5")
    page.keyboard.press("Tab")
    panel.says(r"Seed \(weights, order, ε\): 5")
    notebook.button("Start").focus()
    page.keyboard.press("Enter")
    panel.says("Run 1 is finished")
    page.get_by_text("Three experiments: predict first").focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("What happens").count() == 3 and page.get_by_text("What happens").first.is_visible()


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_it_fits_a_projector_in_either_theme(notebook, results, theme):
    panel = Panel(notebook)
    notebook.theme(theme)
    notebook.button("Start").click()
    panel.says("Run 1 is finished")
    notebook.page.set_viewport_size(PROJECTOR)
    panel.box.evaluate("element => element.scrollIntoView()")
    notebook.wait_still(panel.box, timeout=PATIENCE)
    notebook.screenshot(results / f"panel-{theme.split()[1].lower()}-1024.png")
    wide = panel.box.evaluate("element => [...element.querySelectorAll('*'), element].filter(part => "
                              "part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).overflowX === 'auto')"
                              ".map(part => part.className)")
    outside = panel.box.evaluate("element => element.getBoundingClientRect().right - innerWidth")
    notebook.page.set_viewport_size({"width": 1400, "height": 3000})
    assert wide == [] and outside < 0


def test_a_reload_during_training_loses_nothing(notebook):
    panel = Panel(notebook)
    panel.choose("Epochs (passes)", 100)
    panel.timed("Start", panel.digits)
    notebook.command("docmanager:save")
    notebook.page.reload()
    panel.box.wait_for(timeout=1000 * PATIENCE)
    panel.says("Run 1 is training")
    for _ in range(2):
        notebook.wait_change(panel.curves, notebook.look(panel.curves), PATIENCE)
    notebook.button("Stop").click()
    panel.says("Run 1 was stopped after")
    assert notebook.slider("Epochs (passes)").value == 100 and panel.box.locator(".vae-card").count() == 1


def test_a_restart_of_the_kernel_during_training_leaves_a_panel_that_can_be_run_again(jupyterlab, open_notebook):
    jupyterlab.write("restart.ipynb", [SETUP, PANEL])
    notebook = open_notebook("restart.ipynb")
    notebook.run_all()
    panel = Panel(notebook)
    panel.timed("Start", panel.digits)
    notebook.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    notebook.wait_idle()
    notebook.run_all()
    panel.says(r"press Start\.$")
    panel.timed("Start", panel.digits)
    panel.says("Run 1 is finished")
    assert notebook.alarms() == []


def test_stop_works_while_a_cell_of_run_all_waits_for_the_result(jupyterlab, open_notebook):
    jupyterlab.write("waiting.ipynb", [SETUP, PANEL, WAITING])
    notebook = open_notebook("waiting.ipynb")
    panel = Panel(notebook)
    notebook.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells') }")
    panel.says("Run 1 is training")
    notebook.button("Stop").click()
    panel.says("Run 1 was stopped")
    notebook.wait_idle()
    assert notebook.alarms() == [] and notebook.errors == []


def test_voila_serves_the_panel_as_an_application(jupyterlab, open_application, results, latencies):
    application = open_application(jupyterlab.write("application.ipynb", [SETUP, PANEL, PLANE]))
    application.wait_ready()
    panel = Panel(application)
    panel.says(r"press Start\.$")
    panel.timed("Start", panel.digits)
    panel.says("Run 1 is finished")
    digit = application.page.get_by_title("The digit that the decoder makes of z")
    before = application.look(digit)
    application.slider("z₁").press("ArrowRight")
    application.wait_change(digit, before, PATIENCE)
    application.screenshot(results / "panel-voila.png", panel.box)
    assert application.errors == []

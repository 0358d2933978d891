"""The controls in a real browser: they answer, also while a model trains, and survive
what readers do.
"""

import re

import nbformat
import pytest
from latencies import Latency
from pages import PROJECTOR, TALL, Notebook
from playwright.sync_api import expect

pytestmark = pytest.mark.full

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
OTHER = """
other = TrainingPanel(digits, images=2000, epochs=3, fields=("beta", "epochs"), experiments=())
other
"""
BUSY = "print(panel.work.busy)"
WAITING = """
panel.start(epochs=100, images=55_000)
panel.result().settings["epochs"]
"""
PATIENCE = 120  # seconds, for what takes a few on a machine of one's own
LATENT = "Latent dimension (units)"


class Panel:
    """The training panel on a page, or another one by its `number` from 0."""

    def __init__(self, page, number=0):
        self.page = page
        self.box = page.controls().filter(has=page.button("Start")).nth(number)
        self.curves, self.digits, self.samples, self.codes = (
            self.box.get_by_alt_text(re.compile(f"^{words}")).first
            for words in ("Curves", "Test digits", "Samples", "Mean codes")
        )
        self.cards = self.box.locator(".vae-card")

    def says(self, words, timeout=PATIENCE):
        """Wait until the status says the words."""
        self.box.locator("[role=status]").filter(has_text=re.compile(words)).wait_for(
            timeout=1000 * timeout
        )

    def button(self, name):
        """Return a button of this panel."""
        return self.page.button(name, self.box)

    def press(self, name):
        """Press a button and return the milliseconds until the status says something
        else.
        """
        status = self.box.locator(".widget-html-content").filter(
            has=self.page.page.locator("[role=status]")
        )
        return self.timed(name, status)

    def timed(self, name, element):
        """Press a button and return the milliseconds until the element looks different."""
        handle = element.element_handle()
        self.page.page.evaluate(
            "([part, timeout]) => { drawn.afterEvent('click', [part], timeout) }",
            [handle, 1000 * PATIENCE],
        )
        self.button(name).click()
        return self.page.page.evaluate("drawn.measured")[0]

    def usable(self):
        """Return the names of the buttons that can be pressed."""
        return {
            name
            for name in ("Start", "Stop", "Continue", "Reset", "Save")
            if self.button(name).is_enabled()
        }

    def choose(self, **values):
        """Type values beside the sliders: epochs, images, latent."""
        labels = dict(epochs="Epochs (passes)", images="Training images", latent=LATENT)
        folded = self.page.control(labels["images"], self.box)
        if "images" in values and not folded.is_visible():
            self.box.get_by_text("More settings").click()
        for name, value in values.items():
            self.page.slider(labels[name], self.box).type(value)

    def endless(self):
        """Start a run that lasts longer than any test; return the milliseconds to what
        training has changed.
        """
        self.choose(epochs=100, images=55_000)
        return self.timed("Start", self.curves)


def digit_of(page):
    """Return the digit of the latent sliders."""
    return page.page.get_by_alt_text("The digit that the decoder makes of z")


def stop_while_a_cell_waits(notebook):
    """Run all cells, of which the last waits for a run; meanwhile move a slider, then
    press Stop.

    Return the milliseconds until the digit changed, and until the panel said that the
    run was stopped.
    """
    notebook.start_all()
    panel, digit = Panel(notebook), digit_of(notebook)
    panel.says("Run 1 is training")
    before = notebook.look(digit)
    notebook.slider("z₁").press("ArrowRight")
    times = notebook.wait_change(digit, before, PATIENCE), panel.press("Stop")
    panel.says("Run 1 was stopped")
    notebook.wait_idle()
    return times


@pytest.fixture(scope="module")
def opened(browser, jupyterlab):
    """A notebook with two panels and the sliders, run once; `heard` is what its last
    cell saw of Stop.
    """
    path = jupyterlab.write(
        "controls.ipynb", [SETUP, PANEL, PLANE, OTHER, BUSY, WAITING]
    )
    notebook = Notebook(browser, jupyterlab, path.name)
    notebook.heard = stop_while_a_cell_waits(notebook)
    yield notebook
    notebook.close()


@pytest.fixture
def notebook(opened):
    """The same, with nothing going on, and nothing alarming afterwards."""
    panel = Panel(opened)
    panel.button("Reset").click()
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
    prompt.filter(has_not_text=before).filter(has_not_text="*").wait_for(
        timeout=1000 * PATIENCE
    )
    return cell.locator(".jp-OutputArea-output").last.text_content().strip()


def test_sliders_and_stop_are_heard_while_a_cell_of_run_all_waits(notebook, latencies):
    digit, stop = notebook.heard
    latencies["while a cell waits: latent slider to digit"] = Latency.of([digit])
    latencies["while a cell waits: Stop to 'was stopped'"] = Latency.of([stop])
    waiting = notebook.page.locator(".jp-CodeCell").filter(has_text="panel.result()")
    assert waiting.locator(".jp-OutputArea-output").last.text_content().strip() == "100"
    assert (
        digit < 5000 and stop < 5000
    )  # when the machine is loaded; dead, it would be a minute


def test_a_click_on_the_map_moves_the_sliders(notebook):
    first, second = notebook.slider("z₁"), notebook.slider("z₂")
    digit, plane = digit_of(notebook), notebook.page.locator(".vae-answers")
    first.type(0)
    second.type(0)
    notebook.wait_still(digit, timeout=PATIENCE)
    before, box = notebook.look(digit), plane.bounding_box()
    notebook.page.mouse.click(
        box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"]
    )
    notebook.wait_change(digit, before, PATIENCE)
    notebook.wait_still(digit, timeout=PATIENCE)
    assert first.value > 0 and second.value > 0
    ring = notebook.page.locator(".vae-answers .vae-point").bounding_box()
    middle = ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2
    wanted = box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"]
    assert middle == pytest.approx(wanted, abs=4)


def test_the_digit_and_the_map_follow_the_sliders(notebook, latencies):
    slider, other = notebook.slider("z₁"), notebook.slider("z₂")
    digit, ring = digit_of(notebook), notebook.page.locator(".vae-answers .vae-point")
    for moved in (slider, other):
        before, place = notebook.look(digit), ring.get_attribute("style")
        moved.press("ArrowRight", times=3)
        notebook.wait_change(digit, before, PATIENCE)
        expect(ring).not_to_have_attribute("style", place)  # follows by itself
    timed = latencies["latent slider: key to digit"] = notebook.latency(
        slider, digit, timeout=PATIENCE
    )
    assert timed.p50 < max(75, 10 * timed.floor_p50)


def test_a_fast_drag_ends_at_the_last_value(notebook):
    slider, digit = notebook.slider("z₁"), digit_of(notebook)
    slider.drag(to=0.2)
    slider.drag(to=1.0, moves=200)
    notebook.wait_still(digit, timeout=PATIENCE)
    dragged = notebook.look(digit)
    slider.type(0)
    notebook.wait_change(digit, dragged, PATIENCE)
    slider.type(1000)  # beyond the end: the message below says what becomes of it
    notebook.wait_still(digit, timeout=PATIENCE)
    assert slider.value == 3 and notebook.look(digit) == dragged
    control = notebook.controls().filter(has=digit)
    assert (
        "typed beyond ±3 becomes ±3" in control.locator("[role=status]").text_content()
    )


def test_a_whole_run_with_pictures_before_during_and_after(
    notebook, latencies, results
):
    panel = Panel(notebook)
    notebook.screenshot(results / "panel-1-before.png", panel.box)
    latencies["Start to the first new picture"] = Latency.of([panel.endless()])
    intervals = [
        notebook.wait_change(panel.curves, notebook.look(panel.curves), PATIENCE)
        for _ in range(10)
    ]
    latencies["training: new picture after"] = Latency.of(intervals)
    assert panel.usable() == {"Stop", "Reset"}
    notebook.screenshot(results / "panel-2-during.png", panel.box)
    latencies["Stop to 'was stopped'"] = Latency.of([panel.press("Stop")])
    panel.says("Run 1 was stopped after .*: Continue goes on from there")
    assert panel.usable() == {"Start", "Continue", "Reset", "Save"}
    notebook.screenshot(results / "panel-3-after.png", panel.box)
    before = notebook.look(panel.curves)
    panel.button("Continue").click()
    notebook.wait_change(panel.curves, before, PATIENCE)
    panel.button("Stop").click()
    panel.says("Run 1 was stopped")
    assert panel.cards.count() == 1


def test_a_new_shape_is_seen_soon(notebook, latencies):
    panel = Panel(notebook)
    panel.choose(latent=11)
    latencies["Start to the first new picture, new shape"] = Latency.of(
        [panel.timed("Start", panel.curves)]
    )
    panel.says("Run 1 is finished")


def test_start_pressed_twice_is_one_run_and_stop_works_before_its_first_step(notebook):
    panel = Panel(notebook)
    panel.choose(latent=12)  # a shape that has to be compiled first
    panel.button("Start").dblclick()
    panel.says("Run 1 is training")
    panel.button("Stop").click()
    panel.says("Run 1 was stopped before its first step: Continue begins it")
    assert (
        panel.usable() == {"Start", "Continue", "Reset", "Save"}
        and panel.cards.count() == 0
    )
    panel.button("Continue").click()
    panel.says("Run 1 is finished")


def test_sliders_and_cells_answer_while_it_trains(notebook, latencies):
    panel, slider, digit = Panel(notebook), notebook.slider("z₁"), digit_of(notebook)
    panel.endless()
    slider.type(0)
    notebook.wait_still(digit, quiet=3)  # or its picture passes for that of a key
    timed = latencies["latent slider while training: key to digit"] = notebook.latency(
        slider, digit, presses=10, timeout=PATIENCE
    )
    assert timed.p50 < max(150, 15 * timed.floor_p50)
    assert run_cell(notebook, BUSY) == "True"
    notebook.slider(LATENT, panel.box).drag(to=0.5, moves=200)  # 200 events in a second
    panel.choose(latent=7)
    panel.says(
        r"Latent dimension \(units\): 7, from the next Start; the run that is training keeps its own"
    )
    panel.button("Stop").click()
    panel.says("Run 1 was stopped")
    assert "2 latent units" in panel.cards.text_content()


def test_beta_moved_while_it_trains_acts_and_is_recorded(notebook, results):
    panel = Panel(notebook)
    panel.endless()
    panel.says("Run 1 is training")
    beta = panel.box.get_by_role("spinbutton").first
    beta.fill("200")
    beta.press("Enter")
    panel.says("β, weight of the rate: 200, from now on in run 1")
    for _ in range(2):
        notebook.wait_change(panel.curves, notebook.look(panel.curves), PATIENCE)
    notebook.screenshot(results / "panel-live-beta.png", panel.box)
    panel.button("Stop").click()
    panel.says("Run 1 was stopped")
    assert "then β 200 from epoch" in panel.cards.text_content()
    changes = notebook.execute("print(panel.result().settings['changes'])")
    assert "'beta', 200.0" in changes


def test_keys_on_a_control_never_edit_the_notebook(notebook):
    panel, cells = Panel(notebook), notebook.page.locator(".jp-Notebook .jp-Cell")
    before = cells.count(), notebook.page.locator(".jp-MarkdownCell").count()
    panel.box.locator(".vae-live b").first.click()  # nothing that takes the focus
    for key in "1ab":
        notebook.page.keyboard.press(key)
    notebook.page.wait_for_timeout(500)
    assert (cells.count(), notebook.page.locator(".jp-MarkdownCell").count()) == before


def test_settings_typed_by_hand_are_checked(notebook):
    panel = Panel(notebook)
    beta = panel.box.get_by_role("spinbutton").first
    beta.fill("-1")
    beta.press("Enter")
    panel.says("beta is -1.0: pass a number of 0 or more below 3.4e38")
    panel.button("Start").click()
    panel.says("beta is -1.0")
    beta.fill("0")
    beta.press("Enter")
    panel.says("β, weight of the rate: 0, from the next Start")
    panel.choose(latent=1000)
    panel.says(r"Latent dimension \(units\): 50")


def test_every_setting_can_be_changed_and_the_keyboard_is_enough(notebook):
    panel, page, cells = (
        Panel(notebook),
        notebook.page,
        notebook.page.locator(".jp-Notebook .jp-Cell"),
    )
    count = cells.count()
    if not notebook.control("Training images", panel.box).is_visible():
        panel.box.get_by_text("More settings").click()
    for label in (
        "β, weight of the rate",
        LATENT,
        "Learning rate (of Adam)",
        "Training images",
        "Epochs (passes)",
    ):
        notebook.slider(label, panel.box).press("ArrowRight")
        panel.says(re.escape(label))
    for label, option in (
        ("Map ρ → σ", "log-variance"),
        ("Likelihood of the pixels", "Gaussian"),
    ):
        notebook.control(label, panel.box).locator("select").focus()
        page.keyboard.type(option[:5])
        panel.says(f"{re.escape(label)}: {option}")
    notebook.control("Seed (weights, order, ε)", panel.box).locator("input").fill("5")
    page.keyboard.press("Tab")
    panel.says(r"Seed \(weights, order, ε\): 5")
    panel.button("Start").focus()
    page.keyboard.press("Enter")
    panel.says("Run 1 is finished")
    assert panel.usable() == {"Start", "Reset", "Save"}
    panel.box.locator("summary").first.focus()
    page.keyboard.press("Enter")
    answers = panel.box.get_by_text("What happens")
    answers.first.wait_for()
    assert answers.count() == 4
    before = notebook.slider(LATENT, panel.box).value
    for key in (
        "x",
        "a",
        "ArrowUp",
        "ArrowUp",
    ):  # JupyterLab's shortcuts, were they not the control's own
        notebook.slider(LATENT, panel.box).press(key)
    panel.says(re.escape(f"{LATENT}: {before + 2:.0f}"))
    assert cells.count() == count


def test_four_runs_stand_side_by_side_and_each_can_be_saved(
    notebook, jupyterlab, results
):
    panel = Panel(notebook)
    panel.choose(epochs=1)
    for number in range(1, 6):
        panel.button("Start").click()
        panel.says(f"Run {number} is finished")
    assert [text[:5] for text in panel.cards.all_text_contents()] == [
        "Run 2",
        "Run 3",
        "Run 4",
        "Run 5",
    ]
    notebook.screenshot(results / "panel-4-runs.png", panel.box)
    for button in "Save", "Save run 3":
        panel.button(button).click()
        panel.says(f"Run {5 if button == 'Save' else 3} is saved")
    assert (
        len(
            list(
                (jupyterlab.root / "runs").glob(
                    "vae-beta1-z2-softplus-bernoulli-seed0-16steps*.keras"
                )
            )
        )
        >= 2
    )


def test_a_fault_and_a_divergence_are_said_and_the_panel_stays_usable(notebook):
    panel = Panel(notebook)
    for fault, sentence in (
        (
            "panel.run.training._end_epoch = None",
            "TypeError: 'NoneType' object is not callable",
        ),
        (
            "panel.run.vae.optimizer.learning_rate = 1e30",
            "The loss stopped being finite at step",
        ),
    ):
        panel.endless()
        notebook.execute(fault)
        panel.says(sentence)
        assert panel.usable() == {"Start", "Continue", "Reset", "Save"}
    panel.choose(epochs=1, images=500)
    panel.button("Start").click()
    panel.says("Run 3 is finished")


def test_two_panels_train_at_once_and_one_of_them_shows_few_settings(notebook):
    panel, other = Panel(notebook), Panel(notebook, 1)
    labels = other.box.locator(".vae-knobs .widget-label").all_text_contents()
    assert list(filter(None, labels)) == ["β, weight of the rate", "Epochs (passes)"]
    panel.endless()
    other.button("Reset").click()
    other.says(r"press Start\.$")
    other.choose(epochs=5)
    other.button("Start").click()
    other.says("Run 1 is finished: 5 epochs")
    notebook.wait_change(panel.curves, notebook.look(panel.curves), PATIENCE)
    panel.button("Stop").click()
    panel.says("Run 1 was stopped")


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_it_fits_a_projector_in_either_theme(notebook, results, theme):
    panel, name = Panel(notebook), theme.split()[1].lower()
    notebook.theme(theme)
    try:
        panel.endless()
        notebook.page.set_viewport_size(PROJECTOR)
        panel.box.evaluate("element => element.scrollIntoView()")
        notebook.screenshot(results / f"panel-{name}-1024-during.png")
        panel.button("Stop").click()
        panel.says("Run 1 was stopped")
        notebook.screenshot(results / f"panel-{name}-1024-after.png")
        notebook.page.set_viewport_size({**TALL, "width": PROJECTOR["width"]})
        notebook.screenshot(results / f"panel-{name}-1024-whole.png", panel.box)
        assert cut_off(panel.box) == []
        assert beside(panel) == []
        assert (
            panel.box.evaluate(
                "element => element.getBoundingClientRect().right - innerWidth"
            )
            < 0
        )
    finally:
        notebook.page.set_viewport_size(TALL)


@pytest.mark.parametrize("width", [1024, 1280, 1400, 1600, 1920])
def test_no_picture_is_cut_at_any_width(notebook, width):
    panel = Panel(notebook)
    try:
        notebook.page.set_viewport_size({**TALL, "width": width})
        notebook.page.wait_for_timeout(
            500
        )  # JupyterLab lays its panes out a while later
        frame = panel.box.bounding_box()
        pictures = panel.box.locator(".vae-live .vae-picture")
        assert pictures.count() == 4
        for picture in pictures.all():
            box = picture.bounding_box()
            assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
        assert cut_handles(panel) == []
    finally:
        notebook.page.set_viewport_size(TALL)


def cut_handles(panel):
    """Return the classes of what hides a part of a slider's handle, at rest and moved
    to either end.
    """
    return panel.box.evaluate(
        """box => {
          const hidden = [];
          for (const handle of box.querySelectorAll(".vae-knobs .noUi-handle")) {
            const own = handle.getBoundingClientRect(), track = handle.closest(".slider-container").getBoundingClientRect();
            if (!own.width) continue;
            for (let e = handle.parentElement; e !== box.parentElement; e = e.parentElement) {
              if (getComputedStyle(e).overflow !== "hidden") continue;
              const r = e.getBoundingClientRect(), half = own.width / 2;
              if (own.top < r.top || own.bottom > r.bottom || track.left - half < r.left || track.right + half > r.right)
                hidden.push(`${e.className}`);
            }
          }
          return hidden;
        }"""
    )


def beside(panel):
    """Return the pictures that do not stand beside the knobs, in one view with them on
    a projector.
    """
    knobs = panel.box.locator(".vae-knobs").first.bounding_box()
    pictures = panel.box.locator(".vae-live .vae-picture")
    boxes = [pictures.nth(i).bounding_box() for i in range(pictures.count())]
    assert len(boxes) == 4
    return [
        box
        for box in boxes
        if box["x"] < knobs["x"] + knobs["width"]
        or box["y"] + box["height"] - knobs["y"] > 620
    ]


def cut_off(box):
    """Return what has no room in the control: labels, buttons, and parts that would
    need a scroll bar.
    """
    return box.evaluate("""box => [...box.querySelectorAll("*"), box].filter(part =>
        part.scrollWidth > part.clientWidth + 1 && part.clientWidth
        && (getComputedStyle(part).overflowX === "auto" || part.matches(".widget-label, .jupyter-button"))
    ).map(part => `${part.className}: ${part.textContent.slice(0, 40)}`)""")


def test_leaving_the_page_during_training_loses_nothing(notebook):
    panel = Panel(notebook)
    panel.endless()
    notebook.command("docmanager:save")
    for leave in notebook.page.reload, notebook.reopen:
        leave()
        panel = Panel(notebook)
        panel.box.wait_for(timeout=1000 * PATIENCE)
        panel.says("Run 1 is training")
        for _ in range(2):
            notebook.wait_change(panel.curves, notebook.look(panel.curves), PATIENCE)
        assert notebook.slider("Epochs (passes)", panel.box).value == 100
    panel.button("Stop").click()
    panel.says("Run 1 was stopped after")
    assert panel.cards.count() == 1


def test_the_saved_notebook_holds_pictures_for_readers_without_a_kernel(
    notebook, jupyterlab
):
    notebook.command("docmanager:save")
    cells = nbformat.read(jupyterlab.root / notebook.name, as_version=4).cells
    assert [len(cell.outputs) for cell in cells] == [0, 1, 1, 1, 1, 1]
    for output in (cell.outputs[0] for cell in cells[1:4]):
        assert (
            len(output.data["image/png"]) > 5000
            and output.metadata["image/png"]["alt"] == output.data["text/plain"]
        )


def test_a_restart_of_the_kernel_during_training_is_said_and_the_notebook_can_be_run_again(
    notebook, results
):
    panel = Panel(notebook)
    panel.endless()
    notebook.page.evaluate(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    notebook.wait_idle()
    sentence = panel.box.evaluate("box => getComputedStyle(box, '::before').content")
    assert "was restarted or ended: run the notebook again" in sentence
    notebook.screenshot(results / "panel-restarted.png", panel.box)
    stop_while_a_cell_waits(notebook)


def test_voila_serves_the_panel_as_an_application(
    jupyterlab, open_application, results
):
    application = open_application(
        jupyterlab.write("application.ipynb", [SETUP, PANEL, PLANE])
    )
    application.wait_ready()
    panel = Panel(application)
    panel.says(r"press Start\.$")
    panel.timed("Start", panel.curves)
    panel.says("Run 1 is finished")
    digit = digit_of(application)
    before = application.look(digit)
    application.slider("z₁").press("ArrowRight")
    application.wait_change(digit, before, PATIENCE)
    application.screenshot(results / "panel-voila.png", panel.box)
    assert application.errors == []

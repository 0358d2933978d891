"""The laboratory in a real browser, opened from disk: it trains, obeys every control and tells what it does."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error
from servers import FLAGS, browser_path

from vae_lib.evaluation import evaluate
from vae_lib.experiments.laboratory_file import load_from_browser, save_for_browser
from vae_lib.model import VAE

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs" / "lab"))

import build as builder  # noqa: E402

pytestmark = pytest.mark.full

SIZES = {
    "screen": (1920, 1080),
    "desktop": (1400, 900),
    "tablet": (1024, 768),
    "phone": (390, 844),
}
QUICK = "#hidden=32,16"  # a small network, where only the page is tried
PATIENCE = 120_000  # milliseconds; the machine may be busy


@pytest.fixture(scope="session")
def lab_file(tmp_path_factory):
    """The built page, or a skip with the reason where there is no node."""
    try:
        return builder.build(tmp_path_factory.mktemp("lab"))
    except builder.NoNode as error:
        pytest.skip(str(error))


@pytest.fixture
def open_lab(browser, lab_file):
    """A function that opens the laboratory, ready to start; no page may log an error or ask another host."""
    contexts, errors = [], []

    def open_lab(address="", viewport=SIZES["desktop"], at=browser, **options):
        width, height = viewport
        contexts.append(
            at.new_context(
                viewport={"width": width, "height": height},
                accept_downloads=True,
                **options,
            )
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda r: r.url.startswith("http") and errors.append(r.url))
        page.on("console", lambda m: m.type == "error" and errors.append(m.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(lab_file.as_uri() + address)
        page.locator("#start:enabled").wait_for()
        return page

    yield open_lab
    for context in contexts:
        context.close()
    assert errors == []


def state(page):
    return page.evaluate("lab.state()")


def wait_step(page, step):
    page.wait_for_function(f"lab.state().step >= {step}", timeout=PATIENCE)


def train(page, step):
    """Start and wait until `step`; it trains on."""
    page.evaluate("lab.start()")
    wait_step(page, step)


def wait_words(page, name, words):
    page.locator(f"#{name}", has_text=words).wait_for(state="attached")


def stroke(page, name, *places):
    """Drag the mouse over a canvas, from place to place in parts of its box."""
    page.locator(f"#{name}").scroll_into_view_if_needed()
    box = page.locator(f"#{name}").bounding_box()
    for i, (x, y) in enumerate(places):
        page.mouse.move(
            box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4
        )
        if i == 0:
            page.mouse.down()
    page.mouse.up()


def settled(page):
    """Pause and return the state once the picture of the last step has come."""
    page.evaluate("document.getElementById('spoken').textContent = ''; lab.pause()")
    wait_words(page, "spoken", "Paused")
    return state(page)


def keep_pressed(page, times):
    """Train a little, press “Keep this run” so often, and return the page."""
    train(page, 5)
    settled(page)
    for _ in range(times):
        page.locator("#keep").click()
    return page


def pixels(page, name):
    return page.locator(f"#{name}").evaluate("canvas => canvas.toDataURL()")


def test_it_learns_and_every_picture_moves(open_lab, results):
    page = open_lab()
    names = ["plane", "board", "curves", "rd", "reconstructions", "fresh", "units"]
    before, begin = {name: pixels(page, name) for name in names}, state(page)
    assert begin["step"] == 0 and begin["train"] is None and not begin["running"]
    page.get_by_role("button", name="Start", exact=True).click()
    wait_step(page, 40)
    page.get_by_role("button", name="Pause", exact=True).click()
    end = settled(page)
    page.screenshot(path=results / "lab.png")
    assert end["heldOut"]["elbo"] > begin["heldOut"]["elbo"] + 200
    assert end["heldOut"]["elbo"] == pytest.approx(
        -(end["heldOut"]["distortion"] + end["heldOut"]["rate"])
    )
    assert end["train"]["distortion"] > 0 and end["epoch"] == pytest.approx(
        end["step"] * 128 / 10000
    )
    assert set(end) == {
        "step",
        "epoch",
        "beta",
        "latentDim",
        "device",
        "stepsPerSecond",
        "train",
        "heldOut",
        "running",
    }
    assert all(pixels(page, name) != before[name] for name in names)


def test_beta_acts_while_it_trains(open_lab):
    page = open_lab("#hidden=64,32")
    train(page, 60)
    assert state(page)["heldOut"]["rate"] > 2
    page.get_by_role("button", name="beta 200", exact=True).click()
    assert state(page)["beta"] == 200 and state(page)["running"]
    page.wait_for_function("lab.state().heldOut.rate < 0.5", timeout=PATIENCE)


def test_the_keys_of_the_slider_reach_every_mark_and_the_address_follows(open_lab):
    page = open_lab(QUICK)
    slider = page.locator("#beta")
    seen = []
    for _ in range(4):
        slider.press("PageUp")
        seen.append(state(page)["beta"])
    for _ in range(6):
        slider.press("PageDown")
        seen.append(state(page)["beta"])
    assert seen == [4, 12, 40, 200, 40, 12, 4, 1, 0.1, 0]
    assert "beta=0" in page.url and page.locator("#beta-value").inner_text() == "0"
    slider.press("ArrowRight")
    assert 0 < state(page)["beta"] < 0.1


def test_one_step_reset_and_pause(open_lab):
    page = open_lab(QUICK)
    page.get_by_role("button", name="One step").click()
    wait_step(page, 1)
    page.wait_for_function("!lab.state().running")
    assert state(page)["step"] == 1
    train(page, 20)
    paused = settled(page)["step"]
    page.wait_for_timeout(500)
    assert state(page)["step"] == paused
    assert "distortion" in page.locator("#spoken").text_content()
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("lab.state().step === 0 && lab.state().heldOut")


def test_it_starts_as_soon_as_it_can(open_lab):
    page = open_lab(QUICK)
    page.evaluate("lab.start(); lab.reset(); lab.start()")  # before it is ready again
    wait_step(page, 3)
    assert state(page)["running"]
    page.evaluate("lab.start(); lab.reset()")
    page.wait_for_function("lab.state().step === 0 && lab.state().heldOut")
    page.wait_for_timeout(500)
    assert state(page)["step"] == 0 and not state(page)["running"]


def test_a_link_restores_the_settings_and_a_wrong_one_is_told_of(open_lab):
    page = open_lab(
        "#latentDim=5&hidden=32&posterior=bounded&likelihood=gaussian&beta=12&seed=4"
    )
    assert state(page)["latentDim"] == 5 and state(page)["beta"] == 12
    assert "32–5" in page.locator("#network-summary").inner_text()
    page = open_lab("#beta=soup&hidden=32")
    assert 'beta is "soup"' in page.locator("#sentence").inner_text()
    assert state(page)["beta"] == 1


def test_the_dialog_starts_a_new_network_after_a_word(open_lab):
    page = open_lab(QUICK)
    page.locator("#network-open").click()
    dialog = page.get_by_role("dialog")
    assert "starts a new network" in dialog.inner_text()
    for name, value in {
        "latentDim": "10",
        "hidden": "64,32",
        "posterior": "log_variance",
        "likelihood": "gaussian",
        "optimizer": "sgd",
    }.items():
        dialog.locator(f"select[name={name}]").select_option(value)
    dialog.get_by_role("button", name="Start anew").click()
    page.wait_for_function("lab.state().latentDim === 10 && lab.state().heldOut")
    train(page, 3)
    assert page.locator("#axes").is_visible()
    page.locator("#axis-across").select_option("3")
    settled(page)
    assert "latentDim=10" in page.url and "optimizer=sgd" in page.url


def test_a_wrong_setting_is_refused_with_a_sentence(open_lab):
    page = open_lab(QUICK)
    with pytest.raises(Error, match="beta is -1: pass a number"):
        page.evaluate("lab.set({beta: -1})")
    assert state(page)["beta"] == 1


def test_a_number_that_is_not_finite_stops_the_run_with_a_sentence(open_lab):
    page = open_lab("#hidden=32,16&optimizer=sgd&learningRate=10")
    page.evaluate("lab.start()")
    page.locator("#sentence").wait_for()
    assert "no longer finite" in page.locator("#sentence").inner_text()
    page.wait_for_function("!lab.state().running")
    with page.expect_download() as saved:
        page.locator("#save-network").click()
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert "weights" in json.loads(text)


def test_dragging_and_keys_move_the_point_and_a_code_shows_its_digit(open_lab):
    page = open_lab(QUICK)
    train(page, 60)
    settled(page)
    before = pixels(page, "plane")
    stroke(page, "plane", (0.5, 0.5), (0.25, 0.75))
    page.wait_for_timeout(300)
    assert pixels(page, "plane") != before
    x, y = (
        float(part.split("=")[1].strip(" .,").replace("−", "-"))
        for part in page.locator("#plane-under").inner_text().split("z")[1:]
    )
    assert x < 0 and y < 0 and x == pytest.approx(y, abs=0.1)
    page.locator("#plane").focus()
    page.keyboard.press("ArrowRight")
    wait_words(page, "plane-spoken", "nearest code")
    page.locator("#tip").wait_for()
    assert (
        "held out" in page.locator("#tip").inner_text()
        and "nats" in page.locator("#tip").inner_text()
    )


def test_a_drawing_gets_a_code_a_star_and_a_reconstruction(open_lab):
    page = open_lab(QUICK)
    train(page, 40)
    settled(page)
    stroke(page, "ink", (0.5, 0.2), (0.5, 0.8))
    wait_words(page, "own-note", "μ =")
    before = page.locator("#own-note").inner_text()
    page.evaluate("lab.start()")
    page.wait_for_function(
        "before => document.getElementById('own-note').textContent !== before",
        arg=before,
    )
    page.locator("#ink-clear").click()
    assert page.locator("#own-note").inner_text().startswith("Draw")


def test_slow_motion_adds_up_and_takes_one_step(open_lab, results):
    page = open_lab("#hidden=32,16&beta=4")
    train(page, 10)
    page.locator("#slow-next").click()
    page.locator("#slow-x").wait_for()
    before = state(page)
    for _ in range(5):
        page.locator("#slow-next").click()
    words = page.locator("#slow-words").inner_text()
    assert "not to ε" in words or "Nothing flows to ε" in words
    page.locator(".no-way").wait_for()
    page.locator("#slow-next").click()
    page.locator("#slow-after").wait_for()
    page.locator("#slow").screenshot(path=results / "lab-slow.png")
    page.wait_for_function(f"lab.state().step > {before['step']}")
    assert not state(page)["running"]


def test_runs_are_kept_up_to_four_and_saved(open_lab):
    page = keep_pressed(open_lab(QUICK), 5)
    assert page.locator("#runs-table tbody tr").count() == 4
    assert "Four runs are kept" in page.locator("#sentence").inner_text()
    with page.expect_download() as saved:
        page.locator("#save-json").click()
    runs = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))["runs"]
    assert len(runs) == 4 and runs[0]["final"]["negativeElbo"] == pytest.approx(
        -state(page)["heldOut"]["elbo"]
    )
    names = page.locator("#runs-table tbody th").all_inner_texts()
    assert names == [f"β = 1, 32–16{count}" for count in ("", " (2)", " (3)", " (4)")]
    page.get_by_role("button", name="Remove β = 1, 32–16", exact=True).click()
    assert page.locator("#runs-table tbody tr").count() == 3


def test_the_saved_picture_has_titles_and_the_settings(open_lab, results):
    page = open_lab(QUICK)
    train(page, 5)
    settled(page)
    page.evaluate("""() => {
      window.written = [];
      const {prototype} = CanvasRenderingContext2D, {fillText} = prototype;
      prototype.fillText = function (text, x, y, ...most) {
        if (!this.canvas.isConnected) written.push([text, x, y, this.measureText(text).width, ...most]);
        fillText.call(this, text, x, y, ...most);
      };
    }""")
    with page.expect_download() as saved:
        page.locator("#save-pictures").click()
    saved.value.save_as(results / "laboratory.png")
    (line, *_), *titles = page.evaluate("written")
    assert "784–32–16–2" in line and "β = 1; step" in line and "nats" in line
    assert len(titles) == 7 and all(width <= most for *_, width, most in titles)
    words = " ".join(title for title, *_ in titles)
    for heading in page.locator(".live h2").all_inner_texts():
        assert heading == "Draw your own" or heading.lower() in words.lower(), heading


def test_kept_runs_outlast_a_reload(open_lab):
    page = keep_pressed(open_lab(QUICK), 1)
    page.locator("#codes").click()
    page.locator("#keep").click()
    train(page, 200)
    keep_pressed(page, 1)
    rows = page.locator("#runs-table tbody tr")
    digits = "[...document.querySelectorAll('.digits-small')].map(e => e.src)"
    page.wait_for_function(f"{digits}.every(Boolean)")
    pictures, words = page.evaluate(digits), rows.all_inner_texts()
    assert pictures[0] == pictures[1] != pictures[2]  # the same codes in every run

    def reload():
        page.reload()
        page.locator("#start:enabled").wait_for()
        return rows.all_inner_texts()

    assert reload() == words and page.evaluate(digits) == pictures
    page.get_by_role("button", name="Remove β = 1, 32–16", exact=True).click()
    assert reload() == words[1:]
    page.evaluate("sessionStorage.setItem(Object.keys(sessionStorage)[0], '[{}, 3')")
    assert reload() == []
    page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', {get() { throw new Error('refused'); }})"
    )
    reload()
    keep_pressed(page, 1)
    assert rows.count() == 1 and reload() == []


def test_nothing_trained_is_replaced_without_a_word(open_lab, results, tmp_path):
    page = open_lab(QUICK)
    train(page, 20)
    step = settled(page)["step"]
    rows, dialog = page.locator("#runs-table tbody tr"), page.locator("#anew")
    press = lambda name: dialog.get_by_role("button", name=name).click()  # noqa: E731

    page.evaluate("location.hash = 'beta=4'")
    dialog.wait_for()
    assert f"at step {step}, is not kept" in dialog.inner_text()
    page.screenshot(path=results / "lab-anew.png")
    press("Cancel")
    page.wait_for_function("location.hash === '#hidden=32%2C16'")
    assert state(page)["step"] == step and state(page)["beta"] == 1

    with page.expect_download() as saved:
        page.locator("#save-network").click()
    saved.value.save_as(tmp_path / "network.vae.json")
    page.locator("#network-file").set_input_files(tmp_path / "network.vae.json")
    dialog.wait_for()
    press("Keep this run first")
    wait_words(page, "board-under", f"Opened from a file, after {step} steps")
    assert rows.count() == 1

    page.locator("#guide-open").click()
    page.get_by_role("button", name="Sum or mean").click()
    guide = page.locator("#guide")
    guide.get_by_label("All alike").check()
    train(page, step + 5)
    settled(page)
    with_sum = guide.get_by_role("button", name="Train with the sum")
    with_sum.click()
    dialog.wait_for()
    press("Cancel")
    page.wait_for_function("document.activeElement.textContent.includes('the sum')")
    assert state(page)["step"] >= step + 5 and rows.count() == 1
    with_sum.click()
    press("Start anew")
    page.wait_for_function("lab.state().running && lab.state().step > 0")
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("lab.state().step === 0 && lab.state().heldOut")
    page.evaluate("location.hash = 'hidden=32,16&beta=4'")  # nothing to lose: no word
    page.wait_for_function("lab.state().beta === 4")
    assert dialog.is_hidden() and rows.count() == 1


FIRST_RUN = """canvas => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) count += data[i] === 181 && data[i + 1] === 69 && data[i + 2] === 155;
  return count;
}"""  # pixels in the colour of the first kept run


def test_runs_of_another_likelihood_are_left_out_of_the_pictures(open_lab):
    page = open_lab(QUICK)
    train(page, 60)
    keep_pressed(page, 1)
    train(page, 300)
    settled(page)
    page.wait_for_timeout(300)
    assert page.locator("#rd").evaluate(FIRST_RUN) > 50
    assert page.locator("#runs-others").is_hidden()
    page.evaluate("lab.set({likelihood: 'gaussian'})")
    page.wait_for_function("lab.state().heldOut && lab.state().step === 0")
    page.wait_for_timeout(300)
    assert page.locator("#rd").evaluate(FIRST_RUN) == 0
    assert page.locator("#curves").evaluate(FIRST_RUN) == 0
    assert "1 run left out" in page.locator("#rd-note").inner_text()
    assert "the Bernoulli runs" in page.locator("#runs-others").inner_text()


def test_a_network_goes_to_python_and_back(open_lab, tmp_path):
    """−ELBO of the same digits is the same on both sides, but for the noise of one draw a digit."""
    page = open_lab("#hidden=64,32&latentDim=2")
    train(page, 80)
    here = settled(page)["heldOut"]
    with page.expect_download() as saved:
        page.locator("#save-network").click()
    saved.value.save_as(tmp_path / "from.vae.json")
    vae = load_from_browser(tmp_path / "from.vae.json")
    digits = builder.held_out_digits()
    there = np.mean(
        [evaluate(vae, digits.images, seed=seed) for seed in range(4)], axis=0
    )
    assert here["rate"] == pytest.approx(there[1], rel=1e-4)
    assert here["distortion"] == pytest.approx(there[0], rel=0.01)

    page.locator("#reset").click()
    wait_words(page, "board-under", "Untrained")
    page.locator("#network-file").set_input_files(tmp_path / "from.vae.json")
    wait_words(page, "board-under", "Opened from a file, after ")
    again = state(page)
    assert again["step"] >= 80 and again["epoch"] == pytest.approx(
        again["step"] * 128 / 10000
    )
    assert again["heldOut"]["elbo"] == pytest.approx(here["elbo"], rel=1e-6)

    mine = VAE(
        latent_dim=3,
        hidden=(20,),
        likelihood="gaussian",
        posterior="log_variance",
        beta=12.0,
    )
    save_for_browser(mine, tmp_path / "to.vae.json")
    page.locator("#network-file").set_input_files(tmp_path / "to.vae.json")
    page.wait_for_function("lab.state().latentDim === 3 && lab.state().heldOut")
    found = state(page)
    assert found["beta"] == 12
    wait_words(page, "board-under", "does not count its steps")
    assert page.locator("#n-epoch").inner_text() == "since opened"
    assert found["heldOut"]["rate"] == pytest.approx(
        evaluate(mine, digits.images).rate, rel=1e-4
    )
    (tmp_path / "bad.vae.json").write_text("{}", encoding="utf-8")
    page.locator("#network-file").set_input_files(tmp_path / "bad.vae.json")
    wait_words(page, "sentence", "holds no network")


def test_an_experiment_asks_first_and_answers_last(open_lab, results):
    page = open_lab(QUICK)
    page.locator("#guide-open").click()
    page.get_by_role("button", name="Sum or mean").click()
    guide = page.locator("#guide")
    assert guide.get_by_text("What happened").is_hidden()
    assert guide.locator(".doing").is_hidden()
    guide.get_by_label("All alike").check()
    for name in ("Train with the sum", "Train with the mean"):
        guide.get_by_role("button", name=name).click()
        guide.locator("button.done", has_text=name).wait_for(timeout=3 * PATIENCE)
    page.screenshot(path=results / "lab-guide.png")
    guide.get_by_text("What happened").click()
    assert "784" in guide.locator(".answer").inner_text()
    rates = [
        float(row.split("\t")[2])
        for row in guide.locator("table tbody tr").all_inner_texts()
    ]
    assert rates[0] > 3 > 0.5 > rates[1]
    assert page.locator("#runs-table tbody tr").count() == 2


def test_an_experiment_takes_no_run_of_the_reader_and_no_run_that_strayed(open_lab):
    page = keep_pressed(open_lab(QUICK), 4)
    page.locator("#guide-open").click()
    page.get_by_role("button", name="Sum or mean").click()
    guide, sentence = page.locator("#guide"), page.locator("#sentence")
    guide.get_by_label("All alike").check()
    sum_ = guide.get_by_role("button", name="Train with the sum")
    sum_.click()
    assert "remove one of them" in sentence.inner_text()
    assert page.locator("#runs-table tbody tr").count() == 4
    page.get_by_role("button", name="Remove β = 1, 32–16", exact=True).click()
    sum_.click()
    wait_step(page, 5)
    page.evaluate("lab.set({beta: 12})")
    sentence.get_by_text("β at 12, and the experiment asks for 1").wait_for(
        timeout=3 * PATIENCE
    )
    assert guide.locator("button.done").count() == 0
    assert page.locator("#runs-table tbody tr").count() == 3


def test_a_link_to_a_place_of_the_page_keeps_the_network(open_lab):
    page = open_lab(QUICK)
    page.evaluate("lab.set({beta: 4})")
    train(page, 5)
    before = settled(page)
    page.get_by_role("link", name="For teachers").click()
    page.wait_for_function("!location.hash.includes('teacher')")
    assert state(page)["step"] == before["step"] and state(page)["beta"] == 4
    assert "beta=4" in page.evaluate("location.hash")
    assert not page.locator("#sentence").is_visible()


def themes(page):
    """Yield "light" and "dark" when the page has each; it is light before."""
    for theme in "light", "dark":
        page.emulate_media(color_scheme=theme)
        page.locator(f"html[data-theme={theme}]").wait_for()
        yield theme


@pytest.mark.parametrize("size", SIZES)
def test_cause_and_effect_stand_on_the_first_screen(open_lab, size, results):
    width, height = SIZES[size]
    page = open_lab(QUICK, SIZES[size])
    train(page, 20)
    for theme in themes(page):
        page.screenshot(path=results / f"lab-{size}-{theme}.png")
        for name in ("start", "beta", "plane"):
            box = page.locator(f"#{name}").bounding_box()
            assert (
                box["x"] >= 0
                and box["x"] + box["width"] <= width
                and box["y"] >= 0
                and box["y"] + box["height"] <= height
            ), name
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERLAPS) == []
        title, button = boxes(page, "h1", "#theme")
        assert button["top"] < title["bottom"], "the button has a line of its own"


def boxes(page, *selectors):
    """The boxes in the window of the first element of each selector."""
    return page.evaluate(
        "names => names.map(name => document.querySelector(name).getBoundingClientRect().toJSON())",
        selectors,
    )


HUGE = "#hidden=128,64&latentDim=10&likelihood=gaussian&optimizer=sgd&learningRate=0.0001&beta=12"


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_huge_numbers_and_failures_move_nothing(open_lab, size):
    page = open_lab(HUGE + "&posterior=direct", SIZES[size])
    bar = "['.bar button', '.bar select', '.numbers div'].flatMap(name => [...document.querySelectorAll(name)])"
    measured = f"""() => {bar}.map(e => {{
        const {{x, y, width}} = e.getBoundingClientRect();
        return [x, y + scrollY, width, e.matches('div') && e.scrollWidth > e.clientWidth];
    }})"""
    page.get_by_role("button", name="Start", exact=True).click()
    wait_step(page, 1)
    before = page.evaluate(measured)
    wait_words(page, "sentence", "no longer finite")
    assert page.evaluate(measured) == before, page.locator("#numbers").inner_text()
    assert all(x + width <= SIZES[size][0] and not cut for x, _, width, cut in before)


@pytest.mark.parametrize("size", SIZES)
def test_the_experiments_leave_in_sight_what_they_ask_to_watch(open_lab, size, results):
    width, height = SIZES[size]
    page = open_lab(viewport=SIZES[size])
    page.locator("#guide-open").click()
    page.get_by_role("button", name="Sum or mean").click()
    guide = page.locator("#guide")
    guide.get_by_label("All alike").check()
    (sheet,) = boxes(page, "#guide")
    if width < 900:
        assert sheet["height"] <= 0.4 * height + 1 and sheet["bottom"] == height
    else:
        assert sheet["left"] >= boxes(page, "main")[0]["right"] - 1
    guide.get_by_role("button", name="Train with the sum").click()
    wait_step(page, 5)
    page.screenshot(path=results / f"lab-guide-{size}.png")
    sheet, bar, *watched = boxes(
        page, "#guide", "#beta-marks", "#plane", "#reconstructions"
    )
    for box in watched:
        assert bar["bottom"] <= box["top"] < box["bottom"] <= height
        assert box["right"] <= sheet["left"] or box["bottom"] <= sheet["top"]
    if width < 900:
        assert sheet["height"] < 60
        guide.get_by_role("button", name="Open", exact=True).click()
        assert guide.locator(".doing").is_visible()
        guide.get_by_role("button", name="Shrink").click()
        assert guide.locator(".doing").is_hidden()


def test_the_dialog_holds_its_fields(open_lab):
    page = open_lab(QUICK)
    page.locator("#network-open").click()
    for size in SIZES["tablet"], SIZES["phone"]:
        page.set_viewport_size(dict(zip(("width", "height"), size)))
        (form,) = boxes(page, "#network form")
        assert form["right"] <= size[0]
        for name in ("latentDim", "posterior", "likelihood", "optimizer", "mean"):
            (field,) = boxes(page, f"#network select[name={name}]")
            assert form["left"] <= field["left"] < field["right"] <= form["right"], name
        dialog = "document.getElementById('network')"
        assert page.evaluate(f"{dialog}.scrollWidth <= {dialog}.clientWidth")


def test_reset_brings_the_ring_back_and_the_theme_reaches_every_square(open_lab):
    page = open_lab(QUICK)
    assert "Untrained" in page.locator("#board-under").inner_text()
    before = pixels(page, "board")
    train(page, 5)
    settled(page)
    assert "Untrained" not in page.locator("#board-under").inner_text()
    stroke(page, "plane", (0.5, 0.5), (0.95, 0.05))
    wait_words(page, "plane-under", "z₁ =")
    page.get_by_role("button", name="Reset").click()
    wait_words(page, "board-under", "Untrained")
    wait_words(page, "plane-under", "Drag the ring")
    page.wait_for_timeout(300)
    assert pixels(page, "board") == before
    page.locator("#ink-clear").click()
    page.locator("#theme").click()
    page.wait_for_timeout(100)
    corner = "canvas => canvas.getContext('2d').getImageData(2, 2, 1, 1).data.join()"
    squares = [
        page.locator(f"#{name}").evaluate(corner) for name in ("ink", "own-image")
    ]
    assert squares == ["23,25,30,255"] * 2


OVERLAPS = """() => {
  const names = [...document.querySelectorAll('.bar button, .bar select, .bar input, .top button, .top a, .live figure')];
  const boxes = names.filter(e => e.offsetParent).map(e => [e.id || e.className || e.textContent, e.getBoundingClientRect()]);
  const found = [];
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left), high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (wide > 1 && high > 1) found.push(`${a} and ${b}`);
  }));
  for (const e of document.querySelectorAll('.live figcaption, .live .under, .numbers dd, .bar button')) {
    if (e.offsetParent && e.scrollWidth > e.clientWidth + 1) found.push(`cut: ${e.textContent}`);
  }
  return found;
}"""


def test_it_is_accessible(open_lab):
    """In the dark, too, where colours are all that differs."""
    page = open_lab(QUICK)
    page.locator("#slow-next").click()
    page.locator("#slow-x").wait_for()
    page.locator("#guide-open").click()
    for theme in themes(page):
        only = {"runOnly": ["color-contrast"]} if theme == "dark" else {}
        found = Axe().run(page, options=only).response["violations"]
        assert [
            f"{fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in found
        ] == []


def test_the_theme_switch_and_touch(open_lab):
    page = open_lab(QUICK, SIZES["phone"], has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.locator("#theme").tap()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.locator("#start").tap()
    wait_step(page, 5)
    page.locator("#plane").tap(position={"x": 60, "y": 60})
    wait_words(page, "plane-under", "z₁ = −")


def test_a_finger_meets_every_mark_and_the_ring_of_the_slider_hides_no_word(open_lab):
    page = open_lab(QUICK, SIZES["phone"], has_touch=True, is_mobile=True)
    marks = page.evaluate(
        "[...document.querySelectorAll('#beta-marks button')].map(e => e.getBoundingClientRect().toJSON())"
    )
    assert len(marks) == 7 and all(mark["height"] >= 32 for mark in marks)
    assert all(a["right"] <= b["left"] for a, b in zip(marks, marks[1:]))
    assert marks[0]["left"] >= 0 and marks[-1]["right"] <= SIZES["phone"][0]
    page.locator("#beta").press("PageUp")
    words, slider = boxes(page, ".beta-words", "#beta")
    width, offset = page.locator("#beta").evaluate(
        "e => [getComputedStyle(e).outlineWidth, getComputedStyle(e).outlineOffset].map(parseFloat)"
    )
    assert width == 3 and slider["top"] - width - offset >= words["bottom"]
    assert slider["bottom"] + width + offset <= marks[0]["top"]


def test_a_hidden_tab_pauses_and_goes_on(open_lab):
    page = open_lab(QUICK)
    train(page, 5)
    hide = "hidden => {Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))}"
    page.evaluate(hide, True)
    page.wait_for_function("!lab.state().running")
    page.evaluate(hide, False)
    page.wait_for_function("lab.state().running")


def test_without_scripts_or_simd_a_sentence_says_so(browser, lab_file, open_lab):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(lab_file.as_uri())
    assert "switched off" in page.locator("noscript, .sentence").first.inner_text()
    context.close()
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script("WebAssembly.validate = () => false")
    page.goto(lab_file.as_uri())
    wait_words(page, "sentence", "SIMD")
    context.close()


def test_the_page_is_one_file_of_at_most_five_megabytes(lab_file):
    text = lab_file.read_text(encoding="utf-8")
    assert lab_file.stat().st_size <= 5_000_000
    assert (
        'src="http' not in text
        and "%css%" not in text
        and "import(" not in text.split('id="worker"')[0]
    )


def test_it_runs_on_webgpu_in_software(playwright, open_lab):
    """A real graphics processor is not needed: Chromium emulates one."""
    gpu = playwright.chromium.launch(
        **browser_path(),
        args=[*FLAGS, "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
    )
    try:
        page = open_lab("?device=webgpu#hidden=16", at=gpu)
        assert (
            state(page)["device"] == "webgpu"
            and page.locator("#n-device").inner_text() == "WebGPU"
        )
        before = state(page)["heldOut"]["elbo"]
        train(page, 15)
        assert settled(page)["heldOut"]["elbo"] > before
        assert "WebGPU" in page.locator("#device-note").inner_text()
        page = open_lab("#hidden=16", at=gpu)  # measured: the emulated one is slower
        assert (
            state(page)["device"] == "wasm"
            and "measurement" in page.locator("#device-note").inner_text()
        )
    finally:
        gpu.close()

"""The latent pad and the drawing board on exported pages: opened from disk, offline,
without a kernel.
"""

import re

import keras
import numpy as np
import pytest
from keras import ops
from manifold import Board, Pad, darkness, greys, minus, quick, timed
from pages import PROJECTOR, Page

from vae_lib.data import load_mnist, subsample
from vae_lib.model import VAE
from vae_lib.training import train
from vae_lib.widgets.drawing import DrawingBoard
from vae_lib.widgets.pad import LatentPad
from vae_lib.widgets.page import write_page

pytestmark = pytest.mark.full

PHONE = {"width": 390, "height": 844}
# of 255: half a level of rounding, float16 weights, and the slack of a screen's colours
LEVELS = 1.5


@pytest.fixture(scope="module")
def digits():
    return load_mnist()


@pytest.fixture(scope="module")
def models(digits):
    """A VAE for two and one for three latent units, trained for seconds: it can tell
    digits apart, more is not asked.
    """
    models = {}
    for latent_dim in 2, 3:
        keras.utils.set_random_seed(0)
        models[latent_dim] = VAE(latent_dim, (128, 64), activation="gelu")
        train(
            models[latent_dim],
            subsample(digits.train, 6000).images,
            epochs=4,
            progress=False,
        )
    return models


@pytest.fixture(scope="module")
def controls(models, digits):
    return {
        **{dim: LatentPad(vae, digits.test, count=1000) for dim, vae in models.items()},
        "board": DrawingBoard(models[2], digits.test),
    }


@pytest.fixture
def open_page(browser, controls, tmp_path):
    """A function that writes controls to a page and opens it from disk, offline."""
    opened = []

    def open_page(*names, viewport=PROJECTOR, **options):
        path = tmp_path / "page.html"
        write_page(
            [controls[name] for name in names], path, "The manifold", "Drag the ring."
        )
        page = Page(browser, path.as_uri(), viewport, **options)
        page.context.set_offline(True)
        page.page.locator("html[data-ready]").wait_for(timeout=10_000)
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        assert page.errors == []
        page.close()


def shown(vae, code):
    return darkness(vae.decode(np.array([code], "float32"))[0])


def test_a_drag_moves_digit_and_sliders(open_page, models, controls):
    pad = Pad(open_page(2), controls[2])
    pad.drag((0, 0), (1.0, -1.5))
    assert pad.z == pytest.approx([1.0, -1.5], abs=0.051)
    readouts = pad.box.locator(".widget-readout").all_text_contents()
    assert [minus(text) for text in readouts] == pad.z
    assert np.abs(greys(pad.digit) - shown(models[2], pad.z)).max() <= LEVELS
    assert "z₁" in pad.status.text_content()


def test_a_finger_drags_like_the_mouse(open_page, controls):
    page = open_page(2, touch=True)
    pad, session = Pad(page, controls[2]), page.context.new_cdp_session(page.page)
    path = np.linspace((0, 0), (-1.2, 1.2), 10)
    for kind, code in [
        ("touchStart", path[0]),
        *(("touchMove", code) for code in path),
        ("touchEnd", None),
    ]:
        points = [] if code is None else [dict(zip("xy", pad.at(code)))]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    pad.settle()
    assert pad.z == pytest.approx([-1.2, 1.2], abs=0.051)


def test_keys_step_leap_and_return(open_page, models, controls):
    pad = Pad(open_page(2), controls[2])
    pad.press("Home")
    pad.press("ArrowRight", 3)
    pad.press("Shift+ArrowDown", 2)
    assert pad.z == pytest.approx([0.15, -1.0])
    assert np.abs(greys(pad.digit) - shown(models[2], pad.z)).max() <= LEVELS
    pad.press("Home")
    assert pad.z == [0, 0]
    pad.press("Shift+ArrowUp", 20)
    assert pad.z == [0, pad.reach]  # it stays on the map


def test_a_digits_key_walks_to_its_class_and_leaves_pictures_of_the_way(
    open_page, controls
):
    pad = Pad(open_page(2))
    assert not pad.strip.is_visible()
    sliders = pad.box.locator(".widget-readout")
    places = [slider.bounding_box() for slider in sliders.all()]
    pad.press("7")
    assert places and [slider.bounding_box() for slider in sliders.all()] == places
    mean = dict((str(label), code) for label, code in controls[2].pad.means)["7"]
    assert pad.z == pytest.approx(mean, abs=0.026)
    assert pad.strip.is_visible() and "straight way" in pad.strip.get_attribute(
        "aria-label"
    )
    trail = pad.page.look(pad.map)
    pad.box.get_by_role("button", name="Clear trail").click()
    pad.page.wait_change(pad.map, trail)
    assert not pad.strip.is_visible()
    other = dict((str(label), code) for label, code in controls[2].pad.means)["0"]
    pad.box.get_by_role("button", name="mean of the codes of a 0").click()
    pad.settle()
    assert pad.z == pytest.approx(other, abs=0.026)


def test_walk_to_goes_where_the_next_click_says(open_page, controls):
    pad = Pad(open_page(2), controls[2])
    pad.press("Home")
    button = pad.box.get_by_role("button", name="Walk to a place")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    pad.page.page.mouse.click(*pad.at((-2, 1)))
    pad.page.page.wait_for_timeout(300)
    on_the_way = pad.z
    pad.settle()
    assert pad.z == pytest.approx([-2, 1], abs=0.051) and -2 < on_the_way[0] < 0
    assert button.get_attribute("aria-pressed") == "false"


def test_sliders_move_the_pad_and_the_third_unit_too(open_page, models, controls):
    pad = Pad(open_page(3))
    sliders = pad.box.locator("input[type=range]")
    assert sliders.count() == 3
    start = controls[3].z
    sliders.nth(2).press("ArrowRight")
    sliders.nth(0).press("End")
    pad.settle()
    code = start.copy()
    code[controls[3].pad.free[2]] += 0.05
    code[controls[3].pad.free[0]] = controls[3].pad.reach
    assert pad.z[0] == controls[3].pad.reach
    assert np.abs(greys(pad.digit) - shown(models[3], code)).max() <= LEVELS


@pytest.mark.parametrize("dim", [2, 3])
def test_hovering_shows_digit_reconstruction_and_posterior(
    open_page, models, controls, dim
):
    pad, control, vae = Pad(open_page(dim), controls[dim]), controls[dim], models[dim]
    mu, sigma = vae.encode(control.digits.images)
    plane = mu[:, control.pad.units]
    apart = np.linalg.norm(plane[:, None] - plane, axis=-1) + 9 * np.eye(len(plane))
    inside = np.abs(plane).max(axis=1) < 0.9 * pad.reach
    far = np.linalg.norm(plane - control.z[control.pad.units], axis=1) > 0.5
    i = np.argmax(
        apart.min(axis=1) * inside * far
    )  # the loneliest, which no other can be mistaken for
    before = pad.page.look(pad.map)
    pad.page.page.mouse.move(*pad.at(plane[i]))
    pad.page.wait_change(pad.map, before)
    caption = pad.caption.text_content()
    assert f"a {control.digits.labels[i]}," in caption
    numbers = [minus(text) for text in re.findall(r"[−\d.]+\d", caption.split("μ")[1])]
    np.testing.assert_allclose(
        numbers, [*plane[i], *sigma[i, control.pad.units]], atol=0.006
    )
    assert (
        np.abs(greys(pad.truth) - (255 - control.digits.images[i].astype(int))).max()
        <= 9
    )  # 16 grey levels
    assert (
        np.abs(greys(pad.copy) - shown(vae, mu[i])).max() <= 2 * LEVELS
    )  # its code is float16, too


def test_pictures_follow_in_the_same_frame(open_page, latencies):
    page = open_page(2)
    for name, latency in (
        ("key", Pad(page).latency()),
        ("drag", Pad(page).drag_latency()),
    ):
        latencies[f"pad on a page, {name}"] = latency
        assert quick(latency), latency


def test_the_pad_adds_at_most_three_megabytes(controls, models, digits, tmp_path):
    full = LatentPad(VAE(2, activation="gelu"), digits.test)
    assert write_page(full, tmp_path / "full.html") < 3e6


@pytest.mark.parametrize("viewport", [PROJECTOR, PHONE], ids=["projector", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_the_screen_and_its_colours(open_page, results, viewport, scheme):
    page = open_page(2, 3, "board", viewport=viewport, scheme=scheme)
    Board(page).draw(Board.THREE)
    Pad(page).press("7")
    page.page.screenshot(
        path=results / f"manifold-page-{scheme}-{viewport['width']}.png", full_page=True
    )
    assert (
        page.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    )
    corner = Pad(page).ground.evaluate(
        "c => c.getContext('2d').getImageData(2, 2, 1, 1).data[0]"
    )
    assert (corner < 64) == (scheme == "dark")


BOXES = """(names) => names.map((name) => {
  const { left, top, right, bottom } = document.querySelector(name).getBoundingClientRect();
  return { left, top, right, bottom };
})"""


def boxes(page, *names):
    """Return where elements are on the screen, after scrolling the first control into
    sight.
    """
    page.page.locator(names[0]).first.evaluate(
        "e => e.closest('.vae').scrollIntoView()"
    )
    return page.page.evaluate(BOXES, list(names))


@pytest.mark.parametrize("width", [600, 700, 1024])
def test_the_map_stands_beside_its_digit_in_one_view(open_page, width):
    """600 CSS pixels are left to a control in JupyterLab on a projector, its file
    browser open.
    """
    page = open_page(2, viewport={"width": width, "height": 640})
    ground, digit, foot = boxes(page, ".vae-pad-map", ".vae-pad-digit", ".vae-pad-foot")
    assert ground["right"] < digit["left"] and digit["right"] <= width
    assert digit["top"] < ground["bottom"] and foot["bottom"] <= 640
    assert ground["right"] - ground["left"] >= 300


def test_on_a_phone_everything_is_stacked_and_nothing_cut(open_page):
    page = open_page(2, "board", viewport=PHONE)
    ground, digit, copy = boxes(
        page, ".vae-pad-map", ".vae-pad-digit", ".vae-pad-card canvas"
    )
    assert ground["bottom"] <= digit["top"] and digit["right"] < copy["left"]
    assert digit["bottom"] - ground["top"] < PHONE["height"]
    buttons = page.page.locator(".vae-pad-classes button")
    assert buttons.all_text_contents() == list("0123456789")
    cut = page.page.evaluate("""() => [...document.querySelectorAll('main *')].filter((part) =>
      part.getBoundingClientRect().right > innerWidth || part.scrollWidth > part.clientWidth + 1 && part.clientWidth
        && getComputedStyle(part).overflowX !== 'visible' && !part.matches('.vae-unseen'))
      .map((part) => part.outerHTML.slice(0, 80))""")
    assert cut == []
    paper, seen = boxes(page, ".vae-board-paper", ".vae-board-copies canvas")
    assert paper["right"] < seen["left"]


def test_keys_outside_the_pad_do_nothing_and_inside_they_need_no_map(open_page):
    pad = Pad(open_page(2))
    before = pad.z
    pad.page.page.locator("h1").click()
    pad.page.page.keyboard.press("7")
    pad.settle()
    assert pad.z == before
    pad.digit.click()  # the pad has the focus wherever it is clicked
    pad.page.page.keyboard.press("7")
    pad.settle()
    assert pad.z != before


def test_a_leap_leaves_no_line_on_the_map(open_page, controls):
    pad = Pad(open_page(2), controls[2])
    pad.drag((-2, -2), (-2, -1.5))
    pad.drag((2, 2), (2, 1.5))
    halfway = pad.map.evaluate(
        """(canvas, [x, y]) => {
        const box = canvas.getBoundingClientRect(), zoom = canvas.width / box.width, r = 6 * zoom;
        const data = canvas.getContext('2d').getImageData((x - box.left) * zoom - r, (y - box.top) * zoom - r, 2 * r, 2 * r);
        return data.data.filter((value, i) => i % 4 === 3 && value > 0).length;
    }""",
        pad.at((0, 0.25)),
    )
    assert halfway == 0


# The drawing board


def own_elbo(vae, control, image):
    """Return −ELBO of an image by Keras, with the board's own draws."""
    epsilons = (
        np.frombuffer(control.paper.epsilons, "<f2")
        .astype("float32")
        .reshape(-1, 1, vae.latent_dim)
    )
    total = []
    for epsilon in epsilons:
        with vae.noise(epsilon):
            total.append(sum(float(ops.sum(term)) for term in vae.terms(image[None])))
    return np.mean(total)


def test_a_drawn_digit_is_judged_as_keras_would(open_page, models, controls):
    board = Board(open_page("board"))
    assert "Draw a digit" in board.says
    empty = board.page.look(board.map)
    board.draw(Board.THREE)
    seen = (1 - greys(board.seen) / 255).astype("float32")
    assert np.ptp(np.flatnonzero(seen.max(axis=1) > 0.1)) <= 20 and seen.max() > 0.9
    assert board.nats == pytest.approx(
        own_elbo(models[2], controls["board"], seen), rel=0.01
    )
    assert "An ordinary digit" in board.says or "easier to explain" in board.says
    assert (
        np.abs(greys(board.copy) - darkness(models[2].reconstruct(seen[None])[0])).max()
        <= 4 * LEVELS
    )
    assert board.page.look(board.map) != empty


def test_the_place_and_size_of_a_drawing_do_not_matter(open_page):
    """MNIST's preparation removes both; the pen's width stays, hence the tolerance."""
    board = Board(open_page("board"))
    board.draw(Board.THREE)
    first = board.nats
    board.button("Clear")
    board.draw([(0.25 + 0.7 * x, 0.15 + 0.7 * y) for x, y in Board.THREE])
    assert board.nats == pytest.approx(first, rel=0.35)


def test_blank_dot_and_scribble_get_sensible_answers(open_page):
    board = Board(open_page("board"))
    board.draw([(0.5, 0.5), (0.52, 0.5)])
    assert "dot" in board.says
    board.button("Clear")
    assert "Draw a digit" in board.says
    rng = np.random.default_rng(0)
    board.draw(rng.uniform(0.1, 0.9, (40, 2)), steps=2)
    assert "seen nothing like it" in board.says
    board.button("Undo")
    assert "Draw a digit" in board.says
    board.draw(
        [(0.5, 0.1), (0.5, 0.9)]
    )  # a thin stroke, which costs less than most digits
    assert "seen nothing" not in board.says


def test_the_board_draws_by_keyboard(open_page):
    board = Board(open_page("board"))
    board.press("Shift+ArrowLeft", *["ArrowUp"] * 6, " ", *["ArrowDown"] * 12, " ")
    assert "nats" in board.says
    seen = 1 - greys(board.seen) / 255
    assert (
        np.ptp(np.flatnonzero(seen.max(axis=1) > 0.5)) >= 18
    )  # a stroke from top to bottom
    board.press("Backspace")
    assert "Draw a digit" in board.says


def test_drawing_is_followed_at_once(open_page, latencies):
    board = Board(open_page("board"))
    board.draw(Board.THREE)
    box = board.paper.bounding_box()
    mouse = board.page.page.mouse
    mouse.move(box["x"] + 40, box["y"] + 40)
    mouse.down()
    latency = timed(
        board.page,
        "pointermove",
        board.paper,
        lambda: None,
        lambda i: mouse.move(box["x"] + 46 + 6 * i, box["y"] + 45 + 5 * i),
        30,
    )
    mouse.up()
    latencies["drawing on a page"] = latency
    assert latency.p50 <= max(50, 2 * latency.floor_p50)

"""The website, built once and opened from disk: complete, quiet, for wide and narrow screens, and accessible."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.full

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [
    "README",
    "docs/glossary",
    "docs/teaching",
    *(
        f"notebooks/{path.stem}"
        for path in sorted((DOCS.parent / "notebooks").glob("0*.ipynb"))
    ),
]
SLIDES = [
    f"slides/{path.stem}"
    for path in sorted((DOCS.parent / "notebooks").glob("0*.ipynb"))
]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built site; its living widgets are trained on few digits."""
    folder = tmp_path_factory.mktemp("site")
    widgets = (
        ["--quick"]
        if (DOCS.parent / "vae_lib/widgets/beta_slider.py").exists()
        else ["--without-widgets"]
    )
    command = [
        sys.executable,
        "-W",
        "ignore",
        str(DOCS / "build.py"),
        "--out",
        str(folder),
        *widgets,
    ]
    built = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def open_page(browser, site):
    """A function that opens a page of the site from disk; `errors` of what it returns is to stay empty."""
    contexts = []

    def open_page(name, viewport=DESKTOP):
        contexts.append(browser.new_context(viewport=viewport))
        page = contexts[-1].new_page()
        page.errors = []
        page.on(
            "request",
            lambda request: (
                request.url.startswith("http") and page.errors.append(request.url)
            ),
        )
        page.on(
            "console",
            lambda message: (
                message.type == "error" and page.errors.append(message.text)
            ),
        )
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_load_state("networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", PAGES + SLIDES)
def test_page_asks_no_other_host_and_typesets_its_formulas(open_page, name):
    page = open_page(name)
    if not name.endswith("README"):
        page.locator("mjx-container").first.wait_for(state="attached")
    assert page.locator("mjx-merror").count() == 0
    assert page.errors == []


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_phone(open_page, name, results):
    page = open_page(name, PHONE)
    page.screenshot(path=results / f"phone-{Path(name).name}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("name", PAGES + SLIDES[:1])
def test_page_is_accessible(open_page, name, results):
    """axe-core finds no fault: alt texts, contrast, order of headings, names of controls."""
    page = open_page(name)
    page.screenshot(path=results / f"desktop-{Path(name).name}.png")
    rules = {
        "region": {
            "enabled": False
        },  # the theme puts its own title outside every landmark
        "empty-table-header": {"enabled": False},
    }  # the corner of a table with two headers
    found = Axe().run(page, options={"rules": rules}).response["violations"]
    told = [
        f"{fault['id']} ({fault['impact']}): {fault['nodes'][0]['html'][:200]}"
        for fault in found
    ]
    assert told == []


@pytest.mark.parametrize(
    "name", [name for name in PAGES if name.startswith("notebooks")]
)
def test_notebook_shows_its_pictures_with_their_descriptions(open_page, name):
    page = open_page(name)
    pictures = page.locator("div.cell_output img")
    assert pictures.count() > 3
    assert all(
        len(pictures.nth(i).get_attribute("alt") or "") > 10
        for i in range(pictures.count())
    )


def test_widgets_live_on_the_page_without_a_kernel(open_page, site, results):
    pages = [
        name
        for name in PAGES
        if '<figure class="alive">'
        in (site / f"{name}.html").read_text(encoding="utf-8")
    ]
    for name in pages:
        page = open_page(name)
        for i in range(page.locator("figure.alive iframe").count()):
            place = page.locator("figure.alive iframe").nth(i)
            place.scroll_into_view_if_needed()
            frame = place.content_frame
            frame.locator("canvas").first.wait_for()
            place.screenshot(path=results / f"alive-{Path(name).name}-{i}.png")
            slider = frame.locator("input[type=range]")
            if slider.count():
                drawn = "boards => boards.map(board => board.toDataURL()).join()"
                before = frame.locator("canvas").evaluate_all(drawn)
                for _ in range(5):
                    slider.first.press("ArrowRight")
                page.wait_for_timeout(300)
                assert frame.locator("canvas").evaluate_all(drawn) != before
        assert page.errors == []
    assert pages or not list((site / "alive").glob("*.html"))


def test_links_lead_to_files_and_places(site):
    for path in site.rglob("*.html"):
        if path.parts[len(site.parts)] not in ("_static", "alive"):
            for link in re.findall(r'href="([^"]+)"', path.read_text(encoding="utf-8")):
                target, _, place = link.partition("#")
                if "://" in link or link.startswith(("mailto:", "data:", "{")):
                    continue
                file = (
                    (path.parent / target.split("?")[0]).resolve() if target else path
                )
                assert file.exists(), f"{path.relative_to(site)}: {link}"
                if place and file.suffix == ".html":
                    assert f'id="{place}"' in file.read_text(encoding="utf-8"), (
                        f"{path.relative_to(site)}: {link}"
                    )


@pytest.mark.parametrize("name", SLIDES)
def test_slides_show_one_after_another_and_nothing_is_cut_off(open_page, name):
    page = open_page(name, {"width": 1280, "height": 800})
    page.wait_for_function("Reveal.isReady()")
    count = page.evaluate("Reveal.getTotalSlides()")
    assert count > 20
    too_long = []
    for i in range(count):
        bottom = page.evaluate(
            "Math.max(...[...Reveal.getCurrentSlide().querySelectorAll('*')]"
            ".map(e => e.getBoundingClientRect().bottom))"
        )
        if bottom > 800:
            too_long.append(
                (
                    i,
                    page.evaluate(
                        "Reveal.getCurrentSlide().textContent.trim().slice(0, 60)"
                    ),
                    bottom,
                )
            )
        page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.isLastSlide()")
    assert too_long == []

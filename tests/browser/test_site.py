"""The website, built once and opened in one browser: whole, quiet, for every screen,
and accessible.

VAE_LIB_SITE names the folder of a site that is built already.
"""

import functools
import http.server
import io
import os
import re
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

pytestmark = pytest.mark.full

ROOT = Path(__file__).resolve().parents[2]
STEMS = sorted(path.stem for path in (ROOT / "notebooks").glob("0*.ipynb"))
SOLUTIONS = sorted(path.stem for path in (ROOT / "notebooks/solutions").glob("*.ipynb"))
PAGES = [
    "index",
    "README",
    "docs/benchmarks",
    "docs/glossary",
    "docs/teaching",
    "data/README",
    *(f"notebooks/{stem}" for stem in STEMS),
    *(f"notebooks/solutions/{stem}" for stem in SOLUTIONS),
]
DECKS = [f"slides/{stem}" for stem in STEMS]
SIZES = [(1400, 900), (1024, 768), (390, 844)]
PROJECTORS = [(800, 600), (1024, 768), (1280, 720), (1920, 1080)]
HEAVIEST = 3_000_000  # bytes of a page before its living parts load
RULES = {
    "region": {"enabled": False},  # the theme puts its own title outside every landmark
    "empty-table-header": {"enabled": False},  # the corner of a table with two headers
}
# What reaches over the right edge and cannot be scrolled to.
CUT = """() => {
  const scrolls = (part) => {
    for (let box = part.parentElement; box && box !== document.body; box = box.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(box).overflowX) && box.clientWidth < box.scrollWidth + 1) return true;
    }
    return false;
  };
  const hides = (part) => getComputedStyle(part).overflowX === "hidden" && part.scrollWidth > part.clientWidth + 2;
  const places = document.querySelectorAll(
    ":is(article, .front) :is(p, pre, table, img, iframe, code, li, h1, h2, h3, figure, blockquote, mjx-container)");
  return [...places]
    .filter((part) => part.checkVisibility() && part.getBoundingClientRect().width > 0)
    .filter((part) => (part.getBoundingClientRect().right > innerWidth + 1 && !scrolls(part)) || hides(part))
    .map((part) => `${part.tagName} ${part.className}: ${part.textContent.slice(0, 60)}`);
}"""
# Tables that hide columns although the screen is wide.
WIDE = """() => [...document.querySelectorAll("article table")]
  .filter((table) => innerWidth > 700 && table.checkVisibility())
  .filter((table) => table.offsetWidth > table.parentElement.clientWidth + 1)
  .map((table) => `a table hides columns: ${table.innerText.slice(0, 60)}`)"""
RAW = [  # what readers never see where Markdown and TeX were understood
    re.compile(r"^\s*\|.*\|\s*$", re.MULTILINE),
    re.compile(r"\*\*[^\s*][^*\n]*\*\*"),
    re.compile(r"\$[^$\n]*\\[a-z]+[^$\n]*\$"),
    re.compile(r"\\(frac|mathcal|mathbb|sum|log|sigma|mathrm)\b"),
    re.compile(r"\]\([\w./#:-]+\)"),
]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built site; its living widgets are trained on few digits."""
    if os.environ.get("VAE_LIB_SITE"):
        return Path(os.environ["VAE_LIB_SITE"]).resolve()
    folder = tmp_path_factory.mktemp("site") / "html"
    before = untracked()
    command = [sys.executable, "-W", "ignore", ROOT / "docs/build.py", "--quick"]
    built = subprocess.run(
        [*command, "--out", folder], capture_output=True, text=True, encoding="utf-8"
    )
    assert built.returncode == 0, built.stderr[-4000:]
    assert "The living page" not in built.stderr, built.stderr[-4000:]
    assert untracked() == before, "the builder leaves files in the repository"
    return folder


def untracked():
    """Return what git finds in the repository that is not its own."""
    command = ["git", "-C", ROOT, "status", "--porcelain"]
    return subprocess.run(command, capture_output=True, encoding="utf-8").stdout


class Tab:
    """A tab of the browser that goes from page to page; `errors` holds what the present
    one complains of.
    """

    def __init__(self, browser, site, address=None):
        self.page = browser.new_page()
        self.page.set_default_timeout(180_000)  # on a machine with other work, too
        self.site, self.address, self.errors, self.loaded = site, address, [], {}
        self.page.on("request", self.note_request)
        self.page.on("console", self.note_message)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", lambda request: self.errors.append(request.url))

    def note_request(self, request):
        inside = (self.address or "file:///", "file:", "data:", "blob:")
        if not request.url.startswith(inside):
            self.errors.append(f"asked for {request.url}")
        if request.url.startswith("file:"):
            path = Path(request.url.removeprefix("file://").split("?")[0].split("#")[0])
            self.loaded[path] = path.stat().st_size if path.exists() else 0

    def note_message(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def open(self, name, size=SIZES[0], scheme="light", query=""):
        """Open a page of the site, the search with what is sought; return the page."""
        self.page.goto("about:blank")
        self.errors.clear()
        self.loaded.clear()
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.emulate_media(color_scheme=scheme)
        folder = self.address or self.site.as_uri()
        self.page.goto(f"{folder}/{name}.html{query and f'?q={query}'}")
        self.page.wait_for_load_state("networkidle")
        return self.page

    def typeset(self):
        """Wait until every formula of the page is set."""
        self.page.wait_for_function(
            "() => !window.MathJax || MathJax.startup?.promise?.then(() => true)"
        )


@pytest.fixture(scope="session")
def tab(browser, site):
    """A tab for pages from disk."""
    tab = Tab(browser, site)
    yield tab
    tab.page.close()


@pytest.fixture(scope="session")
def served(browser, site):
    """A tab for pages from a web server."""

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Silent, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tab = Tab(browser, site, f"http://127.0.0.1:{server.server_port}")
        yield tab
        tab.page.close()
        server.shutdown()


class Text(HTMLParser):
    """The text of a page as readers see it, without code, formulas and scripts."""

    SILENT = {"script", "style", "pre", "code", "title", "svg", "noscript"}

    def __init__(self):
        super().__init__()
        self.parts, self.depth = [], 0

    def handle_starttag(self, tag, attributes):
        formula = "math" in (dict(attributes).get("class") or "").split()
        if self.depth or tag in self.SILENT or formula:
            self.depth += tag not in ("br", "img", "input", "hr", "meta", "link")

    def handle_endtag(self, tag):
        self.depth -= bool(self.depth)

    def handle_data(self, data):
        if not self.depth:
            self.parts.append(data)


def raw(text):
    """Return what in a text is Markdown or TeX that was not understood."""
    return [found[0][:80] for pattern in RAW for found in pattern.finditer(text)]


def test_raw_markdown_is_found():
    assert len(raw("| a | b |")) == len(raw("so **bold** it")) == 1
    assert raw(r"costs $\log 2$ nats") and raw("[here](../README.md)")
    assert raw("2 * 3 * 4 costs $5, |x| is |y|") == []


@pytest.mark.parametrize("name", PAGES)
def test_page_shows_no_raw_markdown(site, name):
    text = Text()
    text.feed((site / f"{name}.html").read_text(encoding="utf-8"))
    assert raw("".join(text.parts)) == []


# Words of headings and names of code in tables that are broken between two lines.
BROKEN = r"""() => [...document.querySelectorAll("article :is(h1, h2, h3, td code, th code)")].flatMap((part) => {
  const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const word of node.data.matchAll(/\w+/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) found.push(word[0]);
    }
  }
  return found;
})"""


# Code repeats few colours: of each kind of word in sight, one is left to look at.
ONE_OF_EACH = """() => {
  const kinds = new Set();
  for (const word of document.querySelectorAll(".highlight span[class]")) {
    if (!word.checkVisibility()) continue;
    const kind = [word.className, word.closest(".cell_input, .cell_output")?.className].join();
    if (kinds.has(kind)) word.replaceWith(...word.childNodes);
    kinds.add(kind);
  }
}"""


class Visit:
    """What is seen of a page, opened once from disk on a large screen and once from a
    server on a phone.
    """

    def __init__(self, tab, served, results, name):
        self.broken, self.noise = self.on_a_phone(served, name)
        page = tab.open(name)
        tab.typeset()
        self.alts = page.locator("div.cell_output img").evaluate_all(
            "images => images.map(image => image.alt)"
        )
        self.tables = page.locator("div.cell_output table").count()
        page.wait_for_timeout(400)  # boxes that scroll have become reachable
        page.evaluate(ONE_OF_EACH)
        self.faults, self.violations = [], violations(page)
        for scheme in "light", "dark":
            page.emulate_media(color_scheme=scheme)
            page.locator(f"html[data-theme={scheme}]").wait_for()
            if scheme == "dark":
                page.set_viewport_size(dict(zip(("width", "height"), SIZES[0])))
                self.violations += violations(page, runOnly=["color-contrast"])
            for size in SIZES:
                page.set_viewport_size(dict(zip(("width", "height"), size)))
                where = f"{size[0]} {scheme}"
                page.screenshot(path=results / f"{Path(name).name}-{where}.png")
                self.faults += [f"{where}: {fault}" for fault in misplaced(page)]
        if page.locator("mjx-merror").count():
            self.faults.append("a formula is wrong")
        self.faults += tab.errors
        self.weight = sum(
            size for path, size in tab.loaded.items() if "living" not in path.parts
        )

    def on_a_phone(self, served, name):
        """Return the words that are broken on a phone, and what the page complains of."""
        page = served.open(name, SIZES[-1])
        served.typeset()
        return page.evaluate(BROKEN) + misplaced(page), list(served.errors)


def misplaced(page):
    """Return what is not whole at the present size of the window."""
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return (
        ["the page is wider than the screen"] * wide
        + page.evaluate(CUT)
        + page.evaluate(WIDE)
    )


@pytest.fixture(scope="session")
def visit(tab, served, results):
    """A function that returns the `Visit` of a page, the same for all who ask."""
    return functools.cache(functools.partial(Visit, tab, served, results))


@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_at_every_size_in_both_themes(visit, name):
    assert visit(name).faults == []
    assert visit(name).weight < HEAVIEST


@pytest.mark.parametrize("name", PAGES)
def test_no_word_is_broken_on_a_phone(visit, name):
    assert visit(name).broken == []


@pytest.mark.parametrize("name", PAGES)
def test_page_is_quiet_on_a_server(visit, name):
    assert visit(name).noise == []


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible(visit, name):
    """axe-core finds no fault: alt texts, order of headings, names of controls, and the
    contrast in both themes.
    """
    assert visit(name).violations == []


def violations(page, **options):
    """Return what axe-core finds on the page, without looking into frames."""
    options = {"rules": RULES, "resultTypes": ["violations"]} | options
    found = Axe().run(page, options=options | {"iframes": False, "preload": False})
    return [
        f"{fault['id']} ({fault['impact']}): {fault['nodes'][0]['html'][:200]}"
        for fault in found.response["violations"]
    ]


def test_outputs_stand_on_the_pages_own_ground_in_the_dark(tab):
    page = tab.open("notebooks/01_model", scheme="dark")
    grounds = page.locator(".cell_output .text_html").evaluate_all(
        "parts => [...new Set(parts.map(part => getComputedStyle(part).backgroundColor))]"
    )
    assert grounds == ["rgba(0, 0, 0, 0)"]


def test_name_of_the_site_stands_free_above_the_search(tab):
    page = tab.open("notebooks/01_model")
    home = page.locator(".bd-sidebar-primary .site-home")
    picture = Image.open(io.BytesIO(home.screenshot()))
    lower = picture.crop((0, picture.height // 2, *picture.size))
    assert len(lower.convert("RGB").getcolors(10_000)) > 9  # letters, no bare ground


@pytest.mark.parametrize("stem", STEMS)
def test_notebook_shows_its_pictures_with_their_own_descriptions(visit, stem):
    shown = visit(f"notebooks/{stem}").alts
    notebook = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    facts = [output.get("metadata", {}).get("image/png", {}) for output in outputs]
    described = {fact["alt"] for fact in facts if "alt" in fact}
    assert len(shown) > 3 and set(shown) <= described


@pytest.mark.parametrize("stem", STEMS)
def test_tables_of_a_notebook_are_tables(visit, stem):
    notebook = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    data = [output.get("data", {}) for output in outputs]
    tables = sum(
        "|" in part.get("text/markdown", "") or "<table" in part.get("text/html", "")
        for part in data
    )
    assert visit(f"notebooks/{stem}").tables >= tables


# -- the front page and the living pages


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_first_screen_is_alive(tab, results, size):
    """Pad and slider stand on the first screen, whole, and answer within ten seconds of
    opening.
    """
    page = tab.open("index", size)
    for frame, control in (
        ("figure.front-pad iframe", ".vae-pad-overlay"),
        ("figure.front-beta iframe", "input[type=range]"),
    ):
        inside = page.locator(frame).content_frame
        place = inside.locator(control)
        place.wait_for(timeout=10_000)
        before = drawn(inside)
        place.press("ArrowRight")
        place.press("ArrowRight")
        page.wait_for_timeout(300)
        assert drawn(inside) != before
        box = page.locator(frame).bounding_box()
        assert box["y"] + box["height"] <= size[1]
        wide, high = inside.locator("main").evaluate(
            "main => [Math.max(...[...main.querySelectorAll('canvas')]"
            ".map(canvas => canvas.getBoundingClientRect().right)), main.scrollHeight]"
        )
        assert wide <= box["width"] + 1 and high <= box["height"] + 1
    assert page.get_by_text("python3 start.py").first.bounding_box()["y"] < size[1] / 2
    start = page.locator(".front-command a")
    assert start.get_attribute("href") == f"notebooks/{STEMS[0]}.html"
    assert start.bounding_box()["y"] < size[1] / 2
    page.screenshot(path=results / f"front-{size[0]}.png")
    assert tab.errors == []


def test_ring_of_the_front_page_walks_by_itself_until_it_is_held(tab):
    page = tab.open("index")
    inside = page.locator("figure.front-pad iframe").content_frame
    inside.locator(".vae-pad-overlay").wait_for(timeout=10_000)
    before = drawn(inside)
    page.wait_for_timeout(5500)
    rested = drawn(inside)
    assert rested != before
    page.wait_for_timeout(3000)
    assert drawn(inside) == rested
    page.reload()
    inside.locator(".vae-pad-overlay").press("ArrowRight")
    page.wait_for_timeout(300)
    held = drawn(inside)
    page.wait_for_timeout(3000)
    assert drawn(inside) == held


def drawn(frame):
    """Return all canvases of a frame as text."""
    return frame.locator("canvas").evaluate_all(
        "boards => boards.map(board => board.toDataURL()).join()"
    )


def test_front_page_opens_every_door(tab, site):
    page = tab.open("index")
    cards = page.locator(".front-cards li")
    assert cards.count() == len(STEMS)
    for card, stem in zip(cards.all(), STEMS, strict=True):
        assert stem[:2] in card.inner_text() and "min to read" in card.inner_text()
        assert "?" in card.inner_text() and card.locator("img").count() == 1
    links = page.locator(".front a").evaluate_all("a => a.map(a => a.href)")
    doors = ["glossary", "teaching", "benchmarks", "README", "slides/", "living/"]
    doors += ["lab.html"] * (site / "lab.html").exists()
    assert [door for door in doors if not any(door in link for link in links)] == []


def test_living_widgets_of_the_notebooks(tab, site, results):
    """They load when they come into view, fill their frame, follow the theme, answer,
    and lead back.
    """
    living = sorted((site / "living").glob("0*.html"))
    assert living
    for stem in sorted({path.name.rsplit("-", 1)[0] for path in living}):
        page = tab.open(f"notebooks/{stem}")
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        frames = page.locator("figure.alive iframe")
        assert frames.count() == len(list((site / "living").glob(f"{stem}-*.html")))
        for i in range(frames.count()):
            frames.nth(i).scroll_into_view_if_needed()
            inside = frames.nth(i).element_handle().content_frame()
            inside.locator("canvas").first.wait_for()
            for theme in "dark", "light":
                page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
                inside.locator(f":root[data-theme={theme}]").wait_for(timeout=10_000)
            inside.wait_for_function(
                "document.documentElement.scrollHeight <= innerHeight + 1",
                timeout=10_000,
            )
            frames.nth(i).screenshot(path=results / f"alive-{stem}-{i}.png")
        assert tab.errors == []
    for path in living:
        page = tab.open(f"living/{path.stem}")
        back = page.locator("nav a").nth(1).get_attribute("href")
        assert (path.parent / back).exists()
        page.locator("canvas").first.wait_for()
        page.screenshot(path=results / f"{path.stem}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[0][0]
        assert violations(page) == [] and tab.errors == []


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("living/03_beta-1", ".vae-beta-status"),
        ("living/04_manifold-1", ".widget-readout"),
        ("living/04_manifold-2", ".vae-foot"),
        ("lab", "#ink"),
    ],
)
def test_a_control_is_whole_in_one_view_of_a_projector(tab, site, name, last):
    if not (site / f"{name}.html").exists():
        pytest.skip("this site has no laboratory")
    page = tab.open(name, SIZES[1])
    page.locator("canvas").first.wait_for()
    page.wait_for_timeout(1000)
    box = page.locator(last).last.bounding_box()
    assert box["y"] + box["height"] <= SIZES[1][1]


# -- links and the search


def test_links_lead_to_files_and_places(site):
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in site.rglob("*.html")
        if path.relative_to(site).parts[0] not in ("_static", "living", "lab.html")
    }
    places = {
        path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in texts.items()
    }
    broken = []
    for path, text in texts.items():
        for link in re.findall(r'href="([^"]+)"', text):
            target, _, place = link.partition("#")
            if "://" in link or link.startswith(("mailto:", "data:", "{")):
                continue
            file = (path.parent / target.split("?")[0]).resolve() if target else path
            if not file.exists() or place and place not in places.get(file, {place}):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


@pytest.mark.parametrize("word", ["reparameterization", "reparametrization"])
def test_search_finds_us_from_disk_without_errors(tab, word):
    page = tab.open("search", query=word)
    page.locator("#search-results li").first.wait_for()
    page.wait_for_timeout(500)
    assert "02_reparametrization" in page.locator("#search-results").inner_html()
    assert "without excerpts" in page.locator(".search-note").inner_text()
    assert tab.errors == []


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("reparametrization", "notebooks/02_reparametrization.html"),
        ("reparameterization", "notebooks/02_reparametrization.html"),
        ("KL", "docs/glossary.html"),
        ("beta", "notebooks/03_beta.html"),
        ("posterior collapse", "notebooks/03_beta.html"),
        ("manifold", "notebooks/04_manifold.html"),
    ],
)
def test_search_finds_the_page_about_it_first(tab, query, page):
    first = tab.open("search", query=query).locator("#search-results li a").first
    first.wait_for()
    assert first.get_attribute("href").split("#")[0] == page
    assert tab.errors == []


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("varational", "variational"),
        ("autoencodr", "autoencoder"),
        ("postreior colapse", "posterior collapse"),
        ("xqzwvk", None),
    ],
)
def test_search_suggests_words_that_are_nearly_the_same(tab, query, meant):
    said = tab.open("search", query=query).locator("#search-results .search-summary")
    tab.page.get_by_text(f"No page has “{query}”.").wait_for()
    if meant is None:
        assert "Try fewer" in said.inner_text() and said.locator("a").count() == 0
    else:
        assert said.locator("a").first.inner_text() == meant
        said.locator("a").first.click()
        tab.page.locator("#search-results li a").first.wait_for()
    assert tab.errors == []


@pytest.mark.parametrize("place", ["results", "popup"])
def test_magnifier_leaves_the_first_letter_free(tab, results, place):
    if place == "results":
        page = tab.open("search", SIZES[1], query="manifold")
    else:
        page = tab.open("README", SIZES[1])
        page.locator(".search-button-field").first.click()
    form = page.locator("form.bd-search:visible")
    form.locator("input").fill("manifold")
    letters, icon = form.evaluate(
        """form => [form.querySelector("input"), form.querySelector("i")].map(part =>
          [part.getBoundingClientRect(), parseFloat(getComputedStyle(part).paddingLeft)]
        ).map(([box, padding], i) => i ? box.right : box.left + padding)"""
    )
    page.screenshot(path=results / f"search-{place}.png")
    assert icon <= letters


def test_nothing_floats_over_a_page(tab):
    """What stays in place while a page scrolls hides what is below it."""
    page = tab.open("notebooks/03_beta", SIZES[1])
    page.evaluate("scrollTo(0, 4000)")
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(500)
    floating = page.evaluate(
        """() => [...document.querySelectorAll("main *, button")]
          .filter(part => part.checkVisibility() && getComputedStyle(part).position === "fixed")
          .filter(part => part.getBoundingClientRect().left < innerWidth && part.getBoundingClientRect().right > 0)
          .map(part => part.outerHTML.slice(0, 80))"""
    )
    assert floating == []


def test_search_shows_excerpts_on_a_server(served):
    page = served.open("search", query="distortion")
    page.locator(
        "#search-results li p.context, #search-results li .context"
    ).first.wait_for()
    assert page.locator(".search-note").count() == 0
    assert served.errors == []


# -- slides


# What reaches over the edge of the window: [slide, right, bottom].
OVER = """() => Array.from({length: Reveal.getTotalSlides()}, (_, i) => {
  Reveal.slide(i);
  const boxes = [...Reveal.getCurrentSlide().querySelectorAll("*")]
    .filter((part) => !part.closest("mjx-assistive-mml")).map((part) => part.getBoundingClientRect());
  return [i, Math.max(...boxes.map((box) => box.right)), Math.max(...boxes.map((box) => box.bottom))];
}).filter(([, right, bottom]) => right > innerWidth || bottom > innerHeight)"""
# Of each slide, the kinds of its blocks, and how many headings and pictures it has.
PARTS = """() => Array.from({length: Reveal.getTotalSlides()}, (_, i) => {
  Reveal.slide(i);
  const slide = Reveal.getCurrentSlide();
  const count = (kind) => slide.querySelectorAll(kind).length;
  return [[...slide.querySelectorAll(".block")].map((block) => block.className), count("h1, h2"), count("img")];
})"""
SPEAKS = """controls => Array.from({length: Reveal.getTotalSlides()}, (_, i) => {
  Reveal.slide(i);
  const slide = Reveal.getCurrentSlide();
  const link = slide.querySelector("a[href*='living/'], a[href$='lab.html']");
  const texts = [...slide.querySelectorAll(".block:not(.caption, .figure, .code)")].map((block) => block.innerText);
  return link ? [] : texts.filter((text) => new RegExp(controls, "i").test(text));
}).flat()"""


# The slides that hold a few words and nothing else, and no question.
ALONE = """() => Array.from({length: Reveal.getTotalSlides()}, (_, i) => {
  Reveal.slide(i);
  const slide = Reveal.getCurrentSlide();
  const blocks = [...slide.querySelectorAll(".block")];
  const low = Math.max(...blocks.map((block) => block.getBoundingClientRect().bottom)) < 0.32 * innerHeight;
  return blocks.length === 1 && low && !slide.querySelector(".predict, img, table, pre, mjx-container[display]")
    ? [slide.innerText.slice(0, 90)] : [];
}).flat()"""


# Words that are small on the screen: [pixels, kind, text].
TINY = """least => Array.from({length: Reveal.getTotalSlides()}, (_, i) => {
  Reveal.slide(i);
  const scale = Reveal.getScale();
  return [...Reveal.getCurrentSlide().querySelectorAll(".block:not(.code, .output, .table) :is(p, li)")].map((part) => {
    let size = parseFloat(getComputedStyle(part).fontSize) * scale;
    for (let box = part; box; box = box.parentElement) if (box.matches(".fitted")) size *= parseFloat(box.style.zoom || 1);
    return [Math.round(10 * size) / 10, i, part.textContent.slice(0, 50)];
  }).filter(([size]) => size < least);
}).flat()"""


CONTROLS = (
    r"\b(unfold|sliders?|the panel|pad|hover|drag|click|press|toolbar|mouse"
    r"|keyboard|try it|run the notebook)\b"
)


class Deck:
    """What is seen of the slides of a notebook, opened once."""

    def __init__(self, tab, results, name):
        page = open_slides(tab, name)
        self.parts = page.evaluate(PARTS)
        self.alone, self.tiny = page.evaluate(ALONE), page.evaluate(TINY, 14)
        self.of_controls = page.evaluate(SPEAKS, CONTROLS)
        for i in range(0, len(self.parts), 6):
            page.evaluate(f"Reveal.slide({i})")
            page.screenshot(path=results / f"{Path(name).name}-{i}.png")
        self.over = []
        for size in PROJECTORS:
            page.set_viewport_size(dict(zip(("width", "height"), size)))
            page.wait_for_timeout(200)
            self.over += [(size, *place) for place in page.evaluate(OVER)]
        self.errors = list(tab.errors)


def open_slides(tab, name, size=PROJECTORS[1], scheme="light"):
    """Open slides; return the page when they are laid out."""
    page = tab.open(name, size, scheme)
    page.wait_for_function("() => window.Reveal?.isReady()")
    return page


@pytest.fixture(scope="session")
def deck(tab, results):
    """A function that returns the `Deck` of a notebook, the same for all who ask."""
    return functools.cache(functools.partial(Deck, tab, results))


@pytest.mark.parametrize("name", DECKS)
def test_slides_fit_every_projector(deck, name):
    assert deck(name).over == []


@pytest.mark.parametrize("name", DECKS)
def test_slides_have_headings_and_part_no_answer_from_its_question(deck, name):
    """Each has one heading; a question stands last on its slide."""
    faults = []
    for i, (kinds, headings, _) in enumerate(deck(name).parts):
        asks = [n for n, kind in enumerate(kinds) if "predict" in kind]
        if asks and asks[-1] != len(kinds) - 1 or not kinds:
            faults.append((i, kinds))
        if headings != 1 or "caption" in kinds[:1]:
            faults.append((i, "no heading, or a caption without its figure"))
    assert faults == []
    assert len(deck(name).parts) > 12
    assert sum(images for *_, images in deck(name).parts) > 2
    assert deck(name).errors == []


@pytest.mark.parametrize("name", DECKS)
def test_slides_speak_of_controls_only_beside_a_living_page(deck, name):
    assert deck(name).of_controls == []


@pytest.mark.parametrize("name", DECKS)
def test_no_sentence_has_a_slide_of_its_own(deck, name):
    assert deck(name).alone == []


@pytest.mark.parametrize("name", DECKS)
def test_words_of_slides_are_large_enough_to_read(deck, name):
    assert deck(name).tiny == []


@pytest.mark.parametrize(
    ("scheme", "chosen", "dark"),
    [("light", None, False), ("dark", None, True), ("light", "dark", True)]
    + [("dark", "light", False), ("dark", "auto", True)],
)
def test_slides_follow_the_readers_theme(tab, results, scheme, chosen, dark):
    page = open_slides(tab, DECKS[1], scheme=scheme)
    if chosen:
        page.evaluate(f"localStorage.setItem('mode', '{chosen}')")
        page.reload()
        page.wait_for_function("() => window.Reveal?.isReady()")
    page.evaluate(
        """() => { localStorage.clear();
          const first = document.querySelector(".slides section td").closest("section");
          const { h, v } = Reveal.getIndices(first); Reveal.slide(h, v); }"""
    )
    ground, ink = page.evaluate(
        """() => [getComputedStyle(document.body).backgroundColor,
          getComputedStyle(document.querySelector("section.present td")).color]
          .map((colour) => Number(colour.match(/\\d+/)[0]))"""
    )
    page.screenshot(path=results / f"slides-{scheme}-{chosen}.png")
    assert (ground < 60, ink > 190) == (dark, dark)
    contrast = Axe().run(page, options={"runOnly": ["color-contrast"]})
    assert contrast.response["violations"] == []


@pytest.mark.parametrize("size", PROJECTORS, ids=str)
def test_arrows_leave_the_number_of_the_slide_free(tab, size):
    page = open_slides(tab, DECKS[0], size)
    page.evaluate("Reveal.slide(10)")
    boxes = [
        page.locator(part).bounding_box()
        for part in (".slide-number", ".navigate-left", ".navigate-right", ".deck")
    ]
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert (
                one["x"] + one["width"] <= other["x"]
                or other["x"] + other["width"] <= one["x"]
            )


@pytest.mark.parametrize("name", DECKS)
def test_slides_are_a_page_that_scrolls_on_a_phone(tab, results, name):
    page = tab.open(name, SIZES[-1])
    page.locator(".reveal.scrolling:not(.measuring)").wait_for()
    for size in SIZES[-1], SIZES[-1][::-1]:
        page.set_viewport_size(dict(zip(("width", "height"), size)))
        page.screenshot(path=results / f"{Path(name).name}-phone-{size[0]}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.evaluate("document.documentElement.scrollHeight") > 5 * size[1]
        small = page.locator(".block :is(p, li, td, pre)").evaluate_all(
            "parts => parts.filter(part => parseFloat(getComputedStyle(part).fontSize) < 14).length"
        )
        assert small == 0
    assert tab.errors == []
    answer = page.locator("details.answer").first
    if answer.count():
        assert not answer.locator("p").first.is_visible()
        answer.locator("summary").click()
        assert answer.locator("p").first.is_visible()


@pytest.mark.parametrize("name", DECKS)
def test_slides_are_the_core(site, name):
    text = (site / f"{name}.html").read_text(encoding="utf-8")
    headings = re.findall(r"<h2>(.*?)</h2>", text)
    assert not [h for h in headings if re.match("Going deeper|Exercises|References", h)]
    part = Text()
    part.feed(re.sub(r"\$\$?.*?\$\$?", "", text, flags=re.DOTALL))
    assert raw("".join(part.parts)) == []


def test_slides_offer_choices_and_lead_to_living_pages(site):
    texts = [(site / f"{name}.html").read_text(encoding="utf-8") for name in DECKS]
    assert any('<ol type="a">' in text for text in texts)
    linked = {
        page for text in texts for page in re.findall(r"living/([\w-]+\.html)", text)
    }
    assert linked and all((site / "living" / page).exists() for page in linked)


# -- the builder


@pytest.mark.parametrize("content", ["file", "folder", "another site"])
def test_builder_refuses_what_is_not_a_site(tmp_path, content):
    place = tmp_path / "precious"
    if content == "file":
        place.write_text("mine", encoding="utf-8")
    else:
        place.mkdir()
        name = "searchindex.js" if content == "another site" else "mine.txt"
        (place / name).write_text("mine", encoding="utf-8")
    command = [sys.executable, ROOT / "docs/build.py", "--out", place]
    refused = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert refused.returncode == 1
    assert re.fullmatch(
        r".*precious.*: name a .*folder after --out\.\n", refused.stderr
    )
    assert place.exists()

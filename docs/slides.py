"""Slides of a notebook for the projector: its questions, formulas, figures and answers,
one thought per slide.

The structure of the notebook decides what becomes a slide; theme/slides.js, which sees
the slides, decides when one is full.
"""

import html
import re
from pathlib import Path
from string import Template

import nbformat
from nbconvert.filters import Highlight2HTML, markdown2html
from nbconvert.filters.ansi import strip_ansi

THEME = Path(__file__).resolve().parent / "theme"
PICTURE_WIDTH = 1.7  # pixels of a slide for each of a figure
SOURCE_LINES = 16  # the longest code that is shown
LABORATORY = {
    "address": "../lab.html",
    "title": "The laboratory: train one in this browser",
}
WIDGET = "application/vnd.jupyter.widget-view+json"
HIDDEN = {"assert", "check", "hide-input", "hide-cell", "remove-input", "remove-cell"}
PLUMBING = re.compile(
    r"^(import|from) |figures(_\d\d)?\.|Markdown\(|\bassert\b|set_random_seed", re.M
)
NAVIGATION = re.compile(r"^\[About the series\].*$", re.MULTILINE)
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
LINK = re.compile(r"\[([^]]+)\]\((?![a-z]+:)([^)]+)\)")  # to places of the series
PICTURE = re.compile(r"!\[([^]]*)\]\(attachment:([^)]+)\)")
LEFT_OUT = re.compile(
    r"#+ (Going deeper|Optional|Exercises|References|Keeping a model)"
)
MARK = re.compile(r"\s*# NBVAL_\w+")  # for the tests only
ANSWER = re.compile(r"<details>\s*<summary>.*?</summary>(.*?)</details>", re.DOTALL)
CONTROLS = re.compile(  # what a reader of the notebook has at hand, and a slide has not
    r"\b(unfold|sliders?|panel|pad|hover|drag|click|press|button|toolbar|mouse|keyboard"
    r"|try it|run the notebook)\b",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"(?:(?<=[.?!:])|(?<=[.?!][)*]))\s+(?=[A-Z`$(*])")
DEFINES = re.compile(r"\*\w|^```")  # text that names a thing, or draws it
SHOWN = {"formula", "list", "table", "code", "figure", "output"}


def parts(source):
    """Return a markdown source in parts: headings, paragraphs, lists, quotations,
    formulas, tables.
    """
    blocks, block, fence = [], [], False
    for line in source.splitlines():
        fence ^= line.startswith("```") or line.strip() == "$$"
        heading = line.startswith("#") and not fence
        if (heading or not line.strip()) and not fence and block:
            blocks.append("\n".join(block))
            block = []
        if line.strip() or fence:
            block.append(line)
        if heading:
            blocks.append("\n".join(block))
            block = []
    return blocks + ["\n".join(block)] * bool(block)


def kind_of(part):
    """Return the kind of a part of markdown."""
    bare = part.lstrip("> ")
    if part.startswith("#"):
        return "heading"
    for name, mark in {
        "predict": "**Predict",
        "sentence": "**In one sentence",
        "pitfall": "**Pitfall",
        "question": "**The question",
    }.items():
        if bare.startswith(mark):
            return name
    if part.startswith(">"):
        return "aside"
    if part.startswith("$$"):
        return "formula"
    if PICTURE.fullmatch(part):
        return "picture"
    if re.match(r"(- |\* |1\. )", part):
        return "list"
    if part.startswith("|"):
        return "table"
    if re.fullmatch(r"(\*[^*].*\*|_[^_].*_)", part, re.DOTALL):
        return "caption"
    return "leading" if part.rstrip().endswith(":") else "text"


def written(markdown):
    """Return markdown as HTML, without links into the series, which a slide has no use
    for.
    """
    return markdown2html(LINK.sub(r"\1", markdown))


def block(kind, content, **marks):
    """Return a block of a slide; `marks` tell theme/slides.js what to keep together and
    where to break.
    """
    data = "".join(f' data-{name}="{value}"' for name, value in marks.items())
    return f'<div class="block {kind}"{data}>{content}</div>'


def without_controls(text):
    """Return a paragraph without sentences that speak of controls, and without all of
    it where its first does, which the others go on from.
    """
    sentences = SENTENCE.split(text)
    if CONTROLS.search(sentences[0]):
        return ""
    return " ".join(part for part in sentences if not CONTROLS.search(part))


def without_end(text):
    """Return a paragraph without its last sentence, which leads to nothing."""
    return " ".join(SENTENCE.split(text)[:-1])


class Block:
    """A block of a slide: its kind, its HTML, its marks, the markdown of text that may
    have to change, because of what comes after it, and the living page that it shows.
    """

    def __init__(self, kind, content, marks, text="", page=None):
        self.kind, self.content, self.marks = kind, content, marks
        self.text, self.page = text, page

    def html(self):
        return block(self.kind, self.content, **self.marks)


def mended(blocks, pages):
    """Return the blocks of a group, where text speaks only of what stands on a slide.

    Text about a control stays where the living page comes next, or has a link to that
    page, or is left out; so is a last sentence that ends in a colon before nothing.
    """
    made = []
    for here, after in zip(blocks, [*blocks[1:], None], strict=True):
        text, word = here.text, CONTROLS.search(here.text)
        page = page_of(word[0], pages) if word else None
        next_page = here.kind == "text" and after and after.page
        if word and next_page:
            here.marks["keep"] = 1
        elif next_page and re.search(r"\bbelow\b", text):
            here.content += link_to(after.page)
        elif page:
            here.content += link_to(page)
        elif word:
            text = without_controls(text)
        leads = here.kind == "text" and text.rstrip().endswith(":")
        if leads and not (after and after.kind.split()[0] in SHOWN):
            text = without_end(text)
        if text != here.text:
            here.content = written(text)
            if not text.rstrip().endswith(":"):
                here.marks.pop("keep", None)
        if text or not here.text:
            made.append(here)
    return made


def link_to(page):
    """Return a link to a living page, to stand beside text that speaks of it."""
    title = html.escape(re.split("[:,]", page["title"])[0])
    return f'<p class="to-living"><a href="../living/{page["file"]}">{title}</a></p>'


def page_of(word, pages):
    """Return the living page that a word for a control names, or None."""
    named = [page for page in pages if re.search(rf"\b{word}\b", page["title"], re.I)]
    return named[0] if named else None


class Deck:
    """The slides of one notebook while they are built: groups of blocks, each group
    under its heading; `pages` are its living pages.
    """

    def __init__(self, pages=()):
        self.groups, self.level, self.depth, self.led = [], None, 0, True
        self.pages = list(pages)

    @property
    def inside(self):
        """Whether the present group is a section, and not the notebook's opening."""
        return bool(self.groups) and self.groups[-1][0] > 1

    def begin(self, heading):
        """Begin a group under a heading, or leave out what comes under it."""
        depth = len(heading) - len(heading.lstrip("#"))
        if self.level and depth > self.level:
            return
        self.level = depth if LEFT_OUT.match(heading) else None
        if not self.level:
            self.groups.append((depth, written(heading.lstrip("# ")), []))
            self.led = False

    def add(self, kind, content, page=None, **marks):
        """Add a block to the present group; `page` is the living page that it shows."""
        if not self.level and self.groups:
            self.groups[-1][2].append(Block(kind, content, marks, page=page))

    def add_text(self, kind, text, **marks):
        """Add a block of markdown, which may have to change for the slide."""
        if not self.level and self.groups:
            self.groups[-1][2].append(Block(kind, written(text), marks, text))

    def html(self):
        """Return the groups as HTML."""
        whole = []
        for depth, title, blocks in self.groups:
            blocks = [part.html() for part in mended(blocks, self.pages)]
            if depth == 1 or blocks:
                name = re.sub(r"^<p>|</p>$", "", title.strip())
                heading = f"<h{min(depth, 2)}>{name}</h{min(depth, 2)}>"
                content = heading + "".join(blocks)
                whole.append(
                    f'<section class="group depth-{depth}">{content}</section>'
                )
        return "\n".join(whole)


def add_markdown(deck, cell, figure):
    """Add a markdown cell to the deck: what leads on, asks, defines and concludes."""
    found = parts(FOLDED.sub("", NAVIGATION.sub("", cell.source)))
    for i, part in enumerate(found):
        kind = kind_of(part)
        following = kind_of(found[i + 1]) if i + 1 < len(found) else "cell"
        before = kind_of(found[i - 1]) if i else "cell"
        if kind == "heading":
            deck.begin(part)
        elif kind == "picture":
            alt, name = PICTURE.fullmatch(part).groups()
            deck.add(
                "figure", picture(cell.attachments[name]["image/png"], {"alt": alt})
            )
        elif kind == "caption" and (before == "picture" or i == 0 and figure):
            deck.add("caption", written(part), join=1)
        elif kind == "predict":
            deck.add_text("predict", part.lstrip("> ").replace("\n> ", "\n"), last=1)
        elif kind in ("sentence", "pitfall", "question", "formula", "table"):
            deck.add(kind, written(part))
        elif (
            kind == "list" and following != "heading" or kind == "list" and not deck.led
        ):
            deck.add("list", written(part))
        elif kind == "leading" and following in ("formula", "list", "table", "cell"):
            deck.add_text("text", part, keep=1)
        elif kind == "text" and (
            not deck.led
            or following == "list"
            or deck.inside
            and (
                {following, before} & {"formula", "list", "predict"}
                or DEFINES.search(part)
            )
        ):
            about = figure and i == 0 and re.match(r"\*[^*]", part)  # the figure
            leads = following == "list" and not deck.inside
            marks = {"join": 1} if about else {"keep": 1} if leads else {}
            deck.add_text("text", part, **marks)
        deck.led = deck.led or kind in ("text", "leading", "predict", "list")


def add_code(deck, cell, page, lab):
    """Add a code cell to the deck; return whether it shows a figure, which a caption
    may follow. `lab` tells whether there is a laboratory.
    """
    tags, figure = set(cell.metadata.get("tags", [])), False
    lines = len(cell.source.splitlines())
    idea = tags & {"shown", "slide"} and lines <= SOURCE_LINES
    small = lines <= 4 and cell.outputs and not PLUMBING.search(cell.source)
    widget = any(WIDGET in output.get("data", {}) for output in cell.outputs)
    if (idea or small and not widget) and not tags & HIDDEN:
        highlighted = Highlight2HTML(pygments_lexer="python")(MARK.sub("", cell.source))
        deck.add("code", highlighted, **({"keep": 1} if cell.outputs else {}))
    if tags & {"assert", "check"}:
        return False
    for output in joined(cell.outputs):
        data = output.get("data", {})
        facts = output.get("metadata", {}).get("image/png", {})
        if WIDGET in data:
            trains = lab and "TrainingPanel" in cell.source
            figure = add_widget(deck, data, facts, LABORATORY if trains else page)
        elif "image/png" in data:
            deck.add("figure", picture(data["image/png"], facts))
            figure = True
        elif "text/html" in data and "<table" in data["text/html"]:
            deck.add(
                "table",
                re.sub(r"<style.*?</style>", "", data["text/html"], flags=re.DOTALL),
            )
            figure = True
        elif "text/markdown" in data:
            deck.add("table", written(data["text/markdown"]))
            figure = True
        elif text := output.get("text") or data.get("text/plain"):
            if "%|" not in text and " % |" not in text:  # a progress bar
                deck.add(
                    "output", f"<pre>{html.escape(strip_ansi(text).rstrip())}</pre>"
                )
    return figure


def joined(outputs):
    """Return a cell's outputs with what was printed in several pieces as one."""
    whole = []
    for output in outputs:
        if (
            output.output_type == "stream"
            and whole
            and whole[-1].output_type == "stream"
        ):
            whole[-1]["text"] += output.text
        else:
            whole.append(output.copy())
    return whole


def picture(data, facts):
    """Return a PNG as HTML, with its description."""
    width = (
        f' style="width: {PICTURE_WIDTH * facts["width"]:.0f}px"'
        if "width" in facts
        else ""
    )
    alt = html.escape(facts.get("alt", ""), quote=True)
    data = "".join(data).replace("\n", "")
    return f'<img src="data:image/png;base64,{data}" alt="{alt}"{width}>'


def add_widget(deck, data, facts, page):
    """Add a guess as its question and choices, then, on the next slide, its answer; or
    a picture, with a link to its living page where it has one. Return whether that is
    a figure without a page, which a caption may follow.
    """
    asked = data.get("text/html", "")
    shown = picture(data["image/png"], facts) if "image/png" in data else ""
    if answer := ANSWER.search(asked):
        question = re.sub(r"<b>Your guess\.</b>\s*", "", ANSWER.sub("", asked))
        deck.add("predict", question, join=1, last=1)
        deck.add("answer", f"<p><b>The answer.</b> {answer[1].strip()}</p>")
    elif asked and "<li>" in asked:
        deck.add("predict", asked, join=1, last=1)
    elif page:
        address = page.get("address") or f"../living/{page['file']}"
        title = html.escape(page["title"])
        link = f'<a href="{address}">{shown}<span>{title}</span></a>'
        deck.add("figure living", link, page if "file" in page else None)
    elif shown:
        deck.add("figure", shown)
    return bool(shown and not asked and page in (None, LABORATORY))


def slides_html(path, pages=None, lab=False):
    """Return the notebook at `path` as HTML slides; `pages` are its living pages, by
    the number of their cell, and `lab` tells whether there is a laboratory.
    """
    pages = pages or {}
    notebook, figure = nbformat.read(path, as_version=4), False
    deck = Deck(pages.values())
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            add_markdown(deck, cell, figure)
            figure = False
        elif cell.cell_type == "code" and not deck.level:
            figure = add_code(deck, cell, pages.get(number), lab)
    title = re.sub("<[^>]+>", "", deck.groups[0][1]).strip()
    return Template((THEME / "slides.html").read_text("utf-8")).substitute(
        title=title,
        number=path.stem[:2],
        stem=path.stem,
        slides=deck.html(),
        style=(THEME / "slides.css").read_text("utf-8"),
        script=(THEME / "slides.js").read_text("utf-8"),
    )

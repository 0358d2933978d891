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
WIDGET = "application/vnd.jupyter.widget-view+json"
HIDDEN = {"assert", "check", "hide-input", "hide-cell", "remove-input", "remove-cell"}
PLUMBING = re.compile(
    r"^(import|from) |figures\.|Markdown\(|\bassert\b|set_random_seed", re.M
)
NAVIGATION = re.compile(r"^\[About the series\].*$", re.MULTILINE)
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
LINK = re.compile(r"\[([^]]+)\]\((?![a-z]+:)([^)]+)\)")  # to places of the series
LEFT_OUT = re.compile(
    r"#+ (Going deeper|Optional|Exercises|References|Keeping a model)"
)
MARK = re.compile(r"\s*# NBVAL_\w+")  # for the tests only
ANSWER = re.compile(r"<details>\s*<summary>.*?</summary>(.*?)</details>", re.DOTALL)


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


class Deck:
    """The slides of one notebook while they are built: groups of blocks, each group
    under its heading.
    """

    def __init__(self):
        self.groups, self.level, self.depth, self.led = [], None, 0, True

    def begin(self, heading):
        """Begin a group under a heading, or leave out what comes under it."""
        depth = len(heading) - len(heading.lstrip("#"))
        if self.level and depth > self.level:
            return
        self.level = depth if LEFT_OUT.match(heading) else None
        if not self.level:
            self.groups.append((depth, written(heading.lstrip("# ")), []))
            self.led = False

    def add(self, kind, content, **marks):
        """Add a block to the present group."""
        if not self.level and self.groups:
            self.groups[-1][2].append(block(kind, content, **marks))

    def html(self):
        """Return the groups as HTML."""
        whole = []
        for depth, title, blocks in self.groups:
            if depth == 1 or blocks:
                name = re.sub(r"^<p>|</p>$", "", title.strip())
                heading = f"<h{min(depth, 2)}>{name}</h{min(depth, 2)}>"
                content = heading + "".join(blocks)
                whole.append(
                    f'<section class="group depth-{depth}">{content}</section>'
                )
        return "\n".join(whole)


def add_markdown(deck, source, figure):
    """Add a markdown cell to the deck: what leads on, asks, defines and concludes."""
    found = parts(FOLDED.sub("", NAVIGATION.sub("", source)))
    for i, part in enumerate(found):
        kind = kind_of(part)
        following = kind_of(found[i + 1]) if i + 1 < len(found) else "cell"
        if kind == "heading":
            deck.begin(part)
        elif kind == "caption" and i == 0 and figure:
            deck.add("caption", written(part), join=1)
        elif kind == "predict":
            deck.add(
                "predict", written(part.lstrip("> ").replace("\n> ", "\n")), last=1
            )
        elif kind in ("sentence", "pitfall", "question", "formula", "table"):
            deck.add(kind, written(part))
        elif (
            kind == "list" and following != "heading" or kind == "list" and not deck.led
        ):
            deck.add("list", written(part))
        elif kind == "leading" and following in ("formula", "list", "table", "cell"):
            deck.add("text", written(part), keep=1)
        elif kind == "text" and not deck.led:
            deck.add("text", written(part))
        deck.led = deck.led or kind in ("text", "leading", "predict", "list")


def add_code(deck, cell, page):
    """Add a code cell to the deck; return whether it shows a figure, which a caption
    may follow.
    """
    tags, figure = set(cell.metadata.get("tags", [])), False
    lines = len(cell.source.splitlines())
    idea = "shown" in tags and lines <= SOURCE_LINES
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
            add_widget(deck, data, facts, page)
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
    a link to a living page.
    """
    asked = data.get("text/html", "")
    if answer := ANSWER.search(asked):
        question = re.sub(r"<b>Your guess\.</b>\s*", "", ANSWER.sub("", asked))
        deck.add("predict", question, join=1, last=1)
        deck.add("answer", f"<p><b>The answer.</b> {answer[1].strip()}</p>")
    elif asked and "<li>" in asked:
        deck.add("predict", asked, join=1, last=1)
    elif page:
        address = f"../living/{page['file']}"
        shown = picture(data["image/png"], facts) if "image/png" in data else ""
        deck.add(
            "figure living",
            f'<a href="{address}">{shown}<span>{html.escape(page["title"])}</span></a>',
        )


def slides_html(path, pages=None):
    """Return the notebook at `path` as HTML slides; `pages` are its living pages, by
    the number of their cell.
    """
    notebook, deck, figure = nbformat.read(path, as_version=4), Deck(), False
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            add_markdown(deck, cell.source, figure)
            figure = False
        elif cell.cell_type == "code" and not deck.level:
            figure = add_code(deck, cell, (pages or {}).get(number))
    title = re.sub("<[^>]+>", "", deck.groups[0][1]).strip()
    return Template((THEME / "slides.html").read_text("utf-8")).substitute(
        title=title,
        number=path.stem[:2],
        stem=path.stem,
        slides=deck.html(),
        style=(THEME / "slides.css").read_text("utf-8"),
        script=(THEME / "slides.js").read_text("utf-8"),
    )

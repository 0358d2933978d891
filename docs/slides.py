"""Slides of a notebook for the projector, by nbconvert: what is put on a slide, and what is left to the notebook."""

import re
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from traitlets.config import Config

FOLDER = Path(__file__).resolve().parent
FULL = 18  # lines of text that a slide holds
WIDTH = 82  # characters in a line
WIDGET = "application/vnd.jupyter.widget-view+json"
NAVIGATION = re.compile(r"^\[About the series\].*$\n*", re.MULTILINE)
LINK = re.compile(
    r"\]\(([\w./]+)\.(?:ipynb|md)"
)  # on the site the same places end in .html
LEFT_OUT = ("## References", "## Exercises")  # and all that follows in the section


def parts(source):
    """Return a markdown source in parts, each of which begins with a heading or is one paragraph."""
    blocks, block, fence = [], [], False
    for line in source.splitlines():
        fence ^= line.startswith("```")
        heading = line.startswith("#") and not fence
        if (heading or not line.strip()) and not fence and block:
            blocks.append("\n".join(block))
            block = []
        if line.strip() or fence:
            block.append(line)
    return blocks + ["\n".join(block)] * bool(block)


def lines_of(cell):
    """Return about how many lines of text a cell takes on a slide."""
    if cell.cell_type == "markdown":
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if cell.source.startswith(("|", "```", "$$", "-", "1.")):
            return 0.9 * sum(1 + len(line) // (1.3 * WIDTH) for line in lines) + 1
        return (
            1
            + sum(map(len, lines)) / WIDTH
            + 1.2 * cell.source.startswith("#")
            + 2 * cell.source.startswith("# ")
        )
    shown = (
        0 if "transient" in cell.metadata else 0.75 * len(cell.source.splitlines()) + 1
    )
    for output in cell.outputs:
        data, metadata = (
            output.get("data", {}),
            output.get("metadata", {}).get("image/png", {}),
        )
        if "image/png" in data:
            shown += min(460, 1.6 * metadata.get("height", 320)) / 36
        else:
            text = (
                output.get("text")
                or data.get("text/markdown")
                or data.get("text/plain")
                or ""
            )
            shown += (1.4 if {"text/html", "text/markdown"} & set(data) else 0.9) * len(
                str(text).splitlines()
            ) + 0.5
    return shown


def cells_of(notebook):
    """Yield the cells that go onto slides: prose in paragraphs, code that is shown, and what the rest puts out."""
    skip = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for part in parts(LINK.sub(r"](\1.html", NAVIGATION.sub("", cell.source))):
                if re.match("##? ", part):
                    skip = part.startswith(LEFT_OUT)
                if not skip and part.strip():
                    yield nbformat.v4.new_markdown_cell(part)
        elif cell.cell_type == "code" and not skip:
            if (
                "shown" not in cell.metadata.get("tags", [])
                and len(cell.source.splitlines()) > 4
                or not_idea(cell)
            ):
                if not cell.outputs:
                    continue
                cell.metadata["transient"] = {"remove_source": True}
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET, None)
            yield cell


def not_idea(cell):
    """Whether a cell draws, imports or makes a table: what it puts out is the slide, not its source."""
    return cell.source.startswith("import ") or any(
        word in cell.source for word in ("figures.", "Markdown(")
    )


def for_slides(notebook):
    """Return a notebook whose cells say where slides begin: at headings, and where one is full."""
    cells, filled = [], FULL
    for cell in cells_of(notebook):
        lines = lines_of(cell)
        top = cell.cell_type == "markdown" and re.match("##? ", cell.source)
        deeper = cell.cell_type == "markdown" and cell.source.startswith("###")
        if top:
            kind, filled = "slide", lines
        elif deeper and filled > 2 or filled + lines > FULL:
            kind, filled = "subslide", lines
        else:
            kind, filled = "-", filled + lines
        cell.metadata["slideshow"] = {"slide_type": kind}
        cells.append(cell)
    for last, cell in zip(cells, cells[1:]):  # no heading alone at the end of a slide
        heading = (
            last.cell_type == "markdown"
            and last.source.startswith("#")
            and "\n" not in last.source
        )
        if (
            heading
            and last.metadata["slideshow"]["slide_type"] == "-"
            and cell.metadata["slideshow"]["slide_type"] != "-"
        ):
            last.metadata["slideshow"], cell.metadata["slideshow"] = (
                cell.metadata["slideshow"],
                last.metadata["slideshow"],
            )
    notebook.cells = cells
    return notebook


def slides_html(path, reveal, mathjax):
    """Return the notebook at `path` as HTML slides; `reveal` and `mathjax` say where these are, from the page."""
    exporter = SlidesExporter(
        config=Config(),
        template_name="slides",
        extra_template_basedirs=[str(FOLDER / "theme")],
    )
    exporter.reveal_url_prefix, exporter.reveal_theme, exporter.mathjax_url = (
        reveal,
        "white",
        mathjax,
    )
    notebook = for_slides(nbformat.read(path, as_version=4))
    title = next(
        cell.source for cell in notebook.cells if cell.source.startswith("# ")
    )[2:]
    notebook.metadata["title"] = title
    return exporter.from_notebook_node(notebook)[0]

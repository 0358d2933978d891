"""The website: a front page, the notebooks with their stored outputs, guide and
glossary. docs/build.py makes it.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

from docutils import nodes

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))
import cards  # noqa: E402
import words  # noqa: E402

NOTEBOOKS = sorted((ROOT / "notebooks").glob("0*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
FOLDED = {"assert", "check"}  # tags of cells that check and do not teach

project = "Variational autoencoders"
author = "the authors of vae_lib"
html_title = "Variational autoencoders"
language = "en"
root_doc = "README"
extensions = ["myst_nb"]
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "data/README.md",
    "docs/*.md",
    "notebooks/0*.ipynb",
    "notebooks/solutions/*.ipynb",
]
exclude_patterns = ["**/.ipynb_checkpoints", ".venv"]  # not walked through
templates_path = ["theme/templates"]

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"
nb_render_markdown_format = "myst"  # tables that cells put out are tables
# where no kernel runs, a widget is the picture or the text beside it
nb_mime_priority_overrides = [
    ("html", "application/vnd.jupyter.widget-view+json", None),
    ("html", "image/png", 1),
    ("html", "text/html", 2),
]
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]

html_theme = "sphinx_book_theme"
html_theme_options = {
    "navbar_persistent": [],  # the side bar has a search box already
    "use_download_button": False,
    "use_fullscreen_button": False,
    "back_to_top_button": False,  # it would float over what is to be read and moved
    "show_toc_level": 2,
    "article_header_end": ["article-header-buttons.html"],
}
html_additional_pages = {"index": "front.html"}
html_sidebars = {
    "**": [
        "home.html",
        "search-button-field.html",
        "sbt-sidebar-nav.html",
        "more.html",
    ],
    "index": [],
}
html_context = {
    "default_mode": "auto",  # light or dark, as the reader's system has it
    "cards": [cards.card(path) for path in NOTEBOOKS],
    "alive": tags.has("alive"),  # noqa: F821
    "lab": tags.has("lab"),  # noqa: F821
    "trial": tags.has("trial"),  # noqa: F821
}
html_static_path = ["theme/static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_search_scorer = str(ROOT / "docs" / "theme" / "search.js")
html_favicon = "theme/static/icon.svg"
html_copy_source = False
html_show_sourcelink = False
mathjax_path = "tex-chtml.js"  # build.py puts it there

CONTENTS = """

```{{toctree}}
:hidden:
:caption: The notebooks

{notebooks}
```

```{{toctree}}
:hidden:
:caption: For learners and teachers

Glossary <docs/glossary>
Teacher's guide <docs/teaching>
```

```{{toctree}}
:hidden:
:caption: Solutions

{solutions}
```

```{{toctree}}
:hidden:
:caption: The series

About the series <self>
Benchmarks <docs/benchmarks>
{others}
```
"""
FOLDER = re.compile(r"\[([^]]+)\]\([^():#]+/\)")  # a link that no page can follow
WIDGET = "application/vnd.jupyter.widget-view+json"
FRAME = """<figure class="alive">
<figcaption>Alive on this page, without a kernel:
<a href="{page}">{title}</a></figcaption>
<iframe data-src="{page}" title="{title}" loading="lazy"></iframe></figure>"""


def listed(paths):
    """Return lines of a table of contents for notebooks, each with its number and its
    title.
    """
    lines = [
        f"{path.stem[:2]} {cards.title(path)} "
        f"<{path.relative_to(ROOT).with_suffix('')}>"
        for path in paths
    ]
    return "\n".join(line.replace("`", "") for line in lines)


def add_contents(app, name, source):
    """Add the table of contents to the README and slides and living widgets to the
    notebooks.
    """
    source[0] = FOLDER.sub(r"\1", source[0])
    if name == "README":
        others = {
            "data/README": "The data",
            "CONTRIBUTING": "Contributing",
            "CHANGELOG": "Changes",
        }
        source[0] += CONTENTS.format(
            notebooks=listed(NOTEBOOKS),
            solutions=listed(SOLUTIONS),
            others="\n".join(
                f"{title} <{page}>"
                for page, title in others.items()
                if (ROOT / f"{page}.md").exists()
            ),
        )
    elif (
        name == "docs/glossary"
    ):  # its anchors are for JupyterLab; here headings have them
        source[0] = re.sub(r'<a id="[\w-]+"></a>\n\n', "", source[0])
    elif name == "docs/teaching":
        source[0] = with_site_links(source[0], tags.has("lab"))  # noqa: F821
    elif name.startswith("notebooks/"):
        notebook = json.loads(source[0])
        living = living_pages(app)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                prepare(cell)
            for file, data in cell.get("attachments", {}).items():
                address = f"data:image/png;base64,{data['image/png']}"
                text = "".join(cell["source"])
                cell["source"] = text.replace(f"attachment:{file}", address)
        if name.count("/") == 1:
            notebook["cells"] = list(with_extras(notebook, Path(name).name, living))
        source[0] = json.dumps(notebook)


def with_site_links(guide, lab):
    """Return the teacher's guide with links to what only the site has: the laboratory,
    and the slides of each notebook below its heading.
    """
    if lab:
        address = '<a href="../lab.html">`lab.html`</a>'
        guide = guide.replace("`lab.html`", address)
    for path in NOTEBOOKS:
        heading = rf"^### Notebook {path.stem[:2]}:.*$"
        link = f'<a href="../slides/{path.stem}.html">Slides of this notebook</a>'
        page = f"[the notebook](../notebooks/{path.name})"
        guide = re.sub(heading, rf"\g<0>\n\n{link} · {page}", guide, flags=re.MULTILINE)
    return guide


def living_pages(app):
    """Return {notebook: [what is known of a living page]}, as docs/build.py wrote it
    down.
    """
    return (
        json.loads(Path(app.config.living).read_text("utf-8"))
        if app.config.living
        else {}
    )


def prepare(cell):
    """Fold a cell of code that checks, leave out marks for the tests, and name its
    pictures for screen readers.
    """
    tags = cell["metadata"].get("tags", [])
    if FOLDED & set(tags):
        cell["metadata"]["tags"] = [*tags, "hide-cell"]
    cell["source"] = re.sub(r"\s*# NBVAL_\w+", "", "".join(cell["source"]))
    for output in cell["outputs"]:
        if picture := output.get("data", {}).get("image/png"):
            facts = output["metadata"].setdefault("image/png", {})
            width, height = cards.png_size("".join(picture))
            size = {
                "width": facts.get("width", width),
                "height": facts.get("height", height),
            }
            image = {name: f"{pixels}px" for name, pixels in size.items()}
            cell["metadata"]["mystnb"] = {
                "image": image | {"alt": facts.get("alt", "")}
            }


def add_keywords(app, doctree):
    """Let the search find a page by other words for its subject."""
    text = doctree.astext()
    for pattern, same in words.SAME.items():
        if re.search(pattern, text, re.IGNORECASE):
            doctree.append(nodes.meta(name="keywords", content=", ".join(same)))


def add_weights(app, fault):
    """Write in front of the index of the search how much each page is about a word, and
    the words to suggest instead of misspelt ones.
    """
    if fault or not getattr(app.builder, "indexer", None):
        return
    language, pages = app.builder.indexer.lang, sorted(app.env.found_docs)

    def split(texts):
        return filter(str.isalpha, language.split(" ".join(texts).lower()))

    def count(texts):
        return Counter(map(language.stem, split(texts)))

    counts = []  # of each page: in its text, in headings, in its title
    whole = []  # of each page: whole words
    for page in pages:
        doctree = app.env.get_doctree(page)
        texts = [
            text.astext()
            for text in doctree.findall(nodes.Text)
            if not isinstance(text.parent, nodes.raw)
        ]
        titles = [title.astext() for title in doctree.findall(nodes.title)]
        counts.append((count(texts), count(titles), count(titles[:1])))
        whole.append(Counter(split(texts)))
    found = {"pages": pages, "words": words.weights(counts, language.stem)}
    found["suggestions"] = words.suggestions(whole)
    path = Path(app.outdir) / "searchindex.js"
    index = path.read_text("utf-8")
    line = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f"const wordWeights = {line};\n{index}", "utf-8")


def with_extras(notebook, stem, living):
    """Yield the cells of a notebook, a link to its slides, and a frame below each
    widget that has a living page.
    """
    frames = {}
    for page in living.get(stem, []):
        frames.setdefault(page["cell"], []).append(page)
    for i, cell in enumerate(notebook["cells"]):
        if i in frames:  # the living widget takes the place of its picture
            cell["outputs"] = [
                output
                for output in cell["outputs"]
                if WIDGET not in output.get("data", {})
            ]
        yield cell
        if i == 0:
            link = f'<a href="../slides/{stem}.html">Slides of this notebook</a>'
            yield raw("slides", f'<p class="to-slides">{link}</p>')
        for n, page in enumerate(frames.get(i, [])):
            html = FRAME.format(page=f"../living/{page['file']}", title=page["title"])
            yield raw(f"alive-{i}-{n}", html)


def raw(name, text):
    """Return a markdown cell of HTML."""
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def finish(app, page, template, context, tree):
    """Let the browser load pictures when they come near the screen; list living pages
    on the front page.
    """
    if page == "index":
        context["living"] = sum(living_pages(app).values(), [])
    if body := context.get("body"):
        context["body"] = re.sub(
            r"<img (?![^>]*loading=)", '<img loading="lazy" ', body
        )


def setup(app):
    """Connect the additions to Sphinx; `living` names the file that lists the living
    pages.
    """
    app.add_config_value("living", "", "env")
    app.connect("source-read", add_contents)
    app.connect("doctree-read", add_keywords)
    app.connect("html-page-context", finish)
    app.connect("build-finished", add_weights)

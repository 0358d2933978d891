"""The website: the notebooks with their stored outputs, the guide and the glossary. `python docs/build.py` makes it."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("0*.ipynb"))
SOLUTIONS = sorted(path.stem for path in (ROOT / "notebooks" / "solutions").glob("*.ipynb"))

project = "Variational autoencoders"
author = "the authors of vae_lib"
html_title = "Variational autoencoders"
language = "en"
root_doc = "README"
extensions = ["myst_nb"]
include_patterns = ["README.md", "data/README.md", "docs/*.md", "notebooks/0*.ipynb", "notebooks/solutions/*.ipynb"]
exclude_patterns = ["**/.ipynb_checkpoints"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"
nb_mime_priority_overrides = [  # where no kernel runs, a widget is the picture or the text beside it
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
    "show_toc_level": 2,
    "home_page_in_toc": True,
}
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system has it
html_static_path = ["theme/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
mathjax_path = "tex-svg.js"  # build.py puts it there

LABORATORY = """

```{raw} html
<p class="laboratory"><a href="lab.html"><b>The laboratory</b></a>: train a VAE in this browser, nothing to install.</p>
```
"""
CONTENTS = """

```{{toctree}}
:hidden:
:caption: The notebooks

{notebooks}
```

```{{toctree}}
:hidden:
:caption: For learners and teachers

docs/glossary
docs/teaching
{solutions}
```

```{{toctree}}
:hidden:

data/README
```
"""
FRAME = """<figure class="alive"><figcaption>Alive on this page, without a kernel: <a href="{page}">{title}</a></figcaption>
<iframe src="{page}" title="{title}" loading="lazy"></iframe></figure>"""


def add_contents(app, name, source):
    """Add the table of contents to the front page and slides and living widgets to the notebooks."""
    if name == "README":
        lists = {"notebooks": "\n".join(f"notebooks/{stem}" for stem in NOTEBOOKS),
                 "solutions": "\n".join(f"notebooks/solutions/{stem}" for stem in SOLUTIONS)}
        title, rest = source[0].split("\n", 1)
        source[0] = title + "\n" + LABORATORY + rest + CONTENTS.format(**lists)
    elif name.startswith("notebooks/0"):
        source[0] = json.dumps(with_extras(json.loads(source[0]), name.split("/")[1]))


def with_extras(notebook, stem):
    """Return the notebook with a link to its slides, and a frame below each widget that has a page of its own."""
    pages = json.loads((ROOT / "docs" / "alive.json").read_text()) if tags.has("alive") else {}  # noqa: F821
    cells = []
    for i, cell in enumerate(notebook["cells"]):
        cells.append(cell)
        text = "".join(cell["source"])
        if i == 0:
            cells.append(raw("slides", f'<p><a href="../slides/{stem}.html">Slides of this notebook</a></p>'))
        for page in pages.get(stem, []):
            if cell["cell_type"] == "code" and page["after"] in text:
                cells.append(raw(f"alive-{i}", FRAME.format(page=f"../alive/{page['file']}", title=page["title"])))
    return {**notebook, "cells": cells}


def raw(name, html):
    """Return a markdown cell of HTML."""
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": html}


def setup(app):
    """Connect the additions to Sphinx."""
    app.connect("source-read", add_contents)

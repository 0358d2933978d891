"""Widgets on a page of their own: one HTML file that works without a kernel or a
network. Notebook 04.
"""

import html
import json

import anywidget
import ipywidgets
from ipywidgets.embed import dependency_state

from vae_lib.storage import whole_file
from vae_lib.widgets.shared.browser import script, styles

ALIVE = (
    ipywidgets.Box,
    ipywidgets.FloatSlider,
    ipywidgets.IntSlider,
    ipywidgets.FloatLogSlider,
    ipywidgets.HTML,
    ipywidgets.Label,
    ipywidgets.Image,
    anywidget.AnyWidget,
)

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{css}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{introduction}<div id="widgets"><p>This page needs JavaScript.</p></div>
</main>
<script type="application/json" id="state">{state}</script>
<script type="module">
{script}</script>
</body>
</html>
"""


def page_html(widgets, title="Variational autoencoders", introduction=""):
    """Return an HTML document in which `widgets`, one or a list, work without a kernel
    or a network.

    Everything that computes in the browser keeps working: anywidgets, and sliders
    joined by `jslink` or `jsdlink`, in boxes, with `HTML`, `Label` and `Image`.
    `introduction` is plain text, with blank lines between paragraphs. Raises ValueError
    with one sentence for any other widget, since it would not respond.
    """
    widgets = list(widgets) if isinstance(widgets, (list, tuple)) else [widgets]
    for widget in widgets:
        check_alive(widget)
    state = {
        "roots": [widget.model_id for widget in widgets],
        "models": dependency_state(widgets, drop_defaults=False),
    }
    paragraphs = [
        f"<p>{html.escape(part)}</p>\n"
        for part in introduction.split("\n\n")
        if part.strip()
    ]
    return PAGE.format(
        title=html.escape(title),
        introduction="".join(paragraphs),
        script=script("page"),
        css=styles("page"),
        state=json.dumps(state).replace(
            "<", "\\u003c"
        ),  # no text may end the script element
    )


def write_page(widgets, path, title="Variational autoencoders", introduction=""):
    """Write `page_html` of the same arguments to the file `path`, whole or not at all;
    return its size in bytes.

    Raises ValueError for widgets that need a kernel and StorageError where the file
    cannot be written.
    """
    document = page_html(widgets, title, introduction).encode()
    with whole_file(path) as name, open(name, "wb") as file:
        file.write(document)
    return len(document)


def check_alive(widget):
    """Raise ValueError with one sentence if `widget`, or one inside it, cannot work
    without a kernel.
    """
    if not isinstance(widget, ALIVE):
        raise ValueError(
            f"a {type(widget).__name__} needs a kernel: pass write_page only "
            "anywidgets, sliders, boxes and texts."
        )
    for child in getattr(widget, "children", ()):
        check_alive(child)

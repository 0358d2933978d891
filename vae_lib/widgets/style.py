"""One look for every control: the page's own colours, light or dark; a picture where there is no kernel."""

import html
import io
from pathlib import Path

import ipywidgets
from IPython.display import display
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont
from traitlets import Unicode

CSS = f"<style>{Path(__file__).with_suffix('.css').read_text('utf-8')}</style>"
# JupyterLab takes keys on a control for its own shortcuts (x cuts the cell, arrows leave it), where this attribute
# does not stand; Ctrl+S and the like stay JupyterLab's. A script in a widget runs only as the handler of an event.
KEYS = """<img src="data:," alt="" hidden onerror="window.vaeKeys ??= (window.addEventListener('keydown', event => {
  const own = !(event.ctrlKey || event.metaKey || event.altKey);
  if (event.target.closest?.('.vae')) event.target.toggleAttribute('data-lm-suppress-shortcuts', own);
}, true), true)">"""


class Picture(ipywidgets.Image):
    """An image with a tooltip, which is also its name for screen readers."""

    description = Unicode("").tag(
        sync=True
    )  # the front end fails on a tooltip of widgets without one


class Control(ipywidgets.VBox):
    """A column of widgets in the house style.

    Where no kernel runs, on a page of a code host for instance, its output shows the pictures as they were.
    """

    description = "A control of vae_lib."

    def __init__(self, *rows):
        super().__init__(
            [ipywidgets.HTML(CSS + KEYS, layout={"display": "none"}), *rows]
        )
        self.add_class("vae")
        answering(self)

    def picture(self):
        """Return PNG bytes of what the control shows now, or None."""

    def snapshot(self):
        """Show the picture under a cell, with the description for those who cannot see it."""
        data, metadata = self._still()
        display(data, metadata=metadata, raw=True)

    def _still(self):
        data = {"text/plain": self.description, "image/png": self.picture()}
        data = {kind: value for kind, value in data.items() if value}
        return data, {"image/png": {"alt": self.description}}

    def _repr_mimebundle_(self, **options):
        data, metadata = self._still()
        return {**super()._repr_mimebundle_(**options), **data}, metadata


def answering(widget):
    """Return the widget, made to answer while a cell runs, with all that is inside it.

    JupyterLab sends what readers do to a thread beside the one that runs cells (a subshell). ipykernel 7.4 sends
    it on to whichever thread has changed the widget last; if that was the cells' own, it waits until no cell
    runs. Here the page's choice stands. Kernels without this detour are left as they are.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda data, chosen: chosen
    for part in getattr(widget, "children", ()):
        answering(part)
    return widget


def beside(*columns, gap=12):
    """Return the pictures of image widgets side by side as PNG bytes, each under its tooltip.

    A tuple of widgets is stacked.
    """
    columns = [column if isinstance(column, tuple) else (column,) for column in columns]
    boards = [[_titled(widget) for widget in column] for column in columns]
    widths = [max(board.width for board in column) for column in boards]
    heights = [sum(board.height + gap for board in column) - gap for column in boards]
    whole = Image.new(
        "RGB", (sum(widths) + gap * (len(widths) - 1), max(heights)), "white"
    )
    left = 0
    for column, width, height in zip(boards, widths, heights):
        top = (whole.height - height) // 2
        for board in column:
            whole.paste(board, (left, top))
            top += board.height + gap
        left += width + gap
    return png(whole)


def _titled(widget):
    """Return the picture of an image widget with its tooltip above it, in Matplotlib's font, as in the figures."""
    with Image.open(io.BytesIO(widget.value)) as board:
        whole = Image.new("RGB", (board.width, board.height + 20), "white")
        whole.paste(board, (0, 20))
    ImageDraw.Draw(whole).text(
        (4, 2),
        widget.tooltip or "",
        "black",
        ImageFont.truetype(findfont("DejaVu Sans"), 13),
    )
    return whole


def png(board):
    """Return a Pillow image as PNG bytes, compressed fast rather than well."""
    with io.BytesIO() as file:
        board.save(file, "PNG", compress_level=1)
        return file.getvalue()


def row(*widgets, style="vae-row"):
    """Return the widgets side by side; what does not fit goes below."""
    return ipywidgets.Box(widgets).add_class(style)


def image(png, width, tooltip, sharp=False):
    """Return an image widget `width` CSS pixels wide; `tooltip` says what it shows."""
    widget = Picture(value=png, format="png", width=width, tooltip=tooltip)
    return widget.add_class("vae-sharp") if sharp else widget


def say(widget, sentence, error=False):
    """Put a sentence into an HTML widget, where screen readers announce it; `error` marks it."""
    style = ' class="vae-error"' if error else ""
    widget.value = (
        f'<div role="status" aria-live="polite"{style}>{html.escape(sentence)}</div>'
    )

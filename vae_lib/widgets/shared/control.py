"""The frame of every control: the page's own colours, light or dark; a picture where
there is no kernel.
"""

import functools
import html
import io
import textwrap
import weakref

import anywidget
import ipywidgets
import tensorflow as tf
import traitlets
from IPython import get_ipython
from IPython.display import display
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from vae_lib import figures
from vae_lib.widgets.shared.browser import script, styles

STEP = 0.05  # of sliders on the latent space
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

# JupyterLab takes keys for its own shortcuts (x cuts the cell, 1 makes it a heading)
# unless the element that has the focus says otherwise (since 4.6 this very element, not
# one around it): here each in a control does, and a control takes the focus wherever it
# is clicked. Ctrl+S and the like still go to JupyterLab. Enter in a guess presses its
# button. A script in a widget runs only as the handler of an event.
KEYS = """<img src="data:," alt="" hidden onerror="window.vaeKeys ??= (() => {
  const inside = (event, name) => event.target.closest?.(name);
  window.addEventListener('keydown', (event) => {
    const { target } = event, own = !(event.ctrlKey || event.metaKey || event.altKey);
    const mark = 'data-lm-suppress-shortcuts';
    if (inside(event, '.vae')) target.toggleAttribute(mark, own);
    const guess = event.key === 'Enter' && inside(event, '.vae-guess');
    const button = guess && guess.querySelector('button');
    if (button && target !== button) setTimeout(() => button.click(), 50);
  }, true);
  const focusable = (event) => inside(event, '.vae')?.setAttribute('tabindex', '-1');
  window.addEventListener('pointerdown', focusable, true);
  return true;
})()">"""


class Picture(anywidget.AnyWidget):
    """PNG bytes with a description for those who cannot see them; `sharp` shows every
    pixel as a square.

    Places are [left, top] as shares of the picture: a ring is drawn at `mark`, and a
    `clickable` picture puts where it is clicked, or dragged over, into `chosen`.
    """

    _esm = script("picture")
    value = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int(300).tag(sync=True)  # CSS pixels, less where there is no room
    sharp = traitlets.Bool(False).tag(sync=True)
    clickable = traitlets.Bool(False).tag(sync=True)
    mark = traitlets.List().tag(sync=True)
    chosen = traitlets.List().tag(sync=True)


class Control(ipywidgets.VBox):
    """A column of widgets in the house style.

    Where no kernel runs, for instance on a code host's page, its output shows the
    pictures as they were.
    """

    description = "A control of vae_lib."

    def __init__(self, *rows):
        head = ipywidgets.HTML(
            f"<style>{styles('control')}</style>{KEYS}", layout={"display": "none"}
        )
        super().__init__([head, *rows])
        self.add_class("vae")
        answering(self)

    def picture(self):
        """Return PNG bytes of what the control shows now, or None."""

    def snapshot(self):
        """Show the picture under a cell, with the description for those who cannot see
        it.
        """
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
    """Return the widget, made to respond while a cell runs, with everything inside it.

    JupyterLab sends what readers do to a thread beside the one that runs cells
    (a subshell). ipykernel 7.4 sends it on to whichever thread has changed the widget
    last; if that was the cells' own, it waits until no cell runs. Here the page's
    choice is kept. Kernels without this detour are left as they are.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda data, chosen: chosen
    for part in getattr(widget, "children", ()):
        answering(part)
    return widget


# the cell's id -> the id of its last execution, weak references to what it made
_by_cell = {}


def replaced(control):
    """Return the controls of the same kind that the running cell made when it was run
    before; remember this one.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    parent = kernel.get_parent() if kernel else {}
    cell = (parent.get("metadata") or {}).get("cellId")
    if not cell:
        return []
    key, execution = (cell, type(control)), parent["header"]["msg_id"]
    before, made = _by_cell.get(key, (None, []))
    known = made if before == execution else []
    _by_cell[key] = execution, [*known, weakref.ref(control)]
    alive = [reference() for reference in made] if before != execution else []
    return [one for one in alive if one is not None]


def compiled(function):
    """Return `function` as a `tf.function` of its own.

    TensorFlow counts how often the same code is traced, and warns from the fifth
    control on as if that were an accident; a partial function has no code, and is
    counted separately.
    """
    return tf.function(functools.partial(function), autograph=False)


def side_by_side(*columns, gap=12):
    """Return pictures side by side as PNG bytes; each column is a list of pairs (title,
    PNG bytes), stacked.
    """
    boards = [[_titled(*pair) for pair in column] for column in columns]
    widths = [max(board.width for board in column) for column in boards]
    heights = [sum(board.height + gap for board in column) - gap for column in boards]
    size = sum(widths) + gap * (len(widths) - 1), max(heights)
    whole = Image.new("RGB", size, "white")
    left = 0
    for column, width, height in zip(boards, widths, heights, strict=True):
        top = (whole.height - height) // 2
        for board in column:
            whole.paste(board, (left, top))
            top += board.height + gap
        left += width + gap
    return png(whole)


def _titled(title, picture):
    """Return PNG bytes as a Pillow image with a title above, in Matplotlib's font, as
    in the figures.
    """
    font = ImageFont.truetype(findfont("DejaVu Sans"), 18)
    with Image.open(io.BytesIO(picture)) as board:
        lines = textwrap.wrap(title, board.width // 11)  # 11 pixels a letter
        whole = Image.new("RGB", (board.width, board.height + 24 * len(lines)), "white")
        whole.paste(board, (0, 24 * len(lines)))
    ImageDraw.Draw(whole).multiline_text((4, 0), "\n".join(lines), "black", font)
    return whole


def unit_name(unit):
    """Return z₁ for unit 0, and so on."""
    return f"z{unit + 1}".translate(SUBSCRIPTS)


def png(board):
    """Return a Pillow image as PNG bytes, compressed fast rather than well."""
    with io.BytesIO() as file:
        board.save(file, "PNG", compress_level=1)
        return file.getvalue()


def digits_png(images, columns=1, scale=4):
    """Return a board of images, `uint8` or in [0, 1], as PNG bytes, dark on light."""
    ink = figures.tile(figures.unit(images), columns)
    board = Image.fromarray((255 * (1 - ink)).round().astype("uint8"))
    size = board.width * scale, board.height * scale
    return png(board.resize(size, Image.Resampling.NEAREST))


def row(*widgets, style="vae-row"):
    """Return the widgets side by side; what does not fit goes below."""
    return ipywidgets.Box(widgets).add_class(style)


def say(widget, sentence, kind=""):
    """Put a sentence into an HTML widget, where screen readers announce it; `kind` is
    "error", "right" or "wrong".
    """
    style = f' class="vae-{kind}"' if kind else ""
    widget.value = (
        f'<div role="status" aria-live="polite"{style}>{html.escape(sentence)}</div>'
    )

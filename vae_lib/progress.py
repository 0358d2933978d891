"""What is seen and heard while something trains: the bar, in notebooks and
terminals, and Ctrl-C.
"""

import contextlib
import io
import signal
import sys
import threading

from IPython import get_ipython
from IPython.display import display
from tqdm import tqdm


class NotebookBar(tqdm):
    """tqdm's line as one output that is replaced, so that a stored notebook holds
    its last state only.
    """

    handle = None

    def __init__(self, *args, **options):
        super().__init__(*args, **options, file=io.StringIO(), ascii=False)

    def display(self, msg=None, pos=None):
        """Show the line under the cell."""
        line = {"text/plain": msg or str(self)}
        if self.handle is None:
            self.handle = display(line, raw=True, display_id=True)
        else:
            self.handle.update(line, raw=True)


def progress_bar(total, **options):
    """Return a tqdm bar over `total` steps: one line on standard output, or one
    output under a notebook's cell.
    """
    shell = get_ipython()
    if shell is not None and hasattr(shell, "kernel"):
        return NotebookBar(total=total, mininterval=0.2, **options)
    return tqdm(total=total, mininterval=0.2, file=sys.stdout, **options)


@contextlib.contextmanager
def interrupts_between_chunks():
    """Yield a list that Ctrl-C adds to, instead of an exception that TensorFlow may
    swallow or tear weights with.
    """
    heard = []
    if (
        threading.current_thread() is not threading.main_thread()
    ):  # only that one hears of Ctrl-C
        yield heard
        return
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)


def readable(nats, places):
    """Return a number of nats with that many decimal places, or in powers of ten
    where it is huge.
    """
    return f"{nats:.{places}f}" if abs(nats) < 1e5 else f"{nats:.1e}"

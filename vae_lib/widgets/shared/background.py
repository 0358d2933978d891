"""Work in the background: one daemon thread that can be watched, stopped and waited
for.
"""

import atexit
import threading
import time
import weakref
from concurrent.futures import Future, wait

GAP = 0.125  # minimum seconds between two drawings: at most 8 a second
SHARE = 0.25  # of the time that drawing may take
_all = weakref.WeakSet()


class Background:
    """Takes one iterable at a time to its end in a thread of its own, so that the
    kernel stays free.

    `start` returns at once. The thread hands items of the iterable to `show`, not more
    often than 8 times a second nor for more than a quarter of the time, and always the
    last one; `stop` leaves the iterable after the current item. Whatever is raised ends
    the work: it goes to `ended(error)`, which runs last in any case, and `result`
    raises it again. After that the next work can start. Nothing is printed.

    A `ThreadPoolExecutor` would do less: Python waits for its threads when it ends,
    however long they train.
    """

    def __init__(self, name):
        self.name = f"vae_lib {name}"
        self.lock = threading.Lock()
        self.halt = threading.Event()
        self.future = Future()  # of the last work
        self.future.set_result(None)
        self.thread = None
        self.busy = False  # ends before `ended`, so that what it enables can be used
        self.seconds = self.drawing = 0.0  # of the last work: in all, in `show`
        _all.add(self)

    def start(self, items, show=lambda item: None, ended=lambda error: None):
        """Begin to go through `items`; return whether that was possible, False while
        other work goes on.
        """
        with self.lock:
            if self.busy:
                return False
            self.busy, self.future = True, Future()
            self.halt.clear()
            work = self.future, items, show, ended
            self.thread = threading.Thread(
                target=self._run, args=work, name=self.name, daemon=True
            )
            self.thread.start()
        return True

    def stop(self):
        """Ask the work to end after its current item; return at once, even when there
        is none.
        """
        self.halt.set()

    def wait(self, timeout=None):
        """Wait until the work is over, for `timeout` seconds at most; return whether it
        is.
        """
        end = time.monotonic() + (threading.TIMEOUT_MAX if timeout is None else timeout)
        while not self.future.done():  # in parts, so that an interrupt is heard
            left = end - time.monotonic()
            if left <= 0:
                return False
            wait([self.future], min(0.1, left))
        if self.thread:
            self.thread.join(1)  # it has nothing left to do
        return True

    def result(self, timeout=None):
        """Wait like `wait` and raise what the work raised; TimeoutError when it is not
        done by then.
        """
        if not self.wait(timeout):
            raise TimeoutError(
                f"The work is not done after {timeout:g} s: wait longer, or press Stop."
            )
        self.future.result()

    def _run(self, future, items, show, ended):
        error = None
        try:
            self._go_through(items, show)
        except Exception as raised:
            error = raised
        self.busy = False
        try:
            ended(error)
        finally:
            future.set_exception(error) if error else future.set_result(None)

    def _go_through(self, items, show):
        begin, rest, due, usual = time.perf_counter(), 0.0, True, 0.0
        self.drawing = 0.0
        for item in items:
            start = time.perf_counter()
            self.seconds = start - begin
            due = start >= rest
            if due:
                took = self._draw(show, item)
                rest = start + took + max(GAP, min(usual, took) * (1 / SHARE - 1))
                usual = took  # one slow drawing delays nothing
            if self.halt.is_set():
                break
        self.seconds = time.perf_counter() - begin
        if not due:
            self._draw(show, item)

    def _draw(self, show, item):
        """Show the item and return the seconds that it took."""
        start = time.perf_counter()
        show(item)
        took = time.perf_counter() - start
        self.drawing += took
        return took


def guarded(action, report):
    """Return a callback that calls `action()` and hands an exception to `report` as one
    sentence.
    """

    def callback(*_):
        try:
            action()
        except Exception as error:
            report(sentence(error))

    return callback


def sentence(error):
    """Return an exception's message; those that are not written for readers get their
    type as well.
    """
    text = " ".join(str(error).split())[:400]
    module = type(error).__module__
    ours = isinstance(error, (ValueError, RuntimeError)) or module.startswith("vae_lib")
    return text if ours and text else f"{type(error).__name__}: {text}"


@atexit.register
def _end_all():
    """End every thread before the interpreter takes away what they run on."""
    for background in list(_all):
        background.stop()
    for background in list(_all):
        background.wait(10)

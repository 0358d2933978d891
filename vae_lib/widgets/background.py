"""Work in the background: one daemon thread that can be watched, stopped and waited for."""

import atexit
import threading
import time
import weakref

GAP = 0.125  # seconds between two drawings at least, hence 8 a second at most
SHARE = 0.25  # of the time that drawing may take
_all = weakref.WeakSet()


class Background:
    """Takes one iterable at a time to its end in a thread of its own, so that the kernel stays free.

    `start` returns at once. The thread hands items of the iterable to `show`, not more often than 8 times a
    second nor for more than a quarter of the time, and always the last one; `stop` leaves the iterable after
    the present item. Whatever is raised ends the work: it goes to `ended(error)`, which runs last in any
    case, and `result` raises it again. After that the next work can start. Nothing is printed.
    """

    def __init__(self, name):
        self.name = f"vae_lib {name}"
        self.lock = threading.Lock()
        self.halt = threading.Event()
        self.thread = self.error = None
        self.busy = (
            False  # cleared before `ended`, so that what it enables can be used at once
        )
        self.seconds = self.drawing = self.cost = (
            0.0  # of the last work: in all, in `show`, in its last call
        )
        _all.add(self)

    def start(self, items, show=lambda item: None, ended=lambda error: None):
        """Begin to go through `items`; return whether that was possible, False while other work goes on."""
        with self.lock:
            if self.busy:
                return False
            self.busy, self.error = True, None
            self.seconds = self.drawing = 0.0
            self.halt.clear()
            work = dict(target=self._run, args=(items, show, ended))
            self.thread = threading.Thread(**work, name=self.name, daemon=True)
            self.thread.start()
        return True

    def stop(self):
        """Ask the work to end after its present item; return at once, also when there is none."""
        self.halt.set()

    def wait(self, timeout=None):
        """Wait until the thread is gone, for `timeout` seconds at most; return whether it is."""
        thread, end = (
            self.thread,
            time.monotonic() + (threading.TIMEOUT_MAX if timeout is None else timeout),
        )
        while thread is not None and thread.is_alive():
            if time.monotonic() >= end:
                return False
            thread.join(
                min(0.1, max(0.0, end - time.monotonic()))
            )  # in parts, so that an interrupt is heard
        return True

    def result(self, timeout=None):
        """Wait like `wait` and raise what the work raised; TimeoutError when it is not done by then."""
        if not self.wait(timeout):
            raise TimeoutError(
                f"The work is not done after {timeout:g} s: wait longer, or press Stop."
            )
        if self.error is not None:
            raise self.error

    def _run(self, items, show, ended):
        try:
            self._go_through(items, show)
        except Exception as error:
            self.error = error
        finally:
            with self.lock:
                self.busy = False
            ended(self.error)

    def _go_through(self, items, show):
        begin, rest, due = time.perf_counter(), 0.0, True
        self.cost = 0.0
        try:
            for item in items:
                due = time.perf_counter() >= rest
                if due:
                    rest = self._draw(show, item)
                if self.halt.is_set():
                    break
            if not due:
                self._draw(show, item)
        finally:
            self.seconds = time.perf_counter() - begin

    def _draw(self, show, item):
        """Show the item and return the time before which the next is not due."""
        start = time.perf_counter()
        show(item)
        end = time.perf_counter()
        self.drawing += end - start
        usual, self.cost = (
            min(self.cost, end - start),
            end - start,
        )  # one slow drawing delays nothing
        return end + max(GAP, usual * (1 / SHARE - 1))


def guarded(action, report):
    """Return a callback that calls `action()` and hands an exception to `report` as one sentence."""

    def callback(*_):
        try:
            action()
        except Exception as error:
            report(sentence(error))

    return callback


def sentence(error):
    """Return an exception's message; those that are not written for readers get their type as well."""
    text = " ".join(str(error).split())[:400]
    ours = isinstance(error, (ValueError, RuntimeError)) or type(
        error
    ).__module__.startswith("vae_lib")
    return text if ours and text else f"{type(error).__name__}: {text}"


@atexit.register
def _end_all():
    """End every thread before the interpreter takes away what they run on."""
    for background in list(_all):
        background.stop()
    for background in list(_all):
        background.wait(10)

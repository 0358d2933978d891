"""The training panel: settings, buttons, and pictures that move while the kernel stays free. Notebook 01."""

import contextlib
import threading
from pathlib import Path

import ipywidgets

from vae_lib import storage
from vae_lib.widgets.background import Background, guarded, sentence
from vae_lib.widgets.controls import DEFAULTS, WORDS, Controls
from vae_lib.widgets.experiments import EXPERIMENTS, experiments_html
from vae_lib.widgets.live import Live, card
from vae_lib.widgets.pictures import HELD_OUT
from vae_lib.widgets.run import Run
from vae_lib.widgets.style import Control, row, say

KEPT = 4  # runs that stay for comparison
ACTIONS = dict(
    Start=("play", "Train a new model with these settings"),
    Stop=("stop", "End the training; what was learned is kept"),
    Continue=(
        "forward",
        "Go on with the stopped run, up to the number of epochs now set",
    ),
    Reset=("refresh", "Forget all runs and put the settings back"),
    Save=("save", "Write the model to a file"),
)


class TrainingPanel(Control):
    """A panel that trains VAEs on `digits` and shows what they learn while the kernel stays free.

    `digits` is what `load_mnist` returns. Settings by name: beta, latent_dim, posterior, likelihood,
    learning_rate, epochs, images (how many of the training images), seed; `hidden` and `batch_size` stay as
    given. `fields` are the names of the settings that the reader sees, all by default. Saved runs go to
    `folder`. `experiments` are pairs of HTML: what to predict, and what happens. The methods do what the buttons
    do and raise what the buttons say; `result` waits. Raises ValueError with one sentence for settings that are
    not to be had. Notebook 01.
    """

    description = "The training panel: curves, test digits over their reconstructions, samples, and codes."

    def __init__(
        self,
        digits,
        *,
        hidden=(512, 256),
        batch_size=128,
        fields=tuple(WORDS),
        folder="runs",
        experiments=EXPERIMENTS,
        **settings,
    ):
        self.digits, self.hidden, self.batch_size, self.folder = (
            digits,
            hidden,
            batch_size,
            Path(folder),
        )
        self.defaults = {
            **DEFAULTS,
            "images": min(DEFAULTS["images"], len(digits.train.images)),
            **settings,
        }
        self.work, self.compiling = Background("training"), Background("compilation")
        self.lock = threading.RLock()  # around what buttons and the end of a run change
        self.status, self.progress = ipywidgets.HTML(), ipywidgets.HTML()
        self.bar = ipywidgets.FloatProgress(
            0.0, max=1.0, layout={"width": "99%", "height": "10px"}
        )
        self.controls = Controls(len(digits.train.images), self._changed, fields)
        self.live = Live(digits.validation.labels[:HELD_OUT])
        self.cards = row(style="vae-cards")
        self.buttons = {
            name: ipywidgets.Button(
                description=name, icon=icon, tooltip=tip, layout={"width": "96px"}
            )
            for name, (icon, tip) in ACTIONS.items()
        }
        actions = self.start, self.stop, self.resume, self.reset, self.save
        for button, action in zip(self.buttons.values(), actions):
            button.on_click(guarded(action, self._refuse))
        self.buttons["Start"].button_style = "primary"
        about = [ipywidgets.HTML(experiments_html(experiments))] * bool(experiments)
        super().__init__(
            self.controls,
            row(*self.buttons.values()),
            self.bar,
            self.status,
            self.progress,
            self.live,
            *about,
            self.cards,
        )
        self._begin()

    def start(self, **settings):
        """Begin a run with the settings of the panel, `settings` entered first; return at once."""
        with self.lock:
            self._idle("start another run")
            self.controls.enter(settings)
            self.run = Run(
                self.number + 1,
                self.controls.settings(),
                self.digits,
                self.hidden,
                self.batch_size,
            )
            self.number = self.run.number
            self._go(self.run)

    def stop(self):
        """Ask the run to end after its present chunk, within half a second; return at once."""
        self.work.stop()

    def resume(self):
        """Continue the last run where it was stopped, up to the epochs that are now set; return at once."""
        with self.lock:
            self._idle("continue")
            run, epochs = self._trained(), self.controls.settings()["epochs"]
            if epochs <= run.training.epoch:
                raise RuntimeError(
                    f"{run.training.epoch} epochs are done: set more epochs, then continue."
                )
            run.training.epochs = run.settings["epochs"] = epochs
            self._go(run)

    def reset(self):
        """End what is going on, forget all runs that were not saved, and put the settings back."""
        self.stop()
        self.work.wait()
        with self.lock:
            self._idle("reset")
            self._begin()

    def save(self, run=None):
        """Write the model of `run` (the last one) to a new file in `folder` and return its path."""
        with self.lock:
            self._idle("save")
            run = run or self._trained()
            path = run.new_path(self.folder)
            with contextlib.suppress(
                OSError
            ):  # what is wrong with the folder, save says better
                self.folder.mkdir(parents=True, exist_ok=True)
            storage.save(run.vae, path)
            say(
                self.status,
                f'Run {run.number} is saved: storage.load("{path.as_posix()}") brings it back.',
            )
            return path

    def result(self, timeout=None):
        """Wait for the last run to end and return its `Result` (vae, history, settings).

        In JupyterLab the buttons answer meanwhile; where they do not, interrupt the cell first: that ends the
        waiting, not the run. Raises what ended the run, such as
        DivergedError; TimeoutError after `timeout` seconds; RuntimeError when no run was started.
        """
        if self.run is None:
            raise RuntimeError(
                "No run has been started: press Start, or call start() in a cell above."
            )
        self.work.result(timeout)
        self.compiling.wait(timeout)
        return self.run.result()

    @property
    def results(self):
        """The `Result`s of the runs that stand side by side, by their number."""
        return {number: run.result() for number, (run, _) in self.runs.items()}

    def picture(self):
        """Return PNG bytes of the pictures as they are now."""
        return self.live.picture()

    def _begin(self):
        """Show what an untrained model makes of the digits, and compile its shape meanwhile."""
        self.run, self.runs, self.number = None, {}, 0
        self._show_cards()
        self.controls.enter(self.defaults)
        run = Run(
            0, self.controls.settings(), self.digits, self.hidden, self.batch_size
        )
        run.watch(None)
        self.live.draw(run)
        self.bar.value, self.progress.value = (
            0.0,
            "The pictures show an untrained model.",
        )
        self._enable()
        say(
            self.status,
            "Ready: press Start. The training step is being compiled meanwhile.",
        )
        if not self.compiling.start(
            run.compile(), ended=self._ready
        ):  # so that Start answers at once
            self._ready(None)  # another shape is being compiled

    def _ready(self, error):
        with self.lock:
            if self.run is None:
                say(self.status, "Ready: press Start.")

    def _go(self, run):
        self.work.start(
            run.chunks(self.compiling),
            lambda chunk: self._show(run, chunk),
            lambda error: self._ended(run, error),
        )
        say(self.status, f"Run {run.number} is training.")
        self._enable()

    def _show(self, run, chunk):
        """Draw the run's new state; the training thread calls this."""
        if chunk is not None or run.look is None:
            run.watch(chunk)
            self.live.draw(run)
        self.bar.value, self.progress.value = run.done, run.line()

    def _ended(self, run, error):
        """Say how the run ended, and put it beside the others; the training thread calls this last."""
        with self.lock:
            self._enable()
            if run.points:
                codes, save = self.live.images[-1].value, lambda: self.save(run)
                self.runs[run.number] = run, card(run, codes, save, self._refuse)
                self._show_cards()
            if run is self.run:
                say(
                    self.status, sentence(error) if error else run.ending(), bool(error)
                )

    def _show_cards(self):
        while len(self.runs) > KEPT:
            del self.runs[min(self.runs)]
        self.cards.children = tuple(shown for _, shown in self.runs.values())

    def _enable(self):
        """Enable the buttons that can do something."""
        busy = self.work.busy
        ended = not busy and self.run is not None
        usable = dict(Start=not busy, Stop=busy, Continue=ended, Reset=True, Save=ended)
        for name, button in self.buttons.items():
            button.disabled = not usable[name]

    def _idle(self, purpose):
        if self.work.busy:
            raise RuntimeError(
                f"Run {self.run.number} is training: press Stop to {purpose}, or let it end."
            )

    def _trained(self):
        if self.run is None:
            raise RuntimeError("There is no run yet: press Start first.")
        return self.run

    def _changed(self, text, error):
        """Say what a changed setting applies to."""
        when = "Start or Continue" if text.startswith("Epochs") else "Start"
        keeps = "; the run that is training keeps its own" * self.work.busy
        say(
            self.status,
            text if error else f"{text}, from the next {when}{keeps}.",
            error,
        )

    def _refuse(self, text):
        say(self.status, text, error=True)

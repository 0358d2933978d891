"""The training panel: settings, buttons, and pictures that move while the kernel stays
free. Notebook 01.
"""

import threading
from pathlib import Path

import ipywidgets
from IPython.display import display

from vae_lib import storage
from vae_lib.widgets.shared.background import Background, guarded, sentence
from vae_lib.widgets.shared.control import Control, replaced, row, say
from vae_lib.widgets.training.experiments import EXPERIMENTS, experiments_html
from vae_lib.widgets.training.pictures import HELD_OUT, Live
from vae_lib.widgets.training.run import Run, card
from vae_lib.widgets.training.settings import DEFAULTS, LIVE, WORDS, Settings

KEPT = 4  # runs that stay for comparison
ACTIONS = dict(
    Start=("play", "Train a new model with these settings"),
    Stop=("stop", "End the training; what was learned is kept"),
    Continue=("forward", "Go on with the last run, up to the epochs now set"),
    Reset=("refresh", "Forget all runs and put the settings back"),
    Save=("save", "Write the model to a file"),
)


class TrainingPanel(Control):
    """A panel that trains VAEs on `digits` and shows what they learn while the kernel
    stays free.

    `digits` is what `load_mnist` returns; the model's image shape and the classes come
    from them. Settings by name: beta, latent_dim, posterior, likelihood, learning_rate,
    epochs, images (how many of the training images), seed; `hidden` and `batch_size`
    stay as given. Beta and learning rate also act on a run in progress. `fields` are
    the names of the settings that the reader sees, all by default. Saved runs go to
    `folder`. `experiments` are pairs of HTML: what to predict, and what happens. The
    methods do what the buttons do and raise what the buttons say; `result` waits, and
    `train` shows the panel, starts and waits. A panel whose cell is run again ends its
    run and passes its runs on. Raises ValueError with one sentence for settings that
    are not allowed. Notebook 01.
    """

    description = (
        "The training panel: curves, test digits over their reconstructions, samples, "
        "and codes."
    )

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
        self.digits, self.hidden, self.batch_size = digits, hidden, batch_size
        self.folder = Path(folder)
        most = len(digits.train.images)
        images = min(DEFAULTS["images"], most)
        self.defaults = {**DEFAULTS, "images": images, **settings}
        self.work, self.compiling = Background("training"), Background("compilation")
        self.lock = threading.RLock()  # around what buttons and the end of a run change
        self.status, self.progress = ipywidgets.HTML(), ipywidgets.HTML()
        self.bar = ipywidgets.FloatProgress(0.0, max=1.0).add_class("vae-bar")
        self.controls = Settings(most, self._changed, fields)
        self.live = Live(digits.validation.labels[:HELD_OUT])
        self.cards = row(style="vae-cards")
        self.run, self.runs, self.number = None, {}, 0
        self.buttons = {
            name: ipywidgets.Button(description=name, icon=icon, tooltip=tip)
            for name, (icon, tip) in ACTIONS.items()
        }
        actions = self.start, self.stop, self.resume, self.reset, self.save
        for button, action in zip(self.buttons.values(), actions, strict=True):
            button.on_click(guarded(action, self._refuse))
        self.buttons["Start"].button_style = "primary"
        about = [ipywidgets.HTML(experiments_html(experiments))] * bool(experiments)
        buttons = row(*self.buttons.values(), style="vae-buttons")
        knobs = [self.controls, buttons, self.bar, self.status, self.progress]
        panel = ipywidgets.Box([ipywidgets.VBox(knobs), self.live])
        panel.add_class("vae-panel")
        super().__init__(panel, *about, self.cards)
        self._begin()
        for earlier in replaced(self):
            self._take_over(earlier)

    def train(self, timeout=None, **settings):
        """Show the panel, enter `settings`, train, and return the `Result`.

        The run is visible while it goes on, and the stored output shows its end.
        """
        shown = display(self, display_id=True)
        self.start(**settings)
        try:
            return self.result(timeout)
        finally:
            if shown:
                shown.update(self)

    def start(self, **settings):
        """Enter `settings` and begin a run with the settings of the panel; return at
        once.
        """
        with self.lock:
            self._idle("start another run")
            self.controls.enter(settings)
            values = self.controls.values()
            self.run = Run(
                self.number + 1, values, self.digits, self.hidden, self.batch_size
            )
            self.number = self.run.number
            self._go(self.run)

    def stop(self):
        """Ask the run to end after its current chunk, within half a second; return at
        once.
        """
        self.work.stop()

    def resume(self):
        """Continue the last run where it was stopped, with the beta, learning rate and
        epochs that are now set.
        """
        with self.lock:
            self._idle("continue")
            run, values = self._trained(), self.controls.values()
            if values["epochs"] <= run.training.epoch:
                raise RuntimeError(
                    f"{run.training.epoch} epochs are done: set more epochs, then "
                    "continue."
                )
            run.training.epochs = run.settings["epochs"] = values["epochs"]
            for name in LIVE:
                run.want(name, values[name])
            self._go(run)

    def reset(self):
        """End the run in progress, forget all runs that were not saved, and put the
        settings back.
        """
        self.stop()
        self.work.wait()
        with self.lock:
            self._idle("reset")
            self.run, self.runs, self.number = None, {}, 0
            self._begin()

    def save(self, run=None):
        """Write the model of `run` (the last one) to a new file in `folder` and return
        its path.
        """
        with self.lock:
            self._idle("save")
            run = run or self._trained()
            path = run.new_path(self.folder)
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                storage.save(run.vae, path)
            except (OSError, storage.StorageError) as error:
                cause = getattr(error, "strerror", None) or error.__cause__ or error
                raise storage.StorageError(
                    f"Run {run.number} was not saved, because {self.folder.absolute()} "
                    f"cannot be written to ({cause}): set panel.folder to a folder of "
                    "your own and press Save again."
                ) from error
            load = f'storage.load("{path.as_posix()}")'
            say(self.status, f"Run {run.number} is saved: {load} brings it back.")
            return path

    def result(self, timeout=None):
        """Wait for the last run to end and return its `Result` (vae, history,
        settings).

        In JupyterLab the buttons keep working meanwhile; where they do not, interrupt
        the cell first: that ends the waiting, not the run. Raises what ended the run,
        such as DivergedError; TimeoutError after `timeout` seconds; RuntimeError when
        no run was started.
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
        """The `Result`s of the runs shown side by side, by their number."""
        return {number: run.result() for number, (run, _) in self.runs.items()}

    def picture(self):
        """Return PNG bytes of the pictures as they are now."""
        return self.live.picture()

    def _begin(self):
        """Show what an untrained model makes of the digits, and compile its shape
        meanwhile.
        """
        self._show_cards()
        self.controls.enter(self.defaults)
        values = self.controls.values()
        run = Run(0, values, self.digits, self.hidden, self.batch_size)
        run.watch(None)
        self.live.draw(run)
        self.bar.value = 0.0
        self.progress.value = "The pictures show an untrained model."
        self._enable()
        compiling = self.compiling.start(run.compile(), ended=self._ready)
        meanwhile = " The training step is being compiled meanwhile." * compiling
        say(self.status, f"Ready: press Start.{meanwhile}")

    def _ready(self, error):
        with self.lock:
            if self.run is None and "compiled meanwhile" in self.status.value:
                say(self.status, "Ready: press Start.")

    def _take_over(self, earlier):
        """End the run of a panel whose cell was run again, and show its runs here."""
        going = earlier.work.busy
        earlier.stop()
        earlier.work.wait()
        with self.lock:
            self.number = earlier.number
            for run, _ in earlier.runs.values():
                self._keep(run)
            if self.number:
                ended = f"Run {self.number} was stopped by this. " * going
                kept = "Earlier runs are kept below. " * bool(self.runs)
                say(
                    self.status,
                    f"This cell was run again. {ended}{kept}Start begins a new run.",
                )

    def _keep(self, run):
        """Show a run as a card, in the place of its earlier one or after the others."""
        shown = card(run, lambda: self.save(run), self._refuse)
        self.runs[run.number] = run, shown
        self._show_cards()

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
        if chunk is not None or run.seen is None:
            run.watch(chunk)
            self.live.draw(run)
        self.bar.value, self.progress.value = run.done, run.line()

    def _ended(self, run, error):
        """Say how the run ended, and put it beside the others; the training thread
        calls this last.
        """
        with self.lock:
            self._enable()
            if run.points:
                run.codes = self.live.images[-1].value
                self._keep(run)
            if run is self.run:
                text = sentence(error) if error else run.ending()
                say(self.status, text, "error" if error else "")

    def _show_cards(self):
        while len(self.runs) > KEPT:
            del self.runs[min(self.runs)]
        self.cards.children = tuple(shown for _, shown in self.runs.values())

    def _enable(self):
        """Enable the buttons that can do something."""
        busy, run = self.work.busy, self.run
        ended = not busy and run is not None
        left = ended and run.training.epoch < self.controls.fields["epochs"].value
        usable = dict(Start=not busy, Stop=busy, Continue=left, Reset=True, Save=ended)
        for name, button in self.buttons.items():
            button.disabled = not usable[name]

    def _idle(self, purpose):
        if self.work.busy:
            raise RuntimeError(
                f"Run {self.run.number} is training: press Stop to {purpose}, or let "
                "it end."
            )

    def _trained(self):
        if self.run is None:
            raise RuntimeError("There is no run yet: press Start first.")
        return self.run

    def _changed(self, name, text, error):
        """Say what a changed setting applies to; the run that trains gets a new beta or
        learning rate at once.
        """
        if name == "epochs":
            self._enable()
        if error:
            say(self.status, text, "error")
        elif self.work.busy and name in LIVE:
            self.run.want(name, self.controls.fields[name].value)
            say(self.status, f"{text}, from now on in run {self.run.number}.")
        else:
            when = "Start or Continue" if name in (*LIVE, "epochs") else "Start"
            keeps = "; the run that is training keeps its own" * self.work.busy
            say(self.status, f"{text}, from the next {when}{keeps}.")

    def _refuse(self, text):
        say(self.status, text, "error")

"""A panel to train small VAEs with a chosen map, learning rate, optimizer and initial
sigma. Notebook 02.
"""

import ipywidgets
import numpy as np

from vae_lib.course.figures_02 import BEFORE, runs_figure
from vae_lib.experiments.outcomes import failures, final_loss
from vae_lib.figures import to_png
from vae_lib.widgets.shared.background import Background, guarded, sentence
from vae_lib.widgets.shared.control import Control, Picture, replaced, row, say

RATES = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
NATIVE = "native"


def ending(record, steps=None):
    """Return in words how the runs of a `Record`, of `steps` steps, ended."""
    failed = failures(record, steps)
    median = np.median(final_loss(record.loss))
    return f"{failed} of {len(record.loss)} runs failed" + (
        f", a median loss of {median:.0f} at the end" if median < np.inf else ""
    )


class StabilityPanel(Control):
    """Choose map, learning rate, optimizer and initial sigma of `ParallelVAEs`, press
    Run, see loss and gradient.

    Failed runs are drawn as failures; earlier runs stay in the picture for comparison.
    `records`, label -> `Record`, is what the panel shows at first. The runs go on in
    the `background`.
    """

    def __init__(self, stack, records, seeds=range(5), steps=200):
        self.stack, self.seeds, self.steps = stack, seeds, steps
        self.latest, self.before = dict(records), {}
        width = {"style": {"description_width": "100px"}, "layout": {"width": "330px"}}
        self.map = ipywidgets.Dropdown(
            options=list(stack.maps), description="map", **width
        )
        self.rate = ipywidgets.SelectionSlider(
            options=[(f"{rate:g}", rate) for rate in RATES],
            value=1e-2,
            description="learning rate",
            **width,
        )
        self.optimizer = ipywidgets.Dropdown(
            options=[("Adam", "adam"), ("SGD", "sgd")], description="optimizer", **width
        )
        self.sigma = ipywidgets.SelectionSlider(
            options=[NATIVE, 0.05, 0.2, 0.5, 1.0, 1.5], description="initial σ", **width
        )
        self.run_button = ipywidgets.Button(
            description="Run", button_style="primary", icon="play"
        )
        self.stop_button = ipywidgets.Button(
            description="Stop", icon="stop", disabled=True
        )
        self.message = ipywidgets.HTML()
        self.board = Picture(width=760)
        self.draw()
        self.background = Background("stability panel")
        self.run_button.on_click(guarded(self.run, self.complain))
        self.stop_button.on_click(lambda _: self.background.stop())
        super().__init__(
            row(self.map, self.rate, self.optimizer, self.sigma),
            row(self.run_button, self.stop_button),
            self.message,
            self.board,
        )
        text = f"{len(seeds)} small VAEs, {steps} steps each."
        for earlier in replaced(self):
            if earlier.background.busy:
                earlier.background.stop()
                text += " This cell was run again: the runs in progress were stopped."
        say(self.message, text)

    def run(self):
        """Start the runs with what is chosen; return at once."""
        name, sigma = self.map.value, self.sigma.value
        label = f"{name}, {self.optimizer.label} {self.rate.label}, initial σ {sigma}"
        runs = self.stack.run(
            name,
            self.rate.value,
            optimizer=self.optimizer.value,
            seeds=self.seeds,
            steps=self.steps,
            sigma=None if sigma == NATIVE else sigma,
        )
        self.before = {f"{BEFORE}{old}": record for old, record in self.latest.items()}
        self.run_button.disabled, self.stop_button.disabled = True, False
        say(self.message, "Training …")
        if not self.background.start(
            runs, lambda record: self.show(label, record), self.ended
        ):
            self.complain("A run is in progress: wait for it, or press Stop.")

    def show(self, label, record):
        """Draw the runs so far."""
        self.latest = {label: record}
        self.draw()

    def ended(self, error):
        """Say what came out, and allow the next run."""
        self.run_button.disabled, self.stop_button.disabled = False, True
        if error is not None:
            self.complain(sentence(error))
            return
        (record,) = self.latest.values()
        say(
            self.message,
            f"{record.loss.shape[1]} steps in {self.background.seconds:.1f} s: "
            f"{ending(record, self.steps)}.",
        )

    def complain(self, text):
        """Show one sentence as an error."""
        say(self.message, text, "error")

    def draw(self):
        """Show the latest runs and the earlier ones, and say what is on the picture."""
        records = self.before | self.latest
        self.board.value = to_png(runs_figure(records, steps=self.steps))
        ends = "; ".join(
            f"{label}: {ending(one, self.steps)}" for label, one in records.items()
        )
        self.board.alt = (
            "Two panels, the loss and the norm of the gradient by step, a line for "
            f"each run. {ends}."
        )
        self.description = (
            "A panel: pick map, learning rate, optimizer, initial σ, and press Run. "
            f"{self.board.alt}"
        )

    def picture(self):
        """Return PNG bytes of what is shown."""
        return bytes(self.board.value)

"""A slider for the number of samples that a gradient estimate is the mean of. Notebook
02.
"""

import functools
import threading

import ipywidgets

from vae_lib.course.figures_02 import draw_dots
from vae_lib.figures import new_figure, to_png
from vae_lib.widgets.shared.control import Control, Picture

SHOWN = 40  # estimates drawn for each estimator


def means_of(estimates, count):
    """Return name -> `SHOWN` estimates, each the mean of `count` of the draws (n,)."""
    return {
        name: draws[: SHOWN * count].reshape(-1, count).mean(axis=1)
        for name, draws in estimates.items()
    }


def means_figure(estimates, truth, count):
    """Return a figure of estimates, each the mean of `count` draws; `estimates` maps
    names to draws (n,).
    """
    means = means_of(estimates, count)
    figure, axes = new_figure(size=(8, 2.8))
    axes.axvline(truth, color="0.4", linestyle="--", linewidth=1)
    draw_dots(
        axes,
        means,
        xlabel="estimate of the gradient, nats per unit of μ₁",
        title=f"{SHOWN} estimates, each the mean of {count} sample{'s' * (count > 1)}",
    )
    axes.set_xscale("symlog", linthresh=10)
    axes.set(xlim=(-1e4, 1e4))
    axes.xaxis.set_major_formatter(
        "{x:g}"
    )  # no mathematical text: its parser serves one thread only
    return figure


class SampleSlider(Control):
    """A slider for the number of samples over a picture of estimates that use that
    many.

    `estimates` maps names to draws (n,), of which 40 times the largest of `counts` are
    used; `truth` is drawn as a dashed line. `slider` and `board` are the widgets.
    """

    def __init__(self, estimates, truth, counts=(1, 2, 4, 8, 16, 32, 64, 128)):
        self.lock = threading.Lock()
        self.estimates = estimates
        self.drawn = functools.cache(
            lambda count: to_png(means_figure(estimates, truth, count))
        )
        self.slider = ipywidgets.SelectionSlider(
            options=counts, description="samples", layout={"width": "95%"}
        )
        self.board = Picture(width=760)
        self.slider.observe(self.update, "value")
        super().__init__(self.slider, self.board)
        self.update()

    def update(self, _=None):
        """Show the picture of the slider's number of samples, and say what is on it."""
        count = self.slider.value
        spreads = ", ".join(
            f"{name} {means.std():.3g}"
            for name, means in means_of(self.estimates, count).items()
        )
        with self.lock:
            self.board.value = self.drawn(count)
        self.board.alt = (
            f"{SHOWN} estimates of the gradient by each estimator, a row of dots each, "
            f"on both sides of the dashed true value. Their standard "
            f"deviations in nats per unit of μ₁: {spreads}."
        )
        self.description = (
            f"A slider for the number of samples, here {count}. {self.board.alt}"
        )

    def picture(self):
        """Return PNG bytes of what is shown."""
        return bytes(self.board.value)

"""The settings of a training run, in words and with units."""

import ipywidgets
import numpy as np
from traitlets import TraitError

from vae_lib.checks import check_beta, whole
from vae_lib.objectives import LIKELIHOODS
from vae_lib.posterior import POSTERIORS

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
DEFAULTS = dict(
    beta=1.0,
    latent_dim=2,
    posterior="softplus",
    likelihood="bernoulli",
    learning_rate=1e-3,
    epochs=10,
    images=10_000,
    seed=0,
)
WORDS = dict(
    beta="β, weight of the rate",
    latent_dim="Latent dimension (units)",
    posterior="Map ρ → σ",
    likelihood="Likelihood of the pixels",
    learning_rate="Learning rate (of Adam)",
    epochs="Epochs (passes)",
    images="Training images",
    seed="Seed (weights, order, ε)",
)
NAMES = {
    "softplus": "softplus: σ = log(1 + exp ρ)",
    "log_variance": "log-variance: σ = exp(ρ/2)",
    "log_deviation": "log-deviation: σ = exp ρ",
    "direct": "direct: σ = |ρ|",
    "bounded": "bounded: σ = 2 sigmoid ρ",
    "bernoulli": "Bernoulli, grey pixels",
    "gaussian": "Gaussian, squared errors",
}
BETAS = (
    1e-2,
    1e3,
)  # the ends of the slider; the field beside it takes any beta of 0 or more


class Controls(ipywidgets.Box):
    """One widget for each setting of a run, by name in `fields`; `settings()` reads and `enter` writes them.

    `most` is the number of training images there are. `changed(text, error)` is called with a sentence when a
    value has changed. `shown` names the settings that the reader sees, all by default.
    """

    def __init__(self, most, changed=lambda text, error: None, shown=tuple(WORDS)):
        known(shown)
        look = dict(style={"description_width": "165px"}, layout={"width": "98%"})
        least = min(500, most)
        self.fields = dict(
            beta=ipywidgets.FloatText(
                1.0, step=0.1, tooltip="β as a number", layout={"width": "76px"}
            ),
            latent_dim=ipywidgets.IntSlider(2, 1, 50, **look),
            posterior=ipywidgets.Dropdown(
                options=[(NAMES[key], key) for key in POSTERIORS], **look
            ),
            likelihood=ipywidgets.Dropdown(
                options=[(NAMES[key], key) for key in LIKELIHOODS], **look
            ),
            learning_rate=ipywidgets.SelectionSlider(
                options=[(f"{rate:g}", rate) for rate in RATES], **look
            ),
            epochs=ipywidgets.IntSlider(1, 1, 100, **look),
            images=ipywidgets.IntSlider(
                least, least, most, 500, readout_format=",d", **look
            ),
            seed=ipywidgets.IntText(0, **look),
        )
        self.slider = ipywidgets.FloatLogSlider(
            1.0, min=-2, max=3, step=0.05, readout=False, **look
        )
        self.slider.description, self.slider.layout = (
            WORDS["beta"],
            {"flex": "1 1 auto", "width": "auto"},
        )
        self.slider.observe(self._slid, "value")
        for name, field in self.fields.items():
            field.description = WORDS[name] if name != "beta" else ""
            field.observe(
                lambda change, name=name: self._changed(name, changed), "value"
            )
        pair = ipywidgets.HBox(
            [self.slider, self.fields["beta"]], layout={"width": "98%"}
        )
        super().__init__(
            [pair if name == "beta" else self.fields[name] for name in shown]
        )
        self.add_class("vae-settings")

    def settings(self):
        """Return the settings by name; raise ValueError for one that was typed and is not to be had."""
        values = {name: field.value for name, field in self.fields.items()}
        for name, value in values.items():
            check(name, value)
        return values

    def enter(self, settings):
        """Put settings in; raise ValueError with one sentence for a name or value that is not to be had."""
        known(settings)
        for name, value in settings.items():
            check(name, value)
            field, before = self.fields[name], self.fields[name].value
            try:
                field.value = value
            except TraitError:
                pass  # it still has the value that it had
            if (
                field.value != value
            ):  # the widget refused it, or took the nearest that it allows
                field.value = before
                raise ValueError(f"{name} is {value!r}: {allowed(field)}.")

    def _changed(self, name, changed):
        value = self.fields[name].value
        try:
            check(name, value)
        except ValueError as error:
            return changed(str(error), True)
        if name == "beta":
            self.slider.value = nearest(value)
        changed(describe(name, value), False)

    def _slid(self, change):
        steps = (
            np.log10(change.new / nearest(self.fields["beta"].value)) / self.slider.step
        )
        if (
            abs(steps) > 0.51
        ):  # else the field moved the slider, and the browser took the nearest of its steps
            self.fields["beta"].value = float(f"{change.new:.3g}")


def known(names):
    """Raise ValueError with one sentence for a name that is no setting."""
    for name in names:
        if name not in WORDS:
            raise ValueError(
                f"{name} is no setting of the panel: choose from {', '.join(WORDS)}."
            )


def check(name, value):
    """Raise ValueError with one sentence for a bad beta or seed: their fields take any number."""
    if name == "beta":
        check_beta(value)
    if name == "seed" and not (whole(value) or value == 0):
        raise ValueError(f"seed is {value!r}: pass a whole number of 0 or more.")


def nearest(beta):
    """Return the position of the slider that stands for `beta`."""
    return float(np.clip(beta, *BETAS))


def allowed(field):
    """Say what a widget takes."""
    if hasattr(field, "options"):
        return f"choose from {', '.join(repr(value) for _, value in field.options)}"
    return (
        f"pass a whole number from {field.min} to {field.max}"
        if hasattr(field, "min")
        else "pass one"
    )


def describe(name, value):
    """Return a setting in words, such as "Latent dimension (units): 2"."""
    if isinstance(value, str):
        return f"{WORDS[name]}: {NAMES[value]}"
    return (
        f"{WORDS[name]}: {value:,}"
        if isinstance(value, int)
        else f"{WORDS[name]}: {value:g}"
    )

"""The settings of a training run as widgets, in words and with units."""

import ipywidgets
import numpy as np
from traitlets import TraitError

from vae_lib.checks import check
from vae_lib.objectives import LIKELIHOODS
from vae_lib.posterior import POSTERIORS

BETAS = (0.01, 0.03, 0.1, 0.3, 1, 2, 4, 8, 12, 20, 40, 70, 100, 200, 500, 1000)
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
    learning_rate="Learning rate (of Adam)",
    epochs="Epochs (passes)",
    posterior="Map ρ → σ",
    likelihood="Likelihood of the pixels",
    images="Training images",
    seed="Seed (weights, order, ε)",
)
MAIN = ("beta", "latent_dim", "learning_rate", "epochs")  # the others are folded away
LIVE = ("beta", "learning_rate")  # which act on a run that is training
NAMES = {
    "softplus": "softplus: σ = log(1 + exp ρ)",
    "log_variance": "log-variance: σ = exp(ρ/2)",
    "log_deviation": "log-deviation: σ = exp ρ",
    "direct": "direct: σ = |ρ|",
    "bounded": "bounded: σ = 2 sigmoid ρ",
    "bernoulli": "Bernoulli, grey pixels",
    "gaussian": "Gaussian, squared errors",
}


class Settings(ipywidgets.VBox):
    """One widget for each setting of a run, by name in `fields`; `values()` reads and
    `enter` writes them.

    `most` is the number of training images there are. `changed(name, sentence, error)`
    is called when a value has changed. `shown` names the settings that the reader sees,
    all by default.
    """

    def __init__(self, most, changed=lambda *_: None, shown=tuple(WORDS)):
        known(shown)
        least = min(500, most)
        step = max(1, min(500, most - least))  # of few images, too, both ends are met
        self.fields = dict(
            beta=ipywidgets.FloatText(1.0, step=0.1, tooltip="β as a number"),
            latent_dim=ipywidgets.IntSlider(2, 1, 50),
            posterior=ipywidgets.Dropdown(options=named(POSTERIORS)),
            likelihood=ipywidgets.Dropdown(options=named(LIKELIHOODS)),
            learning_rate=ipywidgets.SelectionSlider(
                options=[(f"{rate:g}", rate) for rate in RATES]
            ),
            epochs=ipywidgets.IntSlider(1, 1, 100),
            images=ipywidgets.IntSlider(least, least, most, step, readout_format=",d"),
            seed=ipywidgets.IntText(0),
        )
        for name, field in self.fields.items():
            field.description = WORDS[name] if name != "beta" else ""
            field.observe(
                lambda change, name=name: self._changed(name, changed), "value"
            )
        self.slider = ipywidgets.SelectionSlider(
            options=[(f"{beta:g}", beta) for beta in BETAS],
            value=1,
            description=WORDS["beta"],
            readout=False,
        )
        self.slider.observe(self._slid, "value")
        self.following = False  # the slider follows the field, not the reader
        pair = ipywidgets.HBox([self.slider, self.fields["beta"]])
        pair.add_class("vae-beta-field")
        rows = {name: self.fields[name] for name in shown}
        if "beta" in rows:
            rows["beta"] = pair
        main = [rows[name] for name in shown if name in MAIN]
        rest = [rows[name] for name in shown if name not in MAIN]
        parts = [ipywidgets.VBox(main).add_class("vae-knobs")]
        if rest:
            folded = ipywidgets.VBox(rest).add_class("vae-knobs")
            parts.append(ipywidgets.Accordion([folded], titles=["More settings"]))
        super().__init__(parts)

    def values(self):
        """Return the settings by name; raise ValueError for a typed one that is not
        allowed.
        """
        values = {name: field.value for name, field in self.fields.items()}
        for name, value in values.items():
            check_field(name, value)
        return values

    def enter(self, settings):
        """Put settings in; raise ValueError with one sentence for a name or value that
        is not allowed.
        """
        known(settings)
        for name, value in settings.items():
            check_field(name, value)
            field, before = self.fields[name], self.fields[name].value
            try:
                field.value = value
            except TraitError:
                pass  # it still has the value that it had
            if field.value != value:  # refused, or the nearest that is allowed
                field.value = before
                raise ValueError(f"{name} is {value!r}: {allowed(field)}.")

    def _changed(self, name, changed):
        value = self.fields[name].value
        try:
            check_field(name, value)
        except ValueError as error:
            return changed(name, str(error), True)
        if name == "beta":
            self.following = True
            self.slider.value = nearest(value)
            self.following = False
        changed(name, describe(name, value), False)

    def _slid(self, change):
        if not self.following:
            self.fields["beta"].value = float(change.new)


def known(names):
    """Raise ValueError with one sentence for a name that is not a setting."""
    for name in names:
        if name not in WORDS:
            raise ValueError(
                f"{name} is not a setting of the panel: choose from {', '.join(WORDS)}."
            )


def named(keys):
    """Return the options of a drop-down list."""
    return [(NAMES[key], key) for key in keys]


def check_field(name, value):
    """Raise ValueError for a bad beta or seed, whose fields take any number."""
    if name in ("beta", "seed"):
        check(**{name: value})


def nearest(beta):
    """Return the beta of the slider that is nearest in ratio to `beta`."""
    return BETAS[int(np.argmin(np.abs(np.log(np.array(BETAS) / max(beta, 1e-9)))))]


def allowed(field):
    """Say what a widget takes."""
    if hasattr(field, "options"):
        return f"choose from {', '.join(repr(value) for _, value in field.options)}"
    if hasattr(field, "min"):
        return f"pass a whole number from {field.min} to {field.max}"
    return "pass one"


def describe(name, value):
    """Return a setting in words, such as "Latent dimension (units): 2"."""
    if isinstance(value, str):
        return f"{WORDS[name]}: {NAMES[value]}"
    number = f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return f"{WORDS[name]}: {number}"

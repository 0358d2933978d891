"""The beta slider: one network at every beta, computed in the page, so that it answers
at once. Notebook 03.
"""

import anywidget
import numpy as np
import tensorflow as tf
import traitlets
from keras import ops
from matplotlib.colors import to_hex

from vae_lib import figures
from vae_lib.analysis.information import active_units, unit_rates
from vae_lib.course.figures_03 import slider_figure
from vae_lib.objectives import rate
from vae_lib.widgets.shared.browser import (
    output_of,
    packed,
    packed_weights,
    script,
    styles,
)
from vae_lib.widgets.shared.control import Control, compiled
from vae_lib.widgets.training.pictures import examples

BETAS = 97  # on the slider
TICKS = (0.1, 1.0, 4.0, 12.0, 40.0, 200.0)  # which have a label and are on it exactly
CODES = 500  # test digits whose codes are drawn
# the number of evenly chosen test digits over which rate and distortion are averaged;
# MNIST's first ones are easier
IMAGES = 2000
SAMPLES = 10


class BetaView(anywidget.AnyWidget):
    """What the browser draws from: numbers for every beta of the slider; `beta` is the
    current one.
    """

    _esm = script("beta_slider")
    _css = styles("browser", "beta_slider")
    beta = traitlets.Float(1.0).tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    shapes = traitlets.List().tag(sync=True)
    dtype = traitlets.Unicode("float16").tag(sync=True)
    weights, modulation, codes, mu, sigma, samples, originals = (
        traitlets.Bytes().tag(sync=True) for _ in range(7)
    )


class BetaSlider(Control):
    """A slider from the lowest beta of `network`, a trained `ConditionedVAE`, to its
    highest.

    Codes of 500 of `images` (n, rows, columns) with `labels` (n,) drift and collapse,
    one image of each class is reconstructed, fixed draws from the prior are decoded, a
    dot moves along the rate-distortion curve of 2,000 evenly chosen images, and active
    units light up. `dedicated` are (rate, distortion) of networks to compare with.
    `beta` can be read and set. Raises ValueError for a beta that the network was not
    trained for. Notebook 03.
    """

    description = (
        "The β slider: codes, reconstructions, new digits, active units and the point "
        "on the "
        "rate-distortion curve at every β."
    )

    def __init__(self, network, images, labels, *, beta=1.0, dedicated=()):
        network.check(beta)
        self.network = network
        self.dedicated = [list(map(float, pair)) for pair in dedicated]
        self.images, self.labels = images, np.asarray(labels)
        self.shown = examples(self.labels)
        self.betas = slider_betas(network.settings["low"], network.settings["high"])
        self.walk = walk(network, images, self.shown, self.betas)
        rng, shape = np.random.default_rng(0), (SAMPLES, network.latent_dim)
        self.samples = rng.standard_normal(shape).astype("float32")
        self.view = BetaView(
            beta=float(beta),
            facts=self._facts(),
            samples=packed(self.samples),
            originals=self.originals.tobytes(),
            **self._numbers(),
        )
        super().__init__(self.view)

    @property
    def beta(self):
        """The beta that the slider shows."""
        return self.view.beta

    @beta.setter
    def beta(self, beta):
        self.network.check(beta)
        self.view.beta = float(beta)

    @property
    def originals(self):
        """The images that are reconstructed, `uint8` (10, rows, columns)."""
        return np.uint8(255 * figures.unit(self.images[self.shown]) + 0.5)

    def _facts(self):
        """Return what the browser needs besides arrays."""
        walk, settings = self.walk, self.network.settings
        rounded = {
            name: np.round(walk[name], 4).tolist()
            for name in ("rates", "distortions", "unit_rates")
        }
        return dict(
            latent_dim=self.network.latent_dim,
            units=self.units,
            reach=self.reach,
            images=walk["images"],
            betas=self.betas.tolist(),
            ticks=[beta for beta in TICKS if beta in self.betas],
            active=walk["active"].tolist(),
            labels=self.labels[:CODES].tolist(),
            classes=self.labels[self.shown].tolist(),
            colours=list(map(to_hex, figures.COLOURS)),
            output=output_of(self.network),
            activation=settings["activation"],
            columns=self.network.image_shape[1],
            dedicated=self.dedicated,
            **rounded,
        )

    def _numbers(self):
        """Return the decoder's weights, its scales and shifts at each beta, and the
        codes, packed as float16.
        """
        decoder, depth = self.network.decoder, len(self.network.settings["hidden"])
        layers = [
            decoder.get_layer(name)
            for name in [f"hidden_{i}" for i in range(depth)] + ["pixels"]
        ]
        weights, shapes = packed_weights(layers)
        pairs = [
            part
            for pair in self.network.modulation(decoder, self.betas)
            for part in pair
        ]
        codes, n = self.walk["mu"], len(self.shown)
        return dict(
            weights=weights,
            shapes=shapes,
            modulation=packed(np.concatenate(pairs, axis=1)),
            codes=packed(codes[:, n : n + CODES][..., self.units]),
            mu=packed(codes[:, :n]),
            sigma=packed(self.walk["sigma"][:, :n]),
        )

    @property
    def units(self):
        """The two units that are drawn: those with the largest rate over all betas, or
        the same one twice if there is only one.
        """
        order = np.argsort(-self.walk["unit_rates"].sum(axis=0), kind="stable")
        return sorted(order[:2].tolist()) if len(order) > 1 else [0, 0]

    @property
    def reach(self):
        """How far the map of the codes extends."""
        return float(
            np.ceil(
                2
                * max(3.0, np.quantile(np.abs(self.walk["mu"][..., self.units]), 0.998))
            )
            / 2
        )

    def picture(self):
        """Return PNG bytes of what the slider shows at its present beta."""
        i = int(np.argmin(np.abs(np.log(self.betas / self.beta))))
        vae, n = self.network.at(float(self.betas[i])), len(self.shown)
        mu, sigma = self.walk["mu"][i], self.walk["sigma"][i]
        rows = {
            "test digits": figures.unit(self.originals),
            "come back as": vae.decode(mu[:n]),
            "new digits": vae.decode(self.samples),
        }
        spread = (
            mu[:n][:, self.units],
            sigma[:n][:, self.units],
            self.labels[self.shown],
        )
        return figures.to_png(
            slider_figure(
                self.betas,
                i,
                self.walk,
                mu[n:][:CODES][:, self.units],
                self.labels[:CODES],
                spread,
                rows,
                self.reach,
                self.dedicated,
            )
        )


def slider_betas(low, high):
    """Return the betas on the slider, evenly spaced in ratio, with the one nearest to
    each of TICKS replaced by it.
    """
    betas = np.geomspace(low, high, BETAS)
    for tick in TICKS:
        if low <= tick <= high:
            betas[np.argmin(np.abs(np.log(betas / tick)))] = tick
    return betas


def walk(network, images, shown, betas, seed=0):
    """Return what `network` makes of images at each of `betas`: a dict of arrays, the
    betas along the first axis.

    `mu` and `sigma` of the images at `shown`, followed by the first 500; `rates` and
    `distortions`, means over 2,000 evenly chosen ones in nats with z sampled once;
    `unit_rates` and `active` of each latent unit.
    """
    x = network.prepare(images[:: max(1, len(images) // IMAGES)][:IMAGES])
    chosen = np.concatenate([shown, np.arange(min(CODES, len(images)))])
    pictured = network.prepare(images[chosen])
    epsilon = np.random.default_rng(seed).standard_normal(
        (len(x), network.latent_dim), "float32"
    )

    @compiled
    def at(t):
        mu, rho = network.encoder([x, tf.fill((len(x), 1), t)])
        sigma, log_sigma = network.posterior(rho)
        output = network.decoder([mu + sigma * epsilon, tf.fill((len(x), 1), t)])
        distortion = ops.mean(network.likelihood.distortion(x, output))
        drawn, drawn_rho = network.encoder([pictured, tf.fill((len(chosen), 1), t)])
        return (
            mu,
            sigma,
            ops.mean(rate(mu, sigma, log_sigma)),
            distortion,
            drawn,
            network.posterior(drawn_rho)[0],
        )

    rows = []
    for beta in betas:
        mu, sigma, rates, distortions, *codes = (
            part.numpy()
            for part in at(tf.constant(network.standardised(np.log(beta)), "float32"))
        )
        rows.append(
            (rates, distortions, unit_rates(mu, sigma), active_units(mu), *codes)
        )
    names = "rates", "distortions", "unit_rates", "active", "mu", "sigma"
    return {
        "images": len(x),
        **{
            name: np.array(part)
            for name, part in zip(names, zip(*rows, strict=True), strict=False)
        },
    }

"""Draw your own digit: what the network sees, makes of it and thinks of it, computed in
the page. Notebook 04.
"""

import numpy as np
import traitlets

from vae_lib import figures
from vae_lib.evaluation import negative_elbos
from vae_lib.widgets.shared.browser import (
    dense_layers,
    hidden_activation,
    network_state,
    packed,
    script,
    styles,
)
from vae_lib.widgets.shared.codes import (
    DRAWN,
    CodeMap,
    by_rate,
    check_map,
    draw_map,
    drawn_at_random,
    map_state,
)
from vae_lib.widgets.shared.control import Control

DRAWS = 8  # of z for one −ELBO, as `negative_elbos` takes
REFERENCE = 2000  # test digits whose −ELBOs a drawing is compared with


class Paper(CodeMap):
    """The canvas of the drawing board; `pixels` are 28 × 28 bytes, the digit as the
    network sees it.
    """

    _esm = script("drawing")
    _css = styles("browser", "drawing")
    encoder_weights = traitlets.Bytes().tag(sync=True)
    encoder_shapes = traitlets.List().tag(sync=True)
    posterior = traitlets.Unicode("softplus").tag(sync=True)
    epsilons = traitlets.Bytes().tag(sync=True)
    reference = traitlets.Bytes().tag(sync=True)
    pixels = traitlets.Bytes(bytes(784)).tag(
        sync=True,  # the page sends a memory view, which Bytes would refuse
        from_json=lambda value, widget: bytes(value),
        to_json=lambda value, widget: value,
    )


class DrawingBoard(Control):
    """Paper to draw a digit on; beside it what the network sees, its reconstruction,
    and its place on the map of codes.

    The ink is scaled and centred as MNIST's digits were. `vae` encodes and decodes, in
    the page; `digits` is a `Split`, whose codes make the map and whose −ELBOs show how
    unusual the drawing is. `paper` is the widget and `image` the digit drawn last.
    Raises ValueError with one sentence for a model with one latent unit, layers other
    than Dense or images that are not 28 × 28. LeCun et al. 1998 for the preparation;
    notebook 04.
    """

    description = (
        "A board to draw a digit on, beside it the digit's reconstruction and its "
        "place on the map of codes."
    )

    def __init__(self, vae, digits, dtype="float16"):
        check_map(vae)
        if vae.image_shape != (28, 28):
            raise ValueError(
                f"the model's images are {vae.image_shape}, but the board draws 28 × "
                "28, as MNIST prepared its "
                "digits: use vae_lib.widgets.pad.LatentPad, which takes any size."
            )
        digits = drawn_at_random(digits)
        mu, sigma = vae.encode(digits.images)
        units = sorted(by_rate(mu, sigma)[:2])
        nats = np.sort(negative_elbos(vae, digits.images[:REFERENCE]))
        epsilons = np.random.default_rng(0).standard_normal((DRAWS, vae.latent_dim))
        encoder = dense_layers(vae.encoder)
        hidden_activation(encoder[:-1])  # refuses what the page cannot compute
        weights, shapes = packed_encoder(encoder, dtype)
        self.paper = Paper(
            encoder_weights=weights,
            encoder_shapes=shapes,
            posterior=vae.settings["posterior"],
            units=units,
            epsilons=packed(epsilons),
            reference=packed(nats),
            **network_state(vae, dtype),
            **map_state(mu, sigma, digits.labels, units),
        )
        self.vae, self.digits = vae, digits
        super().__init__(self.paper)

    @property
    def image(self):
        """The digit drawn last as the network sees it, `uint8` (28, 28); all 0 if
        nothing is drawn.
        """
        return np.frombuffer(self.paper.pixels, "uint8").reshape(28, 28)

    def picture(self):
        """Return PNG bytes of the digit drawn last (a test digit before that), its
        reconstruction and its place.
        """
        drawn = self.image.any()
        digit = self.image[None] if drawn else self.digits.images[:1]
        title = "as the network sees it" if drawn else "a test digit (nothing drawn)"
        figure, axes = figures.new_figure(1, 3, (8, 2.8))
        figures.draw_digits(axes[0], digit, 1, title)
        copy = self.vae.reconstruct(digit)
        figures.draw_digits(axes[1], copy, 1, "its reconstruction")
        codes = self.vae.encode(self.digits.images[:DRAWN])[0]
        code = self.vae.encode(digit)[0][0]
        draw_map(axes[2], self.paper, codes, self.digits.labels, code)
        return figures.to_png(figure)


def packed_encoder(layers, dtype):
    """Return `weights, shapes` of an encoder's `Dense` layers, with mu and rho, its
    last two, side by side as one.
    """
    *hidden, mu, rho = [
        [np.asarray(part) for part in (layer.kernel, layer.bias)] for layer in layers
    ]
    pairs = [
        *hidden,
        [np.concatenate(parts, axis=-1) for parts in zip(mu, rho, strict=True)],
    ]
    weights = b"".join(packed(part, dtype) for pair in pairs for part in pair)
    return weights, [list(kernel.shape) for kernel, _ in pairs]

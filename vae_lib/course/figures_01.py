"""The figures of notebook 01, each shown under its cell with a text for those who
cannot see it.
"""

import numpy as np

from vae_lib import figures
from vae_lib.course.showing import draw_curves, show
from vae_lib.figures import digit_rows


def rows_of_digits(rows, columns=20):
    """Show a board of images for each `label: images` of the mapping `rows`, one below
    the other.
    """
    named = "; ".join(
        f"{label}, {len(images)} images" for label, images in rows.items()
    )
    show(
        digit_rows(rows, columns=columns),
        alt=f"Digits, dark on white, in rows of {columns}: {named}.",
    )


def normals(normals, rates):
    """Show q = N(mu, sigma²) for each (mu, sigma) of `normals` over the prior, with its
    rate in nats.
    """
    figure, axes = figures.new_figure(1, len(normals), (8, 2.6), sharey=True)
    titles = [
        f"μ = {mu:g}, σ = {sigma:g}\nrate {rate:.2f} nats"
        for (mu, sigma), rate in zip(normals, rates)
    ]
    draw_normals(axes, normals, titles)
    axes[0].set(ylabel="density")
    for ax in axes:
        ax.set(xticks=[-2, 0, 2], yticks=[0, 1, 2], ylim=(0, 2.2))
    panels = "; ".join(title.replace("\n", ", ") for title in titles)
    show(
        figure,
        alt="Panels with the standard normal density p(z) in grey and q(z | x) as a "
        f"line. They differ in place and width: {panels}.",
    )


def draw_normals(axes, normals, titles):
    """Draw the standard normal density, grey, and one of `normals` into each axes."""
    z = np.linspace(-4, 4, 801)
    for ax, (mu, sigma), title in zip(axes, normals, titles):
        prior = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        ax.fill_between(z, prior, color="0.85", label="$p(z)$")
        density = np.exp(-(((z - mu) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
        ax.plot(z, density, color=figures.COLOURS[0], label="$q(z \\mid x)$")
        ax.set(title=title, xlabel="$z$")
    axes[0].legend(loc="upper right", frameon=False)


def training_curves(history):
    """Show distortion, rate and −ELBO by epoch, on training and on held-out digits."""
    curves = {
        "distortion": (history["distortion"], history["validation_distortion"]),
        "rate": (history["rate"], history["validation_rate"]),
        "−ELBO": (
            np.negative(history["elbo"]),
            np.negative(history["validation_elbo"]),
        ),
    }
    figure, axes = figures.new_figure(1, 3, (8, 2.9))
    for ax, (title, pair) in zip(axes, curves.items()):
        draw_curves(ax, dict(zip(("training", "held-out"), pair)), ylabel="")
        ax.set(title=title)
    axes[0].set(ylabel="nats per image")
    told = "; ".join(
        f"{title} from {held[0]:.1f} to {held[-1]:.1f}"
        for title, (_, held) in curves.items()
    )
    show(
        figure,
        alt="Three line charts by epoch, solid for training digits and dashed for "
        f"held-out ones. Held-out values: {told} nats.",
    )


def plane(mu, labels, board):
    """Show codes `mu` (n, 2) coloured by digit, and beside them the `board` decoded
    from a grid of codes.
    """
    n = round(len(board) ** 0.5)
    figure, axes = figures.new_figure(1, 2, (8, 4.6))
    figures.draw_codes(axes[0], mu, labels, title=f"codes μ of {len(mu):,} test digits")
    axes[0].set_aspect("equal", adjustable="datalim")
    axes[0].set_box_aspect(1)  # as tall as the board beside it
    figures.draw_digits(axes[1], board, n, title=f"decoded from {n} × {n} codes")
    axes[1].set(xlabel="$z_1$ →", ylabel="$z_2$ →")
    show(
        figure,
        alt="Left: scatter plot of codes in the plane, coloured by digit, each group "
        f"marked with its numeral. Right: a board of {n} by {n} decoded digits that "
        "change gradually from place to place.",
    )

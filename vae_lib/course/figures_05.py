"""The figures of notebook 05, shown with a description: curves, planes, handwriting."""

import numpy as np

from vae_lib.course.figures_04 import PLANE, show_rows
from vae_lib.course.showing import draw_curves, show
from vae_lib.figures import COLOURS, draw_codes, draw_digits, new_figure

__all__ = ["show_rows"]  # the same for both notebooks
NAMED = 12  # classes whose names find room on a plane


def show_curves(histories, start=3):
    """Show −ELBO by epoch from `start` on, a panel for each of `histories`."""
    figure, axes = new_figure(1, len(histories), (8, 3), sharey=True, squeeze=False)
    ends = []
    for ax, (name, history) in zip(axes[0], histories.items()):
        first = min(start, len(history["elbo"]))
        curves = {"training": history["elbo"], "held-out": history["validation_elbo"]}
        lines = {key: -np.array(elbos)[first - 1 :] for key, elbos in curves.items()}
        draw_curves(ax, lines, start=first)
        ax.set(title=name, ylabel="")
        ends.append(", ".join(f"{key} {line[-1]:.0f}" for key, line in lines.items()))
    axes[0, 0].set_ylabel("−ELBO, nats per image")
    texts = (f"{name}: at the end {end}" for name, end in zip(histories, ends))
    show(figure, f"−ELBO by epoch, in nats. {'; '.join(texts)}.")


def show_plane(mu, labels, images):
    """Show codes (n, 2) by class, and images decoded from a square grid of codes."""
    figure, axes = new_figure(1, 2, (8, 4.2))
    draw_classes(axes[0], mu, labels, f"the codes μ of {len(mu):,} test images")
    n = round(len(images) ** 0.5)
    draw_digits(axes[1], images, n, f"decoded from {n} × {n} codes")
    axes[1].set(xlabel="$z_1$ →", ylabel="$z_2$ →")
    show(
        figure,
        f"Left: codes of {len(mu):,} test images of {len(np.unique(labels))} classes, "
        f"coloured by class. Right: {n} × "
        f"{n} images decoded from a grid of codes.",
    )


def show_planes(codes, labels):
    """Show the codes (n, 2) of each named model of `codes`, coloured by class."""
    figure, axes = new_figure(1, len(codes), (8, 4.2))
    for ax, (name, mu) in zip(axes, codes.items()):
        draw_classes(ax, mu[:5000], labels[:5000], f"codes μ of the {name}")
        ax.set(xlim=(-4, 4), ylim=(-4, 4))
    show(
        figure,
        f"The same test digits, coloured by class, as codes of: {', '.join(codes)}.",
    )


def draw_classes(axes, mu, labels, title):
    """Draw codes (n, 2) coloured by class, with names unless there are many classes."""
    if len(np.unique(labels)) <= NAMED:
        draw_codes(axes, mu, labels, title=title, size=16 if len(mu) < 1000 else 6)
    else:
        colours = np.array(COLOURS)[np.asarray(labels) % len(COLOURS)]
        axes.scatter(*mu.T, c=colours, s=6, alpha=0.6, linewidths=0)
        axes.set(title=title, **PLANE)


def show_orders(boards):
    """Show a board of images, a square, for each label of the mapping `boards`."""
    figure, axes = new_figure(1, len(boards), (8, 2.3))
    for ax, (label, images) in zip(axes, boards.items()):
        draw_digits(ax, images, round(len(images) ** 0.5), f"label {label}")
    show(
        figure,
        f"Boards of images, decoded from the same codes with label "
        f"{', '.join(map(str, boards))}.",
    )


def show_hands(written, drawn):
    """Show written digits (n, …) and their codes under every label (n, 10, …)."""
    figure, axes = new_figure(size=(6.5, 6.2))
    board = np.concatenate([written[:, None], drawn], axis=1)  # (n, 11, rows, columns)
    columns, width = board.shape[1], board.shape[3] + 1
    draw_digits(
        axes, board.reshape(-1, *board.shape[2:]), columns, "one code, ten labels"
    )
    names = ["written", *map(str, range(columns - 1))]
    axes.set_xticks(width / 2 - 0.5 + width * np.arange(columns), names)
    axes.axvline(width - 1, color=COLOURS[1], linewidth=1.5)
    show(
        figure,
        f"{len(written)} rows: a written test digit, and its code decoded with the "
        f"labels 0 to {columns - 2}.",
    )


def show_labels(rows, here=None):
    """Show what data/labels.json holds, by epochs.

    `rows` is a DataFrame with one row for each latent dimension, seed and number of
    epochs; `here`, a mapping of the same columns, is drawn as a cross.
    """
    panels = {
        "label_read": "label read from μ, %",
        "obeyed": "orders obeyed, %",
        "negative_elbo": "−ELBO, nats",
    }
    figure, axes = new_figure(1, 3, (8, 3))
    for ax, (column, title) in zip(axes, panels.items()):
        for i, (units, of_units) in enumerate(rows.groupby("latent_dim")):
            scale = 1 if column == "negative_elbo" else 100
            for _, of_seed in of_units.groupby("seed"):
                ax.plot(
                    of_seed.epochs,
                    scale * of_seed[column],
                    color=COLOURS[i],
                    marker=".",
                )
            ax.plot([], [], color=COLOURS[i], marker=".", label=f"{units} units")
            if here is not None and here["latent_dim"] == units:
                look = dict(color="black", linestyle="", zorder=3)
                ax.plot(here["epochs"], scale * here[column], "x", **look, label="here")
        epochs = sorted(rows.epochs.unique())
        ax.set(title=title, xlabel="epochs", xscale="log")
        ax.set_xticks(epochs, map(str, epochs))
        ax.minorticks_off()
    axes[0].axhline(10, color="0.4", linestyle=":")
    axes[0].set_ylim(0, 100)
    axes[1].set_ylim(0, 100)
    axes[2].legend(fontsize=9)
    means = rows.groupby(["latent_dim", "epochs"])[list(panels)].mean()
    texts = []
    for units in sorted(rows.latent_dim.unique()):
        first, last = means.loc[units].loc[[epochs[0], epochs[-1]]].to_numpy()
        ends = (f"{a:.2f} to {b:.2f}" for a, b in zip(first[:2], last[:2], strict=True))
        texts.append(
            f"{units} units: label read {next(ends)}, orders obeyed {next(ends)}, "
            f"−ELBO {first[2]:.1f} to {last[2]:.1f} nats"
        )
    show(
        figure,
        f"Three panels by epochs, a line for each number of units, from {epochs[0]} to "
        f"{epochs[-1]} epochs. {'; '.join(texts)}.",
    )

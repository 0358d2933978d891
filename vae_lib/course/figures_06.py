"""The figures of notebook 06, shown with a description: islands, bits, gradients."""

import io

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import ScalarFormatter
from PIL import Image, ImageDraw

from vae_lib.course.figures_04 import show_rows
from vae_lib.course.showing import show
from vae_lib.figures import COLOURS, STYLE, draw_digits, new_figure, to_png

__all__ = ["show_rows"]  # the same for both notebooks
TURN = np.linspace(0, 2 * np.pi, 60)
CIRCLE = np.stack([np.cos(TURN), np.sin(TURN)])
MARKS = ".", "x", "+", "1"  # so that colour is never the only cue
STYLES = "-", "--", "-.", ":"
PARTS = "amortization", "slant", "form"
RED = 200, 40, 0  # of what moves
PLAIN = ScalarFormatter()


def show_parts(table):
    """Show the gap of each digit as a bar of its parts, sorted by the whole.

    `table` is what `gap.split_gap` returns: a DataFrame of nats, a row for each digit.
    """
    figure, axes = new_figure(size=(7, 3.2))
    ordered = table.sort_values("gap", ascending=False, ignore_index=True)
    bottom = 0.0
    for name, colour in zip(PARTS, COLOURS):
        axes.bar(ordered.index, ordered[name], 1.0, bottom, color=colour, label=name)
        bottom = bottom + ordered[name]
    mean = table["gap"].mean()
    axes.axhline(mean, color="black", linestyle=":", label=f"the mean gap, {mean:.1f}")
    axes.set(xlabel=f"{len(table)} digits, sorted", ylabel="nats", xlim=(0, len(table)))
    axes.set_title("the gap of each digit, and its parts")
    axes.legend()
    shares = (f"{name} {table[name].sum() / table['gap'].sum():.0%}" for name in PARTS)
    show(
        figure,
        f"A bar for each of {len(table)} digits, high for few and low for most. Of all "
        f"nats: {', '.join(shares)}.",
    )


def ellipse(q, image, deviations=1.0):
    """Return the ellipse (60, 2) of an image's q at a number of `deviations`."""
    mean, factor = q.mean[image], q.factor[image]
    return mean + deviations * (factor @ CIRCLE).T


def window(surface, image, gaussians):
    """Return the centre (2,) and half the width of what is worth showing of a plane."""
    islands = [found for found in surface.islands(image) if found[0] > 0.02]
    points = [ellipse(q, image, 3.5) for q in gaussians]
    for _, mean, covariance in islands:
        points.append(mean + 3.5 * (np.linalg.cholesky(covariance) @ CIRCLE).T)
    points = np.concatenate(points)
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, 0.55 * (high - low).max()


def draw_posterior(axes, surface, image, centre, half):
    """Draw p(z|x) of an image of the `surface` around `centre`, dark where high."""
    density = np.exp(surface.logs[image] - surface.logs[image].max())
    step = surface.axis[1] - surface.axis[0]
    ends = surface.axis[0] - step / 2, surface.axis[-1] + step / 2
    look = dict(cmap="Purples", origin="lower", interpolation="bilinear")
    axes.imshow(density**0.5, extent=ends * 2, **look)
    axes.grid(False)
    limits = [(c - half, c + half) for c in centre]
    axes.set(xlim=limits[0], ylim=limits[1], xlabel="$z_1$", ylabel="$z_2$")


def show_islands(surface, images, encoder, best, gaps):
    """Show p(z|x) of images (n, rows, columns), the encoder's q and the best one.

    `gaps` (n,), in nats, stand above the planes.
    """
    count = len(images)
    figure, axes = new_figure(2, count, (8, 4.1), height_ratios=(1, 2.2))
    for place, ((above, below), gap) in enumerate(zip(axes.T, gaps, strict=True)):
        draw_digits(above, images[place][None], 1)
        centre, half = window(surface, place, (encoder, best))
        draw_posterior(below, surface, place, centre, half)
        for q, colour, line in ((encoder, COLOURS[1], "--"), (best, "black", "-")):
            below.plot(*ellipse(q, place, 2).T, line, color=colour, linewidth=1.5)
        below.set(ylabel="$z_2$" if below is axes[1, 0] else "")
        below.set_title(f"gap {gap:.1f} nats", fontsize=11)
        above.set_anchor("S")
        below.set_anchor("N")
        below.tick_params(labelsize=8)
    below.plot([], [], "--", color=COLOURS[1], label="the encoder's q")
    below.plot([], [], "-", color="black", label="the best q")
    figure.legend(
        *below.get_legend_handles_labels(), loc="outside lower center", ncols=2
    )
    shares = (
        " and ".join(f"{one[0]:.0%}" for one in surface.islands(place)[:2])
        for place in range(count)
    )
    show(
        figure,
        f"{count} test digits, and below each its posterior on the plane as dark "
        "islands, with an ellipse of two deviations for the encoder's q, dashed, and "
        f"one for the best q. Shares of the islands: {'; '.join(shares)}.",
    )


def climb_frames(surface, image, way, bounds, log_p):
    """Return {step: (PNG bytes, sentence)} of q on its way, for one image's posterior.

    `way` and `bounds` are what `gap.climb` returns. The plane and the curve are drawn
    once; only the ellipses and the dot on the curve are drawn again.
    """
    figure, (left, right) = new_figure(1, 2, (7.6, 3.5))
    centre, half = window(surface, image, (way[0], way[-1]))
    draw_posterior(left, surface, image, centre, half)
    left.set_title("the posterior p(z|x), and q")
    curve = bounds[:, image]
    right.plot(curve, color=COLOURS[0])
    right.axhline(log_p, color="black", linestyle=":")
    right.set(xlabel="step", ylabel="nats", title="dotted: log p(x); line: the bound")
    with matplotlib.rc_context(STYLE):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    still = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    still = still.quantize(63)  # once: the frames share a palette, and red is the 64th
    still.putpalette(still.getpalette()[:189] + [*RED])
    frames, last = {}, len(way) - 1
    for step in sorted({*range(0, min(21, last)), *range(20, last, 4), last}):
        picture = still.copy()
        pen = ImageDraw.Draw(picture)

        def line(axes, points, colour, width=3, pen=pen):
            places = axes.transData.transform(points)
            places[:, 1] = still.height - places[:, 1]
            pen.line([tuple(place) for place in places], colour, width)

        for deviations in (1, 2):
            line(left, ellipse(way[step], image, deviations), RED)
        x, y = right.transData.transform((step, curve[step]))
        y = still.height - y
        pen.ellipse([x - 9, y - 9, x + 9, y + 9], RED)
        with io.BytesIO() as file:
            picture.save(file, "PNG")
            frames[step] = (
                file.getvalue(),
                (
                    f"Step {step}: the bound is {curve[step]:.2f} nats, "
                    f"{log_p - curve[step]:.2f} below log p(x) = {log_p:.2f}."
                ),
            )
    return frames


def show_prices(bound, lengths):
    """Show the coder's length of each digit against its bound, both in bits (n,)."""
    figure, axes = new_figure(1, 2, (8, 3.4))
    ends = [min(bound.min(), lengths.min()), max(bound.max(), lengths.max())]
    axes[0].plot(ends, ends, color="0.6", linewidth=1)
    axes[0].scatter(bound, lengths, s=5, alpha=0.6, linewidths=0)
    axes[0].set(xlabel="−ELBO, bits", ylabel="on the stack, bits", aspect="equal")
    axes[0].set_title("each digit")
    count = np.arange(1, len(bound) + 1)
    means = np.cumsum(lengths) / count, np.cumsum(bound) / count
    axes[1].plot(count, means[0], label="on the stack")
    axes[1].plot(count, means[1], "--", label="−ELBO")
    axes[1].set(xlabel="digits so far", ylabel="bits per digit", xscale="log")
    axes[1].set_title("running means")
    axes[1].xaxis.set_major_formatter("{x:g}")
    axes[1].legend()
    show(
        figure,
        f"Left: {len(bound)} digits, their length on the stack against −ELBO, around "
        "the diagonal. Right: the running means, which end at "
        f"{means[0][-1]:.1f} and {means[1][-1]:.1f} bits.",
    )


def show_precision(bits, curves):
    """Show what a digit costs against the `bits` of each number of its code."""
    figure, axes = new_figure(size=(6, 3.2))
    for i, (name, values) in enumerate(curves.items()):
        flat = np.ptp(values) == 0  # one measurement, drawn as a line
        look = dict(marker="" if flat else MARKS[i], color=COLOURS[i], label=name)
        axes.plot(bits, values, STYLES[i], **look)
    axes.set(xlabel="bits of each number of the code", ylabel="bits per digit")
    axes.legend(fontsize=9)
    texts = [f"{name}: {min(v):.0f} to {max(v):.0f}" for name, v in curves.items()]
    show(figure, f"Bits per digit by precision of the code. {'; '.join(texts)}.")


def show_ratios(rows):
    """Show signal-to-noise ratios by K, from rows of data/bound.json.

    Solid: the plain gradient; dashed: the doubly reparametrized one. A line for each
    seed, a colour for each number of samples that the model was trained on.
    """
    names = [name for name in rows if name.startswith("plain_")]
    k = np.array([int(name.split("_")[1]) for name in names])
    figure, axes = new_figure(1, 2, (8, 3.3), sharey=True)
    for ax, kind, title in zip(
        axes, ("plain", "double"), ("plain", "doubly reparametrized")
    ):
        for i, (trained, group) in enumerate(rows.groupby("K")):
            for j, (_, row) in enumerate(group.iterrows()):
                values = [row[f"{kind}_{number}"] for number in k]
                label = f"trained with K = {trained:.0f}" if j == 0 else None
                ax.plot(
                    k, values, MARKS[i] + "-", color=COLOURS[i], alpha=0.8, label=label
                )
        first = np.median(rows[f"{kind}_{k[0]}"])
        power = -0.5 if kind == "plain" else 0.5
        ax.plot(k, first * k**power, ":", color="black", label=f"slope {power:+g}")
        ax.set(xscale="log", yscale="log", title=title, xlabel="K of the gradient")
        ax.xaxis.set_major_formatter(PLAIN)
        ax.minorticks_off()
        ax.set_xticks(k)
    axes[0].set_ylabel("signal / noise")
    handles = axes[1].get_legend_handles_labels()
    handles[0][-1:], handles[1][-1:] = handles[0][-1:], ["slope ½, down and up"]
    figure.legend(*handles, loc="outside lower center", ncols=2, fontsize=9)
    said = []
    for kind, title in (("plain", "Plain"), ("double", "Doubly reparametrized")):
        falls = (
            f"{np.median(group[f'{kind}_{k[0]}']):.2f} to "
            f"{np.median(group[f'{kind}_{k[-1]}']):.2f} (trained with {trained:.0f})"
            for trained, group in rows.groupby("K")
        )
        said.append(f"{title}: {', '.join(falls)}.")
    show(
        figure,
        "Signal-to-noise ratio of the encoder's gradient against K, both logarithmic. "
        f"Medians over seeds from K = {k[0]} to {k[-1]}. {' '.join(said)}",
    )


def gradient_frames(clouds):
    """Return {K: (PNG bytes, sentence)} of estimates of one gradient, (draws, 2) each.

    `clouds` maps K to pairs: the plain estimates and the doubly reparametrized ones.
    """
    every = np.concatenate([cloud for pair in clouds.values() for cloud in pair])
    reach = np.quantile(np.abs(every), 0.995)
    frames = {}
    for k, pair in clouds.items():
        figure, axes = new_figure(1, 2, (7.6, 4.3), sharey=True)
        said = []
        for ax, cloud, title in zip(axes, pair, ("plain", "doubly reparametrized")):
            mean = cloud.mean(axis=0)
            ratio = np.linalg.norm(mean) / np.sqrt(cloud.var(axis=0).sum())
            ax.scatter(*cloud.T, s=6, alpha=0.4, linewidths=0)
            ax.plot(*np.stack([0 * mean, mean]).T, color=COLOURS[1], linewidth=3)
            ax.plot(*mean, "o", color=COLOURS[1], markersize=6)
            ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            ax.set(title=f"{title}, K = {k}", xlabel="slope by $\\mu_1$, nats")
            said.append(f"{title}: signal / noise {ratio:.2f}")
        axes[0].set_ylabel("slope by $\\mu_2$, nats")
        frames[k] = to_png(figure), f"K = {k}. {said[0]}; {said[1]}."
    return frames


def show_scores(panels):
    """Show values of sets of images as boxes, a panel for each of `panels`.

    `panels` maps a title to {set: values (n,)} in bits; the first set is the reference.
    """
    figure, axes = new_figure(1, len(panels), (8, 3.4), sharey=True, squeeze=False)
    for ax, (title, sets) in zip(axes[0], panels.items()):
        values = [np.asarray(v) for v in sets.values()]
        boxes = ax.boxplot(
            values, orientation="horizontal", whis=(2, 98), showfliers=False,
            patch_artist=True, widths=0.6, medianprops={"color": "black"},
        )  # fmt: skip
        for i, box in enumerate(boxes["boxes"]):
            box.set_facecolor(COLOURS[0] if i == 0 else "0.85")
        ends = np.quantile(values[0], [0.02, 0.98])
        ax.axvspan(*ends, color=COLOURS[0], alpha=0.12, linewidth=0)
        ax.set(title=title, xlabel="bits")
    axes[0, 0].set_yticks(range(1, len(sets) + 1), list(sets))
    axes[0, 0].invert_yaxis()
    texts = []
    for title, sets in panels.items():
        medians = ", ".join(f"{name} {np.median(v):.0f}" for name, v in sets.items())
        texts.append(f"{title}: medians {medians}")
    show(figure, f"Boxes of bits by kind of image. {'; '.join(texts)}.")


def show_normalizer(p, bernoulli, continuous):
    """Show densities of one grey pixel at values x, and what they leave out.

    `bernoulli` and `continuous` map a label to values (n,) over `p` in [0, 1].
    """
    figure, axes = new_figure(1, 2, (8, 3.1))
    for ax, curves, title in (
        (axes[0], bernoulli, "Bernoulli on grey: areas below 1"),
        (axes[1], continuous, "continuous Bernoulli: areas of 1"),
    ):
        for i, (name, values) in enumerate(curves.items()):
            ax.plot(p, values, STYLES[i], color=COLOURS[i], label=name)
        ax.set(title=title, xlabel="grey value x of a pixel", ylim=(0, None))
        ax.set_ylabel("value of the formula")
        ax.legend(fontsize=9)
    show(
        figure,
        "Densities of one grey pixel for three values of the decoder. Left: the "
        "Bernoulli formula, with areas below one; right: the continuous Bernoulli.",
    )

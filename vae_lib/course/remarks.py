"""Sentences on what was measured with data that the reader chose. Notebook 05."""

import numpy as np


def on_gap(name, seen, held_out):
    """Return a sentence on the gap from training to held-out −ELBO of the set `name`.

    `seen` is the −ELBO of the training images at the end, in nats; `held_out` (n,) that
    of each held-out image. The gap is called beyond chance if it is larger than two
    standard errors of the held-out mean.
    """
    n, gap = len(held_out), np.mean(held_out) - seen
    begin = f"{name}: held-out images cost {gap:.1f} nats more than training images"
    if gap < 0:
        begin = (
            f"{name}: held-out images cost {-gap:.1f} nats less than training images"
        )
    if n < 30:
        return f"{begin}, but {n} held-out images are too few to say more."
    error = 2 * np.std(held_out, ddof=1) / np.sqrt(n)
    verdict = "beyond chance" if abs(gap) > error else "within chance"
    return f"{begin}; two standard errors of {n} images are {error:.1f}: {verdict}."


def on_control(name, seen, held_out):
    """Return a sentence that compares the gap of the set `name` with the control's.

    `seen` and `held_out` are pairs of what `on_gap` takes: of the set, of the control.
    The gaps differ beyond chance if by more than two standard errors of the difference.
    """
    gap, control = (np.mean(costs) - cost for cost, costs in zip(seen, held_out))
    if max(gap, control) < 2:
        return "Neither set is learned by heart: both gaps are below 2 nats."
    error = 2 * np.sqrt(sum(np.var(costs, ddof=1) / len(costs) for costs in held_out))
    difference = gap - control
    begin = f"The two gaps differ by {abs(difference):.1f} nats"
    begin += f", two standard errors of that are {error:.1f}"
    if abs(difference) <= error:
        return f"{begin}: the number of images may explain both."
    larger = f"that of {name}" if difference > 0 else "the control's"
    same = "the number of images, which is the same, cannot be why"
    return f"{begin}: {larger} is larger, and {same}."

"""Sentences on what was measured with data that the reader chose. Notebook 05."""

import numpy as np

FEW = 30  # images, too few for a standard error


def on_gap(name, seen, held_out):
    """Return a sentence on the gap from training to held-out −ELBO of the set `name`.

    `seen` is the −ELBO of the training images at the end, in nats; `held_out` (n,) that
    of each held-out image. The gap is called beyond chance if it is larger than two
    standard errors of the held-out mean.
    """
    n, gap = len(held_out), np.mean(held_out) - seen
    if not np.isfinite(gap):
        return f"{name}: a cost is not finite."
    begin = f"{name}: held-out images cost {gap:.1f} nats more than training images"
    if gap < 0:
        begin = (
            f"{name}: held-out images cost {-gap:.1f} nats less than training images"
        )
    if n < FEW:
        return f"{begin}, but their number, {n}, is too small to say more."
    error = 2 * np.std(held_out, ddof=1) / np.sqrt(n)
    verdict = "beyond chance" if abs(gap) > error else "within chance"
    return f"{begin}; two standard errors of {n} images are {error:.1f}: {verdict}."


def on_control(name, seen, held_out):
    """Return a sentence that compares the gap of the set `name` with the control's.

    `seen` and `held_out` are pairs of what `on_gap` takes: of the set, of the control.
    The gaps differ beyond chance if by more than two standard errors of the difference.
    """
    gap, control = (np.mean(costs) - cost for cost, costs in zip(seen, held_out))
    if not np.isfinite([gap, control]).all():
        return "The gaps cannot be compared: a cost is not finite."
    if (n := min(map(len, held_out))) < FEW:
        return f"The number of held-out images, {n}, is too small to compare the gaps."
    if max(gap, control) < 2:
        return "Both gaps are below 2 nats: too small to compare."
    error = 2 * np.sqrt(sum(np.var(costs, ddof=1) / len(costs) for costs in held_out))
    difference = gap - control
    begin = f"The gaps, {gap:.1f} and {control:.1f} nats, differ by "
    begin += f"{abs(difference):.1f}, and two standard errors of that are {error:.1f}"
    if abs(difference) <= error:
        return f"{begin}: the number of images may explain both."
    larger = f"that of {name}" if difference > 0 else "the control's"
    same = "the number of images, which is the same, cannot explain it"
    return f"{begin}: {larger} is larger, and {same}."

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


def on_control(name, gap, control):
    """Return a sentence that compares the gap of `name` with that of equally many
    digits.
    """
    if max(gap, control) < 2:
        return "Neither set is learned by heart: both gaps are below 2 nats."
    if gap > 2 * control:
        larger = f"The gap of {name} is more than twice the control's"
    elif control > 2 * gap:
        larger = f"The control's gap is more than twice that of {name}"
    else:
        return (
            "The gaps agree within a factor of 2: the number of images explains them."
        )
    return f"{larger}: the number of images is not the whole explanation."

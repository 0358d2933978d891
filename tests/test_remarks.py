"""Sentences on a reader's own data: what they say follows from the standard error."""

import numpy as np
import pytest

from vae_lib.course import remarks


@pytest.mark.parametrize(
    "seen, held_out, words",
    [
        (100, np.full(4, 110.0), "their number, 4, is too small"),
        (100, 110 + np.tile([-1.0, 1.0], 50), "10.0 nats more than training images"),
        (100, 110 + np.tile([-1.0, 1.0], 50), "beyond chance"),
        (100, 101 + np.tile([-50.0, 50.0], 50), "within chance"),
        (100, 95 + np.tile([-1.0, 1.0], 50), "5.0 nats less than training images"),
        (100, np.full(50, np.nan), "mine: a cost is not finite"),
    ],
)
def test_a_gap_is_judged_by_its_standard_error(seen, held_out, words):
    assert words in remarks.on_gap("mine", seen, held_out)


@pytest.mark.parametrize(
    "gap, control, words",
    [
        (1, 1.5, "too small to compare"),
        (-3, 1, "too small to compare"),
        (30, 10, "that of mine is larger"),
        (3, 16, "the control's is larger"),
        (12, 16, "may explain both"),
        (1, np.nan, "cannot be compared: a cost is not finite"),
        (np.inf, 16, "cannot be compared: a cost is not finite"),
    ],
)
def test_a_gap_is_compared_with_the_control(gap, control, words):
    deviations = np.random.default_rng(0).normal(0, 30, (2, 100))
    deviations -= deviations.mean(axis=1, keepdims=True)  # two standard errors: 8.3
    held_out = [100 + gap + deviations[0], 200 + control + deviations[1]]
    assert words in remarks.on_control("mine", (100, 200), held_out)


def test_few_images_decide_nothing_about_the_control():
    held_out = [np.array([110.0]), np.array([216.0])]
    words = "number of held-out images, 1, is too small to compare"
    assert words in remarks.on_control("mine", (100, 200), held_out)

"""Tables show what is not finite, count failures, and let nothing drop out."""

import numpy as np
import pandas as pd
import pytest

from vae_lib.course.figures_02 import jumps_figure
from vae_lib.course.tables import (
    markdown,
    neat,
    outcome_table,
    share,
    short,
    span,
    table,
)

pytestmark = pytest.mark.filterwarnings("error")


def row(posterior, losses, spikes, learning_rate=1e-3):
    """Return a row as `outcomes.outcome` and its settings make them."""
    return {
        "posterior": posterior,
        "arm": "native",
        "optimizer": "adam",
        "learning_rate": learning_rate,
        "failed": [loss is None for loss in losses],
        "spikes": spikes,
        "final_loss": losses,
        "largest_jump": [
            None if loss is None else 1.0 + 20 * count
            for loss, count in zip(losses, spikes, strict=True)
        ],
    }


@pytest.mark.parametrize(
    "value, text",
    [
        (0.04567, "0.0457"),
        (-1.5, "−1.5"),
        (3, "3"),
        (41867.4, "41,867"),
        (-0.0, "0"),
        (np.inf, "∞"),
        (-np.inf, "−∞"),
        (np.nan, "NaN"),
    ],
)
def test_numbers_are_short_and_infinity_is_seen(value, text):
    assert short(np.float32(value)) == text


def test_spans_and_shares():
    assert (
        span(np.array([-120.0, -60, -44])) == "−120 to −44"
        and span(np.array([])) == "never"
    )
    assert share(0, 20) == "0 of 20 [0 %, 16 %]"  # Newcombe 1998, table I: 0 to 0.1611


def test_a_table_is_a_frame_and_can_be_markdown():
    found = table(["map", "σ"], [["direct", 0.5], ["softplus", np.inf]])
    assert found.loc["softplus", "σ"] == "∞"
    assert markdown(found).splitlines() == [
        "| map | σ |",
        "|:--|--:|",
        "| direct | 0.5 |",
        "| softplus | ∞ |",
    ]


def test_a_neat_frame_keeps_texts_and_shortens_its_index():
    frame = pd.DataFrame({"D": [474.1, 0.12345]}, pd.Index([12.0, 0.1], name="β"))
    found = neat(frame.assign(arm="native"))
    assert list(found.index) == ["12", "0.1"] and found.columns.name == "β"
    assert found.D.tolist() == ["474", "0.123"] and set(found.arm) == {"native"}
    assert frame.D.iloc[0] == 474.1


def test_a_failed_run_counts_as_infinity_and_the_rows_of_a_condition_are_one_cell():
    parts = [row("direct", [500.0, None], [0, 1]), row("direct", [510.0], [3])]
    found = outcome_table(
        [
            *parts,
            row("softplus", [499.0], [0]),
            row("direct", [600.0], [0], 0.1),
            row("softplus", [None], [1], 0.1),
        ]
    )
    assert list(found.columns) == ["Adam 0.001", "Adam 0.1"]
    assert found.loc["direct, native"].tolist() == [
        "1 / 2 / 3; 510 (500–∞)",
        "0 / 0 / 1; 600 (600–600)",
    ]
    assert found.loc["softplus, native", "Adam 0.1"] == "1 / 1 / 1; ∞ (∞–∞)"


def test_jumps_are_drawn_and_failures_counted():
    rows = [
        row("direct", [500.0, None], [0, 1]),
        row("softplus", [500.0], [0]),
        row("direct", [9.0], [0], 0.1),
        row("softplus", [9.0], [0], 0.1),
    ]
    figure = jumps_figure(rows)
    assert [axes.get_title() for axes in figure.axes] == ["Adam 0.001", "Adam 0.1"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["1 not finite", ""]


def test_each_row_of_dots_stands_at_its_own_label_in_every_panel():
    rows = [
        row("direct", [500.0], [0]),
        row("softplus", [500.0], [0]),
        row("softplus", [9.0], [0], 0.1),  # in another order, and direct not at all
    ]
    rows[-1]["largest_jump"] = [7.0]
    first, panel = jumps_figure(rows).axes[:2]  # the labels stand beside the first
    (height,) = {
        float(y)
        for line in panel.lines
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
        if x == 7.0
    }
    labels = [label.get_text() for label in first.get_yticklabels()]
    assert labels[int(height)] == "softplus, native"

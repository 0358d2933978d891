"""Pictures: the right pixels, alternative text, and no pyplot."""

import io
import re
from pathlib import Path

import matplotlib.colors
import numpy as np
import pytest
from PIL import Image

from vae_lib import figures
from vae_lib.course import showing
from vae_lib.course.figures_01 import draw_normals
from vae_lib.widgets.shared.control import digits_png

RNG = np.random.default_rng(0)
DIGITS = RNG.integers(0, 256, (7, 28, 28), dtype="uint8")


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))


def test_tiles_stand_row_by_row():
    board = figures.tile(DIGITS / 255.0, columns=3)
    assert board.shape == (3 * 29 - 1, 3 * 29 - 1)
    np.testing.assert_allclose(
        board[29:57, 29:57], DIGITS[4] / 255.0, atol=1e-6
    )  # the fifth: row 2, column 2
    assert (board[58:, 29:] == 0).all()  # the empty places


def test_digits_are_dark_on_light_and_crisp():
    png = pixels(digits_png(DIGITS[:1], scale=4))
    np.testing.assert_array_equal(png, np.kron(255 - DIGITS[0], np.ones((4, 4), int)))
    floats = pixels(digits_png(DIGITS[:1] / 255.0, scale=4))
    np.testing.assert_array_equal(png, floats)


def test_values_beyond_the_range_are_clipped():
    assert set(np.unique(pixels(digits_png(np.array([[[-3.0, 9.0]]]), scale=1)))) == {
        0,
        255,
    }


def test_a_figure_is_shown_with_its_description(monkeypatch):
    shown = []
    monkeypatch.setattr(
        showing,
        "display",
        lambda data, **options: shown.append((data, options["metadata"])),
    )
    figure, axes = figures.new_figure(size=(4, 3))
    axes.plot([0, 1])
    showing.show(figure, alt="a line")
    data, metadata = shown[0]
    assert data["text/plain"] == metadata["image/png"]["alt"] == "a line"
    assert Image.open(io.BytesIO(data["image/png"])).size == (
        4 * figures.DOTS,
        3 * figures.DOTS,
    )
    assert metadata["image/png"]["width"] == 4 * figures.DOTS // 2


def test_every_digit_has_its_colour_and_its_numeral():
    figure, axes = figures.new_figure(size=(4, 4))
    figures.draw_codes(axes, RNG.normal(size=(100, 2)), np.repeat([3, 7], 50))
    assert [text.get_text() for text in axes.texts] == [
        "3",
        "7",
    ] and axes.get_aspect() == 1
    colours = axes.collections[0].get_facecolors()[:, :3]
    assert np.allclose(colours[0], matplotlib.colors.to_rgb(figures.COLOURS[3]))
    assert len(set(figures.COLOURS)) == 10


@pytest.mark.parametrize("digit", range(10))
def test_a_numeral_stands_out_from_its_classs_colour(digit):
    figure, axes = figures.new_figure(size=(4, 4))
    figures.draw_codes(axes, RNG.normal(size=(9, 2)), np.full(9, digit))
    ink = matplotlib.colors.to_rgb(axes.texts[0].get_color())
    low, high = sorted(
        np.dot(np.power(colour, 2.2), (0.2126, 0.7152, 0.0722))
        for colour in (ink, figures.COLOURS[digit])
    )
    assert (high + 0.05) / (low + 0.05) > 4.5  # WCAG, with a gamma of 2.2 for sRGB


@pytest.mark.parametrize(
    "label, style", [("rate", "-"), ("rate, held-out", "--"), ("validation_rate", "--")]
)
def test_held_out_curves_are_dashed(label, style):
    figure, axes = figures.new_figure()
    showing.draw_curves(axes, {label: [1.0, 2.0]})
    assert axes.lines[0].get_linestyle() == style and list(
        axes.lines[0].get_xdata()
    ) == [1, 2]


def test_rows_of_digits_have_their_labels():
    figure = figures.digit_rows({"above": DIGITS, "below": DIGITS[:3]}, title="both")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["above", "below"]
    assert figure.get_size_inches()[0] <= 8


def test_normals_integrate_to_one():
    figure, axes = figures.new_figure(1, 2)
    draw_normals(axes, [(0.0, 1.0), (1.0, 0.2)], ["same", "shifted and narrow"])
    for ax in axes:
        line = ax.lines[0]
        assert np.trapezoid(line.get_ydata(), line.get_xdata()) == pytest.approx(
            1, abs=1e-3
        )  # cut at ±4


def test_numerals_are_pushed_apart():
    places = figures.spread(
        np.array([[0.0, 0.0], [0.0, 0.0], [0.1, 0.0], [9.0, 9.0]]), 1.0
    )
    between = np.linalg.norm(places[:, None] - places, axis=-1)[np.triu_indices(4, 1)]
    assert between.min() > 0.9
    np.testing.assert_allclose(places[3], [9.0, 9.0], atol=0.01)


def test_pyplot_stays_out():
    # threads draw, and pyplot keeps global state
    sources = [
        Path(figures.__file__),
        *Path(figures.__file__).parent.glob("widgets/*.py"),
    ]
    assert not [
        path.name
        for path in sources
        if re.search(
            r"^\s*(import|from) .*pyplot", path.read_text(encoding="utf-8"), re.M
        )
    ]


def test_a_large_picture_is_stored_in_256_colours_and_a_small_one_as_it_is():
    noise = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (400, 400, 3), "uint8")
    )
    with io.BytesIO() as file:
        noise.save(file, "PNG")
        large = file.getvalue()
    assert showing.palette(large, most=len(large)) == large
    stored = showing.palette(large)
    assert len(stored) < len(large) / 2
    with Image.open(io.BytesIO(stored)) as picture:
        assert picture.size == (400, 400) and len(picture.getcolors()) <= 256


def test_a_stored_picture_keeps_the_colours_of_the_classes_and_greys_grey():
    rng, labels = np.random.default_rng(0), np.arange(3000) % 10
    figure, axes = figures.new_figure(1, 2, (8, 4))
    figures.draw_codes(axes[0], rng.normal(size=(3000, 2)), labels)
    figures.draw_digits(axes[1], rng.random((225, 28, 28)), 15)
    drawn = figures.to_png(figure)
    before, after = (
        np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), "int16")
        for png in (drawn, showing.palette(drawn))
    )
    for colour in np.round(255 * np.array(figures.COLOURS)):
        own = (before == colour).all(axis=-1)
        assert own.any() and np.abs(after[own] - colour).max() <= 5
    grey = np.ptp(before, axis=-1) == 0
    assert np.ptp(after[grey], axis=-1).max() == 0  # without a tint
    assert np.abs(after[grey] - before[grey]).max() <= 8

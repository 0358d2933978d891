"""Parallel runs are those of `train`, failures are data, and the controls work."""

import io
import time

import keras
import numpy as np
import pytest
from PIL import Image

from vae_lib.course import figures_02
from vae_lib.course.figures_02 import dots_figure, lines_figure, runs_figure
from vae_lib.data import load_mnist, subsample
from vae_lib.experiments.outcomes import final_loss, not_finite
from vae_lib.experiments.parallel_training import ParallelVAEs, Record, initial_weights
from vae_lib.experiments.textbook_maps import MAPS, TEXTBOOK
from vae_lib.model import VAE
from vae_lib.posterior import POSTERIORS
from vae_lib.training import train
from vae_lib.widgets.rho import RhoWalk
from vae_lib.widgets.samples import SampleSlider
from vae_lib.widgets.stability import StabilityPanel, ending

IMAGES = subsample(load_mnist().train, 640).images
SEEDS = (3, 4)


@pytest.fixture(scope="module")
def stack():
    return ParallelVAEs(IMAGES, hidden=(16,))


def last(runs):
    *_, record = runs
    return record


@pytest.mark.slow
def test_a_stacked_run_is_the_run_of_train_at_the_same_seed(stack):
    record = last(
        stack.run("softplus, guarded", 1e-3, seeds=SEEDS, steps=20)
    )  # two epochs of ten steps
    for run, seed in enumerate(SEEDS):
        keras.utils.set_random_seed(seed)
        vae = VAE(hidden=(16,), likelihood="gaussian", beta=12.0)
        history = train(vae, IMAGES, epochs=2, batch_size=64, seed=seed, progress=False)
        for name, values in (
            ("loss", record.loss),
            ("distortion", record.distortion),
            ("rate", record.rate),
        ):
            np.testing.assert_allclose(
                values[run].reshape(2, 10).mean(axis=1), history[name], rtol=1e-4
            )


@pytest.mark.slow
def test_a_run_does_not_depend_on_its_neighbours(stack):
    pair, swapped = (
        last(stack.run("direct", 1e-3, seeds=seeds, steps=12))
        for seeds in (SEEDS, SEEDS[::-1])
    )
    np.testing.assert_allclose(pair.loss, swapped.loss[::-1], rtol=1e-4)


@pytest.mark.slow
def test_chunks_and_their_number_change_nothing(stack):
    long = last(stack.run("bounded", 1e-3, seeds=SEEDS, steps=60))
    records = list(stack.run("bounded", 1e-3, seeds=SEEDS, steps=55))
    assert [record.loss.shape for record in records] == [(2, 50), (2, 55)]
    np.testing.assert_allclose(
        records[-1].gradient_norm, long.gradient_norm[:, :55], rtol=1e-3
    )


def test_every_map_runs_in_the_one_compiled_function(stack):
    for name in MAPS:
        record = last(stack.run(name, 1e-3, seeds=SEEDS, steps=3))
        assert np.isfinite(record.loss).all() and record.loss.shape == (2, 3), name
    assert stack.compiled.experimental_get_tracing_count() == 1


@pytest.mark.slow
def test_every_image_starts_at_the_sigma_asked_for(stack):
    before = [array.copy() for array in initial_weights(3, **stack.shape)]
    rates = {
        name: last(stack.run(name, 0.0, sigma=1.0, seeds=(3,), steps=1)).rate[0, 0]
        for name in MAPS
    }
    assert max(rates.values()) - min(rates.values()) < 1e-4, (
        "at sigma = 1 the rate is that of mu alone"
    )
    wide = last(stack.run("direct", 0.0, sigma=3.0, seeds=(3,), steps=1)).rate[0, 0]
    assert wide - rates["direct"] == pytest.approx(
        2 * ((3.0**2 - 1) / 2 - np.log(3.0)), rel=1e-4
    )
    for array, own in zip(before, initial_weights(3, **stack.shape), strict=True):
        np.testing.assert_array_equal(
            array, own, "the shared initial weights were written to"
        )


def test_sgd_takes_the_step_of_sgd(stack):
    slow, fast = (
        last(
            stack.run("softplus", learning_rate, optimizer="sgd", seeds=SEEDS, steps=2)
        )
        for learning_rate in (0.0, 1e-5)
    )
    moved = fast.loss[:, 1] - slow.loss[:, 1]
    expected = -1e-5 * slow.gradient_norm[:, 0] ** 2  # to first order, on another batch
    assert (moved < 0).all() and (np.abs(moved) < 5 * np.abs(expected)).all()


def test_clipping_bounds_the_step(stack):
    free, clipped = (
        last(
            stack.run("direct", 1e-4, optimizer="sgd", clip=clip, seeds=SEEDS, steps=2)
        )
        for clip in (np.inf, 1e-6)
    )
    still = last(stack.run("direct", 0.0, seeds=SEEDS, steps=2))
    np.testing.assert_allclose(clipped.loss, still.loss, rtol=1e-5)
    assert not np.allclose(free.loss, still.loss, rtol=1e-3)


@pytest.mark.filterwarnings("error")
def test_failures_are_kept_and_do_not_spread(stack):
    record = last(
        stack.run("log_deviation", 1.0, optimizer="sgd", seeds=SEEDS, steps=20)
    )
    assert not_finite(record.loss, record.gradient_norm).all()
    assert (
        np.isfinite(record.loss[:, 0]).all()
        and (final_loss(record.loss) == np.inf).all()
    )
    runs_figure({"failing": record}, steps=20)
    after = last(stack.run("softplus", 1e-3, seeds=SEEDS, steps=3))
    assert np.isfinite(after.loss).all()


def test_a_name_that_is_not_there_is_refused_in_a_sentence(stack):
    for arguments in (("tanh", 1e-3), ("softplus", 1e-3, "rmsprop")):
        with pytest.raises(ValueError, match="pass one of"):
            next(
                stack.run(
                    *arguments[:2],
                    optimizer=arguments[2] if len(arguments) > 2 else "adam",
                )
            )


def test_runs_before_have_the_colour_of_their_map_and_are_fainter():
    values = np.linspace(600, 500, 2 * 30).reshape(2, 30)
    record = Record(*4 * [values])
    figure = runs_figure(
        {
            "before: direct, Adam": record,
            "direct, SGD": record,
            "before: softplus": record,
        }
    )
    before, now, other = (figure.axes[0].lines[i] for i in (0, 2, 4))
    assert before.get_color() == now.get_color() != other.get_color()
    assert before.get_alpha() == other.get_alpha() < now.get_alpha()


def test_a_picture_of_runs_says_how_far_their_gradients_jumped(monkeypatch):
    told = []
    monkeypatch.setattr(figures_02, "show", lambda figure, alt: told.append(alt))
    norms = np.ones((2, 60))
    norms[0, 55], norms[1, 55] = 3.0, 40.0
    lost = norms.copy()
    lost[1, 58] = np.nan
    loss = np.full_like(norms, 500.0)
    figures_02.runs(
        {"calm": Record(*3 * [loss], norms), "lost": Record(*3 * [loss], lost)}
    )
    assert "calm, 3.0 to 40.0 times; lost, 3.0 to inf times." in told[0]
    figures_02.runs({"short": Record(*4 * [norms[:, :50]])})
    assert "short, not known after so few steps." in told[1]


@pytest.mark.filterwarnings("error")
def test_dots_out_of_range_and_not_finite_are_counted_apart():
    groups = {"a": np.array([1.0, 2, 800, np.inf, np.nan]), "b": np.ones(3)}
    figure = dots_figure({"now": groups}, 2, right=700)
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "1 beyond, 2 not finite",
        "",
    ]
    middles = [
        line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "|"
    ]
    assert middles == [1.0], (
        "the median of a, with failures as the largest, is out of the picture"
    )


def test_lines_have_one_legend_for_all_panels():
    x = np.arange(3)
    figure = lines_figure(
        x, {"left": {"a": x}, "right": {"a": x}}, ((0, 2), (0, 2)), "ρ"
    )
    assert len(figure.axes) == 2 and len(figure.legends) == 1


COLUMNS = {
    "textbook": TEXTBOOK,
    "guarded": {name: POSTERIORS[name] for name in TEXTBOOK},
}


def test_rho_walks_into_infinity_and_nan():
    walk = RhoWalk(COLUMNS)
    for rho, signs in (
        (-50, ("∞",)),
        (-109, ("∞", "NaN")),
        (100, ("∞",)),
        (0, ("∞", "NaN")),
    ):
        walk.slider.value = rho
        for sign in ("∞", "NaN"):
            seen = f">{sign}<" in walk.table.value or f">−{sign}<" in walk.table.value
            assert seen == (sign in signs), (rho, sign)
    walk.slider.value = 1.0
    assert f"{np.exp(0.5):.3g}" in walk.table.value
    assert Image.open(io.BytesIO(walk.picture())).width > 800


def test_the_description_counts_where_the_maps_are_not_finite():
    def identity(rho):
        return rho, rho  # as sigma and log sigma: log sigma is wrong, but finite

    def broken(rho):
        return keras.ops.where(rho > 0, float("nan"), 1.0), rho

    described = RhoWalk({"these": {"whole": identity, "half": broken}}).description
    assert "whole, these: 0.0%" in described and "half, these: 49.9%" in described


def test_samples_draw_the_mean_of_as_many():
    draws = np.random.default_rng(0).standard_normal(40 * 4)
    slider = SampleSlider({"one": draws}, truth=0.0, counts=(1, 4))
    first = bytes(slider.board.value)
    slider.slider.value = 4
    assert bytes(slider.board.value) != first == slider.drawn(1)
    assert slider.picture() == slider.drawn(4)
    spread = draws.reshape(40, 4).mean(axis=1).std()
    data, metadata = slider._repr_mimebundle_()
    assert "here 4. 40 estimates" in data["text/plain"]
    assert f"one {spread:.3g}" in metadata["image/png"]["alt"]


@pytest.fixture
def panel(stack):
    record = last(stack.run("softplus", 1e-3, seeds=SEEDS, steps=3))
    panel = StabilityPanel(stack, {"before": record}, SEEDS, 100)
    yield panel
    panel.background.stop()
    assert panel.background.wait(20)


def test_the_panel_runs_draws_and_reports(panel):
    before = panel.picture()
    panel.map.value, panel.rate.value = "direct", 1e-3
    panel.run_button.click()
    assert panel.run_button.disabled and not panel.stop_button.disabled
    panel.background.result(30)
    assert panel.picture() != before and "0 of 2 runs failed" in panel.message.value
    assert not panel.run_button.disabled and panel.stop_button.disabled
    assert list(panel.latest) == ["direct, Adam 0.001, initial σ native"]
    assert list(panel.before) == ["before: before"]


def test_the_panel_draws_failures_as_failures(panel):
    panel.map.value, panel.rate.value, panel.optimizer.value = (
        "log_deviation",
        1e-1,
        "sgd",
    )
    panel.sigma.value = 1.5
    panel.run_button.click()
    panel.background.result(30)
    assert (
        "2 of 2 runs failed" in panel.message.value
        and "2 of 2 runs failed" in panel.board.alt
        and "initial σ 1.5" in list(panel.latest)[0]
    )


def test_a_run_that_explodes_has_failed_in_message_and_legend():
    loss = np.full((2, 60), 500.0)
    loss[1] = np.linspace(500, 900, 60)  # finite, and above its start
    record = Record(loss, loss, loss, np.ones_like(loss))
    for steps, failed in ((60, 1), (200, 0)):  # what goes on may come down again
        said = f"{failed} of 2 runs failed"
        assert ending(record, steps).startswith(f"{said}, a median loss of")
        legend = runs_figure({"direct": record}, steps=steps).legends[0]
        told = [text.get_text() for text in legend.texts]
        assert told == ["direct" + f": {said}" * failed]


def test_the_panel_stops(stack, panel):
    panel.steps = 100_000
    panel.run_button.click()
    time.sleep(0.5)
    panel.stop_button.click()
    assert panel.background.wait(20)
    panel.background.result()
    assert not panel.run_button.disabled and "runs failed" in panel.message.value

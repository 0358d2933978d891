"""The controls, their callbacks called directly: what they do, and what becomes of
every fault.
"""

import io
import json
import subprocess
import threading
import time
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from PIL import Image

from vae_lib import storage, training
from vae_lib.data import Digits, Split, load_mnist, subsample
from vae_lib.evaluation import evaluate
from vae_lib.model import VAE
from vae_lib.training import DivergedError, Training, train
from vae_lib.widgets.panel import KEPT, TrainingPanel
from vae_lib.widgets.plane import LatentPlane, most_active
from vae_lib.widgets.shared import control
from vae_lib.widgets.shared.background import Background, guarded, sentence
from vae_lib.widgets.training import pictures
from vae_lib.widgets.training.experiments import EXPERIMENTS
from vae_lib.widgets.training.settings import BETAS, RATES, Settings

ALL = load_mnist()
DIGITS = Digits(
    *(
        Split(split.images[:n], split.labels[:n])
        for split, n in zip(ALL, (600, 300, 100), strict=True)
    )
)
SMALL = dict(hidden=(32,), images=600, epochs=2)
PATIENCE = 120  # seconds: for what takes one on a machine of one's own


@pytest.fixture(autouse=True)
def nothing_printed_and_no_thread_left(capsys):
    yield
    assert not [
        thread.name
        for thread in threading.enumerate()
        if thread.name.startswith("vae_lib")
    ]
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def panel(tmp_path):
    panel = TrainingPanel(DIGITS, **SMALL, folder=tmp_path / "runs")
    yield panel
    panel.stop()
    assert panel.work.wait(PATIENCE) and panel.compiling.wait(PATIENCE)


def until(condition):
    """Wait until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def usable(panel):
    return {name for name, button in panel.buttons.items() if not button.disabled}


def decoded(widget):
    return np.asarray(Image.open(io.BytesIO(widget.value)).convert("L"))


# -- work in the background


def endless(seconds=0.002):
    while True:
        time.sleep(seconds)
        yield "item"


def test_background_shows_the_last_item_and_leaves_no_thread():
    shown, ends, background = [], [], Background("test")
    assert background.start(range(1000), shown.append, ends.append)
    background.result(PATIENCE)
    assert shown[0] == 0 and shown[-1] == 999 and ends == [None] and not background.busy


def test_background_shows_not_too_often_and_not_for_too_long():
    shown, background = [], Background("test")
    background.start(endless(), lambda item: shown.append(time.perf_counter()))
    time.sleep(1)
    background.stop()
    background.result(PATIENCE)
    assert np.diff(shown[:-1]).min() > 0.12  # the last one is shown in any case
    background.start(
        (time.sleep(0.01) for _ in range(150)), lambda item: time.sleep(0.1)
    )
    background.result(PATIENCE)
    assert 0.05 < background.drawing / background.seconds < 0.35


def test_background_stops_after_the_present_item_also_before_the_first():
    seen, background = [], Background("test")
    background.stop()  # nothing to stop: harmless
    background.start(map(seen.append, endless(0.05)))
    background.stop()
    assert background.wait(PATIENCE) and len(seen) == 1


def test_background_takes_one_work_at_a_time():
    background = Background("test")
    assert background.start(endless()) and not background.start([1])
    background.stop()
    background.wait(PATIENCE)
    assert background.start([])
    background.result(PATIENCE)


@pytest.mark.parametrize(
    "items, show",
    [
        ((1 / value for value in (1, 0)), lambda item: None),
        ([1], lambda item: 1 / 0),
    ],
)
def test_a_fault_reaches_whoever_asks_and_the_next_work_can_start(items, show):
    ends, background = [], Background("test")
    background.start(items, show, ends.append)
    with pytest.raises(ZeroDivisionError):
        background.result(PATIENCE)
    assert isinstance(ends[0], ZeroDivisionError) and background.start([1])
    background.result(PATIENCE)


def test_waiting_can_be_limited():
    background = Background("test")
    background.start(endless())
    assert not background.wait(0.01)
    with pytest.raises(TimeoutError, match="not done after 0.01 s"):
        background.result(0.01)
    background.stop()
    background.wait(PATIENCE)


def test_what_a_callback_raises_becomes_one_sentence():
    said = []
    guarded(lambda: 1 / 0, said.append)("the button")
    assert said == ["ZeroDivisionError: division by zero"]
    assert sentence(ValueError("beta is -1: pass\n  0.")) == "beta is -1: pass 0."


# -- sliders on the latent plane


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(0)
    return VAE(latent_dim=3, hidden=(16,))


def test_the_digit_follows_the_sliders_and_the_last_value_wins(vae):
    plane = LatentPlane(vae, units=(0, 2))
    for value in np.linspace(-3, 3, 200):
        plane.sliders[1].value = value
    expected = 255 * (1 - vae.decode([[0, 0, 3]])[0])
    np.testing.assert_allclose(decoded(plane.digit)[::9, ::9], expected, atol=0.6)
    assert "The other 1 latent units stay at 0." in plane.message.value
    plane.sliders[0].value = 50  # as the front end does with what is typed
    assert (
        plane.sliders[0].value == 3
        and "typed beyond ±3 becomes ±3" in plane.message.value
    )


def test_the_map_marks_the_code(vae):
    codes = np.random.default_rng(0).normal(size=(200, 3)) * [2, 0.1, 1]
    plane = LatentPlane(vae, codes, np.arange(200) % 10)
    assert plane.units == [0, 2] and [
        slider.description for slider in plane.sliders
    ] == ["z₁", "z₃"]
    plane.sliders[0].value, plane.sliders[1].value = 1, -2
    shown, bare = (
        np.asarray(Image.open(io.BytesIO(png)).convert("L"), int)
        for png in (plane.picture(), plane.map.value)
    )
    marked = shown[-bare.shape[0] :, -bare.shape[1] :]  # below its title
    rows, columns = np.nonzero(np.abs(marked - bare) > 50)
    middle = [(where.min() + where.max()) / 2 for where in (columns, rows)]
    width, height = bare.shape[::-1]
    expected = [plane.map.mark[0] * width, plane.map.mark[1] * height]
    assert middle == pytest.approx(expected, abs=3)


def test_a_click_on_the_map_moves_the_sliders(vae):
    codes = np.random.default_rng(0).normal(size=(200, 3))
    plane = LatentPlane(vae, codes, np.arange(200) % 10, units=(0, 2))
    plane.sliders[0].value, plane.sliders[1].value = 1.5, -0.5
    place, digit = plane.map.mark, plane.digit.value
    plane.sliders[0].value, plane.sliders[1].value = 0, 0
    plane.map.set_state({"chosen": place})  # as the page does
    assert plane.values == [1.5, -0.5] and plane.digit.value == digit
    plane.map.set_state({"chosen": [0.0, 0.0]})  # beyond the axes
    assert plane.values == [-plane.reach, plane.reach]


def test_tensorflow_warns_of_nothing_however_often_a_cell_is_run(vae, caplog):
    codes = np.random.default_rng(0).normal(size=(50, 3))
    for _ in range(7):
        LatentPlane(vae, codes, np.arange(50) % 10).sliders[0].value = 1
        pictures.Observer(vae, DIGITS).observe()
    assert "retracing" not in caplog.text


def test_one_latent_unit_has_one_slider():
    plane = LatentPlane(
        VAE(latent_dim=1, hidden=(8,)), np.zeros((5, 1)), np.zeros(5, int)
    )
    assert (
        len(plane.sliders) == 1
        and plane.map is None
        and decoded(plane.digit).shape == (252, 252)
    )


def test_most_active_units_come_in_their_own_order():
    codes = np.random.default_rng(0).normal(size=(100, 4)) * [1, 0.1, 0, 3]
    assert list(most_active(codes)) == [0, 3] and list(most_active(codes[:, :1])) == [0]


def test_a_decoder_that_fails_is_reported_beside_the_sliders_and_the_next_value_works(
    vae, monkeypatch
):
    plane = LatentPlane(vae)
    with monkeypatch.context() as patch:
        patch.setattr(plane.vae, "decode", lambda z: 1 / 0, raising=False)
        plane.sliders[0].value = 1
    assert (
        "ZeroDivisionError" in plane.message.value
        and "vae-error" in plane.message.value
    )
    before = plane.digit.value
    plane.sliders[0].value = 2
    assert plane.digit.value != before


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(codes=np.zeros((5, 2)), labels=np.zeros(5)), "(5, 2): pass (n, 3) codes"),
        (dict(codes=np.zeros((5, 3))), "their labels"),
        (dict(codes=np.zeros((5, 3)), labels=np.zeros(4)), "one for each of 5 codes"),
        (dict(units=(0, 3)), "from 0 to 2"),
        (dict(units=(1, 1)), "different ones"),
        (dict(units=()), "from 0 to 2"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(vae, arguments, words):
    with pytest.raises(ValueError) as error:
        LatentPlane(vae, **arguments)
    assert words in str(error.value)


def test_without_a_kernel_there_is_a_picture_with_its_description(vae, panel):
    for shown in (LatentPlane(vae, np.eye(3), np.arange(3)), panel):
        data, metadata = shown._repr_mimebundle_()
        assert {
            "application/vnd.jupyter.widget-view+json",
            "text/plain",
            "image/png",
        } <= set(data)
        assert data["text/plain"] == shown.description
        assert metadata["image/png"]["alt"] == shown.description
        assert Image.open(io.BytesIO(data["image/png"])).width > 500


# -- settings


def test_settings_are_entered_and_read():
    controls = Settings(600)
    wanted = dict(
        beta=0.0,
        latent_dim=20,
        posterior="direct",
        likelihood="gaussian",
        learning_rate=3e-2,
        epochs=5,
        images=550,
        seed=3,
    )
    controls.enter(wanted)
    assert controls.values() == wanted


def test_beta_has_a_slider_and_a_field_that_takes_what_the_slider_cannot():
    controls = Settings(600)
    for beta in (0.1, 1, 4, 12, 40, 200):
        assert beta in BETAS
        controls.slider.value = beta
        assert controls.values()["beta"] == beta
    for typed, nearest in ((0, 0.01), (5000, 1000), (300, 200), (11, 12)):
        controls.fields["beta"].value = typed
        assert controls.slider.value == nearest and controls.values()["beta"] == typed


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("beta", -1, "beta is -1: pass a number of 0 or more below 3.4e38"),
        ("latent_dim", 100, "latent_dim is 100: pass a whole number from 1 to 50"),
        ("latent_dim", 2.5, "latent_dim is 2.5: pass a whole number"),
        ("posterior", "exp", "posterior is 'exp': choose from 'softplus'"),
        ("learning_rate", 0.5, f"choose from {RATES[0]}"),
        ("epochs", 0, "epochs is 0: pass a whole number from 1 to 100"),
        ("images", 601, "images is 601: pass a whole number from 500 to 600"),
        ("seed", -2, "seed is -2"),
        ("speed", 1, "speed is not a setting of the panel"),
    ],
)
def test_settings_that_are_not_to_be_had_are_refused(name, value, words):
    controls = Settings(600)
    before = controls.values()
    with pytest.raises(ValueError) as error:
        controls.enter({name: value})
    assert words in str(error.value) and controls.values() == before


@pytest.mark.parametrize("name, value", [("beta", -3.0), ("seed", -1)])
def test_a_bad_value_typed_by_hand_is_said_at_once_and_start_refuses_it(
    panel, name, value
):
    panel.controls.fields[name].value = value
    assert (
        f"{name} is {value}" in panel.status.value and "vae-error" in panel.status.value
    )
    panel.buttons["Start"].click()
    assert (
        f"{name} is {value}" in panel.status.value
        and not panel.work.busy
        and panel.run is None
    )
    panel.controls.fields[name].value = 1
    panel.buttons["Start"].click()
    assert panel.result(PATIENCE).settings[name] == 1


# -- the training panel


@pytest.mark.slow
def test_a_run_gives_the_weights_that_a_cell_gives(panel):
    panel.start(seed=3, beta=2)
    vae, history, settings = panel.result(PATIENCE)
    keras.utils.set_random_seed(3)
    by_hand = VAE(beta=2, hidden=(32,))
    expected = train(
        by_hand,
        subsample(DIGITS.train, 600).images,
        epochs=2,
        validation=DIGITS.validation.images[:500],
        seed=3,
        progress=False,
    )
    assert (
        history == expected
        and settings["beta"] == 2
        and len(history["validation_elbo"]) == 2
    )
    for ours, theirs in zip(
        vae.trainable_variables, by_hand.trainable_variables, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_pictures_move_and_the_end_is_announced(panel):
    before = [image.value for image in panel.live.images]
    panel.buttons["Start"].click()
    panel.result(PATIENCE)
    assert all(
        image.value != old for image, old in zip(panel.live.images, before, strict=True)
    )
    assert "Run 1 is finished: 2 epochs" in panel.status.value and panel.bar.value == 1
    for words in (
        "Epoch 2 of 2, step 5 of 5",
        "s so far · ",
        "distortion",
        "held-out distortion",
        "−ELBO",
    ):
        assert words in panel.progress.value
    assert usable(panel) == {"Start", "Reset", "Save"}
    assert len(panel.cards.children) == 1


def test_what_is_looked_at_is_what_the_library_evaluates():
    vae = VAE(hidden=(32,), latent_dim=4)
    observer = pictures.Observer(vae, DIGITS)
    look = observer.observe()
    with vae.noise(observer.epsilon):
        distortion, rate = (
            float(np.mean(term)) for term in vae.terms(DIGITS.validation.images)
        )
    assert (look.distortion, look.rate) == pytest.approx((distortion, rate), rel=1e-5)
    np.testing.assert_allclose(
        look.codes, vae.encode(DIGITS.validation.images)[0], atol=1e-5
    )
    np.testing.assert_allclose(
        look.reconstructions, vae.reconstruct(observer.originals), atol=1e-5
    )
    np.testing.assert_allclose(look.samples, vae.decode(observer.codes), atol=1e-5)
    assert look.distortion + look.rate == pytest.approx(
        -evaluate(vae, DIGITS.validation.images).elbo, rel=0.01
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "latent_dim, words", [(1, "class"), (2, "z₂"), (6, "the two most active units")]
)
def test_codes_are_drawn_in_any_dimension(panel, latent_dim, words):
    panel.start(latent_dim=latent_dim, epochs=1)
    panel.result(PATIENCE)
    axes = panel.live.codes.axes
    assert (
        words in axes.get_xlabel() + axes.get_ylabel()
        and decoded(panel.live.images[-1]).std() > 10
    )


def test_start_pressed_twice_is_one_run(panel):
    panel.start(epochs=100)
    panel.buttons["Start"].click()
    assert "Run 1 is training: press Stop" in panel.status.value and panel.number == 1
    with pytest.raises(RuntimeError, match="press Stop"):
        panel.start()
    assert usable(panel) == {"Stop", "Reset"}


@pytest.mark.slow
def test_stop_keeps_what_was_learned_and_continue_goes_on_as_if_nothing_had_been(panel):
    panel.start(epochs=60)
    until(lambda: panel.run.training.done > 2)
    panel.buttons["Stop"].click()
    stopped = panel.result(PATIENCE)
    assert (
        0 < panel.run.training.done < 300
        and "Continue goes on from there" in panel.status.value
    )
    assert np.isfinite(evaluate(stopped.vae, DIGITS.test.images).elbo)
    panel.buttons["Continue"].click()
    continued = panel.result(PATIENCE)
    panel.start()
    straight = panel.result(PATIENCE)
    assert continued.history == straight.history and len(panel.cards.children) == 2


@pytest.mark.slow
def test_stop_before_the_first_chunk(panel):
    panel.start(latent_dim=9)  # a shape that is not compiled yet
    panel.buttons["Stop"].click()
    assert panel.work.wait(PATIENCE) and panel.run.training.done == 0
    assert "stopped before its first step: Continue begins it" in panel.status.value
    assert (
        usable(panel) == {"Start", "Continue", "Reset", "Save"}
        and panel.cards.children == ()
    )
    panel.buttons["Continue"].click()
    assert len(panel.result(PATIENCE).history["loss"]) == 2


@pytest.mark.slow
def test_continue_needs_epochs_to_go(panel):
    with pytest.raises(RuntimeError, match="no run yet"):
        panel.resume()
    panel.start()
    panel.result(PATIENCE)
    assert panel.buttons["Continue"].disabled
    with pytest.raises(RuntimeError, match="2 epochs are done: set more epochs"):
        panel.resume()
    panel.controls.enter({"epochs": 3})
    assert not panel.buttons["Continue"].disabled
    panel.controls.enter({"epochs": 2})
    assert panel.buttons["Continue"].disabled
    panel.controls.enter({"epochs": 3})
    panel.buttons["Continue"].click()
    result = panel.result(PATIENCE)
    assert len(result.history["loss"]) == result.settings["epochs"] == 3


@pytest.mark.parametrize(
    "error, words",
    [
        (MemoryError("no room"), "MemoryError: no room"),
        (RuntimeError("the disk is full"), "the disk is full"),
    ],
)
def test_an_exception_inside_training_leaves_a_usable_panel(
    panel, monkeypatch, error, words
):
    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_end_epoch", fail)
        panel.start()
        with pytest.raises(type(error), match=str(error)):
            panel.result(PATIENCE)
    assert words in panel.status.value and "vae-error" in panel.status.value
    assert usable(panel) == {"Start", "Continue", "Reset", "Save"}
    panel.buttons["Continue"].click()
    assert len(panel.result(PATIENCE).history["loss"]) == 2


@pytest.mark.slow
def test_a_diverging_run_says_so_and_keeps_finite_weights(panel, monkeypatch):
    with monkeypatch.context() as patch:
        set_optimizer = training.set_optimizer
        patch.setattr(
            training, "set_optimizer", lambda vae, _: set_optimizer(vae, 1e12)
        )
        panel.start(likelihood="gaussian")
        with pytest.raises(DivergedError):
            panel.result(PATIENCE)
    assert "stopped being finite at step" in panel.status.value
    assert all(
        np.isfinite(variable).all() for variable in panel.run.vae.trainable_variables
    )
    panel.start()
    panel.result(PATIENCE)
    assert "is finished" in panel.status.value


@pytest.mark.slow
def test_a_setting_changed_while_it_trains_is_for_the_next_run(panel):
    panel.start(epochs=60)
    for value in range(200):
        panel.controls.fields["latent_dim"].value = 1 + value % 50
    panel.controls.fields["latent_dim"].value = 6
    assert (
        "Latent dimension (units): 6, from the next Start; the run"
        in panel.status.value
    )
    assert panel.result(PATIENCE).vae.latent_dim == 2
    panel.start(epochs=1)
    assert panel.result(PATIENCE).vae.latent_dim == 6


def test_beta_and_learning_rate_act_on_the_run_that_trains(panel):
    panel.start(epochs=100)
    until(lambda: panel.run.training.epoch >= 2)
    panel.controls.slider.value = 200
    assert "200, from now on in run 1" in panel.status.value
    until(lambda: panel.run.changes)
    panel.controls.fields["learning_rate"].value = 1e-2
    until(lambda: len(panel.run.changes) == 2)
    until(lambda: panel.run.points[-1][0] > panel.run.changes[-1][0] + 2)
    panel.stop()
    vae, history, settings = panel.result(PATIENCE)
    (first, name, beta), (second, other, learning_rate) = settings["changes"]
    assert (name, beta, other, learning_rate) == ("beta", 200, "learning_rate", 0.01)
    assert 2 <= first < second < len(history["loss"]) + 1
    assert float(vae.beta) == 200 and settings["beta"] == 1
    assert float(vae.optimizer.learning_rate) == pytest.approx(0.01)
    assert history["rate"][-1] < 0.5 * history["rate"][1]  # a nat costs 200 now
    marks = panel.live.curves.marks[0].get_xdata()
    assert [*marks[::3]] == [first, second]
    assert "β 1," in panel.cards.children[0].children[0].value
    assert "then β 200 from epoch" in panel.cards.children[0].children[0].value


@pytest.mark.slow
def test_a_change_before_the_first_step_is_the_runs_own_setting(panel):
    run = panel.run
    panel.start(latent_dim=5)  # a shape that is compiled first
    panel.controls.fields["beta"].value = 7.0
    result = panel.result(PATIENCE)
    assert float(result.vae.beta) == 7 and run is None
    changed = [value for _, name, value in result.settings["changes"]]
    assert (result.settings["beta"], changed) in ((7, []), (1, [7]))


def test_both_curves_show_the_same_quantities_in_training_and_held_out(panel):
    panel.start(epochs=3)
    panel.result(PATIENCE)
    names = [line.get_label() for line in panel.live.curves.lines]
    assert names == ["training", "held-out"] * 2
    drawn = [line.get_ydata()[-1] for line in panel.live.curves.lines]
    seen, point = panel.run.seen, panel.run.points[-1]
    assert drawn == [point[1], seen.distortion, point[2], seen.rate]


@pytest.mark.full
def test_a_panel_takes_images_of_any_size_and_any_classes(tmp_path):
    rng = np.random.default_rng(0)
    for shape, classes, latent_dim in (
        ((20, 30), 26, 2),
        ((64, 64), 2, 1),
        ((8, 8), 1, 2),
    ):
        parts = [
            Split(
                rng.integers(0, 256, (n, *shape)).astype("uint8"),
                (np.arange(n) % classes).astype("uint8"),
            )
            for n in (200, 60, 40)
        ]
        panel = TrainingPanel(
            Digits(*parts), hidden=(8,), epochs=1, latent_dim=latent_dim
        )
        panel.start()
        vae = panel.result(PATIENCE).vae
        assert vae.generate(1).shape == (1, *shape) and panel.picture()
        assert panel.compiling.wait(PATIENCE)


def test_train_shows_the_panel_and_returns_the_result(panel, capsys):
    result = panel.train(epochs=1)
    assert "TrainingPanel" in capsys.readouterr().out  # displayed, outside a notebook
    assert len(result.history["loss"]) == 1 and "is finished" in panel.status.value


@pytest.mark.slow
def test_a_cell_that_is_run_again_ends_its_run_and_hands_its_runs_on(
    panel, monkeypatch, tmp_path
):
    panel.start(epochs=1)
    panel.result(PATIENCE)
    panel.start(epochs=100)
    until(lambda: panel.run.points)
    with monkeypatch.context() as patch:
        module = "vae_lib.widgets.panel.replaced"
        patch.setattr(module, lambda control: [panel])
        again = TrainingPanel(DIGITS, **SMALL, folder=tmp_path)
    assert not panel.work.busy and 0 < panel.run.training.done < 500
    assert list(again.results) == [1, 2] and len(again.cards.children) == 2
    assert "Run 2 was stopped by this" in again.status.value
    again.cards.children[0].children[-1].click()  # its Save
    assert "Run 1 is saved" in again.status.value
    again.start(epochs=1)
    assert again.result(PATIENCE) and list(again.results) == [1, 2, 3]
    assert again.compiling.wait(PATIENCE)


@pytest.mark.slow
def test_two_panels_at_once_do_not_disturb_each_other(panel, tmp_path):
    other = TrainingPanel(DIGITS, **SMALL, folder=tmp_path)
    panel.start(epochs=4, seed=1)
    other.start(epochs=4, seed=2)
    together = [one.result(PATIENCE) for one in (panel, other)]
    for seed, result in zip((1, 2), together, strict=True):
        panel.start(epochs=4, seed=seed)
        assert panel.result(PATIENCE).history == result.history


@pytest.mark.slow
def test_at_most_four_runs_stay_side_by_side(panel):
    for beta in range(1, 6):
        panel.start(beta=beta, epochs=1)
        panel.result(PATIENCE)
    assert len(panel.cards.children) == KEPT and list(panel.results) == [2, 3, 4, 5]
    assert [result.settings["beta"] for result in panel.results.values()] == [
        2,
        3,
        4,
        5,
    ]
    assert "Run 2: β 2" in panel.cards.children[0].children[0].value


def test_runs_are_saved_without_overwriting_any(panel):
    with pytest.raises(RuntimeError, match="no run yet"):
        panel.save()
    panel.start(epochs=1)
    vae = panel.result(PATIENCE).vae
    paths = [panel.save(), panel.save()]
    panel.cards.children[0].children[-1].click()
    names = sorted(path.name for path in Path(panel.folder).iterdir())
    assert len(names) == 3 and {path.name for path in paths} < set(names)
    assert "Run 1 is saved" in panel.status.value
    np.testing.assert_array_equal(
        storage.load(paths[1]).generate(2, seed=0), vae.generate(2, seed=0)
    )
    for folder in paths[0], paths[0] / "inside":  # a file, no folder
        panel.folder = folder
        panel.buttons["Save"].click()
        assert f"{folder.absolute()} cannot be written" in panel.status.value
        assert "set panel.folder to a folder of your own" in panel.status.value
        assert "vae-error" in panel.status.value


@pytest.mark.parametrize("cause", ["Permission denied", "Read-only file system"])
def test_saving_where_nothing_can_be_written_names_the_cause(panel, monkeypatch, cause):
    panel.start(epochs=1)
    panel.result(PATIENCE)

    def refuse(*_, **__):
        raise OSError(13, cause)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        panel.buttons["Save"].click()
    assert f"({cause}): set panel.folder" in panel.status.value
    panel.buttons["Save"].click()
    assert "Run 1 is saved" in panel.status.value


def test_nothing_is_saved_or_continued_while_it_trains(panel):
    panel.start(epochs=100)
    for action in (panel.save, panel.resume):
        with pytest.raises(RuntimeError, match="Run 1 is training"):
            action()


def test_reset_ends_and_forgets(panel):
    panel.start(epochs=100, beta=7)
    until(lambda: panel.run.points)
    panel.buttons["Reset"].click()
    assert (
        panel.controls.values() == panel.defaults
        and panel.cards.children == ()
        and panel.run is None
    )
    assert "Ready: press Start" in panel.status.value and usable(panel) == {
        "Start",
        "Reset",
    }
    with pytest.raises(RuntimeError, match="No run has been started"):
        panel.result()


def test_result_can_be_limited(panel):
    panel.start(epochs=100)
    with pytest.raises(TimeoutError, match="not done after 0.01 s"):
        panel.result(0.01)


def test_settings_of_the_panel_are_checked_when_it_is_made():
    with pytest.raises(ValueError, match="learning_rates is not a setting"):
        TrainingPanel(DIGITS, hidden=(32,), learning_rates=1)


def test_experiments_stand_beside_the_panel_unless_it_is_to_be_small():
    panel = TrainingPanel(DIGITS, **SMALL)
    assert panel.children[-2].value.count("<details>") == len(EXPERIMENTS) + 1
    few = TrainingPanel(DIGITS, **SMALL, fields=("epochs", "beta"), experiments=())
    knobs, folded = panel.controls.children
    assert len(knobs.children) == 4 and len(folded.children[0].children) == 4
    assert folded.selected_index is None
    (knobs,) = few.controls.children
    assert (
        len(knobs.children) == 2 and knobs.children[0] is few.controls.fields["epochs"]
    )
    assert few.controls.values() == panel.controls.values()
    assert len(few.children) == len(panel.children) - 1
    with pytest.raises(ValueError, match="speed is not a setting of the panel"):
        TrainingPanel(DIGITS, **SMALL, fields=("speed",))
    assert panel.compiling.wait(PATIENCE) and few.compiling.wait(PATIENCE)


def test_sentences_are_escaped():
    class Widget:
        value = ""

    control.say(Widget, "<script>")
    assert "&lt;script&gt;" in Widget.value


@pytest.fixture(scope="module")
def kernel():
    """A kernel in the project's folder, and a client of it."""
    manager, client = start_new_kernel(
        kernel_name="python3",
        cwd=str(Path(__file__).parents[1]),
        stderr=subprocess.DEVNULL,
    )
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_the_page_is_heard_while_a_cell_runs(kernel):
    client = kernel[1]
    setup = client.execute(
        "import ipywidgets, threading\n"
        "from vae_lib.widgets.shared.control import Control\n"
        "stop, heard = ipywidgets.Button(), threading.Event()\n"
        "stop.on_click(lambda _: heard.set())\n"
        "control = Control(ipywidgets.VBox([stop]))",
        reply=True,
        timeout=PATIENCE,
        user_expressions={"id": "stop.model_id"},
    )
    button = setup["content"]["user_expressions"]["id"]["data"]["text/plain"].strip("'")
    client.control_channel.send(client.session.msg("create_subshell_request"))
    subshell = client.get_control_msg(timeout=PATIENCE)["content"]["subshell_id"]
    cell = client.execute(
        "stop.disabled = True  # a message of the cell's own thread\n"
        "assert heard.wait(20)"
    )
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if (
            message["msg_type"] == "comm_msg"
            and message["parent_header"].get("msg_id") == cell
        ):
            break
    click = client.session.msg(
        "comm_msg",
        {
            "comm_id": button,
            "data": {"method": "custom", "content": {"event": "click"}},
        },
    )
    click["header"]["subshell_id"] = subshell  # as JupyterLab sends it
    client.shell_channel.send(click)
    while True:
        reply = client.get_shell_msg(timeout=PATIENCE)
        if reply["parent_header"]["msg_id"] == cell:
            break
    assert reply["content"]["status"] == "ok"


@pytest.mark.slow
def test_a_notebook_run_by_a_machine_trains_waits_and_leaves_no_thread(kernel):
    cells = [
        "from vae_lib.data import load_mnist\n"
        "from vae_lib.widgets.panel import TrainingPanel\n"
        "panel = TrainingPanel(load_mnist(), hidden=(16,), images=500, epochs=1)\n"
        "panel",
        "panel.buttons['Start'].click()",
        "vae, history, settings = panel.result(timeout=100)\npanel.snapshot()",
        "import threading\n"
        "names = [thread.name for thread in threading.enumerate()]\n"
        "len(history['loss']), [name for name in names if 'vae_lib' in name]",
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells]
    )
    NotebookClient(notebook, timeout=PATIENCE, km=kernel[0]).execute()
    shown, clicked, snapshot, end = (cell.outputs for cell in notebook.cells)
    assert (
        "image/png" in shown[0].data
        and clicked == []
        and end[0].data["text/plain"] == "(1, [])"
    )
    assert snapshot[0].data["text/plain"].startswith("The training panel")
    assert "alt" in snapshot[0].metadata["image/png"]
    assert json.dumps(notebook).count('"stderr"') == 0

"""The latent pad, the drawing board and their pages, as far as Python goes;
test_manifold_widgets.py drives them.
"""

import base64
import io
import json
import re

import ipywidgets
import keras
import numpy as np
import pytest
from PIL import Image

from vae_lib.analysis.information import unit_rates
from vae_lib.data import Split
from vae_lib.evaluation import negative_elbos
from vae_lib.model import VAE
from vae_lib.storage import StorageError
from vae_lib.widgets.drawing import DrawingBoard
from vae_lib.widgets.pad import ACROSS, LatentPad, atlas, clear_code, words
from vae_lib.widgets.page import page_html, write_page

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def digits():
    return Split(
        RNG.integers(0, 256, (120, 28, 28)).astype("uint8"),
        np.arange(120, dtype="uint8") % 10,
    )


def vae_of(latent_dim, **settings):
    keras.utils.set_random_seed(0)
    return VAE(latent_dim, (16, 8), **settings)


def halves(data):
    return np.frombuffer(data, "<f2").astype("float32")


def test_the_pad_holds_codes_labels_and_true_digits_in_one_order(digits):
    vae = vae_of(3)
    control = LatentPad(vae, digits, count=70)
    pad = control.pad
    mu, sigma = vae.encode(control.digits.images)
    np.testing.assert_allclose(
        halves(pad.codes), np.ravel([mu, sigma]), rtol=1e-3, atol=1e-4
    )
    assert len(pad.labels) == 70 == len(control.digits.images)
    assert list(pad.labels) == control.digits.labels.tolist()
    with Image.open(io.BytesIO(pad.atlas)) as board:
        grey = np.asarray(board.convert("L"))
    ninth = grey[28:56, 9 * 28 : 10 * 28]  # the digit ACROSS + 9
    assert (
        np.abs(255 - ninth.astype(int) - control.digits.images[ACROSS + 9]).max() <= 9
    )  # half of a level of 16


def test_units_span_the_map_by_rate_unless_named(digits):
    vae = vae_of(5)
    rates = unit_rates(*vae.encode(digits.images))
    pad = LatentPad(vae, digits).pad
    assert pad.units == sorted(np.argsort(-rates)[:2])
    assert pad.free[:2] == pad.units and sorted(pad.free) == [0, 1, 2, 3, 4]
    assert np.all(np.diff(rates[pad.free[2:]]) <= 0)
    named = LatentPad(vae, digits, units=(4, 0)).pad
    assert named.units == [4, 0] and named.axes == ["z₅", "z₁"]


def test_at_most_ten_sliders_and_the_rest_stays_at_zero(digits):
    control = LatentPad(vae_of(14), digits)
    assert len(control.sliders) == 10 and "4 latent units" in control.message.value
    assert np.count_nonzero(control.z) <= 10 and control.z.shape == (14,)


def test_sliders_and_pad_have_the_same_values_and_ends(digits):
    control = LatentPad(vae_of(4), digits)
    values = [getattr(control.pad, f"z_{unit}") for unit in control.pad.free]
    assert [slider.value for slider in control.sliders] == pytest.approx(values)
    assert {slider.max for slider in control.sliders} == {control.pad.reach}
    ends = [(link.source[1], link.target) for link in control.links]
    assert ends == [
        (f"z_{unit}", (slider, "value"))
        for unit, slider in zip(control.pad.free, control.sliders, strict=True)
    ]


def test_the_pad_starts_at_a_clear_digit_and_not_under_a_numeral():
    rng = np.random.default_rng(0)
    middles = np.array([[-1.5, 0], [1.5, 0], [-1.2, 1.5]])
    labels = np.repeat([0, 1, 2], 100)
    mu = middles[labels] + rng.normal(0, 0.4, (300, 2))
    labels[200:] = np.arange(100) % 2  # where two classes are mixed

    class Decoder:
        latent_dim = 2

        def decode(self, z):
            sure = np.where(z[:, :1] < 0, 0.99, 0.5)  # clear at the left
            return np.repeat(sure, 16, axis=1).reshape(-1, 4, 4)

    state = dict(reach=3.0, badges=[[0, -1.5, 0], [1, 1.5, 0]])
    order = rng.permutation(300)
    code = clear_code(Decoder(), mu[order], labels[order], [0, 1], state)
    assert code[0] < 0 and code[1] < 0.8  # clear, and among its own
    assert np.linalg.norm(code - [-1.5, 0]) > 0.12 * 3 - 0.05


def test_the_pad_starts_at_the_code_of_an_image(digits):
    control = LatentPad(vae_of(2), digits)
    mu = control.vae.encode(control.digits.images)[0]
    assert np.abs(mu - control.z).max(axis=1).min() < 0.026


@pytest.mark.parametrize("shape, classes", [((20, 30), 26), ((64, 64), 2), ((8, 8), 1)])
def test_any_images_and_any_number_of_classes(shape, classes):
    images = RNG.integers(0, 256, (60, *shape)).astype("uint8")
    split = Split(images, (np.arange(60) % classes).astype("uint8"))
    control = LatentPad(vae_of(2, image_shape=shape), split)
    pad = control.pad
    assert pad.columns == shape[1] and len(pad.means) == classes == len(pad.names)
    assert control.picture().startswith(b"\x89PNG")
    with Image.open(io.BytesIO(pad.atlas)) as board:
        assert board.size == (ACROSS * shape[1], 2 * shape[0])


def test_classes_are_called_by_their_names():
    assert words(np.arange(10)) == ("digit", {str(i): f"a {i}" for i in range(10)})
    assert words(np.array([3, 12]))[1] == {"3": "class 3", "12": "class 12"}
    assert words(np.array([0, 1]), ["shirt", "shoe"]) == (
        "image",
        {"0": "shirt", "1": "shoe"},
    )


def test_refresh_shows_the_model_as_it_is_now(digits):
    vae = vae_of(2)
    control = LatentPad(vae, digits)
    before = control.pad.weights, control.pad.codes
    for network in vae.encoder, vae.decoder:
        network.set_weights([w * 4 for w in network.get_weights()])
    control.refresh()
    assert control.pad.weights != before[0] and control.pad.codes != before[1]
    assert {slider.max for slider in control.sliders} == {control.pad.reach}


def test_state_keeps_its_bound_and_stored_output_is_a_picture(digits):
    keras.utils.set_random_seed(0)
    many = Split(np.tile(digits.images, (50, 1, 1)), np.tile(digits.labels, 50))
    control = LatentPad(VAE(2), many)
    size = sum(
        len(value)
        for value in (control.pad.weights, control.pad.codes, control.pad.labels)
    )
    assert (
        size < 1.2e6
        # noise for an atlas does not compress: digits do, see the browser test for the
        # whole page
    )
    data, metadata = control._repr_mimebundle_()
    assert set(data) == {
        "application/vnd.jupyter.widget-view+json",
        "text/plain",
        "image/png",
    }
    assert len(json.dumps(data["application/vnd.jupyter.widget-view+json"])) < 200
    assert metadata["image/png"]["alt"] == control.description


@pytest.mark.parametrize("build", [LatentPad, DrawingBoard])
def test_one_latent_unit_is_refused_by_a_sentence(build, digits):
    with pytest.raises(ValueError, match="1 latent unit.*2 or more.*LatentPlane"):
        build(vae_of(1), digits)


@pytest.mark.parametrize("units", [(0,), (0, 0), (0, 7), (0, 1, 2)])
def test_units_that_are_not_there_are_refused(units, digits):
    with pytest.raises(ValueError, match="two different ones from 0 to 2"):
        LatentPad(vae_of(3), digits, units=units)


def test_an_atlas_of_few_digits_leaves_the_rest_light():
    with Image.open(io.BytesIO(atlas(np.full((3, 28, 28), 255, "uint8")))) as board:
        grey = np.asarray(board.convert("L"))
    assert (
        grey.shape == (28, ACROSS * 28)
        and grey[:, : 3 * 28].max() == 0
        and grey[:, 3 * 28 :].min() == 255
    )


# The drawing board


def test_the_board_packs_mu_and_rho_side_by_side(digits):
    vae = vae_of(3)
    paper = DrawingBoard(vae, digits, dtype="float32").paper
    assert paper.encoder_shapes == [[784, 16], [16, 8], [8, 6]]
    numbers = np.frombuffer(paper.encoder_weights, "<f4")
    last = numbers[-(8 * 6 + 6) :]
    mu, rho = (vae.encoder.get_layer(name) for name in ("mu", "rho"))
    np.testing.assert_array_equal(
        last[:48].reshape(8, 6), np.concatenate([mu.kernel, rho.kernel], axis=1)
    )


def test_the_board_compares_with_minus_elbos_in_rising_order(digits):
    vae = vae_of(2)
    reference = halves(DrawingBoard(vae, digits).paper.reference)
    assert len(reference) == 120 and np.all(np.diff(reference) >= 0)
    np.testing.assert_allclose(
        reference.mean(), negative_elbos(vae, digits.images).mean(), rtol=1e-3
    )


def test_minus_elbo_is_the_mean_over_draws_of_the_models_terms(digits):
    vae = vae_of(2)
    found = negative_elbos(vae, digits.images, draws=2, seed=5)
    parts = []
    for draw in range(2):
        rng = np.random.default_rng((5, draw))
        with vae.noise(rng.standard_normal((120, 2), "float32")):
            parts.append(sum(np.asarray(term) for term in vae.terms(digits.images)))
    np.testing.assert_allclose(found, np.mean(parts, axis=0), rtol=1e-6)


def test_the_drawn_digit_arrives_as_an_image(digits):
    board = DrawingBoard(vae_of(2), digits)
    assert board.image.shape == (28, 28) and not board.image.any()
    sent = memoryview(
        bytes(range(256)) * 3 + bytes(16)
    )  # what the browser sends is no bytes object
    board.paper.set_state({"pixels": sent})
    assert board.image[0, 5] == 5
    assert board.picture().startswith(b"\x89PNG")


def test_images_of_another_size_are_refused(digits):
    other = Split(digits.images[:, :14, :14], digits.labels)
    with pytest.raises(ValueError, match="14"):
        DrawingBoard(vae_of(2, image_shape=(14, 14)), other)


# Pages


def state_of(document):
    return json.loads(re.search('id="state">(.*?)</script>', document, re.DOTALL)[1])


def test_a_page_holds_every_widget_link_and_byte(digits):
    control = LatentPad(vae_of(2), digits)
    state = state_of(
        page_html(control, title="A & B", introduction="One < two.\n\nThree.")
    )
    kinds = [model["model_name"] for model in state["models"].values()]
    assert (
        kinds.count("FloatSliderModel") == kinds.count("LinkModel") == 2
        and kinds.count("AnyModel") == 1
    )
    pad = state["models"][control.pad.model_id]
    found = {
        tuple(part["path"]): base64.b64decode(part["data"]) for part in pad["buffers"]
    }
    assert found["weights",] == control.pad.weights
    document = page_html(control, title="A & B", introduction="One < two.\n\nThree.")
    assert (
        "<title>A &amp; B</title>" in document
        and "<p>One &lt; two.</p>\n<p>Three.</p>" in document
    )


def test_a_page_asks_for_nothing_from_elsewhere(digits):
    document = page_html(
        [LatentPad(vae_of(2), digits), DrawingBoard(vae_of(2), digits)]
    )
    addresses = set(
        re.findall(r"""(?:https?:)?//[\w.]+\.[a-z]{2,}[^\s"'\\]*""", document)
    )
    assert not addresses


def test_a_text_cannot_end_the_page(digits):
    document = page_html(ipywidgets.HTML("</script><b>bold</b>"))
    assert document.count("</script>") == 2
    assert state_of(document)["models"]


def test_a_widget_that_needs_a_kernel_is_refused():
    with pytest.raises(ValueError, match="a Button needs a kernel"):
        page_html(ipywidgets.VBox([ipywidgets.HBox([ipywidgets.Button()])]))


def test_write_page_writes_all_or_nothing(digits, tmp_path):
    path = tmp_path / "pad.html"
    size = write_page(LatentPad(vae_of(2), digits), path)
    assert path.stat().st_size == size and path.read_text("utf-8").startswith(
        "<!DOCTYPE html>"
    )
    with pytest.raises(StorageError):
        write_page(ipywidgets.Label("x"), tmp_path / "nowhere" / "pad.html")

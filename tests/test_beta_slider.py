"""The beta slider's numbers are those of the network at each beta; its picture stands
where no kernel is.
"""

import io

import keras
import numpy as np
import pytest
from PIL import Image

from vae_lib.analysis.information import active_units, unit_rates
from vae_lib.data import load_mnist, subsample
from vae_lib.evaluation import evaluate
from vae_lib.experiments.one_network import ConditionedVAE
from vae_lib.training import train
from vae_lib.widgets.beta_slider import BETAS, CODES, TICKS, BetaSlider

pytestmark = pytest.mark.slow  # trains two networks
TEST = subsample(load_mnist().test, 500)


@pytest.fixture(scope="module", params=[1, 5])
def slider(request):
    keras.utils.set_random_seed(0)
    network = ConditionedVAE(request.param, hidden=(32, 16))
    train(network, load_mnist().train.images[:3000], epochs=1, progress=False)
    return BetaSlider(
        network, TEST.images, TEST.labels, beta=4.0, dedicated=[(4.5, 143.0)]
    )


def halves(content, *shape):
    return np.frombuffer(content, "<f2").reshape(shape)


def test_the_curve_is_that_of_the_evaluation(slider):
    for i in (0, 40, BETAS - 1):
        found = evaluate(slider.network.at(slider.betas[i]), TEST.images)
        assert slider.walk["rates"][i] == pytest.approx(found.rate, rel=1e-3, abs=1e-4)
        assert slider.walk["distortions"][i] == pytest.approx(
            found.distortion, rel=1e-4
        )


def test_codes_and_units_are_those_of_the_network(slider):
    i, view = 60, slider.view
    codes = halves(view.codes, BETAS, CODES, 2)[i]
    first = slider.network.at(slider.betas[i]).encode(TEST.images[:CODES])[0]
    np.testing.assert_allclose(codes, first[:, slider.units], atol=5e-3)  # float16
    mu, sigma = slider.network.at(slider.betas[i]).encode(TEST.images)
    np.testing.assert_allclose(
        view.facts["unit_rates"][i], unit_rates(mu, sigma), atol=1e-3
    )
    assert view.facts["active"][i] == active_units(mu).tolist()
    shown = slider.network.at(slider.betas[i]).encode(TEST.images[slider.shown])
    n = slider.network.latent_dim
    np.testing.assert_allclose(halves(view.mu, BETAS, 10, n)[i], shown[0], atol=5e-3)
    np.testing.assert_allclose(
        halves(view.sigma, BETAS, 10, n)[i], shown[1], rtol=5e-3, atol=1e-3
    )
    assert view.facts["classes"] == list(range(10))


def test_scales_and_shifts_make_the_decoder(slider):
    i, network = 30, slider.network
    scale_0, shift_0, scale_1, shift_1 = np.split(
        halves(slider.view.modulation, BETAS, 2 * 48)[i].astype(float), [16, 32, 64]
    )
    numbers, weights = np.frombuffer(slider.view.weights, "<f2").astype(float), []
    for n_in, n_out in slider.view.shapes:
        kernel, bias, numbers = np.split(numbers, [n_in * n_out, (n_in + 1) * n_out])
        weights.append((kernel.reshape(n_in, n_out), bias))
    h = slider.samples.astype(float)
    for (kernel, bias), scale, shift in zip(
        weights[:2], (scale_0, scale_1), (shift_0, shift_1), strict=True
    ):
        h = np.maximum((h @ kernel + bias) * scale + shift, 0)
    made = 1 / (1 + np.exp(-(h @ weights[2][0] + weights[2][1])))
    expected = network.at(slider.betas[i]).decode(slider.samples).reshape(10, 784)
    np.testing.assert_allclose(made, expected, atol=5e-3)  # float16


def test_beta_can_be_set_and_what_was_not_trained_is_refused(slider):
    slider.beta = 12
    assert slider.beta == slider.view.beta == 12.0
    for beta in (0, -1, np.nan, "12", 1000):
        with pytest.raises(ValueError, match="beta is"):
            slider.beta = beta
    assert slider.beta == 12.0
    with pytest.raises(ValueError, match="beta is 0"):
        BetaSlider(slider.network, TEST.images, TEST.labels, beta=0)


def test_labelled_betas_are_on_the_slider_exactly(slider):
    assert slider.view.facts["ticks"] == list(TICKS) == [0.1, 1, 4, 12, 40, 200]
    assert set(TICKS) <= set(slider.betas) and len(slider.betas) == BETAS
    assert np.all(np.diff(slider.betas) > 0)
    settings = slider.network.settings
    assert slider.betas[[0, -1]] == pytest.approx([settings["low"], settings["high"]])


def test_a_picture_stands_in_for_the_slider(slider):
    data, metadata = slider._repr_mimebundle_()
    assert data["text/plain"] == slider.description == metadata["image/png"]["alt"]
    slider.beta = 1.0
    before = slider.picture()
    slider.beta = 100.0
    assert slider.picture() != before and Image.open(io.BytesIO(before)).width > 1000

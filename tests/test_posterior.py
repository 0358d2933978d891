"""The maps from rho to sigma: values, gradients, and what they do at the ends of the
number line.
"""

import numpy as np
import pytest
import tensorflow as tf

from vae_lib import posterior
from vae_lib.experiments import textbook_maps
from vae_lib.experiments.textbook_maps import INVERSES, MAPS, TEXTBOOK, kl_and_slope
from vae_lib.model import VAE
from vae_lib.posterior import LIMIT, POSTERIORS

ALL = {**{f"textbook {name}": f for name, f in TEXTBOOK.items()}, **POSTERIORS}
POINTS = np.linspace(-3.95, 3.95, 40)  # none at zero, the pole of direct
FORMULAS = {  # dKL/drho
    "direct": lambda rho: rho - 1 / rho,
    "log_variance": lambda rho: (np.exp(rho) - 1) / 2,
    "log_deviation": lambda rho: np.exp(2 * rho) - 1,
    "softplus": lambda rho: (
        (np.log1p(np.exp(rho)) - 1 / np.log1p(np.exp(rho))) / (1 + np.exp(-rho))
    ),
    "bounded": lambda rho: (
        ((2 / (1 + np.exp(-rho))) ** 2 - 1) * (1 - 1 / (1 + np.exp(-rho)))
    ),
}


@pytest.mark.parametrize("name", ALL)
def test_log_sigma_is_the_logarithm_of_sigma(name):
    sigma, log_sigma = ALL[name](tf.constant(POINTS))
    assert np.all(sigma > 0) and sigma.dtype == log_sigma.dtype == tf.float64
    np.testing.assert_allclose(np.log(sigma), log_sigma, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ALL)
def test_gradients_agree_with_finite_differences_and_with_the_formula(name):
    step = 1e-6
    below, above = (kl_and_slope(ALL[name], POINTS + side)[1] for side in (-step, step))
    slope = kl_and_slope(ALL[name], POINTS)[2]
    np.testing.assert_allclose(
        (above - below) / (2 * step), slope, rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(
        FORMULAS[name.split()[-1]](POINTS), slope, rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize(
    "name", ["softplus", "log_variance", "log_deviation", "bounded"]
)
def test_guarded_maps_are_finite_from_minus_to_plus_a_hundred(name):
    rho = np.linspace(-100, 100, 20_001, dtype="float32")
    sigma, kl, slope = kl_and_slope(POSTERIORS[name], rho)
    assert np.isfinite([sigma, kl, slope]).all()
    assert (
        (np.diff(sigma) >= -1e-6 * sigma[1:]).all()
        and sigma[0] < 1e-6
        and sigma[-1] > 1.9
    )
    assert (kl >= -1e-6).all() and kl[0] > 1


@pytest.mark.parametrize(
    "name", ["softplus", "log_variance", "log_deviation", "bounded"]
)
def test_guards_change_nothing_where_the_textbook_is_right(name):
    rho = np.linspace(-12, 12, 2401, dtype="float32")
    for guarded, textbook in zip(
        kl_and_slope(POSTERIORS[name], rho), kl_and_slope(TEXTBOOK[name], rho)
    ):
        np.testing.assert_allclose(guarded, textbook, rtol=1e-5, atol=1e-6)


def test_textbook_maps_break_where_the_notebook_says():
    def broken(name, *rho):
        return ~np.isfinite(
            kl_and_slope(TEXTBOOK[name], np.array(rho, "float32"))[1:]
        ).all(axis=0)

    assert list(broken("log_variance", -100, 88, 89)) == [False, False, True]
    assert list(broken("log_deviation", -100, 44, 45)) == [False, False, True]
    assert list(broken("softplus", 100, -40, -60)) == [False, False, True]
    assert list(broken("direct", -1, 0, 1)) == [False, True, False]
    assert np.isnan(kl_and_slope(TEXTBOOK["softplus"], np.float32([-109]))[2]).all()


def test_softplus_keeps_log_sigma_where_sigma_is_rounded_to_zero():
    sigma, log_sigma = posterior.softplus(tf.constant([-110.0, -200.0]))
    np.testing.assert_array_equal(sigma, [0, 0])
    np.testing.assert_array_equal(log_sigma, [-110, -200])


def test_the_slope_of_the_bounded_map_is_bounded_as_its_docstring_says():
    slope = kl_and_slope(posterior.bounded, np.linspace(-100, 100, 20_001))[2]
    assert -1 <= slope.min() and slope.max() < 1 / 3


def test_clipped_maps_stop_at_the_limit():
    for name, limit in (("log_variance", LIMIT), ("log_deviation", LIMIT / 2)):
        sigma, _, slope = kl_and_slope(
            POSTERIORS[name], np.float32([limit, limit + 5, limit + 50])
        )
        assert sigma[1] == sigma[2] == pytest.approx(np.exp(15), rel=1e-4)
        assert slope[1] == slope[2] == 0


@pytest.mark.parametrize("name", MAPS)
def test_inverses_give_back_sigma(name):
    sigmas = np.array([0.05, 0.5, 1.0, 1.9])
    np.testing.assert_allclose(
        MAPS[name](tf.constant(INVERSES[name](sigmas)))[0], sigmas, rtol=1e-6
    )


@pytest.mark.parametrize("name", POSTERIORS)
def test_every_map_makes_a_model_that_can_be_sampled(name):
    vae = VAE(hidden=(8,), posterior=name)
    mu, sigma = vae.encode(np.zeros((3, 28, 28), "uint8") + np.uint8(90))
    assert mu.shape == sigma.shape == (3, 2) and (sigma > 0).all()


def test_textbook_functions_are_the_ones_in_the_table():
    assert TEXTBOOK["softplus"] is textbook_maps.textbook_softplus
    assert MAPS["softplus, guarded"] is posterior.softplus

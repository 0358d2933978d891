"""Parts of the rate against closed forms; active units; holes; probes and control."""

import numpy as np
import pytest

from vae_lib.analysis.information import (
    active_units,
    hole_shares,
    knn_accuracy,
    log_aggregate,
    log_prior,
    rate_parts,
    unit_rates,
)


def normal_codes(slopes, sigmas, n=5000, seed=0):
    """Return mu, sigma of N(slope * x, sigma²): q(z) is N(0, slope² + sigma²)."""
    x = np.random.default_rng(seed).standard_normal((n, len(slopes)))
    return x * slopes, np.ones_like(x) * sigmas


def test_parts_of_the_rate_are_those_of_normal_codes():
    slopes, sigmas = np.array([0.9, 1.2, 0.0]), np.array([0.4, 0.7, 1.3])
    mu, sigma = normal_codes(slopes, sigmas)
    parts = rate_parts(mu, sigma, codes=5000)
    variances = slopes**2 + sigmas**2
    information = np.log(variances / sigmas**2).sum() / 2
    marginal = ((variances - 1 - np.log(variances)) / 2).sum()
    # 5,000 draws leave 0.02 (deviations of 1 and below), the finite mixture less
    assert parts.mutual_information == pytest.approx(information, abs=0.08)
    assert parts.marginal_kl == pytest.approx(marginal, abs=0.08)
    assert parts.rate == pytest.approx(information + marginal, abs=0.08)
    assert parts.rate == pytest.approx(
        parts.mutual_information + parts.marginal_kl, abs=0.08
    )


def test_a_collapsed_encoder_informs_about_nothing():
    parts = rate_parts(np.zeros((500, 3)), np.ones((500, 3)))
    assert parts[:3] == pytest.approx((0, 0, 0), abs=1e-9) and not parts.at_ceiling


def test_codes_that_never_overlap_name_their_image():
    n = 300
    mu = np.arange(n, dtype=float)[:, None] * 100
    parts = rate_parts(mu, np.full((n, 1), 0.01))
    assert parts.mutual_information == pytest.approx(np.log(n), abs=1e-6)
    assert parts.at_ceiling and parts.ceiling == pytest.approx(np.log(n))


def test_at_the_ceiling_the_marginal_kl_falls_with_the_number_of_images():
    """q(z) is N(0, 1), but few narrow posteriors cannot show it."""
    mu, sigma = normal_codes(np.full(8, 0.995), np.full(8, 0.1), n=4000)
    few, many = (rate_parts(mu[:n], sigma[:n]) for n in (400, 4000))
    assert few.at_ceiling and many.at_ceiling
    for parts in (few, many):
        assert parts.marginal_kl == pytest.approx(parts.rate - parts.ceiling, abs=0.5)
    assert few.marginal_kl - many.marginal_kl == pytest.approx(np.log(10), abs=0.5)
    assert not rate_parts(*normal_codes(np.array([0.6]), np.array([0.8]))).at_ceiling


def test_holes_are_where_no_posterior_is():
    mu, sigma = normal_codes(np.array([0.8, 0.8]), np.array([0.6, 0.6]), n=8000)
    none = hole_shares(mu, sigma)
    assert list(none.index) == [1000, 2000, 4000, 8000] and (none.share < 0.01).all()
    half = mu[:, 0] > 0
    found = hole_shares(mu[half], np.full_like(sigma[half], 0.05), [2000])
    assert found.share.item() == pytest.approx(0.5, abs=0.06)
    assert found["±"].item() == pytest.approx(0.011, abs=0.001)


def test_holes_grow_fewer_with_posteriors_and_their_limit_is_below():
    mu, sigma = normal_codes(np.ones(2), np.full(2, 0.05), n=10_000)
    found = hole_shares(mu, sigma, [100, 1000, 10_000])
    assert found.share.is_monotonic_decreasing and found.share.iloc[0] > 0.5
    assert found.limit.nunique() == 1 and found.limit.iloc[0] < found.share.iloc[-1]
    with pytest.raises(ValueError, match="from 1 to 10000"):
        hole_shares(mu, sigma, [20_000])


def test_one_posterior_that_is_the_prior_is_the_prior():
    z = np.random.default_rng(0).standard_normal((600, 3))
    aggregate = log_aggregate(z, np.zeros((1, 3)), np.ones((1, 3)))
    np.testing.assert_allclose(aggregate, log_prior(z))


def test_tiny_deviations_do_not_cancel():
    mu, sigma = normal_codes(np.array([1.0]), np.array([1e-7]), n=400)
    assert rate_parts(mu, sigma).mutual_information == pytest.approx(
        np.log(400), abs=1e-6
    )


def test_unit_rates_add_up_and_find_the_silent_unit():
    mu, sigma = normal_codes(np.array([1.0, 0.0]), np.array([0.5, 1.0]))
    rates = unit_rates(mu, sigma)
    assert rates.sum() == pytest.approx(rate_parts(mu, sigma).rate) and rates[
        1
    ] == pytest.approx(0, abs=1e-12)
    assert rates[0] == pytest.approx((1 + 0.25 - 1) / 2 - np.log(0.5), rel=0.05)
    assert active_units(mu).tolist() == [True, False]


def test_activity_is_a_variance_above_a_hundredth():
    x = np.linspace(-1, 1, 1001)
    mu = np.stack(
        [x * np.sqrt(3 * 0.011), x * np.sqrt(3 * 0.009)], axis=1
    )  # variances 0.011 and 0.009
    assert active_units(mu).tolist() == [True, False]
    assert active_units(mu, least=0.001).all()


def test_neighbours_know_the_class_and_the_control_does_not():
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=4000)
    codes = np.stack([np.cos(labels), np.sin(labels)], 1) + 0.02 * rng.standard_normal(
        (4000, 2)
    )
    half = codes[:2000], labels[:2000], codes[2000:], labels[2000:]
    assert knn_accuracy(*half) > 0.99
    assert (
        knn_accuracy(*half, shuffled=True) < 0.16
    )  # chance is 0.1, and 2,000 votes err by 0.01


@pytest.mark.parametrize(
    "mu, sigma",
    [
        (np.zeros((3, 2)), np.ones((3, 1))),
        (np.zeros(3), np.ones(3)),
        (np.zeros((3, 2)), np.zeros((3, 2))),
        (np.full((3, 2), np.nan), np.ones((3, 2))),
    ],
)
def test_arrays_that_are_no_codes_are_refused(mu, sigma):
    with pytest.raises(ValueError, match="mu"):
        rate_parts(mu, sigma)

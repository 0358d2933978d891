"""The split of the gap against closed forms: in a linear Gaussian VAE all is known."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from test_likelihood import IMAGES, exact_linear_vae

from vae_lib.analysis import gap
from vae_lib.analysis.likelihood import quadrature_log_likelihood
from vae_lib.model import VAE

ANGLE = 0.5
TURN = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])


@pytest.fixture(scope="module")
def turned():
    """Return a linear VAE whose posterior is slanted, and that posterior's precision.

    Its encoder is the exact one of the same VAE before the turn.
    """
    vae, kernel, bias = exact_linear_vae(2)
    kernel = kernel @ TURN.T
    vae.decoder.set_weights([kernel.T, bias])
    precision = np.eye(2) + 2 * kernel.T @ kernel  # pixels have variance 1/2
    x = np.asarray(vae.prepare(IMAGES)).reshape(7, -1)
    means = 2 * (x - bias) @ kernel @ np.linalg.inv(precision)
    return vae, means, precision


def divergence(mean, covariance, other, precision):
    """Return KL(N(mean, covariance) ‖ N(other, precision⁻¹))."""
    far = other - mean
    trace = np.trace(precision @ covariance) - len(mean)
    logs = np.linalg.slogdet(precision)[1] + np.linalg.slogdet(covariance)[1]
    return (trace + far @ precision @ far - logs) / 2


def test_each_part_of_the_gap_is_what_the_closed_form_says(turned):
    vae, means, precision = turned
    table = gap.split_gap(vae, IMAGES)
    mu, sigma = vae.encode(IMAGES)
    own = [
        divergence(*pair, mean, precision)
        for *pair, mean in zip(mu, sigma[:, None] ** 2 * np.eye(2), means)
    ]
    slant = np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1]
    np.testing.assert_allclose(table.gap, own, atol=1e-3)
    np.testing.assert_allclose(table.slant, slant / 2, atol=1e-3)
    np.testing.assert_allclose(table.form, 0, atol=1e-3)
    parts = table.amortization + table.slant + table.form
    np.testing.assert_allclose(parts, table.gap, atol=1e-9)
    np.testing.assert_allclose(
        table["log p(x)"], quadrature_log_likelihood(vae, IMAGES), atol=1e-3
    )
    assert (table.second == 0).all()


def test_the_climb_rises_to_the_exact_posterior(turned):
    vae, means, precision = turned
    surface, start = gap.plane(vae, IMAGES), gap.encoded(vae, IMAGES)
    way, read = gap.climb(surface, start, diagonal=False)
    best = way[-1]
    covariance = best.factor @ best.factor.transpose(0, 2, 1)
    np.testing.assert_allclose(best.mean, means, atol=2e-3)
    np.testing.assert_allclose(covariance[0], np.linalg.inv(precision), atol=2e-3)
    bounds = np.stack([gap.bound(vae, IMAGES, q) for q in way])
    assert (np.diff(bounds, axis=0) > -1e-3).all()
    np.testing.assert_allclose(read, bounds, atol=0.02)


def test_two_islands_are_found_with_their_shares():
    axis = 0.05 * np.arange(-100, 101)
    codes = np.stack(np.meshgrid(axis, axis), axis=-1)
    places, shares = np.array([[2.0, -1.0], [-1.5, 0.5]]), (0.7, 0.3)
    densities = [multivariate_normal(place, 0.04) for place in places]
    mixture = sum(w * d.pdf(codes) for w, d in zip(shares, densities))
    surface = gap.Plane(axis, np.log(mixture + 1e-300)[None].astype("float32"))
    assert surface.log_likelihood()[0] == pytest.approx(0, abs=1e-4)
    found = surface.islands(0)
    assert [one[0] for one in found] == pytest.approx(shares, abs=0.02)
    np.testing.assert_allclose([one[1] for one in found], places, atol=0.02)


def test_a_model_without_a_plane_is_refused():
    vae = VAE(3, hidden=(), image_shape=(4, 5))
    with pytest.raises(ValueError, match="3 latent units"):
        gap.plane(vae, IMAGES)

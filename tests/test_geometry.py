"""The decoder's metric and shortest paths against closed forms."""

import keras
import numpy as np
import pytest

from vae_lib.analysis.geometry import (
    Surface,
    at_borders,
    compare_at_radius,
    decoder_metric,
    detours,
    magnification,
    path_length,
    pixel_metric,
)
from vae_lib.analysis.grids import linear_grid
from vae_lib.model import VAE
from vae_lib.objectives import LIKELIHOODS


def half_plane(codes):
    """The metric I / (z_2 + 4)² of a half plane, whose distances are known in closed
    form.
    """
    return np.eye(2) / (np.asarray(codes, "float64")[:, 1, None, None] + 4) ** 2


def half_plane_distance(a, b):
    return np.arccosh(1 + np.sum((a - b) ** 2) / (2 * (a[1] + 4) * (b[1] + 4)))


def flat(codes):
    return np.tile(np.array([[4.0, 1.0], [1.0, 2.0]]), (len(codes), 1, 1))


def test_a_linear_gaussian_decoder_has_the_metric_of_its_matrix():
    keras.utils.set_random_seed(0)
    vae = VAE(3, hidden=(), likelihood="gaussian")
    kernel = vae.decoder.get_weights()[0].astype("float64")  # (3, 784)
    found = decoder_metric(vae, np.random.default_rng(0).normal(size=(5, 3)))
    np.testing.assert_allclose(
        found, np.tile(2 * kernel @ kernel.T, (5, 1, 1)), rtol=1e-4
    )


def test_a_linear_bernoulli_decoder_weights_its_pixels():
    keras.utils.set_random_seed(0)
    vae = VAE(2, hidden=())
    kernel, bias = (w.astype("float64") for w in vae.decoder.get_weights())
    codes = np.random.default_rng(0).normal(size=(1100, 2))  # more than one batch
    p = 1 / (1 + np.exp(-(codes @ kernel + bias)))
    expected = np.einsum("ip,np,jp->nij", kernel, p * (1 - p), kernel)
    np.testing.assert_allclose(decoder_metric(vae, codes), expected, rtol=1e-4)


def test_half_the_metric_is_the_kl_of_a_small_step():
    """The definition, by differences, for a deep decoder; float32 logits leave about 1
    %.
    """
    keras.utils.set_random_seed(0)
    vae = VAE(2, (64, 32), activation="gelu")
    z, step = np.array([[0.3, -0.8]]), np.array([0.03, 0.02])
    here, there = (
        np.asarray(vae.decoder(np.float32(code)), "float64").ravel()
        for code in (z, z + step)
    )
    p = 1 / (1 + np.exp(-here))
    kl = np.sum(p * (here - there) + np.logaddexp(0, there) - np.logaddexp(0, here))
    assert kl == pytest.approx(0.5 * step @ decoder_metric(vae, z)[0] @ step, rel=0.05)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_the_pixel_metric_is_the_squared_distance_of_decoded_images(likelihood):
    keras.utils.set_random_seed(0)
    vae = VAE(2, (64, 32), activation="gelu", likelihood=likelihood)
    z, step = np.array([[0.3, -0.8]]), np.array([0.03, 0.02])
    here, there = (vae.decode(code).astype("float64") for code in (z, z + step))
    expected = step @ pixel_metric(vae, z)[0] @ step
    assert np.sum((there - here) ** 2) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("metric", [decoder_metric, pixel_metric])
def test_the_metric_of_a_replaced_likelihood_is_refused(metric):
    vae = VAE(hidden=(8,), image_shape=(4, 4))
    vae.likelihood = LIKELIHOODS["gaussian"]
    with pytest.raises(
        ValueError, match="'bernoulli' of this model is not that of vae_lib"
    ):
        metric(vae, np.zeros((1, 2)))


def test_magnification_of_a_known_metric():
    metrics = np.array([np.diag([4.0, 9.0]), np.eye(2), [[2.0, 1.0], [1.0, 2.0]]])
    np.testing.assert_allclose(magnification(metrics), [6, 1, np.sqrt(3)])


def test_detours_are_those_of_the_half_plane():
    surface = Surface(half_plane, extent=3)
    pairs = np.array([[[-2.0, -2.5], [2.0, -2.5]], [[1.0, -2.0], [1.0, 2.0]]])
    paths, excess = detours(surface, pairs)
    level, upright = pairs
    exact = 4 / 1.5 / half_plane_distance(*level) - 1  # a straight line at z_2 = −2.5
    np.testing.assert_allclose(excess, [exact, 0], atol=0.01)
    np.testing.assert_allclose([path[[0, -1]] for path in paths], pairs)


def test_lengths_are_exact_under_a_constant_metric_and_close_under_another():
    path = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 3.0]])
    assert path_length(path, flat) == pytest.approx(np.sqrt(8) + np.sqrt(8))
    upright = np.array([[0.0, -2.0], [0.0, 2.0]])
    assert path_length(upright, half_plane, pieces=100) == pytest.approx(
        np.log(6 / 2), rel=1e-3
    )
    assert path_length(path[:1], flat) == 0


@pytest.mark.parametrize(
    "metric", [flat, lambda codes: np.tile(np.eye(2), (len(codes), 1, 1))]
)
def test_shortest_ways_in_a_flat_plane_are_straight(metric):
    surface = Surface(metric, 3.0, 31)
    start, ends = (
        np.array([-2.03, 1.01]),
        np.random.default_rng(0).uniform(-3, 3, (10, 2)),
    )
    for end, path in zip(ends, surface.geodesics(start, ends), strict=True):
        np.testing.assert_allclose(path[[0, -1]], [start, end])
        np.testing.assert_allclose(path, np.linspace(start, end, len(path)), atol=0.02)
        assert path_length(path, metric) == pytest.approx(
            path_length(path[[0, -1]], metric), rel=1e-3
        )


def test_shortest_ways_in_the_half_plane_are_its_circles():
    surface = Surface(half_plane, 3.0, 61)
    start, ends = (
        np.array([-2.5, -3.0]),
        np.array([[2.5, -3.0], [2.5, 0.0], [-2.5, 2.0]]),
    )
    paths = surface.geodesics(start, ends)
    for end, path in zip(ends, paths, strict=True):
        assert path_length(path, half_plane) == pytest.approx(
            half_plane_distance(start, end), rel=2e-3
        )
    assert path_length(np.array([start, ends[0]]), half_plane, 500) > 1.5 * path_length(
        paths[0], half_plane
    )
    np.testing.assert_allclose(
        np.hypot(paths[0][:, 0], paths[0][:, 1] + 4), np.hypot(2.5, 1), rtol=0.01
    )


def hill(codes):
    """A smooth bump of metric around the origin."""
    return np.eye(2) * (1 + 20 * np.exp(-(codes**2).sum(axis=1)))[:, None, None]


@pytest.mark.parametrize("length", [1e-9, 1e9])
@pytest.mark.parametrize("code", [1e-6, 1.0, 1e3])
def test_shortest_ways_do_not_depend_on_units(length, code):
    start, end = np.array([-2.0, -1.0]), np.array([2.0, 1.0])
    one = Surface(hill, 3.0, 31).geodesics(start, [end])[0]
    surface = Surface(lambda codes: length * hill(codes / code), 3.0 * code, 31)
    other = surface.geodesics(code * start, [code * end])[0] / code
    np.testing.assert_allclose(other, one, atol=5e-3)
    assert path_length(one, hill) < 0.9 * path_length(one[[0, -1]], hill, 200)


def test_a_metric_that_no_path_can_be_measured_by_is_refused():
    def jump(codes):
        return np.eye(2) * np.where(codes[:, 1] < 0, 100.0, 1.0)[:, None, None]

    with pytest.raises(ValueError, match="not positive, as beside a jump"):
        Surface(jump, 3.0, 31).geodesics(np.array([-2, 0.1]), [np.array([2, 0.1])])
    with pytest.raises(ValueError, match="not finite everywhere"):
        Surface(lambda codes: half_plane(codes) * np.nan, 3.0, 31)


def test_a_code_outside_of_the_square_is_refused():
    with pytest.raises(ValueError, match=r"code \[4.0, 0.0\] lies outside .* -3 to 3"):
        Surface(flat, 3.0, 31).geodesics(np.zeros(2), [np.array([4.0, 0.0])])


def test_no_way_is_no_detour():
    _, longer = detours(Surface(flat, 3.0, 31), np.ones((1, 2, 2)))
    np.testing.assert_array_equal(longer, [0])


def test_the_symmetric_part_of_a_metric_counts_as_it_does_in_lengths():
    def twisted(codes):
        return half_plane(codes) + np.array([[0.0, 3.0], [-3.0, 0.0]])

    codes = np.random.default_rng(0).uniform(-3, 3, (10, 2))
    found, expected = Surface(twisted, 3.0, 31), Surface(half_plane, 3.0, 31)
    np.testing.assert_allclose(found(codes), expected(codes), atol=1e-9)
    np.testing.assert_allclose(found.metrics, expected.metrics)
    path = np.array([[-2.0, 0.0], [2.0, 1.0]])
    assert path_length(path, twisted) == pytest.approx(path_length(path, half_plane))


def test_the_way_goes_round_a_mountain_that_the_straight_line_crosses():
    """A descent from the straight line would stay on the summit: no slope to a side."""

    def mountain(codes):
        height = 50 * np.exp(-(codes**2).sum(axis=1) / 0.5)
        return np.eye(2) * (1 + height)[:, None, None]

    path = Surface(mountain, 3.0, 61).geodesics(
        np.array([-2.0, 0.0]), np.array([[2.0, 0.0]])
    )[0]
    assert np.abs(path[:, 1]).max() > 0.8
    assert path_length(path, mountain) < 0.7 * path_length(path[[0, -1]], mountain, 200)


def test_a_start_that_is_the_end_has_a_way_of_no_length():
    path = Surface(half_plane, 3.0, 31).geodesics(
        np.array([1.0, 1.0]), np.array([[1.0, 1.0]])
    )[0]
    assert path_length(path, half_plane) == pytest.approx(0, abs=1e-6)


def test_a_border_is_where_a_neighbour_has_another_class():
    classes = np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 2], [1, 1, 2, 2]])
    expected = [[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]]
    found = at_borders(classes.ravel()).reshape(4, 4)
    np.testing.assert_array_equal(found, np.array(expected, bool))
    with pytest.raises(ValueError, match="there are 10 classes"):
        at_borders(np.zeros(10))


@pytest.mark.parametrize("lift", [1.0, 1.5])
def test_border_and_interior_are_compared_at_equal_radius(lift):
    """A decoder that stretches by the radius alone, and by `lift` at borders.

    Pooled over all radii the two medians say something else.
    """
    codes = linear_grid(81, 3.2).astype("float64")
    radius = np.linalg.norm(codes, axis=1)
    border = at_borders(
        np.where(radius < 1.5, 4, 2 * (codes[:, 0] > 0) + (codes[:, 1] > 0))
    )
    scale = np.exp(-(radius**2) / 2) * np.where(border, lift, 1.0)
    found = magnification(scale[:, None, None] * np.eye(2))
    table = compare_at_radius(codes, found, border, np.arange(1.0, 3.01, 0.1))
    table = table.dropna()
    assert len(table) >= 15 and (table["codes, border"] > 0).all()
    assert table.ratio.median() == pytest.approx(lift, rel=0.02)
    assert table.ratio.between(0.8 * lift, 1.25 * lift).all()
    pooled = np.median(found[border]) / np.median(found[~border])
    assert abs(pooled / lift - 1) > 0.3
    inside = compare_at_radius(codes, found, border).iloc[0]
    assert inside["codes, border"] == 0 and np.isnan(inside.ratio)


def test_too_coarse_a_grid_is_refused():
    with pytest.raises(ValueError, match="4 × 4"):
        Surface(flat, 3.0, 3)


@pytest.mark.parametrize("end", [(3.0, -3.0), (3.0, 3.0)])
def test_geodesics_stay_on_the_square_where_the_metric_falls_outwards(end):
    """Along its edge no way is shorter than the straight one; across it none is longer.

    Beyond the square the metric is unknown, and what stands in for it misleads.
    """

    def falling(codes):
        return np.eye(2) * np.exp(-(codes**2).sum(axis=1) / 3.0)[:, None, None]

    surface = Surface(falling, 3.0, 61)
    (path,) = surface.geodesics(np.array([-3.0, -3.0]), [np.array(end)])
    straight = path_length(path[[0, -1]], surface, pieces=200)
    assert np.abs(path).max() <= 3.0
    assert path_length(path, surface) <= 1.002 * straight

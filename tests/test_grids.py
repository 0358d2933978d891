"""vae_lib.analysis.grids against SciPy's normal distribution, geometry and
scikit-learn.
"""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation, Slerp
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from threadpoolctl import threadpool_limits

from vae_lib.analysis.grids import (
    METHODS,
    embed,
    interpolate,
    linear_grid,
    quantile_grid,
    traverse,
)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small problems: further threads gain nothing, and wait for seconds where others
    share the cores.
    """
    with threadpool_limits(1):
        yield


# Grids


@pytest.mark.parametrize(
    "grid", [quantile_grid(5), linear_grid(5, 3)], ids=["quantile", "linear"]
)
def test_a_grid_tiles_with_z1_to_the_right_and_z2_upwards(grid):
    assert grid.shape == (25, 2) and grid.dtype == np.float32
    picture = grid.reshape(5, 5, 2)  # rows from the top, columns from the left
    assert (np.diff(picture[..., 0], axis=1) > 0).all() and (
        np.diff(picture[..., 0], axis=0) == 0
    ).all()
    assert (np.diff(picture[..., 1], axis=0) < 0).all() and (
        np.diff(picture[..., 1], axis=1) == 0
    ).all()


def test_quantile_grid_holds_equispaced_quantiles():
    u = norm.cdf(quantile_grid(20)[:20, 0].astype(np.float64))
    np.testing.assert_allclose(
        u, np.linspace(0.05, 0.95, 20), atol=1e-7
    )  # codes are float32
    corners = quantile_grid(2, 0.1, 0.6)
    expected = norm.ppf([[0.1, 0.6], [0.6, 0.6], [0.1, 0.1], [0.6, 0.1]])
    np.testing.assert_allclose(corners, expected, atol=1e-6)  # codes are float32


def test_linear_grid_is_equispaced_and_symmetric():
    assert linear_grid(5, 3)[:5, 0].tolist() == [-3, -1.5, 0, 1.5, 3]
    assert linear_grid(2, 0.5).tolist() == [
        [-0.5, 0.5],
        [0.5, 0.5],
        [-0.5, -0.5],
        [0.5, -0.5],
    ]


@pytest.mark.parametrize("n", [1, 0, -3, 2.5, None])
def test_grids_refuse_a_wrong_number(n):
    for call in (lambda: quantile_grid(n), lambda: linear_grid(n, 3.0)):
        with pytest.raises(
            ValueError, match=f"n is {n}, but must be a whole number from 2 up"
        ):
            call()


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.0, 0.9), (0.1, 1.0), (0.9, 0.1), (0.5, 0.5), (np.nan, 0.9), (-1, 2)],
)
def test_quantile_grid_refuses_wrong_bounds(low, high):
    with pytest.raises(
        ValueError,
        match=f"low and high are {low} and {high}, but must satisfy 0 < low < high < 1",
    ):
        quantile_grid(3, low, high)


@pytest.mark.parametrize("extent", [0, -1.0, np.inf, np.nan])
def test_linear_grid_refuses_a_wrong_extent(extent):
    with pytest.raises(
        ValueError, match=f"extent is {extent}, but must be positive and finite"
    ):
        linear_grid(3, extent)


# Traversals


def test_traverse_sets_one_unit_and_leaves_the_others():
    code = np.array([0.5, -1.0, 2.0], dtype=np.float32)
    codes = traverse(code, 1, [-2, 0, 2, 4])
    assert codes.dtype == np.float32
    assert codes.tolist() == [[0.5, -2, 2], [0.5, 0, 2], [0.5, 2, 2], [0.5, 4, 2]]
    assert code.tolist() == [0.5, -1.0, 2.0]
    assert traverse([1, 2], np.int64(0), [3]).tolist() == [[3, 2]]


@pytest.mark.parametrize(
    ("code", "unit", "values", "message"),
    [
        ([0.0, 1.0], 2, [0], "unit is 2, but must be from 0 to 1"),
        ([0.0, 1.0], -1, [0], "unit is -1, but must be from 0 to 1"),
        ([0.0, 1.0], 0.5, [0], "unit is 0.5, but must be from 0 to 1"),
        ([[0.0, 1.0]], 0, [0], r"code has the shape \(1, 2\), but must have 1 axes"),
        ([], 0, [0], r"code has the shape \(0,\)"),
        ([0.0, np.nan], 0, [0], "code has NaN or infinite entries"),
        ([0.0, 1.0], 0, [], r"values has the shape \(0,\)"),
        ([0.0, 1.0], 0, 3.0, r"values has the shape \(\)"),
        ([0.0, 1.0], 0, [np.inf], "values has NaN or infinite entries"),
    ],
)
def test_traverse_refuses(code, unit, values, message):
    with pytest.raises(ValueError, match=message):
        traverse(code, unit, values)


# Interpolations


def test_straight_interpolation():
    codes = interpolate([0, 0, 1], [4, 2, 1], 5)
    assert codes.dtype == np.float32
    assert codes.tolist() == [[0, 0, 1], [1, 0.5, 1], [2, 1, 1], [3, 1.5, 1], [4, 2, 1]]


def test_spherical_interpolation_is_a_turn_at_constant_speed():
    start = np.array([3.0, 0.0, 0.0])
    turn = Rotation.from_rotvec([0.4, 1.1, -0.7])
    axis = np.cross(start, turn.apply(start))
    angle = np.arctan2(np.linalg.norm(axis), start @ turn.apply(start))
    ends = Rotation.from_rotvec([[0, 0, 0], angle * axis / np.linalg.norm(axis)])
    expected = Slerp([0, 1], ends)(np.linspace(0, 1, 7)).apply(start)
    # codes are float32
    np.testing.assert_allclose(
        interpolate(start, turn.apply(start), 7, spherical=True), expected, atol=1e-6
    )


def test_spherical_interpolation_keeps_a_length_that_straight_interpolation_loses():
    start, end = np.random.default_rng(0).normal(size=(2, 50))
    end *= np.linalg.norm(start) / np.linalg.norm(end)
    lengths = np.linalg.norm(interpolate(start, end, 11, spherical=True), axis=1)
    np.testing.assert_allclose(
        lengths, np.linalg.norm(start), rtol=1e-6
    )  # codes are float32
    # two random codes are nearly at right angles: to 10 % in 50 dimensions their mean
    # is shorter by √2
    assert np.linalg.norm(interpolate(start, end, 3)[1]) == pytest.approx(
        lengths[0] / np.sqrt(2), rel=0.1
    )


@pytest.mark.parametrize("spherical", [False, True])
def test_both_ends_are_included(spherical):
    start, end = np.random.default_rng(1).normal(size=(2, 10)) * [[1.0], [7.0]]
    codes = interpolate(start, end, 2, spherical)
    np.testing.assert_allclose(codes, [start, end], rtol=1e-6)  # codes are float32


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ([0.0, 0.0], [1.0, 2.0]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [3.0, 6.0]),
        ([1.0, 2.0], [-1.0, -2.0]),
        ([1.0, 2.0], [-1.0, -2.0 + 1e-9]),
        ([1.5], [-0.5]),
    ],
)
def test_spherical_interpolation_is_straight_where_no_arc_is_singled_out(start, end):
    # the near-opposite pair differs from a straight line by its 1e-9
    np.testing.assert_allclose(
        interpolate(start, end, 5, True), interpolate(start, end, 5), atol=1e-6
    )


def test_spherical_interpolation_is_accurate_for_tiny_angles():
    codes = interpolate([1.0, 0.0], [np.cos(1e-5), np.sin(1e-5)], 3, spherical=True)
    np.testing.assert_allclose(codes[1], [1.0, 0.5e-5], rtol=1e-6)  # codes are float32


@pytest.mark.parametrize(
    ("start", "end", "steps", "message"),
    [
        ([0.0], [1.0], 1, "steps is 1, but must be a whole number from 2 up"),
        ([0.0], [1.0], 2.5, "steps is 2.5, but must be"),
        ([0.0, 1.0], [1.0], 3, "start and end have 2 and 1 units"),
        ([[0.0]], [1.0], 3, r"start has the shape \(1, 1\)"),
        ([0.0], [np.nan], 3, "end has NaN or infinite entries"),
    ],
)
def test_interpolate_refuses(start, end, steps, message):
    with pytest.raises(ValueError, match=message):
        interpolate(start, end, steps)


# Embeddings


def clusters(n=30, latent_dim=6):
    """Three well separated clouds of `n` codes each."""
    generator = np.random.default_rng(0)
    centres = 8.0 * np.eye(3, latent_dim)
    return (centres[:, None] + generator.normal(size=(3, n, latent_dim))).reshape(
        -1, latent_dim
    )


def test_pca_is_the_plane_of_largest_variance():
    codes = clusters()
    plane = embed(codes, "pca")
    assert plane.shape == (90, 2) and plane.dtype == np.float32
    expected = PCA().fit(codes).explained_variance_[:2]
    np.testing.assert_allclose(
        np.cov(plane.T), np.diag(expected), atol=1e-4
    )  # codes are float32
    # in the plane already: distances stay as they are
    np.testing.assert_allclose(
        pdist(embed(codes[:, :2], "pca")), pdist(codes[:, :2]), atol=1e-4
    )


@pytest.mark.parametrize(
    ("method", "n"), [("t-SNE", 30), ("openTSNE", 30), ("openTSNE", 100)]
)
def test_tsne_keeps_neighbours_and_depends_on_nothing_but_the_seed(method, n):
    codes = clusters(n)
    plane = embed(codes, method, seed=1)
    assert plane.shape == (3 * n, 2) and plane.dtype == np.float32
    # 1 is perfect; a random layout of these codes scores 0.5
    assert trustworthiness(codes, plane, n_neighbors=10) > 0.9
    np.testing.assert_array_equal(plane, embed(codes, method, seed=1))


@pytest.mark.parametrize("method", ["t-SNE", "openTSNE"])
@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (1e6, 0.0), (1e-3, 100.0)])
def test_tsne_is_scale_free_even_where_squares_of_float32_are_not(scale, shift, method):
    codes = clusters(n=40)
    plane = embed(scale * codes + shift, method)
    assert np.isfinite(plane).all()
    assert trustworthiness(codes, plane, n_neighbors=5) > 0.9  # as above


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(2, 3), (3, 1), (5, 2), (40, 1)])
@pytest.mark.filterwarnings("error")
def test_few_codes_and_one_unit_are_laid_out_without_a_warning(method, shape):
    plane = embed(np.random.default_rng(0).normal(size=shape), method)
    assert plane.shape == (shape[0], 2)
    assert np.isfinite(plane).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.filterwarnings("error")
def test_codes_of_a_collapsed_encoder_are_one_point(method):
    codes = np.full((30, 4), 0.1, dtype=np.float32)
    np.testing.assert_array_equal(embed(codes, method), np.zeros((30, 2)))


@pytest.mark.parametrize(
    ("codes", "method", "message"),
    [
        (
            np.eye(3),
            "umap",
            "method is 'umap', but must be 'pca' or 't-SNE' or 'openTSNE'",
        ),
        (
            np.zeros((1, 3)),
            "pca",
            "the number of codes is 1, but must be a whole number from 2 up",
        ),
        (np.zeros((0, 3)), "t-SNE", r"codes has the shape \(0, 3\)"),
        (np.zeros(3), "pca", r"codes has the shape \(3,\), but must have 2 axes"),
        (np.full((4, 2), np.nan), "t-SNE", "codes has NaN or infinite entries"),
    ],
)
def test_embed_refuses(codes, method, message):
    with pytest.raises(ValueError, match=message):
        embed(codes, method)

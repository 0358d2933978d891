"""Measures of samples: known clouds give known numbers."""

import numpy as np
import pytest

from vae_lib.analysis.sample_quality import (
    Reader,
    aggregate_samples,
    compare,
    features,
    ppca_samples,
    radii,
)
from vae_lib.data import Split
from vae_lib.model import VAE

RNG = np.random.default_rng(0)


def test_clouds_of_the_same_distribution_are_near_one():
    """Density is 1 and coverage 1 − 2^−5 ≈ 0.97 in expectation (Naeem et al. 2020),
    here to five standard errors.
    """
    found = compare(RNG.normal(size=(2000, 10)), RNG.normal(size=(2000, 10)))
    assert found.density == pytest.approx(
        1, abs=0.1
    ) and found.coverage == pytest.approx(1 - 2**-5, abs=0.02)
    assert min(found.precision, found.recall) > 0.8


def test_clouds_apart_have_nothing_in_common():
    reals = RNG.normal(size=(300, 4))
    assert compare(reals, reals + 100) == (0, 0, 0, 0)


def test_a_single_point_is_precise_but_covers_nothing():
    reals = RNG.normal(size=(1000, 4))
    found = compare(reals, np.repeat(reals[:1], 1000, axis=0))
    assert found.precision == 1 and found.coverage < 0.05 and found.recall < 0.05


def test_half_of_the_modes_halves_recall_and_coverage():
    modes = np.repeat([[0.0, 0.0], [50.0, 0.0]], 500, axis=0)
    reals, fakes = modes + RNG.normal(size=(1000, 2)), RNG.normal(size=(1000, 2))
    found = compare(reals, fakes)
    assert found.precision > 0.9
    assert found.recall == pytest.approx(
        0.5, abs=0.05
    ) and found.coverage == pytest.approx(0.5, abs=0.05)


def test_radii_are_those_of_the_brute_force():
    points = RNG.normal(size=(700, 3))
    distances = np.sort(np.linalg.norm(points[:, None] - points, axis=-1), axis=1)
    np.testing.assert_allclose(radii(points), distances[:, 5])


@pytest.mark.slow
def test_features_keep_the_distances_of_images_in_a_plane():
    plane = RNG.random((200, 2)) @ RNG.random((2, 784))
    images = (plane / plane.max()).reshape(-1, 28, 28).astype("float32")
    found = features(images, 2)(images)
    distances = np.linalg.norm(found[0] - found, axis=1)
    np.testing.assert_allclose(
        distances,
        np.linalg.norm((images[0] - images).reshape(200, -1), axis=1),
        atol=1e-4,
    )


def test_ppca_samples_have_the_moments_of_their_model():
    scales = np.array([0.08, 0.05])
    axes = np.linalg.qr(RNG.normal(size=(784, 2)))[0]
    images = (
        0.5
        + (RNG.normal(size=(4000, 2)) * scales) @ axes.T
        + RNG.normal(0, 0.001, (4000, 784))
    )
    samples = (
        ppca_samples(images.reshape(-1, 28, 28), 2, 4000, seed=1).reshape(-1, 784) - 0.5
    )
    np.testing.assert_allclose((samples @ axes).std(axis=0), scales, rtol=0.1)
    rest = samples - (samples @ axes) @ axes.T
    assert np.abs(rest).max() < 0.01  # all in the plane of the two axes


def test_aggregate_samples_are_images_of_the_model():
    images = RNG.integers(0, 256, (30, 28, 28)).astype("uint8")
    samples = aggregate_samples(VAE(2, (8,)), images, 7, seed=0)
    assert samples.shape == (7, 28, 28) and 0 <= samples.min() <= samples.max() <= 1


@pytest.mark.parametrize(
    "reals, fakes, words",
    [
        (np.zeros((9, 3)), np.zeros((9, 2)), r"\(9, 3\).*\(9, 2\)"),
        (np.zeros((9, 3)), np.zeros((5, 3)), "5 fakes"),
    ],
)
def test_clouds_that_do_not_fit_are_refused(reals, fakes, words):
    with pytest.raises(ValueError, match=words):
        compare(reals, fakes)


def test_a_reader_names_what_it_knows_and_says_where_it_is_unsure():
    bars = np.zeros((2, 6, 6))
    bars[0, :, 1], bars[1, 4] = 1, 1  # upright, lying
    labels = RNG.integers(0, 2, 200)
    noise = RNG.uniform(0, 0.1, (200, 6, 6))
    images = np.uint8(255 * np.clip(bars[labels] * 0.9 + noise, 0, 1))
    reader = Reader(Split(images, labels.astype("uint8")))
    np.testing.assert_array_equal(reader.read(bars), [0, 1])
    np.testing.assert_array_equal(reader.read(np.uint8(255 * bars)), [0, 1])
    assert reader.clear(bars).all()
    mixed = Reader(Split(images, RNG.permutation(labels).astype("uint8")))
    assert mixed.clear(images).mean() < 0.3  # five equal votes of random labels: 1/16

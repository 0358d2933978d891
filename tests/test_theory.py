"""vae_lib.analysis.theory against direct minimisation of the losses it solves,
scikit-learn and known spectra.
"""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from vae_lib.analysis.theory import (
    critical_beta_bernoulli,
    critical_beta_gaussian,
    linear_optimum,
    mean_image_distortion,
    pca_eigenvalues,
    rate_distortion_curve,
)
from vae_lib.data import load_mnist

SPECTRUM = np.array([9.0, 4.0, 1.5, 0.7, 0.2])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small problems: further threads gain nothing, and wait for seconds where others
    share the cores.
    """
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def digits():
    return load_mnist()


@pytest.fixture(scope="module")
def all_training_images(digits):
    """The 60,000 images that the published figures refer to; their order does not
    matter.
    """
    return np.concatenate([digits.train.images, digits.validation.images])


@pytest.fixture(scope="module")
def mnist_eigenvalues(all_training_images):
    return pca_eigenvalues(all_training_images)


# The spectrum


def test_eigenvalues_equal_scikit_learns(digits):
    images = digits.test.images[:2000, 8:20, 8:20]
    standardised = (images.reshape(2000, 144) / 255.0 - 0.1307) / 0.3081
    pca = PCA(svd_solver="full").fit(standardised)
    expected = pca.explained_variance_ * 1999 / 2000  # scikit-learn divides by n - 1
    eigenvalues = pca_eigenvalues(images)
    assert eigenvalues.shape == (144,) and eigenvalues.dtype == np.float64
    # float64 rounding of a matrix whose trace is 262
    np.testing.assert_allclose(eigenvalues, expected, atol=1e-10)


def test_eigenvalues_do_not_depend_on_blocks_or_dtype(digits, monkeypatch):
    images = digits.test.images[:300, 8:20, 8:20]
    whole = pca_eigenvalues(images)
    monkeypatch.setattr("vae_lib.analysis.theory.BLOCK", 7)  # 300 is no multiple of 7
    np.testing.assert_allclose(
        pca_eigenvalues(images), whole, atol=1e-10
    )  # summed in another order
    np.testing.assert_allclose(pca_eigenvalues(images / 255.0), whole, atol=1e-10)
    # pixels rounded to float32, 6e-8 of at most 1 / 0.3081²
    np.testing.assert_allclose(
        pca_eigenvalues((images / 255.0).astype(np.float32)), whole, atol=1e-4
    )


def test_eigenvalues_of_a_known_spectrum():
    generator = np.random.default_rng(0)
    codes, _ = np.linalg.qr(
        np.column_stack([np.ones(400), generator.normal(size=(400, 5))])
    )
    axes, _ = np.linalg.qr(generator.normal(size=(5, 5)))
    wanted = np.array([5e-3, 2e-3, 1e-3, 4e-4, 1e-4])
    images = (
        0.5 + codes[:, 1:] * np.sqrt(400 * wanted) @ axes.T
    )  # orthogonal to the ones: of mean zero
    # float64 rounding
    np.testing.assert_allclose(pca_eigenvalues(images), wanted / 0.3081**2, rtol=1e-9)


def test_eigenvalues_are_never_negative():
    assert (pca_eigenvalues(np.random.default_rng(0).random((3, 9, 9))) >= 0.0).all()


# The linear optimum


def linear_vae_loss(parameters, spectrum, latent_dim, beta):
    """The loss of a linear VAE on Gaussian data of covariance diag(spectrum), written
    out without any theory.

    Encoder mu = A x, sigma = exp(log_sigma); decoder W z. E|x - W z|² + beta E KL.
    """
    pixels = len(spectrum)
    encoder, decoder, log_sigma = np.split(
        parameters, [latent_dim * pixels, 2 * latent_dim * pixels]
    )
    encoder, decoder = (
        encoder.reshape(latent_dim, pixels),
        decoder.reshape(pixels, latent_dim),
    )
    residual = np.eye(pixels) - decoder @ encoder
    variance = np.exp(2.0 * log_sigma)
    distortion = np.sum(residual**2 * spectrum) + np.sum(decoder**2 * variance)
    rate = 0.5 * np.sum(
        np.sum(encoder**2 * spectrum, axis=1) + variance - 1.0 - 2.0 * log_sigma
    )
    return distortion + beta * rate, distortion, rate


@pytest.mark.parametrize(
    ("latent_dim", "beta"),
    [(1, 1.0), (2, 0.3), (2, 6.0), (2, 12.0), (3, 2.0), (2, 19.0)],
)
def test_linear_optimum_is_what_minimisation_finds(latent_dim, beta):
    start = 0.3 * np.random.default_rng(5).normal(
        size=(2 * len(SPECTRUM) + 1) * latent_dim
    )
    found = minimize(
        lambda parameters: linear_vae_loss(parameters, SPECTRUM, latent_dim, beta)[0],
        start,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 500_000, "ftol": 1e-14, "gtol": 1e-8},
    )
    optimum = linear_optimum(SPECTRUM, latent_dim, beta)
    # L-BFGS came within 3e-13; distortion and rate, not minimised by themselves, 4e-7
    assert found.fun == pytest.approx(optimum.loss, rel=1e-9)
    _, distortion, rate = linear_vae_loss(found.x, SPECTRUM, latent_dim, beta)
    assert distortion == pytest.approx(optimum.distortion, rel=1e-5)
    assert rate == pytest.approx(optimum.rate, rel=1e-5, abs=1e-5)


def test_loss_is_probabilistic_pcas_likelihood():
    """At beta = 2 v with all units in use it is 2 v times the negative log-likelihood,
    less a constant.
    """
    latent_dim, noise = 2, 0.8
    axes = np.eye(5)[:, :latent_dim]
    model = axes * (SPECTRUM[:latent_dim] - noise) @ axes.T + noise * np.eye(5)
    log_determinant = np.linalg.slogdet(2 * np.pi * model)[1]
    nll = 0.5 * (log_determinant + np.trace(np.linalg.solve(model, np.diag(SPECTRUM))))
    expected = 2 * noise * (nll - 0.5 * 5 * np.log(2 * np.pi * noise))
    # float64 rounding
    assert linear_optimum(SPECTRUM, latent_dim, 2 * noise).loss == pytest.approx(
        expected, rel=1e-12
    )


def test_sticking_points_of_the_linear_optimum():
    # beta = 0: the best reconstruction, at an unbounded rate; the limit of small beta
    distortion, rate, loss = linear_optimum(SPECTRUM, 2, 0)
    assert (rate, loss) == (np.inf, distortion)
    assert distortion == pytest.approx(
        SPECTRUM[2:].sum(), rel=1e-12
    )  # float64 rounding
    assert linear_optimum(SPECTRUM, 2, 1e-9).loss == pytest.approx(
        loss, abs=1e-6
    )  # beta R is about 2e-8
    assert linear_optimum(np.zeros(3), 2, 0) == (0.0, 0.0, 0.0)
    # from 2 λ_max on: nothing is coded
    for beta in (18.0, 18.1, 1e9):
        assert linear_optimum(SPECTRUM, 2, beta) == pytest.approx(
            (SPECTRUM.sum(), 0.0, SPECTRUM.sum())
        )
    assert linear_optimum(SPECTRUM, 2, 17.9).rate > 0.0
    # units beyond the pixels stay idle; the order of the eigenvalues does not matter
    assert linear_optimum(SPECTRUM, 50, 1.0) == linear_optimum(SPECTRUM, 5, 1.0)
    assert linear_optimum(SPECTRUM[::-1], 2, 1.0) == linear_optimum(SPECTRUM, 2, 1.0)
    assert all(
        type(value) is float
        for value in linear_optimum(SPECTRUM, np.int64(2), np.float32(1.0))
    )


def test_curve_has_slope_minus_beta_and_holds_every_optimum():
    betas = np.linspace(0.5, 17.5, 400)
    curve = rate_distortion_curve(SPECTRUM, 3, betas)
    for index in (0, 100, 399):
        assert linear_optimum(SPECTRUM, 3, betas[index]) == tuple(
            field[index] for field in curve
        )
    assert (np.diff(curve.distortion) > 0).all() and (np.diff(curve.rate) < 0).all()
    slopes = np.diff(curve.distortion) / np.diff(curve.rate)
    # a difference quotient over a step of 0.04 in beta
    np.testing.assert_allclose(slopes, -(betas[1:] + betas[:-1]) / 2, rtol=1e-3)


def test_curve_takes_a_list_with_zero():
    curve = rate_distortion_curve(SPECTRUM, 2, [0, 200])
    np.testing.assert_array_equal(curve.rate, [np.inf, 0.0])
    assert np.isfinite(curve.loss).all()


# MNIST's own figures


@pytest.mark.parametrize(
    ("latent_dim", "beta", "expected"),
    [
        (2, 12, (474.12, 2.04, 498.59)),
        (15, 12, (323.65, 8.36, 423.93)),
        (2, 107.9, (555.44, 0.0, 555.44)),
        (15, 200, (555.44, 0.0, 555.44)),
    ],
)
def test_figures_of_mnist(mnist_eigenvalues, latent_dim, beta, expected):
    # from scikit-learn's PCA of the standardised pixels, to two decimals
    assert linear_optimum(mnist_eigenvalues, latent_dim, beta) == pytest.approx(
        expected, abs=0.005
    )


def test_thresholds_of_mnist(mnist_eigenvalues, all_training_images):
    # to the last digit given
    assert critical_beta_gaussian(mnist_eigenvalues) == pytest.approx(107.81, abs=0.005)
    assert 2 * mnist_eigenvalues[1] == pytest.approx(78.83, abs=0.005)
    assert critical_beta_bernoulli(all_training_images) == pytest.approx(
        32.23, abs=0.005
    )


def test_mean_image_of_mnist(digits, all_training_images):
    # to the last digit given
    assert mean_image_distortion(all_training_images) == pytest.approx(
        206.03, abs=0.005
    )
    assert mean_image_distortion(
        all_training_images, digits.test.images
    ) == pytest.approx(205.81, abs=0.005)


# Collapse


def test_critical_beta_gaussian_is_where_the_linear_optimum_gives_up():
    threshold = critical_beta_gaussian(SPECTRUM)
    assert threshold == 18.0
    assert linear_optimum(SPECTRUM, 2, threshold).rate == 0.0
    assert linear_optimum(SPECTRUM, 2, 0.999 * threshold).rate > 0.0


def binary_images(n=4000):
    """Four binary pixels that share a cause, at unequal rates of ink."""
    generator = np.random.default_rng(2)
    cause = generator.normal(size=(n, 1))
    ink = (
        cause * [2.0, 1.0, -1.5, 0.2]
        + [0.0, -2.0, 1.0, -3.0]
        + generator.logistic(size=(n, 4))
        > 0
    )
    return ink.astype(np.float64)


def test_critical_beta_bernoulli_of_binary_pixels_is_the_correlations():
    images = binary_images()
    expected = np.linalg.eigvalsh(np.corrcoef(images.T))[-1]
    # float64 rounding
    assert critical_beta_bernoulli(images) == pytest.approx(expected, rel=1e-10)
    assert critical_beta_bernoulli((255 * images).astype(np.uint8)) == pytest.approx(
        expected, rel=1e-10
    )


def curvature_at_collapse(images, beta, step=1e-3):
    """Return the least curvature of a one-unit VAE's true loss, by finite differences,
    where it ignores x.

    Encoder mu = a (x - p), sigma = 1; decoder logits b + w z; expectation over z by
    Gauss-Hermite quadrature.
    """
    mean = images.mean(axis=0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    weights = weights / weights.sum()
    kinds, counts = np.unique(images, axis=0, return_counts=True)
    shares = counts / counts.sum()
    pixels = len(mean)

    def loss(parameters):
        a, w = np.split(parameters, 2)
        mu = (kinds - mean) @ a  # (kinds,)
        z = mu[:, None] + nodes  # (kinds, nodes)
        logits = np.log(mean / (1 - mean)) + z[..., None] * w  # (kinds, nodes, pixels)
        distortion = (
            np.sum(np.logaddexp(0, logits) - kinds[:, None] * logits, axis=-1) @ weights
        )
        return shares @ (distortion + beta * mu**2 / 2)

    steps = step * np.eye(2 * pixels)
    hessian = np.array(
        [
            [loss(i + j) - loss(i - j) - loss(j - i) + loss(-i - j) for j in steps]
            for i in steps
        ]
    ) / (4 * step**2)
    return np.linalg.eigvalsh(hessian)[0]


def test_collapse_turns_stable_at_critical_beta_bernoulli():
    images = binary_images()
    threshold = critical_beta_bernoulli(images)
    # 1 % to either side moves the least curvature by 1e-3; differences err by 3e-8
    assert curvature_at_collapse(images, 1.01 * threshold) > 1e-4
    assert curvature_at_collapse(images, 0.99 * threshold) < -1e-4


def test_constant_and_rare_pixels_leave_critical_beta_bernoulli_alone():
    images = binary_images()
    threshold = critical_beta_bernoulli(images)
    rare = np.zeros((len(images), 2))
    rare[7, 0] = rare[9, 1] = 1 / 255  # the faintest ink in a single image
    for extra in (
        np.zeros((4000, 3)),
        np.ones((4000, 3)),
        np.full((4000, 3), 0.1),
        rare,
    ):
        # a pixel inked once has a covariance of 1 / 4000 with the others
        assert critical_beta_bernoulli(np.hstack([images, extra])) == pytest.approx(
            threshold, rel=1e-4
        )
    assert critical_beta_bernoulli(np.ones((5, 3))) == 0.0


# The mean image


def test_mean_image_distortion_is_the_best_constant_decoder():
    images = binary_images()

    def distortion(logits):
        return np.mean(np.sum(np.logaddexp(0, logits) - images * logits, axis=1))

    best = minimize(distortion, np.zeros(4), method="BFGS").fun
    # the clip moves no pixel here; BFGS stops at a gradient of 1e-5
    assert mean_image_distortion(images) == pytest.approx(best, abs=1e-8)


def test_ink_that_no_training_image_has_costs_finitely_many_nats():
    train = np.zeros((50, 2))
    train[:25, 0] = 1.0
    # pixel 0 costs ln 2, pixel 1 is given half an image of fifty
    for test, price in (
        (np.ones((3, 2)), -np.log(0.01)),
        (np.zeros((3, 2)), -np.log(0.99)),
    ):
        # float64 rounding
        assert mean_image_distortion(train, test) == pytest.approx(
            np.log(2) + price, rel=1e-12
        )


# Refusals


@pytest.mark.parametrize(
    "function", [pca_eigenvalues, critical_beta_bernoulli, mean_image_distortion]
)
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 28, 28), np.uint8), r"images have shape \(0, 28, 28\)"),
        (np.zeros(5), r"images have shape \(5,\)"),
        (np.zeros((3, 4), np.int64), "images have dtype int64: pass uint8"),
        (np.full((3, 4), np.nan), "images range from nan"),
        (np.full((3, 4), 255.0), "images range from 255 to 255"),
        (np.full((3, 4), -0.1), "images range from -0.1"),
    ],
)
def test_wrong_images_are_refused(function, images, message):
    with pytest.raises(ValueError, match=message):
        function(images)


@pytest.mark.parametrize(
    "eigenvalues", [[], [[1.0]], [-1.0, 2.0], [np.nan], [np.inf, 1.0]]
)
def test_wrong_eigenvalues_are_refused(eigenvalues):
    for call in (
        lambda: linear_optimum(eigenvalues, 1, 1.0),
        lambda: critical_beta_gaussian(eigenvalues),
    ):
        with pytest.raises(ValueError, match="^eigenvalues .*: pass"):
            call()


@pytest.mark.parametrize("latent_dim", [0, -2, 1.5, None])
def test_wrong_latent_dim_is_refused(latent_dim):
    message = f"latent_dim is {latent_dim}: pass a whole number"
    with pytest.raises(ValueError, match=message):
        linear_optimum(SPECTRUM, latent_dim, 1.0)


@pytest.mark.parametrize("beta", [-1.0, np.nan, np.inf])
def test_wrong_beta_is_refused(beta):
    with pytest.raises(ValueError, match=f"beta is {beta}: pass"):
        linear_optimum(SPECTRUM, 2, beta)


def test_other_refusals():
    with pytest.raises(ValueError, match=r"betas has the shape \(\)"):
        rate_distortion_curve(SPECTRUM, 2, 12)
    with pytest.raises(ValueError, match=r"betas has the shape \(0,\)"):
        rate_distortion_curve(SPECTRUM, 2, [])
    with pytest.raises(
        ValueError, match="test_images have 3 pixels, but train_images 2"
    ):
        mean_image_distortion(np.zeros((4, 2)), np.zeros((4, 3)))

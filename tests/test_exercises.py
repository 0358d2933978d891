"""Exercises: the solutions are right by independent truth, each mistake is named,
nothing else is let through.
"""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from scipy import integrate, stats
from scipy.optimize import minimize

from vae_lib.analysis.theory import critical_beta_bernoulli
from vae_lib.course.exercises import (
    beta,
    bound,
    manifold,
    model,
    own,
    reparametrization,
)
from vae_lib.course.exercises.checking import UNTOUCHED, Exercise
from vae_lib.data import Split
from vae_lib.experiments.conditional import labelled
from vae_lib.objectives import bernoulli_distortion, rate

MODULES = model, reparametrization, beta, manifold, own, bound
EXERCISES = {
    f"{module.__name__.rsplit('.', 1)[1]}.{name}": exercise
    for module in MODULES
    for name, exercise in vars(module).items()
    if isinstance(exercise, Exercise)
}
MISTAKES = [
    (name, sentence)
    for name, exercise in EXERCISES.items()
    for sentence in exercise.mistakes
]
RNG = np.random.default_rng(0)


def stub(*arguments):
    """Code me."""
    ...


def test_every_notebook_has_four_to_six():
    counts = [
        sum(isinstance(value, Exercise) for value in vars(module).values())
        for module in MODULES
    ]
    assert all(4 <= count <= 6 for count in counts)


@pytest.mark.parametrize("name", EXERCISES)
def test_untouched_stub_is_open_and_the_solution_right(name):
    exercise = EXERCISES[name]
    assert exercise(...).state == exercise(stub).state == "Open"
    assert exercise(stub).sentence == UNTOUCHED and not exercise(...)
    solution = shortest if name == "manifold.geodesic" else exercise.solution
    verdict = exercise(solution)
    assert verdict and verdict.sentence == exercise.right


@pytest.mark.parametrize("name, sentence", MISTAKES)
def test_each_mistake_is_named(name, sentence):
    verdict = EXERCISES[name](EXERCISES[name].mistakes[sentence])
    assert verdict.state == "Not yet" and verdict.sentence == sentence


@pytest.mark.parametrize(
    "name", [name for name in EXERCISES if callable(EXERCISES[name].solution)]
)
@pytest.mark.parametrize(
    "attempt, word",
    [
        (lambda *arguments: None, "nothing"),
        (lambda: 1, "TypeError"),
        (3.0, "not a function"),
        (lambda *arguments: "text", ""),
        (lambda *arguments: np.nan, ""),
        (lambda *arguments: np.zeros((9, 9)), ""),
    ],
)
def test_nonsense_gets_a_sentence(name, attempt, word):
    verdict = EXERCISES[name](attempt)
    assert (
        verdict.state == "Not yet"
        and word in verdict.sentence
        and len(verdict.sentence) > 10
    )


@pytest.mark.parametrize(
    "attempt, words",
    [
        ("many", "not a number"),
        (np.nan, "NaN"),
        (1e6, "too large"),
        (-1e6, "too small"),
        (None, "not a number"),
        ([1, 2], "not a number"),
    ],
)
def test_numbers_that_are_none(attempt, words):
    for exercise in (
        model.ten_units,
        model.floor,
        reparametrization.unit_width,
        beta.noise,
        manifold.inside,
        own.repeated,
    ):
        assert words in exercise(attempt).sentence


def test_choices_take_a_letter_in_any_dress():
    assert model.why_sample("c") and model.why_sample(" (C)")
    assert "not one of the letters" in model.why_sample("e").sentence
    assert "not one of the letters" in model.why_sample(3).sentence


def test_a_right_number_may_be_of_any_kind_and_as_read_off_a_figure():
    for answer in 11.3, np.float32(11.2944), tf.constant(11.2944):
        assert model.ten_units(answer)


def test_attempts_in_keras_lists_and_loops_are_right():
    def in_keras(mu, sigma, prior_mu, prior_sigma):
        square = ((mu - prior_mu) / prior_sigma) ** 2 + (sigma / prior_sigma) ** 2
        return ops.sum(square / 2 - 0.5 - ops.log(sigma) + ops.log(prior_sigma), axis=1)

    def in_loops(rates, floor):
        total = 0.0
        for unit in range(len(rates[0])):
            total += max(floor, sum(row[unit] for row in rates) / len(rates))
        return total

    assert model.kl_to_prior(in_keras)
    assert beta.free_bits(in_loops)
    assert beta.active_units(lambda mu: sum(column.var() > 0.01 for column in mu.T))
    assert reparametrization.interval(
        lambda failures, runs: list(reparametrization.wilson(failures, runs))
    )
    assert reparametrization.guarded(
        lambda rho: (
            ops.where(rho < 0, ops.exp(ops.minimum(rho, 0.0)), 1 + rho),
            ops.where(rho < 0, rho, ops.log1p(ops.maximum(rho, 0.0))),
        )
    )


def test_an_attempt_cannot_spoil_the_cases():
    def spoils(rates, floor):
        rates[:] = 0
        return 0.0

    beta.free_bits(spoils)
    assert beta.free_bits(beta.free_bits.solution)


def test_the_verdict_is_readable_as_text_and_as_html():
    verdict = model.ten_units(1.0)
    assert repr(verdict) == f"Not yet. {verdict.sentence}"
    assert (
        "<b>Not yet.</b>" in verdict._repr_html_()
        and 'role="status"' in verdict._repr_html_()
    )
    assert "<script>" not in model.why_sample("<script>")._repr_html_()


# The solutions against something else that knows the truth.


def test_numbers():
    assert model.ten_units.solution == pytest.approx(
        float(rate(np.zeros(10), np.full(10, 0.2), np.log(np.full(10, 0.2))))
    )
    picture = np.full((28, 28), 0.25)
    costs = [
        float(bernoulli_distortion(picture, np.full((28, 28), logit)))
        for logit in np.linspace(-3, 3, 601)
    ]
    assert model.floor.solution == pytest.approx(min(costs), rel=1e-4)
    assert np.log1p(np.exp(reparametrization.unit_width.solution)) == pytest.approx(1)
    normal = stats.norm(
        0, 0.1
    )  # the slope of −log p against that of the squared error is 1/beta
    assert (normal.logpdf(0) - normal.logpdf(0.3)) / 0.3**2 == pytest.approx(
        1 / beta.noise.solution
    )
    inside = stats.norm.cdf(stats.norm.ppf(0.95)) - stats.norm.cdf(stats.norm.ppf(0.05))
    assert manifold.inside.solution == pytest.approx(inside**2)


def test_kl_by_integration():
    q, p = stats.norm(0.4, 0.3), stats.norm(-1, 2)
    integral, _ = integrate.quad(
        lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -3, 4
    )
    args = [np.array(value) for value in ([[0.4]], [[0.3]], [-1.0], [2.0])]
    assert model.kl_to_prior.solution(*args)[0] == pytest.approx(integral, rel=1e-6)


def test_slopes_by_finite_differences():
    x, logits, step = RNG.random((1, 2, 2)), RNG.standard_normal((1, 2, 2)), 1e-5
    for place in np.ndindex(logits.shape):
        shift = np.zeros_like(logits)
        shift[place] = step
        rise = float(
            (
                bernoulli_distortion(x, logits + shift)
                - bernoulli_distortion(x, logits - shift)
            )[0]
        )
        assert model.slope.solution(x, logits)[place] == pytest.approx(
            rise / (2 * step), rel=1e-5
        )
    rho = np.linspace(-3, 3, 6)

    def kl(rho):
        sigma, log_sigma = reparametrization.half_linear(rho)
        return (sigma**2 - 1) / 2 - log_sigma

    slopes = (kl(rho + step) - kl(rho - step)) / (2 * step)
    np.testing.assert_allclose(
        reparametrization.slope.solution(rho), slopes, rtol=1e-6, atol=1e-8
    )


def test_bound_in_extended_precision():
    for (log_weights,) in model.bound.cases:
        exact = (
            np.log(np.mean(np.exp(log_weights.astype(np.longdouble) + 1000), axis=0))
            - 1000
        )
        np.testing.assert_allclose(
            model.bound.solution(log_weights), exact.astype("float64"), rtol=1e-5
        )


def test_wilson_is_that_of_scipy():
    for failures, runs in (0, 5), (2, 9), (40, 40):
        low, high = stats.binomtest(failures, runs).proportion_ci(0.95, method="wilson")
        assert reparametrization.wilson(failures, runs) == pytest.approx(
            (low, high), abs=1e-4
        )


def test_score_function_of_a_coin_is_the_exact_slope_in_the_mean():
    f, p = np.array([5.0, -2.0]), 1 / (1 + np.exp(-0.8))  # E[f] = f(0) (1 − p) + f(1) p
    mean = np.array([1 - p, p]) @ reparametrization.score.solution(
        f, np.array([0.0, 1.0]), 0.8
    )
    assert mean == pytest.approx((f[1] - f[0]) * p * (1 - p))


def test_effective_beta_leaves_the_loss_proportional():
    distortion, unit_rates = 300.0, np.array([2.0, 1.5])
    averaged = distortion / 784 + 0.01 * unit_rates.mean()
    summed = distortion + beta.effective_beta.solution(0.01, 784, 2) * unit_rates.sum()
    assert 784 * averaged == pytest.approx(summed)


def test_poisson_threshold_is_where_the_collapsed_state_turns_unstable():
    """The best loss of a small code, by quadrature over z, lies below the collapsed one
    only under the threshold.
    """
    x = beta.counts[:, :3]
    threshold, mean = beta.critical_beta(x), x.mean(axis=0)
    values, vectors = np.linalg.eigh(
        np.cov(x.T, bias=True) / np.sqrt(np.outer(mean, mean))
    )
    direction = 0.02 * vectors[:, -1] / np.sqrt(mean)  # of the decoder's slope
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    weights = weights / weights.sum()

    def loss(weight, beta_value):
        mu = (x - mean) @ direction / beta_value * weight
        z = mu[:, None] + nodes  # sigma = 1
        logit = np.log(mean) + z[..., None] * direction
        offset = np.log(mean) - np.log(
            np.mean(
                np.exp(logit) @ np.eye(3) * weights[None, :, None] * 20, axis=(0, 1)
            )
        )
        distortion = (
            np.sum(np.exp(logit + offset) - x[:, None] * (logit + offset), axis=-1)
            @ weights
        )
        return np.mean(distortion + beta_value * mu**2 / 2)

    collapsed = np.mean(np.sum(mean - x * np.log(mean), axis=1))
    for factor, unstable in (0.8, True), (1.2, False):
        best = min(
            loss(weight, factor * threshold) for weight in np.linspace(0.5, 1.5, 11)
        )
        assert (best < collapsed) == unstable


def test_the_same_formula_gives_the_bernoulli_threshold():
    images = RNG.random((50, 3, 3))
    flat = images.reshape(50, 9)
    mean = flat.mean(axis=0)
    ours = beta.largest(np.cov(flat.T, bias=True), mean * (1 - mean))
    assert ours == pytest.approx(critical_beta_bernoulli(images))


def test_free_bits_and_active_units_by_hand():
    rates = np.array([[2.0, 0.1], [4.0, 0.3]])
    assert beta.free_bits.solution(rates, 0.5) == 3.5
    assert beta.active_units.solution(np.array([[5.0, 0.0], [5.0, 1.0]])) == 1


def test_slerp_keeps_the_length_and_divides_the_angle():
    start, end = np.array([2.0, 0.0, 0.0]), np.array([0.0, 2.0, 0.0])
    third = manifold.slerp.solution(start, end, 1 / 3)
    np.testing.assert_allclose(
        third, [2 * np.cos(np.pi / 6), 2 * np.sin(np.pi / 6), 0], atol=1e-12
    )


def test_magnification_is_the_product_of_the_singular_values():
    jacobian, p = manifold.magnification.cases[0]
    singular = np.linalg.svd(np.sqrt(p * (1 - p))[:, None] * jacobian, compute_uv=False)
    assert manifold.magnification.solution(jacobian, p) == pytest.approx(
        np.prod(singular)
    )


def test_aggregate_posterior_integrates_to_one():
    _, mu, sigma = manifold.log_aggregate.cases[0]
    axis = np.linspace(-8, 8, 401)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    total = (
        np.exp(manifold.log_aggregate.solution(grid, mu, sigma)).sum()
        * (axis[1] - axis[0]) ** 2
    )
    assert total == pytest.approx(1, abs=1e-3)


def test_scaled_counts_are_those_of_exact_fractions():
    counts, most = np.arange(17).reshape(1, 1, 17), 16
    exact = [round(Fraction(255 * int(count), most)) for count in counts.ravel()]
    np.testing.assert_array_equal(own.scaled(counts, most).ravel(), exact)


ROUNDINGS = {
    "to even": lambda counts, most: np.round(counts * (255 / most)),
    "of the share": lambda counts, most: (counts / most * 255).round(),
    "of the product": lambda counts, most: (counts * 255 / most).round(),
    "in 32 bits": lambda counts, most: np.rint(np.float32(counts) / most * 255),
    "up": lambda counts, most: np.floor(counts * 255 / most + 0.5),
}


@pytest.mark.parametrize("name", ROUNDINGS)
def test_every_way_to_round_to_the_nearest_level_is_right(name):
    verdict = own.pixels(lambda c, m: ROUNDINGS[name](c, m).astype("uint8"))
    assert verdict


@pytest.mark.parametrize("halves", [np.floor, np.asarray])
def test_an_odd_number_of_rows_is_rounded_up(halves):
    def products(rows, columns, kernel, inputs, outputs, stride):
        places = halves(rows / stride) * halves(columns / stride)
        return places * kernel**2 * inputs * outputs

    verdict = own.convolution(products)
    assert not verdict and "rounded up" in verdict.sentence


@pytest.mark.parametrize("case", own.convolution.cases)
def test_products_are_weights_times_places_of_a_layer_of_keras(case):
    rows, columns, kernel, channels_in, channels_out, stride = case
    layer = layers.Conv2D(
        channels_out, kernel, strides=stride, padding="same", use_bias=False
    )
    result = layer(np.zeros((1, rows, columns, channels_in), "float32"))
    places = result.shape[1] * result.shape[2]
    assert own.products(*case) == layer.count_params() * places


def test_told_images_are_those_of_the_library():
    images, labels = own.told.cases[0]
    np.testing.assert_array_equal(
        own.told.solution(images, labels), labelled(Split(images, labels))
    )


def test_a_code_that_repeats_the_label_pays_its_entropy_at_least():
    """With ten parts of the prior as q(z|y), E_y KL(q(z|y) ‖ p) is ln 10."""
    ends = stats.norm.ppf(np.linspace(0, 1, 11))
    parts = [
        integrate.quad(lambda z: 10 * stats.norm.pdf(z) * np.log(10), low, high)[0]
        for low, high in pairwise(ends)
    ]
    assert own.repeated.solution == pytest.approx(np.mean(parts))


# The geodesic is judged by its length.


def shortest(start, end, metric, codes=21):
    """Return the path of least energy."""
    path = np.linspace(start, end, codes)

    def energy(inner):
        path[1:-1] = inner.reshape(-1, 2)
        steps, middles = np.diff(path, axis=0), (path[1:] + path[:-1]) / 2
        return np.einsum("ni,nij,nj->", steps, metric(middles), steps)

    energy(minimize(energy, path[1:-1].ravel()).x)
    return path


def test_length_is_the_known_one():
    start, end, metric = manifold.geodesic.cases[0]
    angle = np.arctan2(0.5, 1)  # the half circle around 0 through both ends
    circle = np.hypot(1, 0.5) * np.exp(1j * np.linspace(np.pi - angle, angle, 500))
    exact = np.arccosh(1 + np.sum((end - start) ** 2) / (2 * start[1] * end[1]))
    path = np.stack([circle.real, circle.imag], axis=1)
    assert manifold.length(path, metric) == pytest.approx(exact, rel=1e-4)
    assert manifold.length(shortest(start, end, metric), metric) == pytest.approx(
        exact, rel=0.02
    )


@pytest.mark.parametrize(
    "fault, word",
    [
        (lambda start, end, metric: np.linspace(start, end, 21), "straight line"),
        (lambda start, end, metric: shortest(start, end, metric)[1:], "begin at start"),
        (
            lambda start, end, metric: shortest(start, end, metric)[::-1],
            "begin at start",
        ),
        (
            lambda start, end, metric: shortest(start, end, metric)[[0, 10, 20]],
            "5 or more",
        ),
        (lambda start, end, metric: shortest(start, end, metric).T, "5 or more"),
        (
            lambda start, end, metric: shortest(start, end, metric)[[0, 1, 2, 3, 20]],
            "more than half",
        ),
        (lambda start, end, metric: shortest(start, end, metric) * np.nan, "NaN"),
        (
            lambda start, end, metric: (
                np.linspace(start, end, 21)
                + 0.01 * np.sin(np.linspace(0, np.pi, 21))[:, None]
            ),
            "times as long",
        ),
        (lambda start, end, metric: "right", "not return numbers"),
    ],
    ids=range(9),
)
def test_geodesics_that_are_none(fault, word):
    verdict = manifold.geodesic(fault)
    assert verdict.state == "Not yet" and word in verdict.sentence

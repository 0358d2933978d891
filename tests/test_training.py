"""The training loop: right, repeatable, stoppable, safe."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from vae_lib import engine
from vae_lib.analysis import theory
from vae_lib.data import load_mnist
from vae_lib.evaluation import evaluate
from vae_lib.model import VAE
from vae_lib.training import DivergedError, History, Training, advice, train

DIGITS = load_mnist()
IMAGES = DIGITS.train.images[:2000]
SMALL = dict(hidden=(32,))


def new_vae(seed=0, **settings):
    keras.utils.set_random_seed(seed)
    return VAE(**{**SMALL, **settings})


def weights_of(vae):
    return [variable.numpy() for variable in vae.trainable_variables]


def assert_same_weights(one, other):
    for a, b in zip(weights_of(one), weights_of(other)):
        np.testing.assert_array_equal(a, b)


def test_history_has_one_value_an_epoch():
    history = train(
        new_vae(),
        IMAGES,
        epochs=2,
        validation=DIGITS.validation.images[:500],
        progress=False,
    )
    names = [
        f"{v}{t}"
        for v in ("", "validation_")
        for t in ("distortion", "rate", "loss", "elbo")
    ]
    assert isinstance(history, History) and sorted(history) == sorted(names)
    assert all(len(values) == 2 for values in history.values())
    assert history["elbo"][0] == pytest.approx(
        -(history["distortion"][0] + history["rate"][0])
    )
    assert history["validation_elbo"][1] > history["validation_elbo"][0]


def test_the_same_seed_gives_the_same_numbers_and_another_does_not():
    histories = [
        train(new_vae(), IMAGES, epochs=1, seed=seed, progress=False)
        for seed in (0, 0, 1)
    ]
    assert histories[0] == histories[1] != histories[2]


def test_one_step_is_the_step_of_adam_by_hand():
    vae, by_hand = new_vae(), new_vae()
    training = Training(vae, IMAGES[:128], epochs=1, batch_size=128)
    images, epsilon = training._batch(0)
    list(training)
    optimizer = keras.optimizers.Adam(1e-3)
    with tf.GradientTape() as tape, by_hand.noise(epsilon):
        distortion, rate = by_hand.terms(images)
        loss = tf.reduce_mean(distortion + rate)
    optimizer.apply(
        tape.gradient(loss, by_hand.trainable_variables), by_hand.trainable_variables
    )
    for ours, theirs in zip(weights_of(vae), weights_of(by_hand)):
        np.testing.assert_allclose(
            ours, theirs, atol=2e-5
        )  # Adam's first step is ±1e-3: signs and sizes agree
    assert training.history["distortion"][0] == pytest.approx(
        float(tf.reduce_mean(distortion)), rel=1e-5
    )


@pytest.mark.slow
def test_train_learns_what_fit_learns():
    ours, theirs = new_vae(), new_vae()
    train(ours, IMAGES, epochs=8, progress=False)
    theirs.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=False)
    theirs.fit(IMAGES, batch_size=128, epochs=8, verbose=0)
    elbos = [evaluate(vae, DIGITS.test.images[:2000]).elbo for vae in (ours, theirs)]
    assert elbos[0] == pytest.approx(
        elbos[1], rel=0.02
    )  # two orders of the images: 1 % apart was seen


def test_every_image_is_seen_each_epoch():
    training = Training(new_vae(), IMAGES[:300], batch_size=128)
    training._batch(0)
    assert set(training.order) == set(range(300)) and len(training.order) == 3 * 128


def linear_loss(vae, images):
    """Return D + beta R of a linear VAE, in nats, and its rate: expectations over z in
    closed form, not drawn.
    """
    mu, sigma = vae.encode(images)
    origin, *columns = (
        vae.decoder(np.eye(vae.latent_dim + 1, vae.latent_dim, -1, dtype="float32"))
        .numpy()
        .reshape(vae.latent_dim + 1, -1)
    )  # the decoder's answers to 0 and to each unit vector: it is affine
    weights = np.array(columns) - origin
    x = np.asarray(vae.prepare(images), "float64").reshape(len(images), -1)
    distortion = np.sum((x - origin - mu @ weights) ** 2, axis=1) + sigma**2 @ np.sum(
        weights**2, axis=1
    )
    rate = np.sum(mu**2 + sigma**2 - 1 - 2 * np.log(sigma), axis=1) / 2
    return distortion.mean() + float(vae.beta) * rate.mean(), rate.mean()


def trained_linear(images, latent_dim, beta, epochs, learning_rate):
    """Train a linear VAE down a cosine in batches of 128; return D + beta R reached and
    the exact optimum.
    """
    vae = new_vae(
        hidden=(),
        latent_dim=latent_dim,
        likelihood="gaussian",
        beta=beta,
        image_shape=images.shape[1:],
    )
    schedule = keras.optimizers.schedules.CosineDecay(
        learning_rate, epochs * -(-len(images) // 128)
    )
    train(
        vae,
        images,
        epochs=epochs,
        batch_size=128,
        learning_rate=schedule,
        progress=False,
    )
    optimum = theory.linear_optimum(theory.pca_eigenvalues(images), latent_dim, beta)
    loss, rate = linear_loss(vae, images)
    assert rate == pytest.approx(
        optimum.rate, rel=0.15
    )  # the loss hardly changes with the rate there
    return loss, optimum.loss


def test_the_closed_form_of_the_linear_loss_is_what_drawing_estimates():
    vae = new_vae(hidden=(), latent_dim=3, likelihood="gaussian", beta=4.0)
    drawn = [evaluate(vae, IMAGES, seed=seed) for seed in range(10)]
    losses = [found.distortion + 4.0 * found.rate for found in drawn]
    assert linear_loss(vae, IMAGES)[0] == pytest.approx(
        np.mean(losses), abs=4 * np.std(losses) / np.sqrt(10)
    )


@pytest.mark.full  # the same on smaller images is below
@pytest.mark.parametrize("latent_dim, beta", [(3, 12.0), (2, 60.0)])
def test_linear_vae_reaches_the_exact_optimum_on_mnist(latent_dim, beta):
    loss, optimum = trained_linear(
        DIGITS.train.images[:20_000], latent_dim, beta, epochs=20, learning_rate=5e-3
    )
    assert optimum * (1 - 1e-6) < loss < 1.002 * optimum


@pytest.mark.parametrize("latent_dim, beta", [(2, 3.0), (6, 12.0)])
@pytest.mark.slow
def test_linear_vae_reaches_the_exact_optimum_on_another_data_set(latent_dim, beta):
    images = (load_digits().images / 16).astype(
        "float32"
    )  # scikit-learn's 1,797 digits of 8 x 8
    loss, optimum = trained_linear(
        images, latent_dim, beta, epochs=150, learning_rate=1e-2
    )
    assert optimum * (1 - 1e-6) < loss < 1.002 * optimum


@pytest.mark.slow
@pytest.mark.parametrize(
    "deviations, latent_dim, beta, epochs, learning_rate",
    [
        # noise variance 15 between the second eigenvalue, 24, and the third, 11
        ([2.0, 1.5, 1.0, *[0.05] * 61], 3, 30.0, 80, 2e-2),
        # little variance around a large mean, which Adam needs longer to find: small
        # steps stay far from it
        ([0.2, 0.15, 0.1, *[0.005] * 61], 2, 0.2, 200, 5e-2),
        (0.2 / np.arange(1.0, 65), 5, 0.3, 200, 5e-2),
    ],
)
def test_linear_vae_reaches_the_exact_optimum_on_data_of_known_spectrum(
    deviations, latent_dim, beta, epochs, learning_rate
):
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(64, 64)))[0]  # directions of 8 x 8
    scores = rng.uniform(-1, 1, size=(8192, 64)) * np.sqrt(3) * deviations
    images = (0.5 + scores @ basis.T).clip(0, 1).reshape(-1, 8, 8).astype("float32")
    loss, optimum = trained_linear(images, latent_dim, beta, epochs, learning_rate)
    assert optimum * (1 - 1e-6) < loss < 1.002 * optimum


@pytest.mark.slow
def test_a_second_model_of_the_same_code_compiles_nothing():
    def new_functions(vae, images, **settings):
        before = engine.compiled_for.cache_info().misses
        train(vae, images, epochs=1, progress=False, **settings)
        return engine.compiled_for.cache_info().misses - before

    engine.compiled_for.cache_clear()
    assert new_functions(new_vae(), IMAGES) == 1
    other = new_vae(seed=5, beta=12.0)
    assert new_functions(other, IMAGES[:700], learning_rate=3e-4, seed=9) == 0
    assert new_functions(new_vae(posterior="bounded"), IMAGES) == 1


def test_without_xla_it_goes_on_and_says_so(monkeypatch):
    run, calls = engine.Compiled._run, []

    def refuse(self, tensors):
        calls.append(self)
        if self._xla:
            raise tf.errors.UnimplementedError(None, None, "no XLA")
        return run(self, tensors)

    monkeypatch.setattr(engine.Compiled, "_run", refuse)
    vae = new_vae(hidden=(7,))
    with pytest.warns(UserWarning, match="XLA could not compile") as heard:
        history = train(vae, IMAGES, epochs=1, progress=False)
    assert len(heard) == 1 and len(calls) > 2
    assert history["loss"][0] < 784 * np.log(2)


@pytest.mark.slow
def test_leaving_the_loop_and_coming_back_changes_nothing():
    straight, halting = new_vae(), new_vae()
    images = IMAGES[:640]  # the model is traced anew at each coming back
    train(straight, images, epochs=2, progress=False)
    training = Training(halting, images, epochs=2)
    for _ in range(50):
        for _ in training:
            break
        if training.epoch == 2:
            break
    assert training.epoch == 2 and len(training.history["loss"]) == 2
    assert_same_weights(straight, halting)


def test_an_epoch_whose_end_failed_is_ended_by_compiling_and_going_on(
    monkeypatch, recwarn
):
    def fail(self):
        raise MemoryError("no room")

    training = Training(new_vae(), IMAGES[:256], epochs=2)
    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(Training, "_end_epoch", fail)
        list(training)
    training.compile()
    list(training)
    assert len(training.history["loss"]) == 2
    assert not [w for w in recwarn if "XLA" in str(w.message)]


def test_epochs_can_be_added():
    training = Training(new_vae(), IMAGES, epochs=1)
    list(training)
    training.epochs += 1
    list(training)
    assert len(training.history["loss"]) == 2


class Interrupt(keras.callbacks.Callback):
    """Raises `error` after the third chunk."""

    def __init__(self, error):
        super().__init__()
        self.error, self.seen = error, []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(logs)
        if len(self.seen) == 3:
            self.weights = weights_of(self.model)
            raise self.error


def test_an_interrupt_keeps_what_was_learned(capsys):
    vae, interrupt = new_vae(), Interrupt(KeyboardInterrupt())
    history = train(vae, IMAGES, epochs=3, callbacks=[interrupt], progress=False)
    assert (
        "Stopped by hand in epoch 1" in capsys.readouterr().out
        and len(history.get("loss", [])) == 0
    )
    for now, then in zip(weights_of(vae), interrupt.weights):
        np.testing.assert_array_equal(now, then)
    assert np.isfinite(evaluate(vae, IMAGES).elbo)


@pytest.mark.parametrize("before", [True, False])
def test_an_interrupt_within_a_chunk_leaves_whole_steps(monkeypatch, before):
    vae, straight = new_vae(), new_vae()
    training, call = Training(vae, IMAGES), engine.Steps.__call__

    def interrupted(self, *arguments):
        if not before:
            call(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(engine.Steps, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(iter(training))
    assert training.done == 0
    assert_same_weights(vae, new_vae())
    monkeypatch.undo()
    next(iter(training))
    next(iter(Training(straight, IMAGES)))
    assert training.done == 2
    assert_same_weights(vae, straight)


def test_a_raised_callback_leaves_the_last_chunk():
    vae, failing = new_vae(), Interrupt(RuntimeError("mine"))
    with pytest.raises(RuntimeError, match="mine"):
        train(vae, IMAGES, callbacks=[failing], progress=False)
    for now, then in zip(weights_of(vae), failing.weights):
        np.testing.assert_array_equal(now, then)


@pytest.mark.slow
def test_kerass_early_stopping_restores_the_best_weights():
    vae, images = (
        new_vae(hidden=(256,), latent_dim=10),
        IMAGES[:256],
    )  # few images: soon learned by heart
    held_out = DIGITS.validation.images[:500]
    stopping = keras.callbacks.EarlyStopping(
        "validation_elbo", mode="max", patience=2, restore_best_weights=True
    )
    history = train(
        vae,
        images,
        epochs=60,
        validation=held_out,
        learning_rate=1e-2,
        batch_size=64,
        callbacks=[stopping],
        progress=False,
    )
    best = int(np.argmax(history["validation_elbo"]))
    assert len(history["loss"]) < 60 and len(history["loss"]) == best + 3
    assert evaluate(vae, held_out).elbo == pytest.approx(
        history["validation_elbo"][best], rel=1e-6
    )


def test_callbacks_find_kerass_names_and_one_alone_needs_no_list(tmp_path):
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    train(
        new_vae(),
        IMAGES[:256],
        epochs=1,
        validation=IMAGES[256:512],
        callbacks=log,
        progress=False,
    )
    names = (
        (tmp_path / "log.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    )
    assert {"loss", "val_loss", "val_elbo", "validation_elbo"} < set(names) and len(
        set(names)
    ) == len(names)
    stopping = keras.callbacks.EarlyStopping(
        patience=0, min_delta=1e6
    )  # watches val_loss
    assert (
        len(
            train(
                new_vae(),
                IMAGES[:256],
                validation=IMAGES[256:512],
                callbacks=[stopping],
                progress=False,
            )["loss"]
        )
        == 2
    )


@pytest.mark.slow
def test_kerass_learning_rate_scheduler_and_schedules_are_heeded():
    vae, frozen = new_vae(), new_vae()
    train(
        frozen,
        IMAGES,
        epochs=1,
        progress=False,
        callbacks=[keras.callbacks.LearningRateScheduler(lambda e: 0.0)],
    )
    assert_same_weights(frozen, new_vae())
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([4], [1e-3, 0.0])
    train(vae, IMAGES, epochs=1, learning_rate=schedule, progress=False)
    short = new_vae()
    training = Training(short, IMAGES[: 5 * 128], epochs=1)
    training.order = np.resize(
        np.random.default_rng((0, 0)).permutation(len(IMAGES)), 640
    )
    training.images = IMAGES
    list(training)
    assert_same_weights(vae, short)


@pytest.mark.parametrize(
    "settings, learning_rate",
    [
        (
            dict(likelihood="gaussian", hidden=(64, 32)),
            10.0,
        ),  # squares of 1e19 are beyond float32
        (
            dict(posterior="direct"),
            1e6,
        ),  # Adam survives 10 with the Bernoulli likelihood, which is linear: see below
    ],
)
@pytest.mark.slow
def test_divergence_restores_the_last_good_weights_and_says_where(
    settings, learning_rate
):
    vae = new_vae(**settings)
    training = Training(vae, IMAGES, learning_rate=learning_rate)
    with pytest.raises(DivergedError) as error:
        list(training)
    message = str(error.value)
    for words in (
        "stopped being finite at step",
        f"learning rate {learning_rate:g}",
        "try a learning rate of 0.001",
        *(repr(value) for value in settings.values() if isinstance(value, str)),
    ):
        assert words in message
    assert ("or the softplus posterior" in message) == ("posterior" in settings)
    assert all(np.isfinite(weights).all() for weights in weights_of(vae))
    assert training.done == training.step  # of the last finished chunk
    assert error.value.history is training.history


def test_a_loss_that_explodes_without_becoming_nan_is_warned_of_once():
    vae = new_vae()
    with pytest.warns(
        UserWarning, match="far above the .* of the untrained model. With learning rate"
    ) as warned:
        history = train(vae, IMAGES, epochs=3, learning_rate=10.0, progress=False)
    assert len(warned) == 1 and "learning rate 10," in str(warned[0].message)
    assert history["loss"][0] > 1e6


def test_a_usual_training_warns_of_nothing(recwarn):
    train(new_vae(), IMAGES, epochs=1, progress=False)
    assert not [w for w in recwarn if "untrained" in str(w.message)]


@pytest.mark.slow
def test_training_draws_nothing_from_the_seed_of_the_next_model():
    def next_after(hidden):
        vae = new_vae(hidden=hidden)
        train(vae, IMAGES[:256], epochs=1, progress=False)
        return weights_of(VAE(**SMALL))

    for fresh, again in zip(
        next_after((9,)), next_after((9,))
    ):  # the first time, the shape is compiled
        np.testing.assert_array_equal(fresh, again)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(learning_rate=0), "learning_rate is 0"),
        (dict(learning_rate=-1e-3), "learning_rate is -0.001"),
        (dict(learning_rate=float("nan")), "learning_rate is nan"),
        (dict(learning_rate="fast"), "learning_rate is 'fast'"),
        (dict(epochs=-1), "epochs is -1"),
        (dict(epochs=1.5), "epochs is 1.5"),
        (dict(batch_size=5000), "from 1 to 2000"),
        (dict(batch_size=0), "batch_size is 0"),
        (dict(validation=np.zeros((3, 28), "uint8")), "(3, 28)"),
        (dict(images=np.full((200, 28, 28), np.inf)), "inf"),
        (dict(images=np.zeros((0, 28, 28), "uint8")), "n >= 1"),
        (dict(images=np.ones((200, 28, 28), "uint8")), "of 0 and 1: multiply"),
        (dict(images=list(IMAGES[:200])), "images are a list"),
        (dict(seed=-1), "seed is -1"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(arguments, words):
    vae = new_vae()
    images = arguments.pop("images", IMAGES)
    with pytest.raises(ValueError) as error:
        train(vae, images, progress=False, **arguments)
    assert words in str(error.value)
    assert_same_weights(vae, new_vae())


def test_tensors_are_images_as_well():
    histories = [
        train(new_vae(), images, epochs=1, progress=False)
        for images in (IMAGES, tf.constant(IMAGES))
    ]
    assert histories[0] == histories[1]


def test_no_epochs_is_no_training():
    vae = new_vae()
    assert train(vae, IMAGES, epochs=0, progress=False) == {}
    assert_same_weights(vae, new_vae())


def test_binarized_training_sees_black_and_white_pixels_anew():
    training = Training(new_vae(), IMAGES[:256], binarize=True)
    first, again = training._batch(0)[0], training._batch(0)[0]
    np.testing.assert_array_equal(first, again)
    assert set(np.unique(first)) == {0, 255}
    assert first.mean() == pytest.approx(
        IMAGES[training.order[:128]].mean(), rel=0.05
    )  # 100,352 draws: 1 %


@pytest.mark.slow
def test_two_trainings_at_once_do_not_disturb_each_other():
    alone = [new_vae(seed) for seed in (1, 2)]
    together = [new_vae(seed) for seed in (1, 2)]
    for vae in alone:
        train(vae, IMAGES, epochs=1, progress=False)
    threads = [
        threading.Thread(
            target=train, args=(vae, IMAGES), kwargs=dict(epochs=1, progress=False)
        )
        for vae in together
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for one, other in zip(alone, together):
        assert_same_weights(one, other)


def test_the_bar_is_one_line_that_ends_at_100_percent(capsys):
    train(new_vae(), IMAGES, epochs=1)
    last = capsys.readouterr().out.rstrip("\n").split("\r")[-1]
    assert (
        "epoch 1 of 1" in last
        and "100 %" in last
        and "distortion" in last
        and len(last) < 130
    )


class FromNumPy(VAE):
    """A learner's model that draws its noise from NumPy."""

    def call(self, images, training=False):
        mu, rho = self.encoder(self.prepare(images))
        sigma, log_sigma = self.posterior(rho)
        z = mu + sigma * np.random.standard_normal(mu.shape).astype("float32")
        return (mu, sigma, log_sigma), self.decoder(z)


def test_noise_that_a_compiled_step_would_keep_is_refused():
    vae = FromNumPy(**SMALL)
    before = weights_of(vae)
    with pytest.raises(ValueError, match="draws from NumPy.* self.standard_normal"):
        train(vae, IMAGES, epochs=1, progress=False)
    for one, other in zip(before, weights_of(vae)):
        np.testing.assert_array_equal(one, other)


def test_beta_can_be_computed_from_itself():
    vae = new_vae(beta=2.0)
    vae.beta *= 3
    vae.beta = vae.beta + 1
    assert float(vae.beta) == 7.0


def test_advice_is_another_learning_rate_than_the_one_that_failed():
    vae = new_vae()
    vae.compile(optimizer=keras.optimizers.Adam(1e-3))
    assert "try a learning rate of 0.0001 or less" in advice(vae)

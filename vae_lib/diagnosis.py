"""What is wrong with a training run, in one sentence: at which step, with which settings, and what to try."""


def not_finite(training, step):
    """Return the sentence for a `Training` whose loss or weights stopped being finite at `step` of its epoch."""
    return (
        f"The loss stopped being finite at step {step} of epoch {training.epoch + 1} ({settings(training)}); the "
        f"model holds the weights after step {training.step}: try {advice(training)}."
    )


def exploded(training):
    """Return a sentence if the last epoch's loss is far above an untrained model's, though finite; else None."""
    loss = training.history.get("loss", [0.0])[-1]
    if training.first_loss is None or loss <= 10 * training.first_loss:
        return None
    return (
        f"The loss of epoch {training.epoch}, {loss:.3g} nats, is far above the {training.first_loss:.3g} of the "
        f"untrained model ({settings(training)}): try {advice(training)}."
    )


def settings(training):
    """Return the settings of a `Training` that a loss may explode for."""
    vae, rate = training.vae, float(training.vae.optimizer.learning_rate)
    return (
        f"learning rate {rate:g}, beta {float(vae.beta):g}, posterior {vae.settings['posterior']!r}, likelihood "
        f"{vae.settings['likelihood']!r}"
    )


def advice(training):
    """Return what to try instead of the present settings."""
    rate, posterior = (
        float(training.vae.optimizer.learning_rate),
        training.vae.settings["posterior"],
    )
    better = [f"a learning rate of {1e-3 if rate > 1e-3 else rate / 10:g} or less"]
    return " or ".join(better + ["the softplus posterior"] * (posterior != "softplus"))

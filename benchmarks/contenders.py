"""The ways of training that speed.py compares, each run in a process of its own.

All train the model 784-512-256-z on the same images: batches of 128, Adam at 1e-3,
softplus posterior, summed cross-entropy, every image in every epoch. Started by
speed.py, which says on standard input when to go on.
"""

import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

# No other imports up here: the interpreter that has PyTorch may lack TensorFlow.
import numpy as np

BATCH = 128
LEARNING_RATE = 1e-3


class Gate:
    """What a contender tells the parent, which lets it run an epoch at a time."""

    def __init__(self):
        self.channel = os.fdopen(os.dup(1), "w")
        sys.stdout = open(
            os.devnull, "w", encoding="utf-8"
        )  # progress bars are drawn, as for any user, and not shown
        self.first_progress = None

    def ready(self):
        """Say that all is loaded, and wait for the word to begin."""
        self.send("ready")
        self.wait()

    def wait(self):
        """Wait for the word to go on, and start the clock."""
        if not sys.stdin.readline():
            sys.exit()  # the parent is gone
        self.start = time.perf_counter()

    def progress(self):
        """Note the time at which the very first progress could be seen."""
        if self.first_progress is None:
            self.first_progress = time.perf_counter() - self.start

    def report(self, loss=None, seconds=None):
        """Stop the clock, unless `seconds` is given, and send what was measured."""
        seconds = time.perf_counter() - self.start if seconds is None else seconds
        self.send(
            {
                "seconds": seconds,
                "loss": loss,
                "first_progress": self.first_progress,
                "megabytes": peak_megabytes(),
            }
        )

    def send(self, message):
        """Send a message, one line of JSON."""
        print(json.dumps(message), file=self.channel, flush=True)

    def callback(self):
        """Return a Keras callback that waits before each epoch and reports after it."""
        import keras

        gate = self

        class Watch(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch:  # the first began with the call itself, compilation included
                    gate.wait()

            def on_train_batch_end(self, batch, logs=None):
                gate.progress()

            def on_epoch_end(self, epoch, logs=None):
                gate.report(float(logs["loss"]))

        return Watch()


def peak_megabytes():
    """Return the largest resident memory this process has had, or None where the system
    does not say.
    """
    try:
        status = Path("/proc/self/status").read_text(
            encoding="utf-8"
        )  # unlike getrusage, free of the parent's memory
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except OSError:
        try:
            import resource
        except ImportError:  # Windows
            return None
        return (
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        )  # bytes on macOS


def new_vae(work, **compilation):
    """Return the library's model, compiled for `fit`."""
    import keras

    import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
    from vae_lib.model import VAE

    keras.utils.set_random_seed(0)
    vae = VAE(work["latent_dim"], hidden=work["hidden"])
    vae.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), **compilation)
    return vae


def ours(images, work, gate):
    """The library's own loop."""
    vae = new_vae(work)
    from vae_lib.training import train

    gate.ready()
    train(
        vae,
        images,
        epochs=work["epochs"],
        batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        callbacks=[gate.callback()],
    )


def fit(images, work, gate):
    """`fit` as most would call it: an array in, every other argument at its default."""
    vae = new_vae(work)
    images = images.astype("float32") / 255
    gate.ready()
    vae.fit(
        images, batch_size=BATCH, epochs=work["epochs"], callbacks=[gate.callback()]
    )


def fit_best(images, work, gate):
    """`fit` with all that is known to help: XLA, an epoch in one call, batches gathered
    ahead by tf.data.
    """
    steps = -(-len(images) // BATCH)
    vae = new_vae(work, jit_compile=True, steps_per_execution=steps)
    import tensorflow as tf

    resident = tf.constant(images.astype("float32") / 255)
    rows = tf.data.Dataset.range(len(images)).cache().shuffle(len(images)).repeat()
    batches = rows.batch(BATCH, drop_remainder=True).map(
        lambda row: tf.gather(resident, row)
    )
    batches = batches.prefetch(tf.data.AUTOTUNE)
    gate.ready()
    vae.fit(
        batches,
        epochs=work["epochs"],
        steps_per_epoch=steps,
        shuffle=False,
        callbacks=[gate.callback()],
    )


def by_hand(images, work, gate):
    """The usual hand-written loop: one tf.function call for each batch."""
    vae = new_vae(work)
    import tensorflow as tf

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            distortion, rate = vae.terms(x)
            loss = tf.reduce_mean(distortion + rate)
        gradients = tape.gradient(loss, vae.trainable_variables)
        vae.optimizer.apply(gradients, vae.trainable_variables)
        return loss

    batches = tf.data.Dataset.from_tensor_slices(images.astype("float32") / 255)
    batches = batches.shuffle(len(images)).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    for epoch in range(work["epochs"]):
        gate.wait() if epoch else gate.ready()
        losses = []
        for x in batches:
            losses.append(step(x))
            gate.progress()
        gate.report(float(tf.reduce_mean(losses)))


def pytorch(images, work, gate, **options):
    """The same model and loop in PyTorch, the images resident as one tensor and batches
    taken by index.
    """
    import torch
    from torch.nn import functional

    torch.manual_seed(0)
    x_all = torch.from_numpy(images.reshape(len(images), -1)).float().div_(255)
    encoder = torch_layers(x_all.shape[1], *work["hidden"], 2 * work["latent_dim"])
    decoder = torch_layers(
        work["latent_dim"], *reversed(work["hidden"]), x_all.shape[1]
    )
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(
        parameters, LEARNING_RATE, eps=1e-7, **options
    )  # Keras' epsilon
    for epoch in range(work["epochs"]):
        gate.wait() if epoch else gate.ready()
        losses = []
        for rows in torch.randperm(len(x_all)).split(BATCH):
            x = x_all[rows]
            mu, rho = encoder(x).chunk(2, dim=1)
            sigma = functional.softplus(rho)
            logits = decoder(mu + sigma * torch.randn_like(sigma))
            distortion = functional.binary_cross_entropy_with_logits(
                logits, x, reduction="sum"
            )
            rate = ((mu**2 + sigma**2 - 1) / 2 - sigma.log()).sum()
            loss = (distortion + rate) / len(x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
            gate.progress()
        gate.report(float(torch.stack(losses).mean()))


def torch_layers(*widths):
    """Return dense layers with ReLU between them, initialised as the library's."""
    import torch

    layers = []
    for inputs, outputs in pairwise(widths):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
        torch.nn.init.kaiming_normal_(layers[-2].weight)
        torch.nn.init.zeros_(layers[-2].bias)
    torch.nn.init.xavier_uniform_(layers[-2].weight)
    return torch.nn.Sequential(*layers[:-1])


def pytorch_fused(images, work, gate):
    """The same with PyTorch's fused Adam, which is not its default."""
    pytorch(images, work, gate, fused=True)


def products(hidden, latent_dim):
    """Return the matrix products of a step, (rows, inner, columns), 2 FLOP a triple."""
    encoder, decoder = (784, *hidden), (latent_dim, *reversed(hidden), 784)
    heads = encoder[-1], 2 * latent_dim
    layers = [*pairwise(encoder), heads, *pairwise(decoder)]
    forward = [(BATCH, inputs, outputs) for inputs, outputs in layers]
    to_weights = [(inputs, BATCH, outputs) for inputs, outputs in layers]
    # images need no gradient
    to_inputs = [(BATCH, outputs, inputs) for inputs, outputs in layers[1:]]
    return forward + to_weights + to_inputs


def flop(shapes):
    """Return the floating-point operations of matrix products of these shapes."""
    return sum(2 * rows * inner * columns for rows, inner, columns in shapes)


def products_of_layers(images, work, gate, shapes=None, enough=0.5):
    """An epoch's matrix products alone, at their own sizes: `enough` seconds of
    TensorFlow's, scaled up.
    """
    import tensorflow as tf

    import vae_lib  # noqa: F401

    step = products(work["hidden"], work["latent_dim"])
    shapes = shapes or step
    operands = [
        (tf.random.normal((m, k)), tf.random.normal((k, n))) for m, k, n in shapes
    ]
    for epoch in range(work["epochs"]):
        gate.wait() if epoch else gate.ready()
        rounds, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < enough:
            for a, b in operands:
                tf.matmul(a, b)
            rounds += 1
        steps = -(-len(images) // BATCH)
        gate.report(seconds=elapsed * steps * flop(step) / (rounds * flop(shapes)))


def products_at_best(images, work, gate):
    """The same number of operations, at the rate of a product large enough to reach the
    machine's best.
    """
    products_of_layers(images, work, gate, [(2048, 2048, 2048)], 1.0)


CONTENDERS = {
    "ours": (ours, "`vae_lib.training.train`"),
    "fit": (fit, "Keras `fit`"),
    "fit-best": (fit_best, "Keras `fit` with its best settings"),
    "by-hand": (by_hand, "one `tf.function` call a batch"),
    "pytorch": (pytorch, "PyTorch, eager"),
    "pytorch-fused": (pytorch_fused, "PyTorch, fused Adam"),
    "layers": (
        products_of_layers,
        "its matrix products alone, as TensorFlow does them",
    ),
    "limit": (products_at_best, "the matrix products at the best rate measured"),
}

if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    CONTENDERS[told["name"]][0](np.load(told["file"]), told, Gate())

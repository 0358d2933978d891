"""Helpers for the notebooks on variational autoencoders.

From the ground up; a module may import only from modules above it in this list:

    data         MNIST, or any .npz with the Keras keys, as train, validation and test splits
    theory       what can be known without training: linear optimum, collapse threshold
    latents      grids, traversals, interpolations and embeddings of codes
    posterior    maps from the encoder's unconstrained output rho to sigma
    textbook     the same maps as textbooks write them, without a guard
    objectives   rate, distortion, ELBO and the importance-weighted bound
    checks       what is refused, in one sentence
    model        encoder, decoder and the VAE
    storage      models saved whole or not at all
    evaluation   what a trained model is measured by
    meaning      when two classes are the same code
    engine       many gradient steps in one compiled function, shared by models of the same shape
    progress     the progress bar, in notebooks and terminals, and Ctrl-C
    diagnosis    what is wrong with a training run, in one sentence
    training     the training loop that can be watched, stopped and continued
    conditioned  one network for every beta
    surgery      what codes hold: the parts of the rate, active units, probes
    geometry     how the decoder stretches the space of codes: metric, lengths, shortest ways
    quality      how good samples are: clouds of images against clouds of images
    estimators   five estimates of the gradient of the ELBO
    laboratory   many small VAEs trained side by side, to compare maps from rho to sigma
    outcomes     what became of training runs: failures, spikes, tails
    figures      arrays in, Matplotlib figures or PNG bytes out
    exercises    checks of the exercises that name the probable mistake, one module for each notebook
    results      what benchmarks/ measured and stored in data/
    beta_figures  figures over beta: regimes, collapse, rate against distortion
    manifold_figures  figures of the plane of codes: grids, heat maps, ways across it
    tables       values in, Markdown tables out
    run_figures  figures of many runs in which a failure is drawn as one
    predictions  questions to answer before the next cells run
    widgets      live controls, one module each
    __main__     the command-line run
"""

import os
import sys


def _import_tensorflow_quietly():
    """Import TensorFlow with its start-up log sent to the null device; errors are raised as ever."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)  # the log is written by C++ to descriptor 2, out of Python's reach
    try:
        import tensorflow as tf

        tf.zeros(1)  # the first operation logs, too
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


_import_tensorflow_quietly()

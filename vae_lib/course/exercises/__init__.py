"""Exercises, checked on the spot and without a network, that name the likely mistake.

    checking           an exercise, and what is said about an attempt
    model              the exercises of notebook 01
    reparametrization  the exercises of notebook 02
    beta               the exercises of notebook 03
    manifold           the exercises of notebook 04
    own                the exercises of notebook 05
    bound              the exercises of notebook 06

An exercise is called with an attempt, `model.kl_to_prior(my_function)`, and returns a
`Verdict`. Right answers and typical mistakes are side by side in its module: a teacher
may read them, a learner should not.
"""

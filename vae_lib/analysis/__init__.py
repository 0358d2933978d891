"""What can be measured on data and trained models; imports only the core.

grids           grids, traversals, interpolations and embeddings of codes
theory          what is known without training: linear optimum, collapse threshold
likelihood      log p(x) by quadrature and by importance weights, and tails of means
gap             what causes the gap between log p(x) and the ELBO
bits_back       images as bits on a stack, at the length that the ELBO promises
information     what codes hold: the parts of the rate, active units, holes, probes
geometry        how the decoder stretches the space of codes: metric, shortest paths
sample_quality  how good samples are: one cloud of images compared with another
"""

"""What can be said of data and trained models; imports the core alone.

grids           grids, traversals, interpolations and embeddings of codes
theory          what is known without training: linear optimum, collapse threshold
likelihood      log p(x) by quadrature, and means told with their tails
gap             whose fault the gap between log p(x) and the ELBO is
bits_back       images as bits on a stack, at the length that the ELBO promises
information     what codes hold: the parts of the rate, active units, holes, probes
geometry        how the decoder stretches the space of codes: metric, shortest paths
sample_quality  how good samples are: clouds of images against clouds of images
"""

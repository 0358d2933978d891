"""What can be said of data and trained models; imports the core alone.

theory          what is known without training: linear optimum, collapse threshold
information     what codes hold: the parts of the rate, active units, probes
geometry        how the decoder stretches the space of codes: metric, shortest ways
sample_quality  how good samples are: clouds of images against clouds of images
"""

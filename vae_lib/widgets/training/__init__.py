"""What the training panel is made of.

settings      the settings of a run as widgets
pictures      what a model in training looks like, drawn cheaply
run           one run: model, training, and what was seen of it
experiments   what to try first
"""

"""Live controls for the notebooks, one module each; they answer while a model trains.

    style        one look for every control, and the picture that stands in for it without a kernel
    background   work in a thread that can be watched, stopped and waited for
    plane        sliders that walk through the latent space
    pictures     what a model in training looks like, drawn cheaply
    controls     the settings of a run
    panel        the training panel
"""

"""Live controls for the notebooks; they answer while a model trains.

style         one look for every control, and the picture that stands in for it without a kernel
background    work in a thread that can be watched, stopped and waited for
weights       a network's weights as bytes, for widgets that compute in the browser
plane         sliders that walk through the latent space
pad           drag a point over the map of codes, decoded in the browser
drawing       draw a digit and see its code, decoded in the browser
page          widgets on a page of their own, without kernel or network
panel         the training panel, made of:
controls      the settings of a run
run           one run: model, training, and what was seen of it
pictures      what a model in training looks like, drawn cheaply
live          these pictures as widgets, and a card for each run that ended
experiments   what to try first
beta_slider   one network at every beta, drawn in the page
rho           a slider for rho over the maps to sigma
samples       a slider for the number of samples of an estimate
stability     a panel to train many small models with one map
guess         a guess, committed before its answer is shown
"""

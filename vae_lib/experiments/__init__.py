"""Training experiments; they import the core and `analysis`.

settings             the settings of the original project and of this course
command              `python -m vae_lib`: one training, its pictures and figures
textbook_maps        maps from rho to sigma as textbooks write them, without a guard
parallel_training    many small VAEs trained side by side, to compare these maps
outcomes             what became of training runs: failures, spikes, and the verdict
gradient_estimators  five estimates of the gradient of the ELBO
priors               a prior that is learned with the model
importance           training on the importance-weighted bound, and its gradient
conditional          a VAE that is told the label
one_network          one network for every beta
laboratory_file      a VAE as a file for the laboratory in the browser, and back
remedies             free bits and warm-up, against units that fall silent
"""

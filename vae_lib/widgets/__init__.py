"""Live controls for the notebooks; they answer while a model trains.

    plane         sliders that walk through the latent space. Notebook 01
    panel         train a model and watch it. Notebook 01
    samples       the number of samples of a gradient estimate. Notebook 02
    rho           a slider for rho over the maps to sigma. Notebook 02
    stability     train many small models with one map. Notebook 02
    beta_slider   one network at every beta, computed in the page. Notebook 03
    pad           drag a point over the map of codes, decoded in the page. Notebook 04
    drawing       draw a digit and see its code. Notebook 04
    price         draw a digit and read its price in bits. Notebook 06
    frames        a slider over pictures drawn beforehand. Notebook 06
    guess         a guess, committed before its answer is shown. All notebooks
    page          controls on a page of their own, without a kernel or a network
    training      what the training panel is made of
    shared        what all of them are made of

`js/` holds what runs in the page, as modules; `npm run build` there makes `static/` of
it, one file a control. `css/` holds their styles.
"""

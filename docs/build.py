"""Build the website: notebooks with outputs, guide, glossary, slides, and widgets that live without a kernel.

    python docs/build.py [--out site] [--quick] [--without-widgets]

Then open site/index.html, from disk or from any web server: no page asks another host for anything. The living
widgets are trained here, in about two minutes; --quick trains them on few digits, to try the rest.
Needs `pip install -e ".[site]"`.
"""

import argparse
import importlib.metadata
import shutil
import sys
import tempfile
from html import escape
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PACKAGES = "sphinx", "myst-nb", "sphinx-book-theme", "sphinx-mathjax-offline", "sphinx-revealjs"


def files_of(package, ending):
    """Return the paths of an installed package's files whose names end so."""
    return [Path(path.locate()) for path in importlib.metadata.files(package) if str(path).endswith(ending)]


def check_packages():
    """Exit with one sentence if a package is missing."""
    missing = []
    for package in PACKAGES:
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        sys.exit(f"The website needs {', '.join(missing)}: type 'pip install -e \".[site]\"', then this again.")


def make_slides(folder):
    """Write slides of every notebook into `folder`, and reveal.js beside them."""
    from slides import slides_html

    (script,) = files_of("sphinx-revealjs", "_static/revealjs/dist/reveal.js")
    shutil.copytree(script.parent, folder / "reveal" / "dist", ignore=shutil.ignore_patterns("*.map", "*.esm.js"))
    for path in sorted((ROOT / "notebooks").glob("0*.ipynb")):
        html = slides_html(path, reveal="reveal", mathjax="../_static/tex-svg.js")
        (folder / f"{path.stem}.html").write_text(html, encoding="utf-8")


def make_widgets(folder, quick):
    """Train what the living widgets show and write one self-contained page for each into `folder`."""
    sys.path.insert(0, str(ROOT))
    import keras

    from vae_lib.conditioned import ConditionedVAE
    from vae_lib.data import load_mnist
    from vae_lib.model import VAE
    from vae_lib.training import train
    from vae_lib.widgets.beta_slider import BetaSlider
    from vae_lib.widgets.drawing import DrawingBoard
    from vae_lib.widgets.pad import LatentPad
    from vae_lib.widgets.page import write_page

    digits = load_mnist()
    images, epochs = (digits.train.images[:2000], 1) if quick else (digits.train.images, 15)
    keras.utils.set_random_seed(0)
    vae = VAE()
    train(vae, images, epochs=epochs)
    write_page(LatentPad(vae, digits.test), folder / "pad.html", "The latent pad",
               "A variational autoencoder with a code of two numbers. Drag over the map, or use the arrow keys.")
    write_page(DrawingBoard(vae, digits.test), folder / "drawing.html", "Draw your own digit",
               "The encoder finds its place on the map, and the decoder draws what it understood.")
    network = ConditionedVAE(latent_dim=2)
    train(network, images, epochs=epochs)
    write_page(BetaSlider(network, digits.test.images, digits.test.labels), folder / "beta.html", "The β slider",
               "One network at every β: drag the slider, and codes, reconstructions and new digits follow.")


def make_laboratory(folder):
    """Write the page that trains in the browser into `folder`; where it cannot be built, one that says why."""
    from lab.build import NoNode, build

    try:
        build(folder)
    except NoNode as error:
        print(f"The site has no laboratory: {error}", file=sys.stderr)
        sentence = escape(f"The laboratory is not part of this copy of the site. {error}")
        (folder / "lab.html").write_text(f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>The VAE '
                                         f'laboratory</title></head><body><p>{sentence}</p></body></html>', encoding="utf-8")


def main(arguments=None):
    """Build the site; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="folder to write (default: site)")
    parser.add_argument("--quick", action="store_true", help="train the living widgets on few digits")
    parser.add_argument("--without-widgets", action="store_true", help="leave the living widgets out")
    options = parser.parse_args(arguments)
    check_packages()
    from sphinx.cmd.build import build_main

    with tempfile.TemporaryDirectory() as temporary:
        extra = Path(temporary) / "extra"
        for name in "slides", "alive", "_static":
            (extra / name).mkdir(parents=True)
        (mathjax,) = files_of("sphinx-mathjax-offline", "mathjax/tex-svg.js")
        shutil.copy(mathjax, extra / "_static")
        sys.path.insert(0, str(DOCS))
        make_slides(extra / "slides")
        make_laboratory(extra)
        if not options.without_widgets:
            make_widgets(extra / "alive", options.quick)
        (extra / "index.html").write_text('<!DOCTYPE html><html lang="en"><head><title>Variational autoencoders</title>'
                                          '<meta http-equiv="refresh" content="0; url=README.html"></head>'
                                          '<body><a href="README.html">Variational autoencoders</a></body></html>')
        sources = ["-q", "-W", "--keep-going", "-c", str(DOCS), "-D", f"html_extra_path={extra}", "-d", f"{temporary}/doctrees"]
        sources += [] if options.without_widgets else ["-t", "alive"]
        code = build_main(["-b", "html", *sources, str(ROOT), str(options.out)])
    if code == 0:
        print(f"Built: open {options.out / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())

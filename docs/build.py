"""Build the website: front page, notebooks with outputs, guide, slides, and widgets
that work without a kernel.

    python docs/build.py [--out site] [--quick] [--without-widgets] [--without-lab]

Then open site/index.html, from disk or from any web server: no page asks another host
for anything. The living widgets are trained here, as the notebooks train them, in about
five minutes; --quick trains them on few digits, to try the rest. Needs `pip install -e
".[site]"`; the laboratory needs node, too, and is left out without it.
"""

import argparse
import importlib.metadata
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PACKAGES = (
    "sphinx",
    "myst-nb",
    "sphinx-book-theme",
    "sphinx-mathjax-offline",
    "sphinx-revealjs",
)


class NotBuilt(Exception):
    """The site cannot be built; the message says why and what to do."""


def files_of(package, ending):
    """Return the paths of an installed package's files with this ending."""
    return [
        Path(path.locate())
        for path in importlib.metadata.files(package)
        if str(path).endswith(ending)
    ]


def check_packages():
    """Raise NotBuilt if a package is missing."""
    missing = []
    for package in PACKAGES:
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        raise NotBuilt(
            f"The website needs {', '.join(missing)}: type 'pip install -e "
            '".[site]"\', then run this again.'
        )


def check_folder(folder):
    """Raise NotBuilt unless `folder` can be written: a new one, an empty one, or an
    earlier site.
    """
    if folder.exists() and not folder.is_dir():
        raise NotBuilt(f"{folder} is a file: name a folder after --out.")
    if (
        folder.exists()
        and any(folder.iterdir())
        and not (folder / "slides" / "01_model.html").exists()
    ):
        raise NotBuilt(
            f"{folder} holds files but not a website built by this command: name a new "
            "or empty folder after --out."
        )


def make_slides(folder, living, lab):
    """Write slides of every notebook into `folder`, and reveal.js beside them; `lab`
    tells whether the site has a laboratory.
    """
    from slides import slides_html

    (script,) = files_of("sphinx-revealjs", "_static/revealjs/dist/reveal.js")
    kept = folder / "reveal" / "dist"
    kept.mkdir(parents=True)
    for name in "reveal.js", "reveal.css":
        shutil.copy(script.parent / name, kept)
    for path in sorted((ROOT / "notebooks").glob("0*.ipynb")):
        pages = {page["cell"]: page for page in living.get(path.stem, [])}
        text = slides_html(path, pages, lab)
        (folder / f"{path.stem}.html").write_text(text, "utf-8")


def make_living(folder, quick):
    """Write the living pages into `folder`; return {notebook: [{cell, file, title,
    numbers, number}]}.
    """
    sys.path.insert(0, str(ROOT))
    import living

    import vae_lib  # noqa: F401  (before Keras: it quiets TensorFlow's start-up log)
    from vae_lib import training

    training.train = living.silent(training.train)
    if quick:
        training.train = living.in_a_hurry(training.train)
    fronts = living.front_widgets()
    for kind, name in ("LatentPad", "front-pad"), ("BetaSlider", "front-beta"):
        page = living.living_page(
            fronts[kind],
            living.TITLES[kind],
            "",
            ("../index.html", "Front page"),
            "../index.html",
            front=True,
        )
        (folder / f"{name}.html").write_text(page, "utf-8")
    made = {}
    for path in sorted((ROOT / "notebooks").glob("0*.ipynb")):
        pages = list(write_living(path, folder, quick))
        if pages:
            made[path.stem] = pages
    return made


def write_living(path, folder, quick=False):
    """Write the living pages of the notebook at `path` into `folder`; yield what is
    known about each. A `quick` build says on them that it is one.
    """
    import living

    number, notebook = path.stem[:2], json.loads(path.read_text("utf-8"))
    back = f"../notebooks/{path.stem}.html", f"Notebook {number}"
    trained = "on few digits, for a trial" if quick else "as the notebook trains it"
    about = f"The network of notebook {number}, trained {trained}."
    run = living.Run()
    for n, place in enumerate(living.places(notebook), 1):
        try:
            kind, widget, numbers = living.living_widget(place, run)
        except Exception as fault:  # a notebook may hold anything
            print(
                f"The living page of cell {place.cell} of {path.name} is left out: "
                f"{type(fault).__name__}: {fault}",
                file=sys.stderr,
            )
            continue
        file, title = f"{path.stem}-{n}.html", living.TITLES[kind]
        page = living.living_page(widget, title, about, back, "../index.html")
        (folder / file).write_text(page, "utf-8")
        facts = {"cell": place.cell, "file": file, "title": title}
        yield facts | {"numbers": numbers, "number": number}


def make_laboratory(folder):
    """Build the laboratory into `folder`; return whether there is one, and say why
    where there is none.
    """
    builder = DOCS / "lab" / "build.py"
    if not builder.exists():
        return False
    run = subprocess.run(
        [sys.executable, builder, "--out", folder],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if run.returncode:
        reason = (run.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        print(f"The laboratory is left out: {reason}", file=sys.stderr)
    return (folder / "lab.html").exists()


def build(out, quick=False, widgets=True, laboratory=True):
    """Build the site into the folder `out`; raise NotBuilt with one sentence where that
    cannot be done.
    """
    check_packages()
    check_folder(out)
    from sphinx.cmd.build import build_main

    sys.path.insert(0, str(DOCS))
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        extra, made = temporary / "extra", temporary / "html"
        for name in "slides", "living", "_static":
            (extra / name).mkdir(parents=True)
        (mathjax,) = files_of("sphinx-mathjax-offline", "mathjax/tex-chtml.js")
        shutil.copy(mathjax, extra / "_static")
        fonts = "output/chtml/fonts/woff-v2"  # where that script looks for its letters
        shutil.copytree(mathjax.parent / fonts, extra / "_static" / fonts)
        shutil.copy(DOCS / "plane.png", extra / "_static")
        living = make_living(extra / "living", quick) if widgets else {}
        (temporary / "living.json").write_text(json.dumps(living), "utf-8")
        present = {"alive": widgets, "lab": laboratory and make_laboratory(extra)}
        present["trial"] = widgets and quick
        make_slides(extra / "slides", living, present["lab"])
        settings = [f"html_extra_path={extra}", f"living={temporary / 'living.json'}"]
        options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(DOCS)]
        options += ["-d", str(temporary / "doctrees")]
        options += [part for setting in settings for part in ("-D", setting)]
        options += [part for tag in present if present[tag] for part in ("-t", tag)]
        if build_main([*options, str(ROOT), str(made)]):
            raise NotBuilt(
                "The website was not built: the lines above name the page and the "
                "fault."
            )
        shutil.rmtree(made / ".doctrees", ignore_errors=True)
        if out.exists():
            shutil.rmtree(out)
        shutil.move(made, out)


def main(arguments=None):
    """Build the site; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "site",
        help="folder to write (default: site)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="train the living widgets on few digits"
    )
    parser.add_argument(
        "--without-widgets", action="store_true", help="leave the living widgets out"
    )
    parser.add_argument(
        "--without-lab", action="store_true", help="leave the laboratory out"
    )
    options = parser.parse_args(arguments)
    try:
        build(
            options.out.resolve(),
            options.quick,
            not options.without_widgets,
            not options.without_lab,
        )
    except (NotBuilt, OSError) as fault:
        sys.exit(str(fault))
    print(f"Built: open {options.out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

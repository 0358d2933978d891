"""What the site is made of, without building it: cards, living widgets, slides."""

import ast
import json
import re
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))
import cards  # noqa: E402
import living  # noqa: E402
import slides  # noqa: E402
import words  # noqa: E402

NOTEBOOKS = sorted((ROOT / "notebooks").glob("0*.ipynb"))
WIDGET = {slides.WIDGET: {"model_id": "0"}}


def notebook_of(*cells):
    """Return a notebook of cells: markdown as text, code as (source, outputs, tags)."""
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(nbformat.v4.new_markdown_cell(cell))
            continue
        source, outputs, tags = (*cell, [], [])[:3]
        code = nbformat.v4.new_code_cell(source, metadata={"tags": tags})
        code.outputs = [
            nbformat.v4.new_output("display_data", data=data) for data in outputs
        ]
        made.append(code)
    return nbformat.v4.new_notebook(cells=made)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_card_says_what_a_notebook_asks_and_takes(path):
    card = cards.card(path)
    assert card["title"] and card["question"].endswith("?")
    assert card["read"].isdigit() and card["run"]
    outputs = [
        output
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", ())
    ]
    assert bool(card["picture"]) == any(
        "image/png" in x.get("data", ()) for x in outputs
    )


def test_card_of_notebook_03_shows_the_three_regimes():
    card = cards.card(ROOT / "notebooks" / "03_beta.ipynb")
    assert card["picture"][1].startswith("Three rows, for β of 0, 12 and 200")


@pytest.mark.parametrize(
    ("opening", "read", "run"),
    [
        ("About 45 minutes to read; about 1½ minutes to run on two cores.", "45", "1½"),
        (
            "It takes about 25 minutes to read, all about\na minute and a half to run.",
            "25",
            "1½",
        ),
        ("About 25 minutes to read, about two and a half minutes to run.", "25", "2½"),
        ("The core takes about 35 minutes.", "35", None),
    ],
)
def test_minutes_are_read_from_the_opening(tmp_path, opening, read, run):
    path = tmp_path / "01_model.ipynb"
    nbformat.write(notebook_of(f"# A model\n\n{opening}"), path)
    card = cards.card(path)
    assert (card["read"], card["run"]) == (read, run)


def test_title_of_a_solution_goes_without_its_number(tmp_path):
    path = tmp_path / "01_model.ipynb"
    nbformat.write(notebook_of("# Solutions 01: a model"), path)
    assert cards.title(path) == "a model"


def test_recipe_holds_what_a_widget_needs_and_nothing_else():
    source = """
import numpy as np
import keras
from vae_lib.training import train
SEED, EPOCHS = 0, 8
keras.utils.set_random_seed(SEED)
vae = first()
train(vae, old)
digits = load()
vae = VAE(2)
history = train(vae, digits.train, epochs=EPOCHS)
assert vae.beta == 1
other = VAE(3)
train(other, digits.train)
figures.show(vae)
"""
    statements = ast.parse(source).body
    kept = [ast.unparse(part) for part in living.recipe(statements, {"vae", "digits"})]
    assert kept == [
        "import keras",
        "from vae_lib.training import train",
        "SEED, EPOCHS = (0, 8)",
        "keras.utils.set_random_seed(SEED)",
        "digits = load()",
        "vae = VAE(2)",
        "history = train(vae, digits.train, epochs=EPOCHS)",
    ]


def test_recipe_is_not_misled_by_names_inside_functions():
    source = """
mu = encode(images)
def double(mu):
    return 2 * mu
rows = [mu for mu in (1, 2)]
vae = double(3)
"""
    kept = living.recipe(ast.parse(source).body, {"vae"})
    assert [ast.unparse(part).split("(")[0] for part in kept] == [
        "def double",
        "vae = double",
    ]


def test_recipe_leaves_out_models_of_loops_and_functions():
    source = """
for name in ("a", "b"):
    keras.utils.set_random_seed(0)
    vae = VAE(name)
    train(vae, images)
def race(vae):
    keras.utils.set_random_seed(1)
    train(vae, images)
vae = VAE(2)
train(vae, images)
"""
    kept = living.recipe(ast.parse(source).body, {"vae"})
    assert list(map(ast.unparse, kept)) == ["vae = VAE(2)", "train(vae, images)"]


def test_run_does_each_statement_once():
    statements, run = ast.parse("made = []\nmade.append(1)").body, living.Run()
    run.execute(statements)
    run.execute(statements)
    assert run.value(ast.parse("made[0] + len(made)", mode="eval").body) == 2


def test_places_are_where_widgets_are_made():
    notebook = json.loads(
        nbformat.writes(
            notebook_of(
                "# Title",
                ("vae = VAE(2)",),
                ("!pip list",),
                ("pad = LatentPad(vae, digits.test)\npad",),
            )
        )
    )
    (place,) = living.places(notebook)
    assert place.cell == 3 and ast.unparse(place.call) == "LatentPad(vae, digits.test)"
    assert [ast.unparse(statement) for statement in place.before] == ["vae = VAE(2)"]


@pytest.fixture
def deck(tmp_path):
    """A function that returns the slides of a notebook of cells, as HTML."""

    def deck(*cells, pages=None, lab=False):
        path = tmp_path / "01_model.ipynb"
        nbformat.write(notebook_of("# A model\n\n**The question: why?**", *cells), path)
        return slides.slides_html(path, pages, lab)

    return deck


def test_answer_of_a_guess_comes_after_the_break(deck):
    html = (
        '<p><b>Your guess.</b> Which?</p><ol type="a"><li>this</li><li>that</li></ol>'
        "<details><summary>The answer</summary>“that”. Because.</details>"
    )
    made = deck(
        "## Part\n\n> **Predict.** Which one?",
        ("Guess(Q)", [WIDGET | {"text/html": html}]),
    )
    asked, answered = made.index("<li>that</li>"), made.index("Because.")
    assert made.index("Which one?") < asked < answered
    assert 'data-last="1"' in made[made.rindex("<div", 0, asked) : asked]
    assert "<div" in made[asked:answered] and "data-last" not in made[asked:answered]


@pytest.mark.parametrize(
    "heading", ["## Going deeper: more", "## Exercises", "## References"]
)
def test_slides_hold_the_core(deck, heading):
    made = deck(
        "## Part\n\nText.",
        f"{heading}\n\nHidden.",
        "### Below\n\nToo.",
        "## Next\n\nSeen.",
    )
    assert "Text." in made and "Seen." in made
    assert "Hidden." not in made and "Too." not in made


def test_caption_stays_with_its_figure(deck):
    png = {"image/png": "iVBORw0KGgo=", "text/plain": "x"}
    made = deck("## Part", ("figures.show(f)", [png]), "*Notice the slope.*")
    caption = made.index("Notice the slope.")
    assert 'class="block caption" data-join="1"' in made[made.index("<img") : caption]


def test_an_attached_picture_is_on_the_slide_with_its_caption(tmp_path):
    notebook = notebook_of("# A model\n\n![Ten](attachment:ten.png)\n\n*Look.*")
    notebook.cells[0].attachments = {"ten.png": {"image/png": "iVBORw0KGgo="}}
    nbformat.write(notebook, path := tmp_path / "01_model.ipynb")
    made = slides.slides_html(path)
    assert 'src="data:image/png;base64,iVBORw0KGgo=" alt="Ten"' in made
    caption = made[made.index("<img") : made.index("Look.")]
    assert 'class="block caption" data-join="1"' in caption


def test_checks_and_plumbing_are_no_slides(deck):
    made = deck(
        "## Part\n\nText.",
        ("assert one == 1",),
        ("two == 2", [{"text/plain": "True"}], ["check"]),
    )
    assert "assert" not in made and "True" not in made


def test_widget_leads_to_its_living_page(deck):
    png = WIDGET | {"image/png": "iVBORw0KGgo="}
    page = {"file": "01_model-1.html", "title": "The pad"}
    made = deck("## Part\n\nText.", ("LatentPad(vae, x)", [png]), pages={2: page})
    assert 'href="../living/01_model-1.html"' in made and "The pad" in made


PAD = {"file": "01_model-1.html", "title": "The latent pad: drag over the map"}
PNG = WIDGET | {"image/png": "iVBORw0KGgo="}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("It trains fast. The square button stops it. It is done.", "It trains fast."),
        ("Pick a map and press *Run*. A cross marks the end.", None),
        ("You need little. If it feels rusty, unfold this first:", "You need little."),
        ("The same outputs. Now the gradients:", "The same outputs."),
    ],
)
def test_slides_leave_out_what_only_the_notebook_has(deck, text, left):
    made = deck(f"## Part\n\n{text}", "## Next\n\nSeen.")
    for part in slides.SENTENCE.split(text):
        assert (part in made) == (part == left or part == "It is done.")


def test_a_caption_whose_end_is_left_out_stays_slanted(deck):
    text = "*Each line has a slope.* Read the left panel first. It falls."
    made = deck(f"## Part\n\n{text}", "## Next\n\nSeen.")
    assert "<em>Each line has a slope.</em> It falls." in made


def test_text_about_a_pad_stays_with_its_living_page(deck):
    text = "Drag the ring. The digit follows."
    made = deck(f"## Part\n\n{text}", ("LatentPad(vae, x)", [PNG]), pages={2: PAD})
    block = made[made.rindex("<div", 0, made.index(text)) : made.index(text)]
    assert 'data-keep="1"' in block and 'class="block figure living"' in made


def test_text_about_a_pad_on_an_earlier_slide_has_a_link(deck):
    made = deck(
        ("LatentPad(vae, x)", [PNG]),
        "## Part\n\n> **Predict.** Remember the pad. Where was it fast?",
        pages={1: PAD},
    )
    asked = made[made.index("Remember the pad") :]
    link = '<a href="../living/01_model-1.html">The latent pad</a>'
    assert link in asked[: asked.index("</div>")]


@pytest.mark.parametrize("lab", [False, True])
def test_training_panel_leads_to_the_laboratory_if_there_is_one(deck, lab):
    text = "The panel has every setting. Training runs along."
    made = deck(f"## Part\n\n{text}", ("TrainingPanel(x)", [PNG]), lab=lab)
    assert ('href="../lab.html"' in made) == lab
    assert "<img" in made and "every setting" not in made and "runs along" not in made


def test_caption_stays_with_the_picture_of_a_widget(deck):
    made = deck("## Part\n\nText.", ("RhoWalk(x)", [PNG]), "*A map that is clipped.*")
    caption = made.index("A map that is clipped")
    assert 'class="block caption" data-join="1"' in made[made.index("<img") : caption]


# -- the search


def weighed(*pages):
    """Return the weights of pages of (title, headings, text), words unstemmed."""
    counts = []
    for title, headings, text in pages:
        parts = f"{title} {headings} {text}", f"{title} {headings}", title
        counts.append(tuple(Counter(part.lower().split()) for part in parts))
    return words.weights(counts, lambda word: word)


def test_page_about_a_word_weighs_more_than_one_that_has_it():
    about = "On collapse", "Collapse early", "collapse " * 9
    other = "Notes", "", "collapse " * 9
    found = weighed(other, about, ("Rest", "", "nothing"))["collapse"]
    assert found[1] > found[0] and 2 not in found


def test_rare_word_weighs_more_than_a_common_one():
    page = "Title", "", "prior " * 9 + "collapse " * 9
    found = weighed(page, *[("Rest", "", "prior prior")] * 5)
    assert found["collapse"][0] > found["prior"][0]


@pytest.mark.parametrize("pattern", words.SAME)
def test_words_for_one_thing_weigh_the_same(pattern):
    same = [word.lower() for word in words.SAME[pattern]]
    found = weighed(("Title", "", f"{same[0]} " * 9), ("Rest", "", same[-1]))
    assert len({str(found[word]) for word in same}) == 1
    assert all(re.search(pattern, word, re.IGNORECASE) for word in same[:1])


def test_suggestions_are_the_words_that_the_site_has_often():
    pages = Counter(encoder=2, decoder=4, typo=1), Counter(encoder=3, kl=9)
    assert words.suggestions(pages) == ["encoder", "decoder"]

"""The harness itself, on a notebook of three cells: a slider, a picture, and training
in the background.
"""

import json
import shutil

import pytest
from latencies import Latencies, Latency
from pages import PROJECTOR
from servers import launch_chromium

pytestmark = pytest.mark.full

CELLS = [
    """
import io, threading, time
import ipywidgets as widgets
import numpy as np
from IPython.display import display
from PIL import Image

def png(value):
    with io.BytesIO() as file:
        Image.fromarray(np.full((28, 28), value, "uint8")).resize((280, 280)).save(file, "PNG")
        return file.getvalue()
""",
    """
brightness = widgets.IntSlider(100, 0, 250, description="brightness")
picture = widgets.Image(value=png(100), width=280, height=280)
brightness.observe(lambda change: setattr(picture, "value", png(change.new)), "value")
display(brightness, picture)
""",
    """
start, said = widgets.Button(description="Start"), widgets.HTML("ready")

def train():
    for step in range(1, 6):
        time.sleep(0.1)
        said.value = f"step {step}"

start.on_click(lambda _: threading.Thread(target=train, daemon=True).start())
display(start, said)
""",
]


@pytest.fixture(scope="module")
def tiny(jupyterlab):
    """The path of the small notebook, in JupyterLab's folder."""
    return jupyterlab.write("tiny.ipynb", CELLS)


def test_slider_button_and_picture_in_jupyterlab(
    tiny, open_notebook, latencies, results
):
    notebook = open_notebook(tiny.name)
    seconds = notebook.run_all()
    assert 0 < seconds < 60
    assert notebook.alarms() == []

    slider, picture = notebook.slider("brightness"), notebook.pictures().first
    before = notebook.look(picture)
    slider.press("ArrowRight", times=3)
    notebook.wait_change(picture, before)
    assert slider.value == 103

    slider.drag(to=1.0)
    notebook.wait_still(picture)
    assert slider.value == 250
    slider.type(103)
    notebook.wait_still(picture)
    assert slider.value == 103
    assert notebook.look(picture) != before

    timed = latencies["harness: key to picture through the kernel"] = notebook.latency(
        slider, picture
    )
    assert timed.n == 20 and 0 < timed.floor_p50 <= timed.p50 <= timed.p95

    said = notebook.page.locator(".jupyter-widgets.widget-html")
    notebook.button("Start").click()
    notebook.wait_change(said, notebook.look(said))
    notebook.wait_still(said)
    assert said.text_content() == "step 5"

    notebook.theme("JupyterLab Dark")
    notebook.screenshot(results / "harness.png")
    assert (results / "harness.png").stat().st_size > 5000
    assert notebook.errors == []


def test_alarms_and_console_errors_are_seen(jupyterlab, open_notebook):
    jupyterlab.write(
        "broken.ipynb",
        ["import sys; print('careful', file=sys.stderr)", "1 / 0", "2 + 2"],
    )
    notebook = open_notebook("broken.ipynb", viewport=PROJECTOR)
    assert notebook.run_all() is None
    careful, division = notebook.alarms()
    assert "careful" in careful and "ZeroDivisionError" in division
    notebook.page.evaluate(
        "console.error('alarm'); fetch('http://elsewhere.invalid').catch(() => null)"
    )
    notebook.page.wait_for_timeout(200)
    assert notebook.errors[:2] == [
        "alarm",
        "The page asked for http://elsewhere.invalid/",
    ]


def test_slider_and_button_in_voila(tiny, open_application):
    application = open_application(tiny)
    application.wait_ready()
    slider, picture = application.slider("brightness"), application.pictures().first
    before = application.look(picture)
    slider.press("ArrowLeft")
    application.wait_change(picture, before)
    application.button("Start").click()
    application.page.get_by_text("step 5").wait_for()
    assert application.errors == []


@pytest.mark.parametrize(
    "required, outcome",
    [("", pytest.skip.Exception), ("required", pytest.fail.Exception)],
)
def test_where_chromium_is_missing_a_sentence_says_how_to_get_it(
    playwright, monkeypatch, required, outcome
):
    monkeypatch.setenv("VAE_LIB_BROWSER", required)
    monkeypatch.setattr(shutil, "which", lambda name: "/nowhere/chromium")
    with pytest.raises(outcome, match="sudo apt install chromium"):
        launch_chromium(playwright)


def test_latencies_are_saved_and_printed(tmp_path):
    latencies = Latencies(
        slider=Latency.of([30.0, 40.0, 50.0], [10.0, 10.0, 10.0]),
        stop=Latency.of([200.0]),
    )
    latencies.save(tmp_path / "latencies.json")
    saved = json.loads((tmp_path / "latencies.json").read_text(encoding="utf-8"))
    assert saved["slider"] == {
        "n": 3,
        "p50": 40,
        "p95": 49,
        "floor_p50": 10,
        "floor_p95": 10,
    }
    slider, stop = latencies.lines()
    assert slider.endswith("4.0 × the floor") and "floor" not in stop

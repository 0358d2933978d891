"""The three controls of notebook 02 in a real JupyterLab: they answer, and failures are
seen as failures.
"""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [
    pytest.mark.full,
    pytest.mark.parametrize("notebook", ["02_reparametrization.ipynb"], indirect=True),
]
PATIENCE = 180  # seconds, for what takes two on a machine of one's own


def control(notebook, label):
    """Return the control of the house that holds the widget with this description."""
    return notebook.page.locator(".vae").filter(has=notebook.control(label)).last


def test_rho_walks_into_infinity_and_nan_and_back(notebook, latencies, results):
    slider, box = notebook.slider("ρ"), control(notebook, "ρ")
    table = box.locator("table")
    slider.type(-50)
    table.get_by_text("∞", exact=True).first.wait_for()
    assert table.get_by_text("NaN", exact=True).count() == 0
    slider.type(-109)
    table.get_by_text("NaN", exact=True).first.wait_for()
    notebook.screenshot(results / "02_rho.png", box)
    slider.type(1)
    table.get_by_text("NaN", exact=True).first.wait_for(state="detached")
    assert table.get_by_text(re.compile("^−?∞$")).count() == 0
    latencies["rho: key to table"] = notebook.latency(
        slider, box.locator(".widget-html-content").last
    )
    assert notebook.errors == []


def test_the_estimates_gather_as_samples_are_added(notebook, results):
    notebook.command("notebook:expand-all-headings")  # the slider is in a folded one
    slider, box = notebook.slider("samples"), control(notebook, "samples")
    picture = box.locator("img.widget-image")
    for _ in range(7):
        before = notebook.look(picture)
        slider.press("ArrowRight")
        notebook.wait_change(picture, before, timeout=PATIENCE)
    assert slider.value == 128
    notebook.screenshot(results / "02_samples.png", box)
    assert notebook.errors == []


def test_the_panel_trains_and_draws_failures_as_failures(notebook, results):
    box = control(notebook, "learning rate")
    picture, status = box.locator("img.widget-image"), box.locator("[role=status]")
    for name, presses, words in (
        ("direct", 0, "0 of 2 runs failed"),  # two is the small size
        ("softplus", 2, "[12] of 2 runs failed"),
    ):
        notebook.control("map").locator("select").select_option(name)
        notebook.slider("learning rate").press(
            "ArrowRight", times=presses
        )  # from 0.01 to 0.1
        before = notebook.look(picture)
        notebook.button("Run").click()
        milliseconds = notebook.wait_change(picture, before, timeout=PATIENCE)
        status.filter(has_text=re.compile(words)).wait_for(timeout=1000 * PATIENCE)
        notebook.wait_still(picture)
        notebook.screenshot(results / f"02_panel_{name}.png", box)
        print(
            f"{name}: first curves after {milliseconds:.0f} ms; {status.text_content()}"
        )
    expect(notebook.button("Run")).to_be_enabled()
    expect(notebook.button("Stop")).to_be_disabled()
    assert notebook.errors == []


def test_every_setting_of_the_panel_can_be_chosen(notebook, results):
    box = control(notebook, "learning rate")
    notebook.control("map").locator("select").select_option("log_deviation")
    notebook.control("optimizer").locator("select").select_option("SGD")
    notebook.slider("initial σ").press("End")
    before = notebook.look(box.locator("img.widget-image"))
    notebook.button("Run").click()
    notebook.wait_change(box.locator("img.widget-image"), before, timeout=PATIENCE)
    box.locator("[role=status]").filter(has_text="runs failed").wait_for(
        timeout=1000 * PATIENCE
    )
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.theme(theme)
        notebook.screenshot(results / f"02_panel_{theme.split()[1]}.png", box)
    assert notebook.errors == []


def test_the_panel_stops(notebook):
    box = control(notebook, "learning rate")
    notebook.button("Run").click()
    notebook.button("Stop").click()
    box.locator("[role=status]").filter(
        has_text=re.compile(r"\d+ steps in .* runs failed")
    ).wait_for(timeout=1000 * PATIENCE)
    expect(notebook.button("Run")).to_be_enabled()
    assert notebook.alarms() == [] and notebook.errors == []

"""Fixtures for tests in a real browser: a Chromium, a JupyterLab, notebooks opened in
it, applications.

    @pytest.mark.parametrize("notebook", ["01_model.ipynb"], indirect=True)  # opened, and all cells run
    def test_digit_follows_the_slider(notebook, latencies):
        picture = notebook.pictures().last
        before = notebook.look(picture)
        notebook.slider("z₁").press("ArrowRight", times=3)
        notebook.wait_change(picture, before)
        assert notebook.errors == []

Variables: VAE_LIB_BROWSER=required fails instead of skipping where Chromium is missing;
VAE_LIB_SCREENSHOTS names the folder for screenshots and latencies.json.
"""

import os
from pathlib import Path

import pytest
from latencies import Latencies
from pages import Application, Notebook
from playwright.sync_api import sync_playwright
from servers import JupyterLab, Voila, launch_chromium

LATENCIES = pytest.StashKey()


@pytest.fixture(scope="session")
def playwright():
    """The driver of browsers."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright):
    """A headless Chromium."""
    browser = launch_chromium(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def jupyterlab(browser, tmp_path_factory):
    """A JupyterLab on a copy of notebooks/, of the code what the controls need; a test
    may write more notebooks to its `root`.
    """
    server = JupyterLab(tmp_path_factory.mktemp("jupyterlab"))
    yield server
    server.close()


@pytest.fixture
def open_notebook(browser, jupyterlab):
    """A function that opens a notebook by its name, not yet run; closed when the test
    is over.
    """
    opened = []

    def open_notebook(name, **options):
        opened.append(Notebook(browser, jupyterlab, name, **options))
        return opened[-1]

    yield open_notebook
    for notebook in opened:
        notebook.close()


@pytest.fixture(scope="session")
def notebook(request, browser, jupyterlab, results):
    """The notebook that a test names, run once for all tests that name it;
    `first_picture` in seconds.
    """
    notebook = Notebook(browser, jupyterlab, request.param)
    try:
        notebook.first_picture = notebook.run_all()
        yield notebook
    finally:
        notebook.screenshot(
            results / f"{request.param}.last.png"
        )  # shows what a failed test saw
        notebook.close()


@pytest.fixture
def open_application(browser, tmp_path):
    """A function that serves one notebook (a path) with Voilà and opens it; all ends
    with the test.
    """
    opened = []

    def open_application(path, **options):
        opened.append(Voila(tmp_path, path))
        opened.append(Application(browser, opened[0].url, **options))
        return opened[1]

    yield open_application
    for part in reversed(opened):
        part.close()


@pytest.fixture(scope="session")
def results(request, tmp_path_factory):
    """The folder for screenshots and latencies.json."""
    folder = Path(
        os.environ.get("VAE_LIB_SCREENSHOTS") or tmp_path_factory.mktemp("results")
    )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def latencies(request, results):
    """The session's latencies, for tests to add to: `latencies["latent slider"] =
    notebook.latency(…)`.
    """
    latencies = Latencies()
    yield latencies
    latencies.save(results / "latencies.json")
    request.config.stash[LATENCIES] = list(latencies.lines())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Hand what was timed from a process with tests to the one that reports."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["latencies"] = session.config.stash.get(LATENCIES, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take what a process has timed."""
    lines = getattr(node, "workeroutput", {}).get("latencies")
    if lines:
        node.config.stash[LATENCIES] = lines


def pytest_terminal_summary(terminalreporter, config):
    """Print what was timed."""
    lines = config.stash.get(LATENCIES, [])
    if lines:
        terminalreporter.section("latencies in the browser")
        for line in lines:
            terminalreporter.line(line)

"""The order of the tests: quick ones first, then the notebooks, then the browser, notebook by notebook."""

from pathlib import Path

import pytest

BROWSER = Path(__file__).with_name("browser")


def turn(item):
    """Return what the tests are sorted by; tests that share a turn keep their order."""
    in_browser = BROWSER in item.path.parents
    params = getattr(item, "callspec", None) and item.callspec.params or {}
    return in_browser, item.path.suffix == ".ipynb", str(params.get("notebook", "")) if in_browser else ""


@pytest.hookimpl(trylast=True)  # after pytest's own grouping
def pytest_collection_modifyitems(items):
    """Sort, so that a fault shows early and a notebook is opened in the browser once for all its tests."""
    items.sort(key=turn)

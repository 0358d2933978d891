"""The order of the tests: quick ones first, then the notebooks, then the browser, notebook by notebook."""

from pathlib import Path

import pytest

BROWSER = Path(__file__).with_name("browser")


def turn(item):
    """Return what the tests are sorted by; tests that share a turn keep their order."""
    if item.path.suffix == ".ipynb":
        return 1, ""
    if BROWSER not in item.path.parents:
        return 0, ""
    return 2, item.callspec.params.get("notebook", "") if hasattr(
        item, "callspec"
    ) else ""


@pytest.hookimpl(trylast=True)  # after pytest's own grouping
def pytest_collection_modifyitems(items):
    """Sort, so that a fault shows early and a notebook is opened in the browser once for all its tests."""
    items.sort(key=turn)

"""The three sizes of the test suite, and the order of the tests.

    pytest --quick    unit tests, without the slow ones, notebooks and the browser
    pytest            also slow ones, each notebook with small sizes, every control once
    pytest --full     everything, and each notebook at full size

Any further argument of pytest chooses among the tests of that size. A whole size runs
in two processes, one of which has all tests in the browser; files that are named run in
one (`-n 0` does that for a whole size, too).
"""

import os
import sys

import pytest
from xdist.scheduler import LoadScopeScheduling

LEFT_OUT = {
    "quick": {"slow", "notebook", "browser", "full", "lab"},
    "middle": {"full", "lab"},
    "full": set(),
}


def pytest_addoption(parser):
    """Add --quick and --full."""
    group = parser.getgroup("sizes of the suite")
    group.addoption("--quick", action="store_true", help="unit tests only")
    group.addoption("--full", action="store_true", help="everything, at full size")


def size_of(config):
    """Return "quick", "middle" or "full"."""
    quick, full = config.getoption("quick"), config.getoption("full")
    if quick and full:
        raise pytest.UsageError("--quick and --full exclude each other: choose one.")
    return "quick" if quick else "full" if full else "middle"


def pytest_configure(config):
    """Let kernels that tests start run small sizes, or full ones with --full."""
    if size_of(config) == "full":
        os.environ["VAE_LIB_QUICK"] = "0"
    else:
        os.environ.setdefault("VAE_LIB_QUICK", "1")


def pytest_report_header(config):
    """Say which size this is."""
    size, left_out = size_of(config), LEFT_OUT[size_of(config)]
    return f"size: {size}; left out: {', '.join(sorted(left_out)) or 'nothing'}"


def pytest_xdist_auto_num_workers(config):
    """Return 2 for a whole size, and 0 (no further process) where tests are named."""
    return 2 if config.args_source is pytest.Config.ArgsSource.TESTPATHS else 0


@pytest.fixture(autouse=True)
def seeded():
    """Let every test start from the same seeds, whatever has run before it."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


class OneWithTheBrowser(LoadScopeScheduling):
    """Keep the tests of a file in one process, and all in the browser in one."""

    def _split_scope(self, nodeid):
        browser = nodeid.startswith("tests/browser/")
        return "browser" if browser else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config, log):
    """Return how tests are shared out among processes."""
    return OneWithTheBrowser(config, log)


def turn(item):
    """Return what the tests are sorted by; tests that share a turn keep their order.

    The browser comes first, which keeps one process busy longest.
    """
    if item.get_closest_marker("browser"):
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        return 0, parameters.get("notebook", "")
    return (2 if item.get_closest_marker("notebook") else 1), ""


def pytest_itemcollected(item):
    """Mark tests of notebooks and tests in the browser."""
    if item.path.suffix == ".ipynb":
        item.add_marker("notebook")
    elif "playwright" in item.fixturenames:
        item.add_marker("browser")


@pytest.hookimpl(trylast=True)  # after pytest's own grouping
def pytest_collection_modifyitems(config, items):
    """Leave out what is not of this size, and sort.

    A notebook is opened in the browser once for all tests that name it.
    """
    names = LEFT_OUT[size_of(config)]
    out = [item for item in items if names & {m.name for m in item.iter_markers()}]
    config.hook.pytest_deselected(items=out)
    items[:] = sorted((item for item in items if item not in set(out)), key=turn)

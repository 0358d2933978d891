"""Equal code shares what was compiled; changed code does not."""

import linecache

import keras
import pytest

from vae_lib.engine import engine_for
from vae_lib.meaning import class_meaning, meaning
from vae_lib.model import VAE, VAEBase

CELLS = iter(range(1000))


@pytest.fixture(autouse=True)
def registry():
    """Undo what classes made here register with Keras: other tests load saved models by the same name."""
    registered = keras.saving.get_custom_objects()
    before = dict(registered)
    yield
    registered.clear()
    registered.update(before)


def run(source, names):
    """Run source as a notebook's cell: in `__main__`, its lines where `inspect` finds them."""
    name = f"<cell {next(CELLS)}>"
    linecache.cache[name] = len(source), None, source.splitlines(True), name
    exec(compile(source, name, "exec"), names)
    return names


@pytest.fixture
def names():
    return run(
        "import keras\n\ndef inner(x):\n    return x + 1\n\ndef outer(x):\n    return 2 * inner(x)\n",
        {"__name__": "__main__"},
    )


def test_docstrings_comments_and_places_do_not_matter(names):
    before = meaning(names["outer"])
    run(
        'def outer(x):\n    """Say what it does."""\n    # and why\n    return 2 * inner(x)\n',
        names,
    )
    assert meaning(names["outer"]) == before and hash(meaning(names["outer"])) == hash(
        before
    )


@pytest.mark.parametrize(
    "cell",
    [
        "def outer(x):\n    return 3 * inner(x)\n",
        "def outer(x, y=1):\n    return 2 * inner(x)\n",
        "def inner(x):\n    return x + 2\n",
        "inner = keras.ops.square",
    ],
)
def test_changed_code_and_changed_functions_that_it_calls_do(names, cell):
    before = meaning(names["outer"])
    run(cell, names)
    assert meaning(names["outer"]) != before


def test_functions_that_call_themselves_and_that_have_no_source(names):
    run("def down(n):\n    return n and down(n - 1)\n", names)
    assert meaning(names["down"]) == meaning(names["down"])
    exec("def bare(x):\n    return x\n", names)
    one = names["bare"]
    exec("def bare(x):\n    return x\n", names)
    assert meaning(one) == meaning(one) != meaning(names["bare"])


CLASS = """
from vae_lib.model import VAEBase, build_encoder, build_decoder, images_of, rate, ops
import tensorflow as tf
import keras

class VAE(VAEBase):
"""


def test_a_class_written_out_in_a_notebook_shares_what_was_compiled_for_the_librarys():
    import ast
    import inspect

    tree = ast.parse(inspect.getsource(VAE))
    for part in ast.walk(tree):
        if isinstance(part, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            part
        ):
            part.body = part.body[1:]
    body = ast.unparse(tree).split("\n", 1)[1]
    names = run(CLASS + body, {"__name__": "__main__"})
    assert VAE.__annotations__ == {}  # asked for, the class has got them from now on
    assert names["VAE"] is not VAE and class_meaning(
        names["VAE"], VAEBase
    ) == class_meaning(VAE, VAEBase)
    assert engine_for(names["VAE"](hidden=(5,))) is engine_for(VAE(hidden=(5,)))
    run("def rate(mu, sigma, log_sigma):\n    return ops.sum(mu**2, axis=-1)\n", names)
    assert engine_for(names["VAE"](hidden=(5,))) is not engine_for(VAE(hidden=(5,)))


def test_another_class_is_another():
    class Other(VAE):
        pass

    assert (
        class_meaning(Other, VAEBase) != class_meaning(VAE, VAEBase)
        or vars(Other).get("call") is None
    )

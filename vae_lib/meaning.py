"""What code means, wherever it is written: two classes of equal code can share what was compiled for one."""

import ast
import functools
import inspect
import textwrap
import types

OURS = (
    "__main__",
    "vae_lib",
)  # whose functions are read; all others are compared by identity
UNIMPORTANT = {
    "__module__",
    "__qualname__",
    "__doc__",
    "__firstlineno__",
    "__static_attributes__",
    "__annotations__",
    "__annotate__",
    "__annotations_cache__",
}  # the last three appear when they are asked for


def class_meaning(cls, base):
    """Return a hashable value that is equal for classes derived from `base` by equal code.

    Docstrings, comments and places have no part in it; the functions that the methods call have. So the class
    that a notebook builds in the open equals the library's, until a learner changes a cell that it stands on.
    """
    parts = [
        part for part in cls.__mro__ if issubclass(part, base) and part is not base
    ]
    members = [
        (name, value)
        for part in parts
        for name, value in vars(part).items()
        if name not in UNIMPORTANT
    ]
    return base, *((name, meaning(value)) for name, value in members)


def meaning(value, seen=()):
    """Return a hashable value that stands for what `value` does; `seen` are functions that are being read."""
    if isinstance(value, types.FunctionType) and value.__module__.split(".")[0] in OURS:
        if value in seen:
            return value.__name__
        tree, names = syntax(value)
        known = {
            name: value.__globals__[name] for name in names if name in value.__globals__
        }
        return tree, *(
            (name, meaning(item, (*seen, value)))
            for name, item in sorted(known.items())
        )
    return value if type(value).__hash__ else id(value)


@functools.lru_cache(1000)
def syntax(function):
    """Return a function's syntax tree as text without docstrings, and the names in it that are not local."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (
        OSError,
        TypeError,
        SyntaxError,
    ):  # no source, or half a line of one: it is equal to itself only
        return function, ()
    for part in ast.walk(tree):
        if isinstance(part, ast.FunctionDef) and ast.get_docstring(part) is not None:
            part.body = part.body[1:]
    names = {part.id for part in ast.walk(tree) if isinstance(part, ast.Name)}
    return ast.dump(tree), tuple(names.difference(function.__code__.co_varnames))

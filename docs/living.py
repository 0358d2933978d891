"""Living pages of the site: the notebooks' widgets, rebuilt with the notebooks' own
models, without a kernel.
"""

import ast
import dis
import functools
import types
from pathlib import Path
from typing import NamedTuple

THEME = Path(__file__).resolve().parent / "theme"
FEW = 2000  # digits to train on in a hurry
TITLES = {
    "LatentPad": "The latent pad: drag over the map of codes, and the digit follows",
    "DrawingBoard": "Draw your own digit, and see where the encoder puts it",
    "BetaSlider": "The β slider: one network at every β",
}
STANDS_FOR = {"LatentPlane": "LatentPad"}  # its kernel decodes; the pad needs none


class Place(NamedTuple):
    """A widget in a notebook: the number of its cell, the call that makes it, and the
    statements up to there.
    """

    cell: int
    call: ast.Call
    before: list


def places(notebook):
    """Yield the place of each widget of `notebook` that can live without a kernel."""
    before = []
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code":
            continue
        try:
            statements = ast.parse("".join(cell["source"])).body
        except SyntaxError:  # a line for the shell, for instance
            continue
        for statement in statements:
            for node in ast.walk(statement):
                if getattr(getattr(node, "func", None), "id", None) in (
                    *TITLES,
                    *STANDS_FOR,
                ):
                    yield Place(number, node, list(before))
            before.append(statement)


def instructions(node):
    """Yield (depth, instruction) of a statement or an expression, compiled: 0 in the
    notebook, 1 in a function.
    """
    whole = (
        ast.Module([node], []) if isinstance(node, ast.stmt) else ast.Expression(node)
    )
    mode = "exec" if isinstance(node, ast.stmt) else "eval"
    waiting = [(0, compile(whole, "<notebook>", mode))]
    while waiting:
        depth, code = waiting.pop()
        yield from ((depth, instruction) for instruction in dis.get_instructions(code))
        inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
        waiting += [(depth + 1, part) for part in inner]


def bound(statement):
    """Return the names that a statement binds in its notebook."""
    return {
        instruction.argval
        for depth, instruction in instructions(statement)
        if depth == 0 and instruction.opname == "STORE_NAME"
    }


def read(node):
    """Return the names of the notebook that a statement or an expression reads, inside
    its functions, too.
    """
    return {
        instruction.argval
        for _, instruction in instructions(node)
        if instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL")
    }


def trains(statement, names):
    """Whether a statement trains a model of one of `names`, or seeds the weights of
    those that follow.
    """
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return False
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    if isinstance(statement, ast.Expr) and "set_random_seed" in map(called, calls):
        return True
    return any(
        called(call) == "train"
        and call.args
        and getattr(call.args[0], "id", None) in names
        for call in calls
    )


def called(call):
    """Return the name of what is called."""
    return getattr(call.func, "id", getattr(call.func, "attr", None))


def recipe(statements, names):
    """Return those of a notebook's `statements`, in order, that `names` need to come
    about.
    """
    names, kept = set(names), []
    for statement in reversed(statements):
        if isinstance(statement, ast.Assert):
            continue
        fixed = names - bound(statement)  # a loop trains models of its own
        if fixed != names or trains(statement, fixed):
            kept.append(statement)
            names = fixed | read(statement)
    return kept[::-1]


def in_a_hurry(train):
    """Return `train` for a trial of the builder: one epoch on few images."""

    @functools.wraps(train)
    def trial(vae, images, **settings):
        return train(vae, images[:FEW], **settings | {"epochs": 1})

    return trial


def silent(train):
    """Return `train` without its progress bar."""
    return lambda vae, images, **settings: train(
        vae, images, **settings | {"progress": False}
    )


class Run:
    """What has run of a notebook so far: its names, and the statements that are
    done.
    """

    def __init__(self):
        self.names, self.done = {"__name__": "notebook"}, []

    def execute(self, statements):
        """Run those statements that have not run yet."""
        for statement in statements:
            if not any(statement is one for one in self.done):
                self.done.append(statement)
                code = compile(ast.Module([statement], []), "<notebook>", "exec")
                exec(code, self.names)

    def value(self, expression):
        """Return the value of an expression."""
        code = compile(ast.Expression(expression), "<notebook>", "eval")
        return eval(code, self.names)


def living_widget(place, run):
    """Return (kind, widget, latent_dim) for a place of a notebook, with the model that
    the notebook trains.

    `run` is what has run of the notebook; those statements follow that the widget
    needs, and no others. Raises whatever they raise.
    """
    from vae_lib.data import load_mnist
    from vae_lib.widgets.pad import LatentPad

    kind, model = place.call.func.id, place.call.args[0]
    if kind in STANDS_FOR:
        run.execute(recipe(place.before, read(model)))
        kind, widget = STANDS_FOR[kind], LatentPad(run.value(model), load_mnist().test)
    else:
        run.execute(recipe(place.before, read(place.call)))
        widget = run.value(place.call)
    vae = widget.network if kind == "BetaSlider" else widget.vae
    return kind, widget, vae.latent_dim


def front_widgets(epochs=12):
    """Return the pad and the slider of the front page, small enough to answer as soon
    as the page is open.
    """
    import keras

    from vae_lib.data import load_mnist
    from vae_lib.experiments.one_network import ConditionedVAE
    from vae_lib.model import VAE
    from vae_lib.training import train
    from vae_lib.widgets.beta_slider import BetaSlider
    from vae_lib.widgets.pad import LatentPad

    digits, hidden = load_mnist(), (256, 128)
    keras.utils.set_random_seed(0)
    vae = VAE(2, hidden, activation="gelu")
    train(vae, digits.train.images, epochs=epochs)
    network = ConditionedVAE(latent_dim=2, hidden=hidden)
    train(network, digits.train.images, epochs=epochs)
    return {
        "LatentPad": LatentPad(vae, digits.test, count=1500),
        "BetaSlider": BetaSlider(network, digits.test.images, digits.test.labels),
    }


def living_page(widget, title, introduction, back, home, front=False):
    """Return `widget` as an HTML document that follows the theme of the page around it
    and tells it its height.

    `back` is the (address, text) of the page that it belongs to, `home` the address of
    the front page.
    """
    from vae_lib.widgets.page import page_html

    style = (THEME / "living.css").read_text("utf-8")
    script = (THEME / "living.js").read_text("utf-8")
    links = (
        f'<nav><a href="{home}" target="_top">Variational autoencoders</a> '
        f'<a href="{back[0]}" target="_top">{back[1]}</a></nav>'
    )
    page = page_html(widget, title, introduction)
    icon = '<link rel="icon" href="{}">'
    for mark, instead in {
        icon.format("data:,"): icon.format("../_static/icon.svg"),
        "</head>": f"<style>\n{style}</style>\n<script>\n{script}</script>\n</head>",
        "<body>": f'<body class="living{" living-front" * front}">\n{links}',
    }.items():
        if mark not in page:
            raise ValueError(f"a living page has no {mark}: see vae_lib.widgets.page.")
        page = page.replace(mark, instead, 1)
    return page

"""The notebooks keep the house style, and are stored as a reader on the web needs them.

Alt text: JupyterLab 4.6 and nbconvert's `lab` template draw `<img>` without any;
nbconvert's `classic` and `basic` templates and MyST take it from the output's metadata,
`{"image/png": {"alt": …}}`, which `vae_lib.course.showing.show` sets, and readers
without pictures get the output's `text/plain`. Both are checked.
"""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
CHAPTERS = sorted(FOLDER.glob("*.ipynb"))
SOLUTIONS = sorted(FOLDER.glob("solutions/*.ipynb"))

SPAN = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", re.DOTALL
)  # code and formulas are no prose
LINK = re.compile(r"!?\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)[^)]*\)")
CONDESCENDING = re.compile(r"\b(simply|just|easily)\b", re.IGNORECASE)
ADMONITION = re.compile(r"^> \*\*(?P<kind>[^*]+?)\.?\*\*", re.MULTILINE)
PATH = re.compile(
    r"""(^|[\s"'(=])(/(home|root|Users|tmp|usr|opt|var|work|mnt)/|[A-Z]:\\)|site-packages"""
)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def is_shown(cell):
    return "shown" in cell.metadata.get("tags", [])


# Each check returns what is wrong, as texts.


def long_cells(notebook, path):
    """Non-blank lines per code cell: median 4, 90th percentile 12, longest 20, or 40
    for a class shown.
    """
    lengths = []
    for cell in code_cells(notebook):
        lengths.append(sum(bool(line.strip()) for line in cell.source.splitlines()))
        if lengths[-1] > (
            40
            if is_shown(cell) and re.search("^class ", cell.source, re.MULTILINE)
            else 20
        ):
            yield f"{lengths[-1]} lines in the cell that begins {cell.source[:60]!r}"
    for share, limit in (50, 4), (90, 12):
        if (found := np.percentile(lengths, share)) > limit:
            most = f"should have at most {limit} lines, not {found:g}"
            yield f"{share} % of the code cells {most}"


def code_without_prose(notebook, path):
    """At most two code cells without prose between them."""
    kinds = [cell.cell_type == "code" for cell in notebook.cells]
    for i in range(len(kinds) - 2):
        if all(kinds[i : i + 3]):
            begins = notebook.cells[i].source[:60]
            yield f"three code cells in a row, the first begins {begins!r}"


def frame(notebook, path):
    """The same navigation bar at both ends, one H1, what the reader will learn and how
    long it takes.
    """
    first, last = notebook.cells[0].source, notebook.cells[-1].source
    bars = [
        line
        for line in first.splitlines()
        if line in last.splitlines() and LINK.search(line)
    ]
    if not bars:
        yield "the first and the last cell have no navigation bar in common"
    prose = "\n".join(SPAN.sub("", cell.source) for cell in prose_cells(notebook))
    headings = re.findall("^#+ ", prose, re.MULTILINE)
    if headings[:1] != ["# "] or headings.count("# ") != 1:
        yield "the first heading, and no other, is to be an H1"
    opening = " ".join(cell.source for cell in notebook.cells[:3])
    for phrase in "You will be able to", "minutes":
        if phrase not in opening:
            yield f"{phrase!r} is missing from the opening"


def wording(notebook, path):
    """No condescending words; admonitions of four kinds."""
    for cell in prose_cells(notebook):
        prose = SPAN.sub("", cell.source)
        yield from (
            f"{word!r} in {prose[:60]!r}" for word in CONDESCENDING.findall(prose)
        )
        for kind in set(ADMONITION.findall(prose)) - {
            "Note",
            "Predict",
            "Try it",
            "Pitfall",
        }:
            yield f"{kind!r} is none of our admonitions"


def links(notebook, path):
    """Files that are linked exist; pictures in the prose have alt text."""
    for cell in prose_cells(notebook):
        for link in LINK.finditer(SPAN.sub("", cell.source)):
            target = link["target"].split("#")[0]
            if (
                target
                and "://" not in target
                and not target.startswith(("attachment:", "mailto:"))
            ):
                if not (path.parent / target).exists():
                    yield f"there is no {target}"
            if link[0].startswith("!") and not link["text"].strip():
                yield f"{link[0]} has no alt text"
        for tag in re.findall(r"<img(?![^>]*\balt=.\w)[^>]*>", cell.source):
            yield f"{tag} has no alt text"


def attached(notebook, path):
    """What is attached to prose is shown there, and is an output of this notebook."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    made = {output.get("data", {}).get("image/png", "").strip() for output in outputs}
    for cell in prose_cells(notebook):
        for name, data in cell.get("attachments", {}).items():
            if data["image/png"].strip() not in made:
                yield f"{name} is no output of this notebook: attach it anew"
            if f"](attachment:{name})" not in cell.source:
                yield f"{name} is attached, but not shown"


def stored_outputs(notebook, path):
    """Executed 1 … N from a fresh kernel, without errors, stderr, or widget state, for
    kernel python3.
    """
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"not executed from 1 to {len(counts)}: {counts}"
    for output in outputs(notebook):
        if output.output_type == "error" or output.get("name") == "stderr":
            text = output.get("text", output.get("evalue"))
            yield f"{output.get('name', 'error')}: {text[:80]!r}"
    if "widgets" in notebook.metadata:
        yield "metadata.widgets is stored, which GitHub cannot show"
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"


def absolute_paths(notebook, path):
    """No path of somebody's machine, in sources or outputs."""
    texts = [cell.source for cell in notebook.cells]
    for output in outputs(notebook):
        texts += [output.get("text", ""), *map(str, output.get("traceback", []))]
        data = output.get("data", {})
        texts += [str(data[kind]) for kind in data if not kind.startswith("image/")]
    for text in texts:
        yield from (
            f"the path {text[m.start() : m.start() + 40]!r}"
            for m in PATH.finditer(text)
        )


def pictures(notebook, path):
    """Every picture in an output is described, and the file stays small."""
    for output in outputs(notebook):
        if "image/png" in output.get("data", {}):
            described = output.metadata.get("image/png", {}).get("alt", "").strip()
            if not described or output.data.get("text/plain", "<Figure").startswith(
                "<"
            ):
                yield f"a picture without alt text: {output.data.get('text/plain')!r}"
        if "image/svg+xml" in output.get("data", {}):
            yield "an SVG, which nbval would compare"
    if path.exists() and path.stat().st_size > 2 * 1024**2:
        yield f"{path.stat().st_size} bytes are more than 2 MB"


def shown_code(notebook, path):
    """Cells tagged `shown` are the library's definitions, but for docstrings
    and hints.
    """
    for cell in filter(is_shown, code_cells(notebook)):
        for node in ast.parse(cell.source).body:
            is_import = isinstance(node, (ast.Import, ast.ImportFrom))
            if not is_import and tree(node) not in LIBRARY.get(name_of(node), []):
                name = name_of(node) or ast.unparse(node)[:60]
                yield f"{name!r} is not as in vae_lib"


def name_of(node):
    """Return the name that a statement defines, or None."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def tree(node):
    """Return a statement's syntax tree as text, without docstrings and type hints."""
    copy = ast.parse(ast.unparse(node))
    for part in ast.walk(copy):
        if (
            isinstance(part, (ast.ClassDef, ast.FunctionDef))
            and ast.get_docstring(part) is not None
        ):
            part.body = part.body[1:] or [ast.Pass()]
        if isinstance(part, ast.FunctionDef):
            part.returns = None
        if isinstance(part, ast.arg):
            part.annotation = None
    return ast.dump(copy)


def library():
    """Return {name: [tree, …]} of all that vae_lib's modules define."""
    definitions = {}
    for path in (ROOT / "vae_lib").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            definitions.setdefault(name_of(node), []).append(tree(node))
    return definitions


LIBRARY = library()
STORAGE = [stored_outputs, absolute_paths, pictures, shown_code, links, attached]
STORAGE += [wording]
CHECKS = [*STORAGE, long_cells, code_without_prose, frame]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_chapter(path, check):
    assert list(check(nbformat.read(path, as_version=4), path)) == []


@pytest.mark.parametrize("check", STORAGE, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.name)
def test_solutions(path, check):
    assert list(check(nbformat.read(path, as_version=4), path)) == []


# The checks themselves: a small notebook passes all of them, and each fault is found by
# one.

BAR = "[Start](../README.md)"


def good():
    """Return a notebook that keeps every rule."""
    picture = nbformat.v4.new_output(
        "display_data",
        {"image/png": "aGVsbG8=", "text/plain": "Ten digits."},
        metadata={"image/png": {"alt": "Ten digits."}},
    )
    return nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        cells=[
            nbformat.v4.new_markdown_cell(
                f"{BAR}\n\n# Title\n\nYou will be able to read. 10 minutes."
            ),
            nbformat.v4.new_code_cell("show()", execution_count=1, outputs=[picture]),
            nbformat.v4.new_code_cell("2 + 2", execution_count=2),
            nbformat.v4.new_markdown_cell(f"> **Note.** The end.\n\n{BAR}"),
        ],
    )


FAULTS = {
    long_cells: lambda n: n.cells[1].update(source="a\n" * 21),
    code_without_prose: lambda n: n.cells.insert(1, n.cells[1]),
    frame: lambda n: n.cells[0].update(
        source=f"{BAR}\n\n## Title\n\nYou will be able to read. 10 minutes."
    ),
    wording: lambda n: n.cells[3].update(source="This is simply `just` it."),
    links: lambda n: n.cells[3].update(source="[next](nowhere.ipynb)"),
    attached: lambda n: n.cells[3].update(
        source="![Ten](attachment:ten.png)",
        attachments={"ten.png": {"image/png": "bm90aGluZw=="}},
    ),
    stored_outputs: lambda n: n.cells[2].update(execution_count=3),
    absolute_paths: lambda n: n.cells[2].update(
        source="load('/" + "home/me/mnist.npz')"
    ),
    pictures: lambda n: n.cells[1].outputs[0].metadata["image/png"].clear(),
    shown_code: lambda n: n.cells[2].update(
        source="def tile():\n    return 1", metadata={"tags": ["shown"]}
    ),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_check_passes_good_and_finds_bad(check):
    notebook, path = good(), FOLDER / "draft.ipynb"
    assert list(check(notebook, path)) == []
    FAULTS[check](notebook)
    assert list(check(notebook, path)) != []


def test_library_code_with_another_docstring_is_as_shown():
    source = ast.unparse(
        next(
            n
            for n in ast.parse(
                (ROOT / "vae_lib/figures.py").read_text(encoding="utf-8")
            ).body
            if name_of(n) == "tile"
        )
    )
    notebook = good()
    notebook.cells[2].update(
        source=source.replace("Return", "Give back"), metadata={"tags": ["shown"]}
    )
    assert list(shown_code(notebook, None)) == []

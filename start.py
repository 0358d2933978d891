"""Open the notebooks, or run the tests, on a machine that has only Python.

    python3 start.py [NOTEBOOK] [ARGUMENTS FOR JUPYTERLAB]
    python3 start.py --test [--quick | --full] [ARGUMENTS FOR PYTEST]

The first start makes the environment `.venv` and installs the pinned requirements into
it; later starts find it complete and open at once. Readers work on copies of the
notebooks in `my_notebooks/`, which git ignores. Standard library only; any Python from
3.6 on can read the file, so that an old one can say what is needed.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ROOT / "requirements.txt"
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "vae_lib-installed"  # written last: what was installed
BEGUN = ENVIRONMENT / "vae_lib-begun"  # written first: made by this script
STORED = ROOT / "notebooks"  # with outputs, for reference
COPIES = ROOT / "my_notebooks"  # the reader's own, at the same depth: links still work
FIRST = "01_model.ipynb"


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


def check_python(version: tuple = sys.version_info) -> None:
    """Raise SetupError unless TensorFlow has packages for this Python."""
    if not (3, 11) <= tuple(version[:2]) <= (3, 13):
        raise SetupError(
            f"This is Python {version[0]}.{version[1]}, and TensorFlow needs 3.11, "
            "3.12 or 3.13: install one of them and name it, for example "
            "'python3.12 start.py' (Windows: 'py -3.12 start.py')."
        )


def import_venv() -> ModuleType:
    """Return the module that makes environments; raise SetupError if it is missing."""
    try:
        import ensurepip  # noqa: F401  (Debian ships Python without it)
        import venv
    except ImportError:
        raise SetupError(
            "This Python lacks its 'venv' module: install it (Debian and Ubuntu: "
            "'sudo apt install python3-venv'), then type the same command again."
        ) from None
    return venv


def wanted() -> str:
    """Return what a complete environment is made from: Python and the requirements."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes())
    digest.update((ROOT / "pyproject.toml").read_bytes())
    digest.update(str(ROOT).encode())
    return f"{sys.version_info[0]}.{sys.version_info[1]} {digest.hexdigest()}"


def interpreter() -> Path:
    """Return the path of the environment's own Python."""
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_complete() -> bool:
    """Return whether today's requirements were installed to the end."""
    if not (STAMP.is_file() and interpreter().is_file()):
        return False
    return STAMP.read_text(encoding="utf-8") == wanted()


def pip(*arguments: str) -> None:
    """Run the environment's pip; raise SetupError when it fails."""
    install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    if subprocess.call([str(interpreter()), *install, *arguments], cwd=str(ROOT)):
        raise SetupError(
            "The installation failed; the lines above say where. Check the network and "
            "the disk space (3 GB are needed), then type the same command again: it "
            "starts afresh."
        )


def clear() -> None:
    """Empty the environment's folder except for our mark: this, too, may be
    interrupted.
    """
    if ENVIRONMENT.exists() and any(ENVIRONMENT.iterdir()) and not BEGUN.exists():
        raise SetupError(
            f"{ENVIRONMENT} was not made by this script, and is left untouched: rename "
            "or delete it, then type the same command again."
        )
    ENVIRONMENT.mkdir(exist_ok=True)
    BEGUN.touch()
    for path in ENVIRONMENT.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(str(path))
        elif path != BEGUN:
            path.unlink()


def install() -> None:
    """Make the environment and install everything; raise SetupError when that fails."""
    venv = import_venv()
    clear()
    print(
        "Setting up once: this downloads about 700 MB and takes 1 to 5 minutes ...",
        flush=True,
    )
    try:
        venv.create(str(ENVIRONMENT), with_pip=True)
    except subprocess.CalledProcessError as error:
        raise SetupError(
            f"This Python cannot make an environment with pip: {error}."
        ) from None
    pip("--require-hashes", "-r", str(REQUIREMENTS))
    pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    no_news = ["labextension", "disable", "--level=sys_prefix"]
    subprocess.call(
        [
            *[str(interpreter()), "-m", "jupyter", *no_news],
            "@jupyterlab/apputils-extension:announcements",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    STAMP.write_text(wanted(), encoding="utf-8")
    print("The environment is complete.", flush=True)


def without_outputs(text: str) -> str:
    """Return a notebook's JSON without the outputs of its cells."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def copy_notebooks() -> Path:
    """Copy what the reader's folder lacks; return the folder to open notebooks from.

    Nothing in it is ever overwritten. Notebooks lose their outputs, so that no answer
    appears below its question; the solutions keep theirs.
    """
    made = False
    try:
        for source in sorted(STORED.rglob("*")):
            name = source.relative_to(STORED)
            hidden = any(part.startswith(".") or part == "runs" for part in name.parts)
            target = COPIES / name
            if hidden or not source.is_file() or target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            half = target.with_name(target.name + ".part")
            if source.suffix == ".ipynb" and source.parent == STORED:
                text = without_outputs(source.read_text(encoding="utf-8"))
                half.write_text(text, encoding="utf-8")
            else:
                shutil.copyfile(str(source), str(half))
            os.replace(str(half), str(target))  # whole or not at all
            made = True
    except OSError as error:
        print(
            f"Your own copies of the notebooks could not be made ({error}): the stored "
            f"ones are opened. Make {COPIES} writable for copies of your own.",
            file=sys.stderr,
        )
        return STORED
    if made:
        print(
            f"Your own copies of the notebooks are in {COPIES.name}{os.sep}, without "
            f"outputs; the reference, with figures, stays in {STORED.name}{os.sep}. "
            "Yours are never overwritten: to renew one, delete or rename it and start "
            "again.",
            flush=True,
        )
    return COPIES


def command(arguments: list) -> list:
    """Return the command line to run: JupyterLab on notebook 01, or pytest."""
    if arguments[:1] == ["--test"]:
        return [str(interpreter()), "-m", "pytest", *arguments[1:]]
    lab = [str(interpreter()), "-m", "jupyterlab"]
    if not any(a.split("=")[0] in ("--ip", "--ServerApp.ip") for a in arguments):
        lab.append("--ServerApp.ip=127.0.0.1")  # JupyterLab accepts only one
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        lab.append("--allow-root")  # containers; JupyterLab refuses otherwise
    folder = copy_notebooks()
    if not any((ROOT / a).exists() for a in arguments):
        # as the address, so that the printed one has it, too
        lab.append(f"--LabApp.default_url=/lab/tree/{folder.name}/{FIRST}")
    return [*lab, *arguments]


def run(arguments: list) -> int:
    """Run to the end and return the exit code; Ctrl-C is left to what runs."""
    process = subprocess.Popen(arguments, cwd=str(ROOT))
    # else JupyterLab would outlive us
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass  # the process received it, too


def main(arguments: list) -> int:
    """Set up where needed, then run; return the exit code."""
    try:
        check_python()
        if not is_complete():
            install()
        return run(command(arguments))
    except SetupError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(
            f"The set-up stopped: {error}. Make {ROOT} writable, or free some space, "
            "then type the same command again.",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print(
            "\nThe installation was interrupted; type the same command again: it "
            "starts afresh.",
            file=sys.stderr,
        )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Open the notebooks, or run the tests, on a machine that has only Python.

    python3 start.py [NOTEBOOK] [ARGUMENTS FOR JUPYTERLAB]
    python3 start.py --test [ARGUMENTS FOR PYTEST]

The first start makes the environment `.venv` and installs the pinned requirements into it;
later starts find it complete and open at once. Standard library only, any Python 3.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ROOT / "requirements.txt"
ENVIRONMENT = ROOT / ".venv"
STAMP = (
    ENVIRONMENT / "vae_lib-installed"
)  # written last: what was installed, completely
BEGUN = (
    ENVIRONMENT / "vae_lib-begun"
)  # written first: this environment is ours to repair
FIRST_NOTEBOOK = "notebooks/01_model.ipynb"


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


def check_python(version=sys.version_info):
    """Raise SetupError unless this Python is one that TensorFlow has packages for."""
    if not (3, 11) <= tuple(version[:2]) <= (3, 13):
        raise SetupError(
            "This is Python {}.{}, and TensorFlow needs 3.11, 3.12 or 3.13: install one of them and name it, "
            "for example 'python3.12 start.py' (Windows: 'py -3.12 start.py').".format(
                *version[:2]
            )
        )


def import_venv():
    """Return Python's own module that makes environments; raise SetupError where it is missing."""
    try:
        import ensurepip  # noqa: F401  (Debian ships Python without it)
        import venv
    except ImportError:
        raise SetupError(
            "This Python lacks its 'venv' module: install it (Debian and Ubuntu: "
            "'sudo apt install python3-venv'), then type the same command again."
        )
    return venv


def wanted():
    """What a complete environment was made from: the Python version and the requirements' digest."""
    text = (
        REQUIREMENTS.read_bytes()
        + (ROOT / "pyproject.toml").read_bytes()
        + str(ROOT).encode()
    )
    return "{}.{} {}".format(*sys.version_info[:2], hashlib.sha256(text).hexdigest())


def interpreter():
    """The path of the environment's own Python."""
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_complete():
    """Whether the environment is there and was installed to the end from today's requirements."""
    return STAMP.is_file() and STAMP.read_text() == wanted() and interpreter().is_file()


def pip(*arguments):
    """Run the environment's pip; raise SetupError when it fails."""
    install = [
        str(interpreter()),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
    ]
    if subprocess.call([*install, *arguments], cwd=str(ROOT)):
        raise SetupError(
            "The installation failed; the lines above say where. Check the network and the space on the disk "
            "(3 GB are needed), then type the same command again: it starts afresh."
        )


def clear():
    """Empty the environment's folder, except for our mark: this may be interrupted, too."""
    if ENVIRONMENT.exists() and any(ENVIRONMENT.iterdir()) and not BEGUN.exists():
        raise SetupError(
            "{} was not made by this script, and is left untouched: rename or delete it, "
            "then type the same command again.".format(ENVIRONMENT)
        )
    ENVIRONMENT.mkdir(exist_ok=True)
    BEGUN.touch()
    for path in ENVIRONMENT.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(str(path))
        elif path != BEGUN:
            path.unlink()


def install():
    """Make the environment anew and install everything into it; raise SetupError when that fails."""
    venv = import_venv()
    clear()
    print(
        "Setting up once: about 700 MB are fetched, which takes 1 to 5 minutes ...",
        flush=True,
    )
    try:
        venv.create(str(ENVIRONMENT), with_pip=True)
    except subprocess.CalledProcessError as error:
        raise SetupError(
            "This Python cannot make an environment with pip: {}.".format(error)
        )
    pip("--require-hashes", "-r", str(REQUIREMENTS))
    pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    quiet_news = ["-m", "jupyter", "labextension", "disable", "--level=sys_prefix"]
    subprocess.call(
        [
            str(interpreter()),
            *quiet_news,
            "@jupyterlab/apputils-extension:announcements",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    STAMP.write_text(wanted())
    print("The environment is complete.", flush=True)


def command(arguments):
    """The command line to run in the environment: JupyterLab on notebook 01, or pytest after --test."""
    if arguments[:1] == ["--test"]:
        return [str(interpreter()), "-m", "pytest", *arguments[1:]]
    lab = [str(interpreter()), "-m", "jupyterlab"]
    if not any(
        a.split("=")[0] in ("--ip", "--ServerApp.ip") for a in arguments
    ):  # it accepts one alone
        lab.append("--ServerApp.ip=127.0.0.1")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        lab.append("--allow-root")  # containers; JupyterLab refuses otherwise
    if not any(
        (ROOT / a).exists() for a in arguments
    ):  # as the address, so that the printed one has it, too
        lab.append("--LabApp.default_url=/lab/tree/" + FIRST_NOTEBOOK)
    return [*lab, *arguments]


def run(arguments):
    """Run until it ends by itself and return its exit code: Ctrl-C is for JupyterLab or pytest to answer."""
    process = subprocess.Popen(arguments, cwd=str(ROOT))
    signal.signal(
        signal.SIGTERM, lambda *_: process.terminate()
    )  # else JupyterLab would outlive us
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass  # the keys reached the process, too


def main(arguments):
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
            "The set-up stopped: {}. Make {} writable, or free some space, then type the same command "
            "again.".format(error, ROOT),
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print(
            "\nThe installation was interrupted; type the same command again: it starts afresh.",
            file=sys.stderr,
        )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

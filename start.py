"""Open the notebooks, or run the tests, on a machine that has only Python.

    python3 start.py [ARGUMENTS FOR JUPYTERLAB]
    python3 start.py --test [ARGUMENTS FOR PYTEST]

The first start makes the environment `.venv` and installs the pinned requirements into it;
later starts find it complete and open at once. Standard library only, any Python 3.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ROOT / "requirements.txt"
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "vae_lib-installed"  # written last: what was installed, completely
BEGUN = ENVIRONMENT / "vae_lib-begun"  # written first: this environment is ours to repair
FIRST_NOTEBOOK = ROOT / "notebooks" / "01_model.ipynb"


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


def check_python(version=sys.version_info):
    """Raise SetupError unless this Python is one that TensorFlow has packages for."""
    if not (3, 11) <= tuple(version[:2]) <= (3, 13):
        raise SetupError(
            "This is Python {}.{}, and TensorFlow needs 3.11, 3.12 or 3.13: install one of them and name it, "
            "for example 'python3.12 start.py' (Windows: 'py -3.12 start.py').".format(*version[:2])
        )


def wanted():
    """What a complete environment was made from: the Python version and the requirements' digest."""
    text = REQUIREMENTS.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()
    return "{}.{} {}".format(*sys.version_info[:2], hashlib.sha256(text).hexdigest())


def interpreter():
    """The path of the environment's own Python."""
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_complete():
    """Whether the environment is there and was installed to the end from today's requirements."""
    return STAMP.is_file() and STAMP.read_text() == wanted() and interpreter().is_file()


def pip(*arguments):
    """Run the environment's pip; raise SetupError when it fails."""
    command = [str(interpreter()), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *arguments]
    if subprocess.call(command, cwd=str(ROOT)):
        raise SetupError(
            "The installation failed; the lines above say where. Check the network and the space on the disk "
            "(3 GB are needed), then type the same command again: it starts afresh."
        )


def install():
    """Make the environment anew and install everything into it; raise SetupError when that fails."""
    if ENVIRONMENT.exists() and not (BEGUN.exists() or STAMP.exists()):
        raise SetupError(
            "{} was not made by this script, and is left untouched: rename or delete it, "
            "then type the same command again.".format(ENVIRONMENT)
        )
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    try:
        import ensurepip  # noqa: F401  (Debian ships Python without it)
        import venv
    except ImportError:
        raise SetupError(
            "This Python lacks its 'venv' module: install it (Debian and Ubuntu: 'sudo apt install python3-venv'), "
            "then type the same command again."
        )
    print("Setting up once: about 700 MB are fetched, which takes 1 to 5 minutes …", flush=True)
    ENVIRONMENT.mkdir()
    BEGUN.touch()
    venv.create(str(ENVIRONMENT), with_pip=True)
    pip("--require-hashes", "-r", str(REQUIREMENTS))
    pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    quiet_news = ["-m", "jupyter", "labextension", "disable", "--level=sys_prefix"]
    subprocess.call([str(interpreter()), *quiet_news, "@jupyterlab/apputils-extension:announcements"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    STAMP.write_text(wanted())
    print("The environment is complete.", flush=True)


def command(arguments):
    """The command line to run in the environment: JupyterLab on notebook 01, or pytest after --test."""
    if arguments[:1] == ["--test"]:
        return [str(interpreter()), "-m", "pytest", *arguments[1:]]
    lab = [str(interpreter()), "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        lab.append("--allow-root")  # containers; JupyterLab refuses otherwise
    return [*lab, *arguments, *([] if any(not a.startswith("-") for a in arguments) else [str(FIRST_NOTEBOOK)])]


def main(arguments):
    """Set up where needed, then run; return the exit code."""
    try:
        check_python()
        if not is_complete():
            install()
        return subprocess.call(command(arguments), cwd=str(ROOT))
    except SetupError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print("The set-up stopped: {}. Make {} writable, or free some space, then type the same command "
              "again.".format(error, ROOT), file=sys.stderr)
    except KeyboardInterrupt:
        if not is_complete():
            print("\nThe installation was interrupted; type the same command again: it starts afresh.",
                  file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

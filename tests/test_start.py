"""start.py in a copy with nothing installed: a fake Python notes what it should run."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="the fake Python of these tests is a POSIX script"
)

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = {"output_type": "stream", "name": "stdout", "text": ["β = 4\n"]}
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Title"]},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {"tags": ["shown"]},
            "source": ["print('β = 4')"],
            "execution_count": 1,
            "outputs": [OUTPUT],
        },
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}

FAKE_VENV = """
import os, pathlib
def create(path, with_pip):
    python = pathlib.Path(path, "bin", "python")
    python.parent.mkdir()
    python.symlink_to(os.environ["FAKE_PYTHON"])
"""

FAKE_PYTHON = """#!{python}
import json, os, signal, sys, time
module = sys.argv[2]
interrupted = []
signal.signal(signal.SIGINT, signal.SIG_DFL)
if module == "jupyterlab":  # which answers Ctrl-C by itself, and takes a while over it
    signal.signal(signal.SIGINT, lambda *_: interrupted.append(True))
with open(os.environ["FAKE_LOG"], "a", encoding="utf-8") as log:
    print(json.dumps(sys.argv[2:]), file=log)
while os.environ.get("HANGS") == module and not interrupted:
    time.sleep(0.02)
if interrupted:
    time.sleep(0.5)
    print("kernels shut down")
sys.exit(int(os.environ.get("EXIT_OF_" + module, 0)))
"""


class Copy:
    """start.py and the files it reads, in a folder of their own."""

    def __init__(self, folder):
        self.root = folder / "project"
        self.venv = self.root / ".venv"
        self.log = folder / "log"
        self.fakes = folder / "fakes"
        self.fakes.mkdir()
        self.notebooks, self.mine = self.root / "notebooks", self.root / "my_notebooks"
        (self.notebooks / "solutions").mkdir(parents=True)
        for name in "01_model.ipynb", "02.ipynb", "solutions/01_model.ipynb":
            write(self.notebooks / name, json.dumps(NOTEBOOK, ensure_ascii=False))
        (self.notebooks / "picture.png").write_bytes(b"picture")
        for name in ("start.py", "pyproject.toml", "requirements.txt"):
            shutil.copy(ROOT / name, self.root)
        (self.fakes / "ensurepip.py").touch()
        write(self.fakes / "venv.py", FAKE_VENV)
        write(self.fakes / "python", FAKE_PYTHON.format(python=sys.executable))
        (self.fakes / "python").chmod(0o755)

    def open(self, *arguments, **variables):
        """Start, and return the process; fakes stand in front of Python's modules."""
        return subprocess.Popen(
            [sys.executable, "start.py", *arguments],
            cwd=self.root,
            env=os.environ
            | {
                "PYTHONPATH": str(self.fakes),
                "FAKE_LOG": str(self.log),
                "FAKE_PYTHON": str(self.fakes / "python"),
            }
            | variables,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # a background job ignores it
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def start(self, *arguments, **variables):
        """Start, wait for the end, and return (exit code, what was printed, errors)."""
        return ended(self.open(*arguments, **variables))

    def calls(self, module=None):
        """Return the command lines the fake Python got, [module, argument, …] each."""
        if not self.log.exists():
            return []
        lines = map(json.loads, self.log.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if module in (None, line[0])]

    def wait_for(self, module):
        """Wait until the fake Python runs this module."""
        end = time.monotonic() + 20
        while not self.calls(module):
            assert time.monotonic() < end, f"{module} was not started"
            time.sleep(0.02)

    def load(self):
        """Return the copied script as a module."""
        spec = importlib.util.spec_from_file_location(
            "start_copy", self.root / "start.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def write(path, text):
    """Write a text file."""
    path.write_text(text, encoding="utf-8")


def ended(process):
    """Wait for the end and return (exit code, what was printed, errors)."""
    out, errors = process.communicate(timeout=30)
    return process.returncode, out, errors


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_first_start_installs_and_opens_notebook_01(copy):
    code, out, errors = copy.start()
    assert (code, errors) == (0, "")
    assert out.splitlines() == [
        "Setting up once: this downloads about 700 MB and takes 1 to 5 minutes ...",
        "The environment is complete.",
        "Your own copies of the notebooks are in my_notebooks/, without outputs; the "
        "reference, with figures, stays in notebooks/. Yours are never overwritten: to "
        "renew one, delete or rename it and start again.",
    ]
    requirements, project = copy.calls("pip")
    assert requirements[-3:] == [
        "--require-hashes",
        "-r",
        str(copy.root / "requirements.txt"),
    ]
    assert project[-2:] == ["--editable", str(copy.root)]
    (lab,) = copy.calls("jupyterlab")
    assert "--ServerApp.ip=127.0.0.1" in lab
    assert lab[-1] == "--LabApp.default_url=/lab/tree/my_notebooks/01_model.ipynb"


def test_second_start_installs_nothing(copy):
    copy.start()
    code, out, errors = copy.start("--test")
    assert (code, out, errors) == (0, "", "")
    assert len(copy.calls("pip")) == 2
    assert len(copy.calls("pytest")) == 1


@pytest.mark.parametrize("changed", ["requirements.txt", "pyproject.toml"])
def test_changed_requirements_are_installed_afresh(copy, changed):
    copy.start()
    (copy.venv / "old").touch()
    with open(copy.root / changed, "a", encoding="utf-8") as file:
        file.write("# newer\n")
    assert copy.start()[0] == 0
    assert len(copy.calls("pip")) == 4
    assert not (copy.venv / "old").exists()


def test_arguments_after_test_go_to_pytest(copy):
    assert copy.start("--test", "-k", "data", "--maxfail=1")[0] == 0
    assert copy.calls("pytest") == [["pytest", "-k", "data", "--maxfail=1"]]


@pytest.mark.parametrize(
    "arguments", [["--port", "9999"], ["--port=9999"], ["--no-browser"]]
)
def test_options_of_jupyterlab_open_notebook_01_all_the_same(copy, arguments):
    lab = copy.load().command(arguments)
    assert lab[-len(arguments) :] == arguments
    assert "--LabApp.default_url=/lab/tree/my_notebooks/01_model.ipynb" in lab


@pytest.mark.parametrize("name", ["notebooks/02.ipynb", "my_notebooks/02.ipynb"])
def test_named_notebook_is_opened_instead(copy, name):
    lab = copy.load().command(["--port=9999", name])
    assert lab[-2:] == ["--port=9999", name]
    assert "01_model" not in " ".join(lab)


def test_copies_have_no_outputs_and_leave_the_stored_notebooks_alone(copy):
    stored = (copy.notebooks / "01_model.ipynb").read_bytes()
    copy.start()
    mine = json.loads((copy.mine / "01_model.ipynb").read_text(encoding="utf-8"))
    cell = mine["cells"][1]
    assert (cell["outputs"], cell["execution_count"]) == ([], None)
    cell.update(outputs=[OUTPUT], execution_count=1)
    assert mine == NOTEBOOK  # nothing else is lost
    assert (copy.notebooks / "01_model.ipynb").read_bytes() == stored


def test_copies_come_with_solutions_and_pictures(copy):
    for folder in ".ipynb_checkpoints", "runs":
        (copy.notebooks / folder).mkdir()
        (copy.notebooks / folder / "01_model.ipynb").touch()
    copy.start()
    made = {str(p.relative_to(copy.mine)) for p in copy.mine.rglob("*.*")}
    assert made == {"01_model.ipynb", "02.ipynb", "picture.png"} | {
        "solutions/01_model.ipynb"
    }
    for name in "solutions/01_model.ipynb", "picture.png":
        assert (copy.mine / name).read_bytes() == (copy.notebooks / name).read_bytes()


def test_copies_are_never_overwritten_and_a_deleted_one_is_renewed(copy):
    copy.start()
    write(copy.mine / "01_model.ipynb", "my work")
    write(copy.notebooks / "01_model.ipynb", "newer, and no notebook")
    (copy.mine / "02.ipynb").unlink()
    code, out, errors = copy.start()
    assert (code, errors) == (0, "") and "to renew one" in out
    assert (copy.mine / "01_model.ipynb").read_text(encoding="utf-8") == "my work"
    assert (copy.mine / "02.ipynb").is_file()
    assert copy.start() == (0, "", "")  # nothing to say when nothing is made


def test_without_room_for_copies_the_stored_notebooks_are_opened(copy):
    copy.start("--test")
    write(copy.mine, "a file where the folder should be")
    code, out, errors = copy.start()
    assert (code, out) == (0, "") and errors.count("\n") == 1
    assert errors.startswith("Your own copies of the notebooks could not be made")
    (lab,) = copy.calls("jupyterlab")
    assert lab[-1] == "--LabApp.default_url=/lab/tree/notebooks/01_model.ipynb"


def test_tests_make_no_copies(copy):
    copy.start("--test")
    assert not copy.mine.exists()


def test_links_of_the_notebooks_lead_to_files_from_the_copies_too(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    for folder in "notebooks", "docs", "data":
        shutil.copytree(ROOT / folder, root / folder)
    for path in filter(Path.is_file, ROOT.iterdir()):
        shutil.copy(path, root)
    specification = importlib.util.spec_from_file_location("it", root / "start.py")
    start = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(start)
    checked = 0
    for path in start.copy_notebooks().rglob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                text = re.sub(r"`[^`]*`|\$[^$]*\$", "", "".join(cell["source"]))
                for link in re.findall(r"\]\(([^):#\s]+)[#)]", text):
                    assert (path.parent / link).exists(), f"{path.name}: {link}"
                    checked += 1
    assert checked > 10


@pytest.mark.parametrize(
    "arguments", [["--ip", "0.0.0.0"], ["--ip=0.0.0.0"], ["--ServerApp.ip=0.0.0.0"]]
)
def test_address_stays_on_loopback_unless_one_is_given(copy, arguments):
    start = copy.load()
    assert "--ServerApp.ip=127.0.0.1" in start.command(["--port=9999"])
    # JupyterLab refuses two
    assert "--ServerApp.ip=127.0.0.1" not in start.command(arguments)


@pytest.mark.parametrize("user, allowed", [(0, True), (1000, False)])
def test_root_alone_is_allowed_to_be_root(copy, monkeypatch, user, allowed):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert ("--allow-root" in copy.load().command([])) == allowed


@pytest.mark.parametrize(
    "arguments, module", [([], "jupyterlab"), (["--test"], "pytest")]
)
def test_exit_code_is_handed_on(copy, arguments, module):
    assert copy.start(*arguments, **{"EXIT_OF_" + module: "3"})[0] == 3


@pytest.mark.parametrize("version", [(2, 7), (3, 10, 14), (3, 14, 0)])
def test_wrong_python_is_told_what_to_type(copy, version, capsys, monkeypatch):
    start = copy.load()
    right = start.check_python
    monkeypatch.setattr(start, "check_python", lambda: right(version))
    assert start.main([]) == 1
    message = capsys.readouterr().err
    assert message.startswith(
        "This is Python {}.{}, and TensorFlow needs 3.11, 3.12".format(*version)
    )
    assert "py -3.12 start.py" in message
    assert not copy.venv.exists()


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 9), (3, 13, 1)])
def test_right_python_passes(copy, version):
    copy.load().check_python(version)


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_missing_venv_module_is_named_with_its_remedy(copy, missing):
    write(copy.fakes / f"{missing}.py", "raise ImportError")
    code, out, errors = copy.start()
    assert (code, out) == (1, "")
    assert errors.count("\n") == 1 and "sudo apt install python3-venv" in errors
    assert not copy.venv.exists()


def test_broken_venv_module_is_one_sentence(copy):
    write(
        copy.fakes / "venv.py",
        "from subprocess import CalledProcessError\n"
        "def create(*_, **__): raise CalledProcessError(1, 'ensurepip')",
    )
    code, _, errors = copy.start()
    assert code == 1
    assert errors.startswith("This Python cannot make an environment with pip")
    assert errors.count("\n") == 1


def test_failed_installation_is_said_and_repaired(copy):
    code, out, errors = copy.start(EXIT_OF_pip="1")
    assert (
        code == 1
        and errors.startswith("The installation failed")
        and "complete" not in out
    )
    assert copy.calls("jupyterlab") == []
    assert copy.start()[0] == 0
    assert len(copy.calls("jupyterlab")) == 1


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_installation_is_repaired_by_the_next_start(copy, sent):
    process = copy.open(HANGS="pip")
    copy.wait_for("pip")
    os.killpg(process.pid, sent)
    code, _, errors = ended(process)
    if sent == signal.SIGINT:
        assert (
            code == 1
            and "The installation was interrupted; type the same command again"
            in errors
        )
        assert "Traceback" not in errors
    (copy.venv / "lib").mkdir()
    (copy.venv / "lib" / "half").touch()
    assert copy.start()[0] == 0
    assert not (copy.venv / "lib").exists()
    assert len(copy.calls("jupyterlab")) == 1


def test_environment_of_another_python_is_replaced(copy):
    copy.start()
    stamp = copy.venv / "vae_lib-installed"
    write(stamp, "3.99" + stamp.read_text(encoding="utf-8")[4:])
    (copy.venv / "bin" / "python3.99").touch()
    assert copy.start()[0] == 0
    assert len(copy.calls("pip")) == 4
    assert not (copy.venv / "bin" / "python3.99").exists()


def test_environment_whose_python_is_gone_is_replaced(copy):
    copy.start()
    (copy.venv / "bin" / "python").unlink()
    assert copy.start()[0] == 0
    assert len(copy.calls("pip")) == 4


def test_folder_left_by_an_interrupted_deletion_is_still_ours(copy):
    copy.venv.mkdir()  # interrupted before the mark was made
    assert copy.start()[0] == 0
    (copy.venv / "vae_lib-installed").unlink()
    (copy.venv / "lib64").symlink_to("lib")
    assert copy.start()[0] == 0


def test_foreign_environment_is_left_untouched(copy):
    copy.venv.mkdir()
    write(copy.venv / "pyvenv.cfg", "somebody's")
    code, out, errors = copy.start()
    assert code == 1 and "was not made by this script, and is left untouched" in errors
    assert [path.name for path in copy.venv.iterdir()] == ["pyvenv.cfg"]
    assert (out, copy.calls()) == ("", [])


def test_unwritable_place_is_one_sentence(copy):
    write(copy.venv, "a file where the folder should be")
    code, _, errors = copy.start()
    assert (
        code == 1
        and errors.startswith("The set-up stopped: ")
        and errors.count("\n") == 1
    )


def test_ctrl_c_lets_jupyterlab_shut_its_kernels_down(copy):
    process = copy.open(HANGS="jupyterlab", EXIT_OF_jupyterlab="5")
    copy.wait_for("jupyterlab")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    code, out, errors = ended(process)
    assert (code, errors) == (5, "")
    assert out.endswith("kernels shut down\n")


def test_termination_reaches_jupyterlab(copy):
    process = copy.open(HANGS="jupyterlab")
    copy.wait_for("jupyterlab")
    process.terminate()
    ended(process)  # only when JupyterLab, which holds the same pipe, has ended, too
    assert process.returncode == -signal.SIGTERM % 256

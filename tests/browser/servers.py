"""Chromium, and JupyterLab and Voilà as real servers on 127.0.0.1, every folder they
know of being temporary.
"""

import ast
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Error

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
import living  # noqa: E402

NOTEBOOKS = ROOT / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
NO_NEWS = {
    "fetchNews": "false",
    "checkForUpdates": False,
}  # else a toast covers the corner of the screen

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = (
    "The browser tests need Chromium or Chrome: install one (Debian and Ubuntu: "
    "'sudo apt install chromium') and start them again."
)


def browser_path():
    """Return where the Chromium on the PATH is, or else that an installed Chrome is
    meant, as `launch` takes it.
    """
    names = "chromium", "chromium-browser", "google-chrome"
    path = next(filter(None, map(shutil.which, names)), None)
    return {"executable_path": path} if path else {"channel": "chrome"}


def launch_chromium(playwright):
    """Return a headless Chromium, the one on the PATH, else an installed Chrome;
    without one, skip or fail.
    """
    try:
        return playwright.chromium.launch(**browser_path(), args=FLAGS)
    except Error as error:
        if os.environ.get("VAE_LIB_BROWSER") == "required":
            pytest.fail(f"{MISSING}\n{error}")
        pytest.skip(MISSING)


def of_controls(cells):
    """Return those code cells that show a control, and those that they need: nbval runs
    the others.

    A cell that seeds Keras is not needed for that alone.
    """
    names, kept = set(), []
    for cell in reversed(cells):
        statements = ast.parse(cell.source).body
        shows = any(WIDGET in output.get("data", ()) for output in cell.outputs)
        serves = any(
            living.bound(statement) & names or living.trains(statement, names)
            for statement in statements
            if not ast.unparse(statement).startswith("keras.utils.set_random_seed")
        )
        if shows or serves:
            kept.append(cell)
            names = names.union(*map(living.read, statements))
    return kept[::-1]


def copy_notebooks(folder):
    """Copy notebooks/ and the data/ beside it, of the code what the controls need;
    without stored outputs: every picture is to be of this run.
    """
    for part in "notebooks", "data":
        shutil.copytree(
            ROOT / part,
            folder / part,
            ignore=shutil.ignore_patterns(".ipynb_checkpoints"),
        )
    for path in folder.rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        kept = [cell.id for cell in of_controls(code)]
        notebook.cells = [
            cell
            for cell in notebook.cells
            if cell.cell_type != "code" or cell.id in kept
        ]
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, path)


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A Jupyter program that serves on `url` until `close`; its own files go to
    `folder`.
    """

    def __init__(self, folder, *command):
        """Start `python -m COMMAND` on a free port and wait until it answers."""
        port, self.token = free_port(), secrets.token_hex(16)
        self.url, self.log = f"http://127.0.0.1:{port}", folder / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    *map(str, command),
                    "--no-browser",
                    f"--port={port}",
                ],
                cwd=folder,
                env=self._environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait(port)

    def _environment(self, folder):
        """The environment variables that keep a server away from its user's own
        settings and sessions.
        """
        names = [
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
            "IPYTHONDIR",
            "JUPYTERLAB_SETTINGS_DIR",
            "JUPYTERLAB_WORKSPACES_DIR",
        ]
        folders = {name: str(folder / name.lower()) for name in names}
        settings = Path(
            folders["JUPYTERLAB_SETTINGS_DIR"], "@jupyterlab", "apputils-extension"
        )
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text(
            json.dumps(NO_NEWS), encoding="utf-8"
        )
        # nbval runs notebooks at full size: what the browser needs of them is small
        small = {"VAE_LIB_QUICK": "1"}
        return os.environ | folders | small | {"JUPYTER_TOKEN": self.token}

    def _wait(self, port, timeout=60):
        end = time.monotonic() + timeout
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.close()
                    raise RuntimeError(
                        f"The server does not answer:\n{self.log.read_text(encoding='utf-8')}"
                    ) from None
                time.sleep(0.1)

    def close(self):
        """End the server, which ends its kernels."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class JupyterLab(Server):
    """A JupyterLab on a copy of the notebooks; `root` is the folder it shows."""

    def __init__(self, folder):
        self.root = folder / "notebooks"
        copy_notebooks(folder)
        super().__init__(
            folder,
            "jupyterlab",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.root_dir={self.root}",
            "--LabApp.expose_app_in_browser=True",
        )

    def write(self, name, cells):
        """Write a notebook of these code cells into JupyterLab's folder; return its
        path.
        """
        kernel = {
            "name": "python3",
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
        }
        notebook = nbformat.v4.new_notebook(
            metadata={"kernelspec": kernel}
        )  # else a dialog asks for it
        notebook.cells = [nbformat.v4.new_code_cell(source.strip()) for source in cells]
        nbformat.write(notebook, self.root / name)
        return self.root / name

    def address(self, name):
        """The address of a notebook in a fresh workspace."""
        return f"{self.url}/lab/tree/{name}?reset&token={self.token}"

    def shut_down_kernel(self, name):
        """End the kernel of one notebook, and with it its memory."""
        for session in json.loads(self._request("/api/sessions")):
            if session["path"] == name:
                self._request(f"/api/sessions/{session['id']}", "DELETE")

    def _request(self, path, method="GET"):
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(
            self.url + path, method=method, headers=headers
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


class Voila(Server):
    """One notebook as an application, run afresh for every visitor."""

    def __init__(self, folder, notebook):
        super().__init__(folder, "voila", notebook, "--Voila.ip=127.0.0.1")

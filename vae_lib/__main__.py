"""The one command, `python -m vae_lib`; `vae_lib.experiments.command` explains it."""

import sys

from vae_lib.experiments.command import main

if __name__ == "__main__":
    sys.exit(main())

"""Runs commands as a user does."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def run(module, *arguments):
    """Runs `python -m module arguments`, or `python arguments` if `module` is None."""
    command = [sys.executable, *(["-m", module] if module else []), *map(str, arguments)]
    environment = dict(os.environ)
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # Users have not set it.
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

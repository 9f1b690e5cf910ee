"""Runs commands as a user does."""

import importlib
import os
import pathlib
import subprocess
import sys

from absl import flags

ROOT = pathlib.Path(__file__).parents[2]


def run(module, *arguments):
    """Runs `python -m module arguments`, or `python arguments` if `module` is None."""
    command = [sys.executable, *(["-m", module] if module else []), *map(str, arguments)]
    environment = dict(os.environ)
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # Users have not set it.
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def call(module, *arguments):
    """Runs a command of `albert_tf.commands` in this process: its errors are raised.

    Commands define flags of the same names, so those of an earlier one are forgotten first.
    """
    for name in [name for name in sys.modules if name.startswith("albert_tf.commands.")]:
        for flag in flags.FLAGS.get_flags_for_module(name):
            delattr(flags.FLAGS, flag.name)
        del sys.modules[name]
    command = importlib.import_module(f"albert_tf.commands.{module}")
    flags.FLAGS([module, *map(str, arguments)])
    try:
        command.main()
    finally:
        flags.FLAGS.unparse_flags()

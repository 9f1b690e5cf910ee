"""Runs commands as a user does."""

import importlib
import os
import pathlib
import sys

from absl import flags

from tests import programs

ROOT = pathlib.Path(__file__).parents[2]


def run(module, *arguments):
    """Runs `python -m module arguments`, or `python arguments` if `module` is None."""
    command = [sys.executable, *(["-m", module] if module else []), *map(str, arguments)]
    environment = dict(os.environ)
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # Users have not set it.
    return programs.run(command, cwd=ROOT, env=environment, text=True)


def call(module, *arguments):
    """Runs a command of `albert_tf.commands` in this process: its errors are raised.

    Commands and benchmarks define flags of the same names, so there are those of this one only.
    """
    others = forget_flags("benchmarks.")
    forget_flags("albert_tf.commands.")
    for name in [name for name in sys.modules if name.startswith("albert_tf.commands.")]:
        del sys.modules[name]
    command = importlib.import_module(f"albert_tf.commands.{module}")
    argv = [module, *map(str, arguments)]
    flags.FLAGS(getattr(command, "with_beam_options", list)(argv))
    try:
        command.main()
    finally:
        flags.FLAGS.unparse_flags()
        forget_flags("albert_tf.commands.")
        for name, flag in others:
            flags.DEFINE_flag(flag, module_name=name)


def forget_flags(prefix):
    """Removes the flags of modules whose names begin so; returns [(module, flag)]."""
    found = [
        (name, flag)
        for name, module_flags in flags.FLAGS.flags_by_module_dict().items()
        if name.startswith(prefix)
        for flag in list(module_flags)
    ]
    for _, flag in found:
        if flag.name in flags.FLAGS:
            delattr(flags.FLAGS, flag.name)
    return found

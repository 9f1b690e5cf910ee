"""Prints what `--help` says of every command, as JSON.

Commands define the same flags, so that each is imported in a process of its own, forked from this
one, which has imported what takes time.
"""

import json
import multiprocessing
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import albert_tf.commands.run  # noqa: E402, F401
from albert_tf.commands.help import command_help  # noqa: E402
from albert_tf.commands.main import COMMANDS  # noqa: E402


def help_of(command):
    """What `albert-tf COMMAND --help` prints, in lines of any length."""
    os.environ["COLUMNS"] = "100"
    module = f"albert_tf.commands.{COMMANDS[command]}"
    __import__(module)
    return command_help(f"albert-tf {command}", sys.modules[module].__doc__)


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        texts = pool.map(help_of, COMMANDS, chunksize=1)
    print(json.dumps(dict(zip(COMMANDS, texts))))

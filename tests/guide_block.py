"""Runs one program or command of a page; `test_guides` starts a process for each.

Imported once, in the process from which these are forked.
"""

import os
import runpy
import shlex
import sys
import traceback
import warnings

import tensorflow as tf

import albert_tf
from albert_tf.commands import main as command_line

for name in albert_tf.__all__:
    getattr(albert_tf, name)


def run_block(language, text, folder, output):
    """Runs `text` in `folder`; what it prints goes to the file `output`. Exits like a program."""
    os.chdir(folder)
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)
    warnings.simplefilter("default")
    # It takes longer than all else that a small model does.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        if language == "python":
            with open(f"{output}.py", "w", encoding="utf-8") as file:
                file.write(text)
            runpy.run_path(f"{output}.py", run_name="__main__")
        else:
            sys.argv = shlex.split(text)
            assert sys.argv[0] == "albert-tf", f"only albert-tf is run. Received: {text}"
            command_line.main()
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        if error.code:
            os._exit(1)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

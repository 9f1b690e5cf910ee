"""The console script `albert-tf`: the commands of the `export` folder for installed packages."""

import ast
import importlib
import importlib.util
import pathlib
import sys

# Command -> module of this package.
COMMANDS = {
    "export-encoder": "export_encoder",
    "export-preprocessor": "export_preprocessor",
    "export-tflite": "export_tflite",
    "check": "check",
    "convert": "convert",
    "inspect": "inspect_checkpoint",
    "fill-mask": "fill_mask",
    "finetune": "finetune",
    "vocab": "vocab",
    "pretraining-data": "pretraining_data",
    "pretraining-data-beam": "pretraining_data_beam",
    "pretrain": "pretrain",
}


def main():
    """Runs `albert-tf COMMAND --flags`."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help", "--helpfull"):
        print(usage())
    elif name not in COMMANDS:
        sys.exit(f"error: The command must be one of those below. Received: {name}.\n{usage()}")
    else:
        module = importlib.import_module(f"albert_tf.commands.{COMMANDS[name]}")
        module.start([f"albert-tf {name}", *sys.argv[2:]])


def usage():
    """The commands, each with the first line of its module's docstring.

    Modules are read, not imported: they define flags, and may define the same ones.
    """
    lines = ["usage: albert-tf COMMAND --help", "", "commands:"]
    for command, module in COMMANDS.items():
        path = pathlib.Path(importlib.util.find_spec(f"albert_tf.commands.{module}").origin)
        summary = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]
        lines.append(f"  {command:<20} {summary}")
    return "\n".join(lines)

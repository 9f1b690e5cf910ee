"""The console script `albert-tf`, also `python -m albert_tf`: all commands by name."""

import ast
import importlib
import importlib.util
import pathlib
import sys

# Command -> module of this package.
COMMANDS = {
    "export": "export",
    "export-encoder": "export_encoder",
    "export-preprocessor": "export_preprocessor",
    "export-tflite": "export_tflite",
    "export-onnx": "export_onnx",
    "check": "check",
    "convert": "convert",
    "inspect": "inspect_checkpoint",
    "fill-mask": "fill_mask",
    "predict": "predict",
    "embed": "embed",
    "similarity": "similarity",
    "serve": "serve",
    "finetune": "finetune",
    "vocab": "vocab",
    "pretraining-data": "pretraining_data",
    "pretraining-data-beam": "pretraining_data_beam",
    "pretrain": "pretrain",
}


def main():
    """Runs `albert-tf COMMAND --flags`; `albert-tf help COMMAND` is `albert-tf COMMAND --help`."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name == "help":
        name, *arguments = [*arguments[:1], "--help"] if arguments else ["--help"]
    if name in ("-h", "--help", "--helpfull"):
        print(usage())
    elif name in ("--version", "version"):
        from albert_tf import __version__

        print(f"albert-tf {__version__}")
    elif name not in COMMANDS:
        from albert_tf.commands.run import near_matches

        near = near_matches(name.replace("_", "-"), COMMANDS)
        sys.exit(f"error: There is no command {name}.{near} `albert-tf --help` lists the commands.")
    else:
        module = importlib.import_module(f"albert_tf.commands.{COMMANDS[name]}")
        module.start([f"albert-tf {name}", *arguments])


def usage():
    """The commands, each with the first line of its module's docstring.

    Modules are read, not imported: they define flags, and may define the same ones.
    """
    lines = ["usage: albert-tf COMMAND [flags]", "       albert-tf help COMMAND", "", "commands:"]
    for command, module in COMMANDS.items():
        path = pathlib.Path(importlib.util.find_spec(f"albert_tf.commands.{module}").origin)
        summary = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]
        lines.append(f"  {command:<22} {summary}")
    return "\n".join(lines)

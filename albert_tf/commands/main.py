"""The console script `albert-tf`: the commands of the `export` folder for installed packages."""

import importlib
import sys

COMMANDS = {
    "export-encoder": "export_encoder",
    "export-preprocessor": "export_preprocessor",
    "check": "check",
}


def main():
    """Runs `albert-tf COMMAND --flags`."""
    name = sys.argv[1] if len(sys.argv) > 1 else None
    if name not in COMMANDS:
        wanted = name in (None, "-h", "--help", "--helpfull")
        lines = ["usage: albert-tf COMMAND --help", "commands:"]
        for command, module in COMMANDS.items():
            doc = importlib.import_module(f"albert_tf.commands.{module}").__doc__
            lines.append(f"  {command:<20} {doc.splitlines()[0]}")
        if wanted:
            print("\n".join(lines))
            sys.exit(0)
        sys.exit(f"error: The command must be one of these. Received: {name}.\n" + "\n".join(lines))
    module = importlib.import_module(f"albert_tf.commands.{COMMANDS[name]}")
    module.start([f"albert-tf {name}", *sys.argv[2:]])

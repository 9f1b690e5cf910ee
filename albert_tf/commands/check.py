"""Checks a SavedModel against the contract: exit status 0 and a table, or 1 and what differs."""

import sys

from absl import flags

from albert_tf.commands.run import run
from albert_tf.commands.table import print_checks

_SAVED_MODEL = flags.DEFINE_string(
    "saved_model", None, "Directory of an exported encoder or preprocessor.", required=True
)


def main():
    from albert_tf.saved_model.contract.check import check

    checks = check(_SAVED_MODEL.value)
    print_checks(checks)
    broken = sum(c.difference is not None for c in checks)
    if broken:
        sys.exit(f"error: {_SAVED_MODEL.value} differs from the contract in {broken} points.")
    print(f"{_SAVED_MODEL.value} keeps the contract.")


def start(argv=None):
    run(main, argv)

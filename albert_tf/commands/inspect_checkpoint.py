"""Shows what a checkpoint is: flavor, configuration, variables, files, and what it lacks."""

import sys

from absl import flags

from albert_tf.commands.checkpoint_flags import checkpoint_path
from albert_tf.commands.run import run

_VARIABLES = flags.DEFINE_bool("variables", True, "List all variables.")


def main():
    from albert_tf.checkpoints.inspection import inspect

    inspection = inspect(*checkpoint_path())
    checkpoint = inspection.checkpoint
    print(f"{checkpoint.path}: {inspection.description}")
    print(f"\nconfiguration: {checkpoint.config_source}")
    if checkpoint.config is not None:
        for field, value in checkpoint.config.to_dict().items():
            print(f"  {field} = {value!r}")
    for field, (value, evidence) in checkpoint.known.items():
        print(f"  from the checkpoint: {field} = {value!r} ({evidence})")

    print(
        f"\n{len(checkpoint.tensors)} variables, {inspection.num_bytes:,} bytes, "
        f"{inspection.parameters:,} parameters of ALBERT"
    )
    if _VARIABLES.value:
        for name, spec in checkpoint.tensors.items():
            print(f"  {name}  {spec}  -> {inspection.purposes[name]}")

    print("\nfiles")
    for file in inspection.files:
        print(f"  {file.sha256}  {file.num_bytes:>13,}  {file.name}")

    print("\nuses")
    for use, missing in inspection.lacking.items():
        print(f"  {use}: {'ready' if missing is None else 'lacks ' + missing}")
    if inspection.lacking["encoder"] is not None:
        sys.exit("error: No encoder can be loaded from this checkpoint. See above.")


def start(argv=None):
    run(main, argv)

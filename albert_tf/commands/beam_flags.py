"""The flags of commands that compute on Apache Beam if told to."""

import re
import shlex
import sys

from absl import flags

from albert_tf.commands.help import command_flags
from albert_tf.commands.run import near_matches

FLAG_GROUPS = {"runner": "Apache Beam"}

_RUNNER = flags.DEFINE_string(
    "runner",
    None,
    "Compute on Apache Beam (extra [beam]): DirectRunner for several processes of this machine, or "
    "FlinkRunner, SparkRunner, PortableRunner. Beam's own options are flags beside it, such as "
    "--direct_num_workers=2. The output is the same single file, its rows in the order of the "
    "input. Model, input and output lie where all machines see them under the same path. Default: "
    "this process computes.",
)
_BEAM_OPTIONS = flags.DEFINE_multi_string(
    "beam_options",
    None,
    "Options of Beam in one text, as for `albert-tf pretraining-data-beam`, instead of as flags",
)


def with_beam_options(argv=None):
    """The command line, where flags that the command does not have are in --beam_options.

    Args:
      argv: Command line, program name first. Default: sys.argv.
    """
    argv = list(sys.argv if argv is None else argv)
    names = [(re.match(r"--([a-z]\w*)", argument) or ["", ""])[1] for argument in argv]
    if "runner" not in names or any(name.startswith("help") for name in names):
        return argv
    found = []
    for argument, name in zip(argv, names):
        follows = found and found[-1].startswith("--beam_options=") and "=" not in found[-1][15:]
        if name and name not in flags.FLAGS and name.removeprefix("no") not in flags.FLAGS:
            found.append(f"--beam_options={shlex.quote(argument)}")
        elif follows and not argument.startswith("-"):  # As in `--direct_num_workers 2`.
            found[-1] += f" {shlex.quote(argument)}"
        else:
            found.append(argument)
    return found


def beam_options():
    """Beam's options that are given, list of str; None if nothing is to run on Beam.

    Raises:
      ImportError: apache-beam is missing.
      ValueError: There is no such option.
    """
    options = [option for text in _BEAM_OPTIONS.value or [] for option in shlex.split(text)]
    if _RUNNER.value is not None:
        options.insert(0, f"--runner={_RUNNER.value}")
    if not options:
        return None
    from albert_tf.prediction.beam_job import unknown_options

    for name in unknown_options(options):
        near = near_matches(f"--{name}", [f"--{flag}" for flag in command_flags()])
        # Flink, Spark and others have job servers, with further options.
        if near or _RUNNER.value == "DirectRunner":
            raise ValueError(f"There is no flag --{name}, nor has Beam such an option.{near}")
    return options

"""How every command starts and fails."""

import difflib
import sys
import warnings

from absl import app, flags, logging

from albert_tf.commands.help import command_flags, command_help, is_required
from albert_tf.training.engine.op_errors import one_line
from albert_tf.training.finetuning.collapse import TrainingCollapsed

# What a user can do something about; anything else is a bug and shows its traceback.
ERRORS = (ValueError, OSError, ImportError, TrainingCollapsed, FloatingPointError)


def run(main, argv=None, positional=False):
    """Parses flags and runs `main()`; a user's error ends in one line and exit status 1.

    Args:
      main: Function without arguments. Its flags are defined by the module that it is in.
      argv: Command line, program name first. Default: sys.argv.
      positional: Whether `main` takes the arguments that are no flags, a list of str.
    """
    logging.set_verbosity(logging.WARNING)
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    description = sys.modules[main.__module__].__doc__
    argv = [_program(), *sys.argv[1:]] if argv is None else argv

    def parse(argv):
        given = argv[1 : argv.index("--")] if "--" in argv else argv[1:]
        if {"-h", "--help", "--helpshort", "--helpfull"} & set(given):
            print(command_help(argv[0], description))
            sys.exit(0)
        try:
            return flags.FLAGS(argv)
        except flags.Error as error:
            sys.exit(f"error: {_explain(error)} `{argv[0]} --help` lists the flags.")

    def parsed(argv):
        if argv[1:] and not positional:
            sys.exit(f"error: All arguments are flags. Received: {' '.join(argv[1:])}. See --help.")
        try:
            main(*([argv[1:]] if positional else []))
        except KeyboardInterrupt:
            sys.exit("error: Interrupted.")
        except ERRORS as error:
            sys.exit(f"error: {error}")
        except Exception as error:
            if message := _tensorflow_message(error):
                sys.exit(f"error: {message}")
            raise

    app.run(parsed, argv=argv, flags_parser=parse)


def near_matches(name, names):
    """ " Did you mean ...?", or nothing if no name is like it."""
    near = difflib.get_close_matches(name, names, n=2)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _program():
    """What the process was called by: "python -m export.encoder"."""
    spec = sys.modules["__main__"].__spec__
    return sys.argv[0] if spec is None else f"python -m {spec.name.removesuffix('.__main__')}"


def _explain(error):
    """A flag error as a sentence or two."""
    if isinstance(error, flags.UnrecognizedFlagError):
        near = near_matches(f"--{error.flagname}", [f"--{name}" for name in command_flags()])
        return f"There is no flag --{error.flagname}.{near}"
    missing = [f"--{f.name}" for f in command_flags().values() if is_required(f) and not f.present]
    if isinstance(error, flags.IllegalFlagValueError) and missing:
        return f"Flags are missing: {', '.join(missing)}."
    return f"{str(error).removeprefix('flag ').rstrip('.')}."


def _tensorflow_message(error):
    """An `OpError` in one line, such as that of a full disk; None for other errors."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None or not isinstance(error, tensorflow.errors.OpError):
        return None
    full = isinstance(error, tensorflow.errors.ResourceExhaustedError)
    hint = " Make room on the disk, or use less memory: smaller batches." if full else ""
    return f"TensorFlow could not go on. Received: {type(error).__name__}: {one_line(error)}{hint}"

"""How every command starts and fails."""

import sys

from absl import app, flags, logging

from albert_tf.training.collapse import TrainingCollapsed

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
    # --help shows what is said and defined in the program's own module: make that the command's.
    sys.modules["__main__"].__doc__ = sys.modules[main.__module__].__doc__
    for module, defined in flags.FLAGS.flags_by_module_dict().items():
        if module.startswith("albert_tf.commands."):
            for flag in defined:
                flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)

    def parsed(argv):
        if argv[1:] and not positional:
            sys.exit(f"error: All arguments are flags. Received: {' '.join(argv[1:])}. See --help.")
        try:
            main(*([argv[1:]] if positional else []))
        except KeyboardInterrupt:
            sys.exit("error: Interrupted.")
        except ERRORS as error:
            sys.exit(f"error: {error}")

    app.run(parsed, argv=argv)

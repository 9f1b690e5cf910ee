"""What a run's directory is: one run, by one process at a time, which stays what it was."""

import contextlib
import json

from albert_tf.atomic import is_remains, local_path, remove_remains, write_file
from albert_tf.lock import NAME, locked
from albert_tf.training.engine.agreement import agree, chief_first, versions

RECORD = "run.json"


@contextlib.contextmanager
def held_run(output, record, strategy, options):
    """Begins a run, or lets it go on if it is the same one; holds its directory meanwhile.

    Args:
      output: The run's directory.
      record: dict for JSON: all that the outcome depends on, as of `flat`.
      strategy: A tf.distribute.Strategy; its chief writes.
      options: dict for JSON: what else all workers must be started with.

    Raises:
      ValueError: The directory holds another run, or the workers were not started alike.
      FileExistsError: The directory holds something else.
      BlockingIOError: Another process runs in it.
    """
    with contextlib.ExitStack() as stack:

        def begin():
            check_record(output, record, writes=False)  # Before anything is made.
            stack.enter_context(locked(local_path(output)))
            remove_remains(output)
            check_record(output, record)

        chief_first(strategy, begin)
        agree(strategy, {**record, **options, **versions()})
        yield


def check_record(output, record, writes=True):
    """Begins a run, or lets it go on if it is the same one.

    Args:
      output: The run's directory.
      record: dict for JSON: all that the outcome depends on.
      writes: Whether to begin one where there is none.

    Raises:
      ValueError: The directory holds another run, or its record is damaged.
      FileExistsError: The directory holds something else.
    """
    directory = local_path(output)
    path = directory / RECORD
    record = json.loads(json.dumps(record))
    if path.is_file():
        begun = _read(path)
        changed = [
            f"{name} is {_short(record.get(name))}, was {_short(begun.get(name))}"
            for name in {**begun, **record}
            if begun.get(name) != record.get(name)
        ]
        if changed:
            raise ValueError(
                "A run goes on with the settings that its result depends on as they were. "
                f"Received: for the one in {str(directory)!r} {'; '.join(changed)}. Use the "
                "earlier settings to go on, or another output directory for a run of its own."
            )
    elif directory.exists() and not directory.is_dir():
        raise FileExistsError(f"The output must be a directory. Received: the file {output}.")
    elif directory.exists() and any(
        p.name != NAME and not is_remains(p.name) for p in directory.iterdir()
    ):
        raise FileExistsError(
            f"The output must be a new directory, or that of the same run. Received: {output}, "
            f"which has files but no {RECORD}. Choose another path."
        )
    elif writes:
        write_file(path, json.dumps(record, indent=1) + "\n")


def flat(record):
    """A nested dict as one of "outer.inner" names, so that differences can be told apart."""
    result = {}
    for name, value in record.items():
        if isinstance(value, dict):
            result |= {f"{name}.{inner}": v for inner, v in flat(value).items()}
        else:
            result[name] = value
    return result


def _read(path):
    try:
        begun = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(begun, dict):
            raise ValueError(f"{type(begun).__name__} instead of an object")
        return begun
    except ValueError as error:
        raise ValueError(
            f"A run's record must be readable. Received: {str(path)!r} ({error}). Put it back from "
            "a copy, or begin anew in another directory, if you like from the weights of this one, "
            "which is still a checkpoint."
        ) from None


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

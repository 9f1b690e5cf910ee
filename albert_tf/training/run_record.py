"""The record in a run's directory that keeps the run what it is."""

import json
import os
import pathlib

RECORD = "run.json"


def check_record(output, record, writes=True):
    """Begins a run, or lets it go on if it is the same one.

    Args:
      output: The run's directory.
      record: dict for JSON: all that the outcome depends on.
      writes: Whether this process writes.

    Raises:
      ValueError: The directory holds another run.
      FileExistsError: The directory holds something else.
    """
    directory = pathlib.Path(output)
    path = directory / RECORD
    partial = path.with_suffix(".partial")
    record = json.loads(json.dumps(record))
    if path.is_file():
        begun = json.loads(path.read_text(encoding="utf-8"))
        changed = [
            f"{name} {_short(record.get(name))} instead of {_short(begun.get(name))}"
            for name in {**begun, **record}
            if begun.get(name) != record.get(name)
        ]
        if changed:
            raise ValueError(
                f"A run goes on as it began. Received: for the one in {str(directory)!r} "
                f"{'; '.join(changed)}. Use another output directory, or the same options."
            )
    elif writes and directory.exists() and any(p != partial for p in directory.iterdir()):
        raise FileExistsError(
            f"The output must be a new directory, or that of the same run. Received: {output}, "
            f"which has files but no {RECORD}. Choose another path."
        )
    elif writes:
        directory.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)


def flat(record):
    """A nested dict as one of "outer.inner" names, so that differences can be told apart."""
    result = {}
    for name, value in record.items():
        if isinstance(value, dict):
            result |= {f"{name}.{inner}": v for inner, v in flat(value).items()}
        else:
            result[name] = value
    return result


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""What an output is made of, so that a job can go on with it and no other job can."""

import hashlib
import json
import pathlib

from albert_tf.atomic import write_file


class Manifest:
    """What an output is made of, beside it.

    Args:
      path: Path of the JSON file.
      made_of: dict for JSON: all that the bytes of the output depend on.
      about: dict for JSON of what else to note, such as where the model and the input lie.

    Attributes:
      counts: dict of what `finish` noted; {} before.
    """

    def __init__(self, path, made_of, about):
        self._path = pathlib.Path(path)
        self._made_of = json.loads(json.dumps(made_of))
        self._about = about
        self.counts = {}

    def is_finished(self, output, overwrite=False):
        """Whether the output is there, complete and of these settings.

        Raises:
          FileExistsError: It is there, of other settings or unknown ones, and not `overwrite`.
        """
        found = self._read()
        earlier = found.get("made_of")
        if earlier == self._made_of and output.exists() and "counts" in found:
            self.counts = found["counts"]
            return not overwrite
        if not overwrite and earlier not in (None, self._made_of):
            names = {*earlier, *self._made_of}
            changed = sorted(n for n in names if earlier.get(n) != self._made_of.get(n))
            raise FileExistsError(
                "The same job goes on only with the same model, input and options. Received: for "
                f"{output}, other {', '.join(changed)}. Use the earlier ones, choose another "
                "output, or replace it (--overwrite)."
            )
        if not overwrite and earlier is None and output.exists():
            raise FileExistsError(
                f"The output must not exist yet. Received: {output}. Choose another path, or "
                "replace it (--overwrite)."
            )
        return False

    def begin(self):
        """Notes the settings; returns whether this is a beginning, and no continuation."""
        found = self._read()
        if found.get("made_of") == self._made_of and "counts" not in found:
            return False
        self._write({"made_of": self._made_of})
        return True

    def finish(self, counts):
        """Notes that the output is complete."""
        self.counts = counts
        self._write({"made_of": self._made_of, "counts": counts})

    def _read(self):
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("made_of"), dict):
            raise ValueError(
                f"A manifest must be as it was written. Received: {self._path}, which is damaged. "
                "Remove it, with its output, to begin anew."
            )
        return found

    def _write(self, content):
        content = {**content, "about": self._about}
        write_file(self._path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def digest(path):
    """Fingerprint of a file, of all files of a directory, or of those with a common prefix.

    Args:
      path: Path.

    Returns:
      str of 16 hexadecimal digits; names of files count, not where they lie.
    """
    path = pathlib.Path(path)
    whole = hashlib.sha256()
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
    else:
        files = [path] if path.is_file() else sorted(path.parent.glob(f"{path.name}*"))
    for file in files:
        name = file.relative_to(path).as_posix() if path.is_dir() else ""
        with open(file, "rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
        whole.update(f"{name}\0{content}\n".encode())
    return whole.hexdigest()[:16]

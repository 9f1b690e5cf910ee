"""A model under its name: the version that is served, and those that take its place."""

import gc
import pathlib
import weakref

from albert_tf.messages import brief
from albert_tf.serving.request_error import RequestError
from albert_tf.serving.served_version import load_saved_model


class ServedModel:
    """The newest version of a model.

    Args:
      name: What requests call it.
      current: `ServedVersion`, loaded.
      base: Directory with directories of versions, called by numbers; None where there is nothing
        to look for. As in TensorFlow Serving, the highest number is served.
    """

    def __init__(self, name, current, base=None):
        self.name = name
        self.current = current
        self._base = base
        self._failed = {}  # Version -> (state of its files, error message).
        self._seen = {}  # Version -> state of its files, when last looked at.
        self._left = []  # Weak references to versions that were served.

    def version(self, number=None, label=None):
        """The `ServedVersion` that a request asks for.

        Raises:
          RequestError: It is not served.
        """
        current = self.current
        if label is not None:
            raise RequestError(
                400, f"Versions have numbers here, no labels. Received: {self.name!r}, {label!r}."
            )
        if number not in (None, current.version):
            raise RequestError(
                404,
                f"There is no version {number} of model {self.name!r}. The one that is served is "
                f"{current.version}.",
            )
        return current

    def status(self, number=None, label=None):
        """What TensorFlow Serving answers to the model's path, a dict for JSON."""
        states = {self.current.version: ("AVAILABLE", "OK", "")}
        for version, (_, message) in self._failed.items():
            states[version] = ("END", "UNKNOWN", message)
        if label is not None or number not in (None, *states):
            self.version(number, label)
        return {
            "model_version_status": [
                {
                    "version": str(version),
                    "state": state,
                    "status": {"error_code": code, "error_message": message},
                }
                for version, (state, code, message) in sorted(states.items(), reverse=True)
                if number in (None, version)
            ]
        }

    def poll(self, say=print):
        """Looks for a newer version; loads and serves it, and unloads the older one.

        A directory that is still being written, or whose model cannot be loaded, changes nothing.

        Args:
          say: Function that is told what has happened, in words.
        """
        if self._left:
            gc.collect()  # Models are circles of references.
            self._left = [left for left in self._left if left() is not None]
        if self._base is None:
            return
        try:
            states = {v: _state(path) for v, path in version_paths(self._base).items()}
        except OSError:
            return  # Gone for the moment; what is loaded is served.
        seen, self._seen = self._seen, states
        self._failed = {v: x for v, x in self._failed.items() if states.get(v) == x[0]}
        for version in sorted(states, reverse=True):
            if version == self.current.version:
                return
            if version in self._failed:
                continue
            if seen.get(version) != states[version]:
                return  # It may be incomplete.
            if self._load(version, states[version], say):
                return

    def _load(self, version, state, say):
        path = version_paths(self._base).get(version)
        try:
            loaded = load_saved_model(path, version)
        except Exception as error:  # Whatever is wrong with it, the server goes on.
            message = brief(f"{type(error).__name__}: {error}")
            self._failed[version] = state, message
            say(
                f"Version {version} of {self.name} cannot be served, {self.current.version} stays. "
                f"Received: {message}"
            )
            return False
        self._left.append(weakref.ref(self.current))
        say(f"Version {version} of {self.name} is served, instead of {self.current.version}.")
        self.current = loaded
        return True


def version_paths(base):
    """{version: path} of the SavedModels in the numbered directories of a directory."""
    return {
        int(path.name): path
        for path in pathlib.Path(base).iterdir()
        if path.name.isascii()
        and path.name.isdecimal()
        and len(path.name) < 20
        and (path / "saved_model.pb").is_file()
    }


def _state(path):
    """What changes when the files of a directory do."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return tuple((str(f), s.st_size, s.st_mtime_ns) for f in files for s in [f.stat()])

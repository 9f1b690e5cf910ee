"""What a directory of pre-training data was made of, and which shards are finished."""

import dataclasses
import json
import os

from albert_tf.atomic import is_remains, write_file
from albert_tf.lock import NAME as LOCK

NAME = "manifest.json"
_FORMAT = 1


@dataclasses.dataclass
class Manifest:
    """The file manifest.json beside the shards.

    Attributes:
      made_of: Everything that decides the bytes of the shards, as JSON.
      shards: dict, shard number -> counts, of the finished shards.
      path: Where the file is.
    """

    made_of: dict
    shards: dict
    path: str

    @classmethod
    def open(cls, output, made_of, overwrite=False):
        """Starts an output, or goes on with an interrupted one.

        Args:
          output: Directory, locked.
          made_of: See the class.
          overwrite: Remove the shards of an earlier output that was made of something else.

        Raises:
          FileExistsError: If there are other files, or shards made of something else.
        """
        made_of = json.loads(json.dumps({"format": _FORMAT, **made_of}))
        path = os.path.join(output, NAME)
        if os.path.exists(path):
            earlier = cls.read(path)
            if earlier["made_of"] == made_of:
                shards = {int(shard): counts for shard, counts in earlier["shards"].items()}
                return cls(made_of, shards, path)
            if not overwrite:
                raise FileExistsError(
                    "An existing output can only be continued with what it was begun with. "
                    f"Received: {output}, which differs in "
                    f"{'; '.join(_differences(earlier['made_of'], made_of))}. "
                    "Choose another output, or replace it with overwrite=True (--overwrite)."
                )
            _remove_shards(output)
            os.unlink(path)
        elif any(name != LOCK and not is_remains(name) for name in os.listdir(output)):
            raise FileExistsError(
                "The output must be an empty directory or pre-training data that can be continued. "
                f"Received: {output} with other files. Choose another directory."
            )
        manifest = cls(made_of, {}, path)
        manifest.save()
        return manifest

    @staticmethod
    def read(path):
        """The content of a manifest.json: dict {made_of, statistics, shards}.

        Raises:
          ValueError: If it is not one.
        """
        try:
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
            whole = {name: content[name] for name in ("made_of", "statistics", "shards")}
            if not all(isinstance(value, dict) for value in whole.values()):
                raise ValueError("a part of it is no object")
            return whole
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"The output's {NAME} must be one that this program wrote. Received: {path}, which "
                f"is not ({type(error).__name__}: {error}). Choose another output directory, or "
                "put it back from a copy."
            ) from None

    def finish(self, shard, counts):
        """Notes that a shard is finished."""
        self.shards[shard] = counts
        self.save()

    def save(self):
        """Writes the file so that a crash leaves the old or the new one."""
        content = {"made_of": self.made_of, "statistics": self.statistics()}
        content["shards"] = {str(shard): self.shards[shard] for shard in sorted(self.shards)}
        write_file(self.path, json.dumps(content, indent=1))

    def statistics(self):
        """Sums over the finished shards: dict of int."""
        sums = {}
        for shard in sorted(self.shards):
            for name, count in self.shards[shard].items():
                sums[name] = sums.get(name, 0) + count
        return sums


def shard_name(shard, num_shards):
    """The name of a shard's file."""
    return f"pretraining-{shard:05d}-of-{num_shards:05d}.tfrecord"


def _differences(earlier, now, prefix=""):
    """Lists the values that differ, as `name (was 1, is 2)`."""
    differences = []
    for name in sorted({*earlier, *now}):
        was, value = earlier.get(name), now.get(name)
        if isinstance(was, dict) and isinstance(value, dict):
            differences += _differences(was, value, f"{prefix}{name}.")
        elif was != value:
            shown = f"was {was!r}, is {value!r}"
            shown = shown if len(shown) < 200 else "the list differs"
            differences.append(f"{prefix}{name} ({shown})")
    return differences


def _remove_shards(output):
    for name in os.listdir(output):
        if name.startswith("pretraining-") and (".tfrecord" in name):
            os.unlink(os.path.join(output, name))

"""What a directory of pre-training data was made of, and which shards are finished."""

import dataclasses
import json
import os

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
          output: Directory; it is made if it is not there.
          made_of: See the class.
          overwrite: Remove the shards of an earlier output that was made of something else.

        Raises:
          FileExistsError: If there are other files, or shards made of something else.
        """
        made_of = json.loads(json.dumps({"format": _FORMAT, **made_of}))
        path = os.path.join(output, NAME)
        if os.path.exists(output) and not os.path.isdir(output):
            raise FileExistsError(f"The output must be a directory. Received: the file {output}.")
        os.makedirs(output, exist_ok=True)
        if os.path.exists(path):
            earlier = _read(path)
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
        elif os.listdir(output):
            raise FileExistsError(
                "The output must be an empty directory or pre-training data that can be continued. "
                f"Received: {output} with other files. Choose another directory."
            )
        manifest = cls(made_of, {}, path)
        manifest.save()
        return manifest

    def finish(self, shard, counts):
        """Notes that a shard is finished."""
        self.shards[shard] = counts
        self.save()

    def save(self):
        """Writes the file so that a crash leaves the old or the new one."""
        content = {"made_of": self.made_of, "statistics": self.statistics()}
        content["shards"] = {str(shard): self.shards[shard] for shard in sorted(self.shards)}
        temporary = f"{self.path}.{os.getpid()}.tmp"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)

    def statistics(self):
        """Sums over the finished shards: dict of int."""
        sums = {}
        for shard in sorted(self.shards):
            for name, count in self.shards[shard].items():
                sums[name] = sums.get(name, 0) + count
        return sums


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        return {"made_of": content["made_of"], "shards": content["shards"]}
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"The output's {NAME} must be one that this program wrote. Received: {path}, which is "
            "not. Choose another output directory."
        ) from None


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

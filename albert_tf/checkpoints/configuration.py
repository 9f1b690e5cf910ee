"""The configuration that goes with a checkpoint: given, or a file beside it."""

import collections.abc
import dataclasses
import os

from albert_tf.config import AlbertConfig

FILE = "albert_config.json"


def given_config(config):
    """What the caller said: an `AlbertConfig`, a dict of its fields, or the path of a JSON file.

    Returns:
      (AlbertConfig or None, where it comes from in words)

    Raises:
      ValueError: It is none of these.
    """
    if config is None:
        return None, "no configuration"
    if isinstance(config, AlbertConfig):
        return config, "the configuration given"
    if isinstance(config, collections.abc.Mapping):
        return AlbertConfig.from_dict(config), "the configuration given"
    if isinstance(config, (str, os.PathLike)):
        return AlbertConfig.from_json_file(config), os.fspath(config)
    raise ValueError(
        "`config` must be an AlbertConfig, a dict, the path of a JSON file, or None. Received: "
        f"{config!r}."
    )


def find_config(config, *directories):
    """What the caller said, else the file `albert_config.json` of the first directory with one.

    brightmart's checkpoints call it such as `albert_config_tiny.json`, which counts if it is alone.

    Args:
      config: As for `given_config`.
      *directories: pathlib.Path, nearest first.

    Returns:
      (AlbertConfig or None, where it comes from in words)
    """
    if config is not None:
        return given_config(config)
    for directory in directories:
        files = sorted(directory.glob("albert_config*.json"))
        if (directory / FILE).is_file():
            files = [directory / FILE]
        if len(files) == 1:
            return AlbertConfig.from_json_file(files[0]), str(files[0])
    return None, f"no {FILE} in {' or '.join(repr(str(d)) for d in directories)}"


def config_from_fields(flavor, fields):
    """A configuration from fields found here and there, if none is missing that matters.

    The initializer's range never matters for restored weights. `attention_mask_value` does in TF2
    SavedModels, whose generations differ in it, and is -10000 in all of the original's.

    Args:
      flavor: One of `flavors.FLAVORS`.
      fields: {field of AlbertConfig: value}.

    Returns:
      (AlbertConfig or None, list of the missing fields)
    """
    needed = {field.name for field in dataclasses.fields(AlbertConfig)}
    needed -= {"initializer_range", "project_same_width"}
    if not flavor.startswith("tf2_hub"):
        needed.discard("attention_mask_value")
    missing = sorted(needed - fields.keys())
    return (None if missing else AlbertConfig(**fields)), missing

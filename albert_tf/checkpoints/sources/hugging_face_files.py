"""The files of weights in a Hugging Face directory, whatever their format."""

import collections
import re

from albert_tf.checkpoints.files.mapped_file import check_is_content
from albert_tf.checkpoints.files.safetensors_file import open_safetensors
from albert_tf.checkpoints.files.torch_file import open_torch_file
from albert_tf.checkpoints.sources.tf_h5_file import open_tf_h5
from albert_tf.config_files import read_json_object
from albert_tf.messages import brief, listed

# In the order in which transformers prefers them. An index lists the files of a model in parts.
WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
)

_FORMATS = (
    (re.compile(r".+\.safetensors"), open_safetensors),
    (re.compile(r"pytorch_model.*\.bin"), open_torch_file),
    (re.compile(r"tf_model.*\.h5"), open_tf_h5),
)
_INDEX = re.compile(r"(.+\.safetensors|pytorch_model.*\.bin)\.index\.json")


def find_weights(path):
    """The file of weights at a path: the path itself, or one in that directory; None without any.

    Args:
      path: pathlib.Path.

    Returns:
      pathlib.Path of a file in one of the formats, or of an index.
    """
    if path.is_dir():
        return next((path / name for name in WEIGHT_FILES if (path / name).is_file()), None)
    known = _INDEX.fullmatch(path.name) or _open_function(path.name)
    return path if known and path.is_file() else None


def open_weights(path):
    """Opens a file of weights, or all that an index lists.

    Args:
      path: pathlib.Path from `find_weights`.

    Returns:
      {name: StoredTensor}.

    Raises:
      FileNotFoundError: A file that the index lists is missing.
      ValueError: A file is damaged, or the index names a file elsewhere or does not agree with its
        files.
    """
    if not _INDEX.fullmatch(path.name):
        return _open_function(path.name)(path)
    weight_map = read_json_object(path).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise _bad_index(path, "no weight_map")
    listed_names = collections.defaultdict(set)
    for name, file_name in weight_map.items():
        if not isinstance(file_name, str) or set(file_name) & set("/\\:\0"):
            raise _bad_index(path, f"{brief(file_name)}, which is no name of a file beside it")
        listed_names[file_name].add(name)
    for file_name in listed_names:
        if _open_function(file_name) is None:
            raise _bad_index(path, f"{brief(file_name)}, which is of no known format")
        check_is_content(path.parent / file_name)
    tensors = {}
    for file_name, names in listed_names.items():
        part = _open_function(file_name)(path.parent / file_name)
        if strange := sorted(names ^ part.keys()):
            raise _bad_index(path, f"{file_name!r}, but they differ in {listed(strange)}")
        tensors.update(part)
    return tensors


def _open_function(name):
    return next((function for pattern, function in _FORMATS if pattern.fullmatch(name)), None)


def _bad_index(path, what):
    return ValueError(
        "An index must list the files beside it and exactly their tensors. Received: "
        f"{str(path)!r} with {what}. Download the whole directory again."
    )

"""Reads what `save` and `save_weights` of our Keras models write: .keras and .weights.h5 files.

Both Keras generations' files, in both generations. No Keras code runs, so a file can do nothing but
hold numbers.
"""

import io
import json
import re
import struct
import zipfile

from albert_tf.checkpoints.files.hdf5 import open_datasets
from albert_tf.checkpoints.files.zip_file import ERRORS, BoundedFile, chunks
from albert_tf.config import AlbertConfig, transformer_name
from albert_tf.config_files import CONFIG_FIELDS
from albert_tf.messages import brief, listed

_ENCODER, _PRETRAINER = "albert_tf>AlbertEncoder", "albert_tf>AlbertPretrainer"
# Where an encoder is in a model that has one, by either Keras.
_ENCODER_FOLDER = re.compile(r"^(encoder|layers/albert_encoder)/")
# Not in the first files; their default is what was before them.
_LATER_FIELDS = {"project_same_width"}
_MOST_CONFIG_BYTES = 1 << 20
_HEADS = {
    "masked_lm/output_bias": "bert/cls/predictions/output_bias",
    "masked_lm/transform": "bert/cls/predictions/transform/dense",
    "masked_lm/layer_norm": "bert/cls/predictions/transform/LayerNorm",
    "sentence_order/logits": "bert/cls/seq_relationship",
}


def is_keras_file(path):
    """Whether a file is a Keras model or Keras weights, by its content."""
    if not path.is_file():
        return False
    if _is_hdf5(path):
        return True
    try:
        with BoundedFile(path) as file, zipfile.ZipFile(file) as archive:
            return {"config.json", "model.weights.h5"} <= set(archive.namelist())
    except ERRORS:
        return False


def _is_hdf5(path):
    with open(path, "rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def open_keras_file(path, config):
    """Opens a file of an `AlbertEncoder`, an `AlbertPretrainer` or a task model.

    Args:
      path: pathlib.Path.
      config: The `AlbertConfig` that the caller gave, or None.

    Returns:
      ({name: TensorSpec}, {name: reason to ignore it}, function from a name to its array,
      the configuration in the file, or None for a file of weights alone)

    Raises:
      ValueError: The file is damaged, or another model's, or one of weights whose blocks cannot be
        told apart without `config`.
    """
    kind, stated, weights = None, None, path
    if not _is_hdf5(path):
        kind, stated, weights = _open_archive(path)
    stored, _, get = open_datasets(weights, str(path))
    config = config or stated
    if config is None and any("transformer_1/" in key or "inner_group" in key for key in stored):
        raise ValueError(
            "A file of weights of several transformer blocks needs its configuration (`config`), "
            f"which tells groups from inner groups. Received: {str(path)!r}. Or save a .keras file."
        )
    inner = config.inner_group_num if config is not None else 1
    # Keras calls that dense layer by its class which it has not yet met as an attribute.
    pooler_met, projection_met = (
        any(re.search(rf"(^|/){name}/vars/", key) for key in stored)
        for name in ("pooler_transform", "embedding_projection")
    )
    dense = "embedding_projection" if pooler_met and not projection_met else "pooler_transform"
    # In a model with an encoder, what lies outside of it is a head.
    nested = any(_ENCODER_FOLDER.match(key) for key in stored)
    keys, ignored = {}, {}
    for key in stored:
        outside = nested and not _ENCODER_FOLDER.match(key)
        name = (_head_name(key) if outside else _name(key, dense, inner)) or key
        keys[name] = key
        if key.startswith(("optimizer/", "_optimizer/")):
            ignored[name] = "optimizer slot"
        elif key.startswith("metrics/"):
            ignored[name] = "metric"
        elif outside and name == key and kind != _PRETRAINER:
            ignored[name] = "head of a task"
    if "word_embeddings/embeddings" not in keys:
        raise ValueError(
            "A Keras file must hold the weights of an AlbertEncoder or of a model with one. "
            f"Received: {str(path)!r} with {listed(stored) or 'no weights'}. Save the encoder "
            "itself: model.encoder.save(path)."
        )
    tensors = {name: stored[key] for name, key in keys.items()}
    return tensors, ignored, lambda name: get(keys[name]), stated


def _open_archive(path):
    """Returns (class of the model, AlbertConfig, file object of the weights) of a .keras file."""
    with BoundedFile(path) as file, zipfile.ZipFile(file) as archive:
        members = {name: archive.getinfo(name) for name in ("config.json", "model.weights.h5")}
        for name, info in members.items():
            too_large = name == "config.json" and info.file_size > _MOST_CONFIG_BYTES
            if info.compress_type != zipfile.ZIP_STORED or too_large:
                raise ValueError(
                    f"A .keras file must be as Keras writes it, not compressed. Received: "
                    f"{str(path)!r}, whose {name} unfolds from {info.compress_size} to "
                    f"{info.file_size} bytes. Save the model anew."
                )
        try:
            values = json.loads(b"".join(chunks(archive, members["config.json"])))
            for _ in chunks(archive, members["model.weights.h5"]):
                pass  # HDF5 looks at what it needs, and has no checksum of its own.
        except ERRORS as error:
            raise ValueError(
                f"A .keras file must be readable. Received: {str(path)!r} ({error}). Copy or "
                "download it again, and compare its size with the source's."
            ) from error
    kind, config = _config(values, path)
    return kind, config, io.BufferedReader(_Part(path, members["model.weights.h5"]))


def _config(values, path):
    """Returns (class of the model, AlbertConfig) from the config.json of a .keras file."""
    kind = values.get("registered_name") if isinstance(values, dict) else None
    encoder = values if kind == _ENCODER else _part(_part(values, "config"), "encoder")
    if encoder.get("registered_name") != _ENCODER or not str(kind).startswith("albert_tf>"):
        raise ValueError(
            "A .keras file must be of an AlbertEncoder, or of an AlbertPretrainer or a task model "
            f"of albert_tf. Received: {str(path)!r} of {brief(kind)}. Load other models with "
            "keras.models.load_model, or save the encoder itself."
        )
    values = _part(encoder, "config")
    if missing := CONFIG_FIELDS.keys() - values.keys() - _LATER_FIELDS:
        raise ValueError(
            f"The config.json of a .keras file must be complete. Received: {str(path)!r} without "
            f"{', '.join(sorted(missing))}."
        )
    fields = {field: values[key] for key, field in CONFIG_FIELDS.items() if key in values}
    return kind, AlbertConfig(**fields)


def _part(values, key):
    part = values.get(key) if isinstance(values, dict) else None
    return part if isinstance(part, dict) else {}


def _head_name(key):
    """Our name of an array of a pretrainer's head, or None."""
    match = re.fullmatch(r"(?:layers/)?(.+)/vars/([01])", key)
    head = _HEADS.get(match[1]) if match else None
    if head is None:
        return None
    leaves = ("bias", "") if head.endswith("output_bias") else _leaves(head)
    return f"{head}/{leaves[int(match[2])]}"


def _name(key, dense, inner):
    """Our name of an encoder's array, or None. Keras names by class and attribute.

    Args:
      key: Name of the array in the file.
      dense: Which layer it is that is named by its class.
      inner: `inner_group_num`.
    """
    match = re.fullmatch(r"(.+)/vars/([01])", key)
    if not match:
        return None
    layer, number = match.groups()
    layer = _ENCODER_FOLDER.sub("", layer)
    if layer.startswith("layers/dense"):
        layer = dense
    layer = layer.removeprefix("layers/")
    # By attribute in Keras 2 files, counted in Keras 3 files.
    if block := re.match(r"transformer_(\d+)/", layer):
        group, place = divmod(int(block[1]), inner)
        layer = f"{transformer_name(group, place)}/{layer[block.end() :]}"
    if layer.startswith("transformer"):
        layer = layer.replace("/output_dense", "/output")
    if re.fullmatch(r"embeddings/(word_embeddings|position_embedding|type_embeddings)", layer):
        return f"{layer.removeprefix('embeddings/')}/embeddings"
    return f"{layer}/{_leaves(layer)[int(number)]}"


def _leaves(layer):
    norm = layer.endswith(("layer_norm", "LayerNorm"))
    return ("gamma", "beta") if norm else ("kernel", "bias")


class _Part(io.RawIOBase):
    """A member of a zip file that is stored as it is, as a file of its own."""

    def __init__(self, path, info):
        super().__init__()
        self._file = open(path, "rb")
        self._file.seek(info.header_offset)
        header = self._file.read(30)
        if len(header) < 30:
            raise ValueError(f"A .keras file must be complete. Received: {str(path)!r}.")
        name, extra = struct.unpack("<HH", header[26:30])
        self._start = info.header_offset + 30 + name + extra
        self._size = info.file_size
        self._place = 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self):
        return self._place

    def readinto(self, buffer):
        self._file.seek(self._start + self._place)
        count = max(0, min(len(buffer), self._size - self._place))
        data = self._file.read(count)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def close(self):
        self._file.close()
        super().close()

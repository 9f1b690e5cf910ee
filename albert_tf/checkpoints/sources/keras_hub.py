"""Reads KerasHub's ALBERT presets: config.json and model.weights.h5.

KerasHub's encoder is ALBERT's: tanh-approximated gelu, epsilon 1e-12, one dropout rate for hidden
values and attention probabilities, an embedding projection even where both widths are equal. Rows
without any token give other numbers (KerasHub's attention is 0 there), and the layer normalization
of its masked LM head has the epsilon 1e-5, for which that head is left out.

Reference: keras_hub/src/models/albert/albert_backbone.py, layers/modeling/masked_lm_head.py.
"""

import re

from albert_tf.checkpoints.files.hdf5 import open_datasets
from albert_tf.config import AlbertConfig
from albert_tf.config_files import read_json_object
from albert_tf.messages import brief, listed

_FIELDS = {
    "vocabulary_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "embedding_dim": "embedding_size",
    "hidden_dim": "hidden_size",
    "intermediate_dim": "intermediate_size",
    "num_groups": "num_hidden_groups",
    "num_inner_repetitions": "inner_group_num",
    "max_sequence_length": "max_position_embeddings",
    "num_segments": "type_vocab_size",
}
_OTHER_KEYS = {"name", "trainable", "dtype", "dropout"}
# Folders of a file without layer names, in the order in which a backbone has its layers.
_FOLDERS = {
    "reversible_embedding": "token_embedding",
    "position_embedding": "position_embedding",
    "embedding": "segment_embedding",
    "layer_normalization": "embeddings_layer_norm",
    "dense": "embedding_projection",
    "dense_1": "pooled_dense",
}
_MASKED_LM = "KerasHub's masked LM head, whose layer normalization is another (epsilon 1e-5)"
_HEAD = "head of a KerasHub task"


def is_keras_hub(directory):
    """Whether a directory is a KerasHub preset of any model."""
    values = _json(directory / "config.json")
    name = values.get("registered_name")
    return isinstance(name, str) and name.startswith(("keras_hub>", "keras_nlp>"))


def open_preset(directory):
    """Opens a preset.

    Args:
      directory: pathlib.Path.

    Returns:
      ({name: TensorSpec}, {name: reason to ignore it}, function from a name to its array,
      AlbertConfig)

    Raises:
      FileNotFoundError: The weights are missing.
      ValueError: It is not ALBERT's, or a file is damaged.
    """
    values = _json(directory / "config.json")
    config = _config(values, directory)
    weights = directory / "model.weights.h5"
    if not weights.is_file():
        sharded = (directory / "model.weights.json").is_file()
        what = "sharded weights, which are not supported" if sharded else f"no {weights.name}"
        raise FileNotFoundError(
            f"A KerasHub preset needs its weights. Received: {str(directory)!r} with {what}. Copy "
            "the whole preset, saved with one weights file."
        )
    stored, layers, get = open_datasets(weights, str(weights))
    keys, ignored = {}, {}
    for path in stored:
        name = _name(path, layers, config)
        if name is None:
            ignored[path] = "optimizer slot"
            name = path
        keys[name] = path
    tensors = {name: stored[path] for name, path in keys.items()}
    if (task := directory / "task.weights.h5").is_file():
        head, folders, _ = open_datasets(task, str(task))
        for path, spec in head.items():
            if path.startswith("optimizer/"):
                continue
            name = f"{task.name}/{path}"
            tensors[name] = spec
            masked_lm = folders.get("/".join(path.split("/")[:2]) + "/vars") == "mlm_head"
            ignored[name] = _MASKED_LM if masked_lm or "masked_lm_head" in path else _HEAD
    return tensors, ignored, lambda name: get(keys[name]), config


def _name(path, layers, config):
    """KerasHub's name of an array: its layer's, then the layer's parts. None for no weight."""
    match = re.fullmatch(r"layers/([^/]+)/(.+)", path)
    if not match:
        return None if path.startswith("optimizer/") else path
    folder, rest = match.groups()
    layer = layers.get(f"layers/{folder}/vars") or _layer_of(folder, config)
    # Keras has called these with and without an underscore.
    rest = re.sub(r"/_(query|key|value|output)_dense/", r"/\1_dense/", rest)
    return f"{layer}/{rest}"


def _layer_of(folder, config):
    if match := re.fullmatch(r"transformer_encoder(?:_(\d+))?", folder):
        group, inner = divmod(int(match[1] or 0), config.inner_group_num)
        return f"group_{group}_inner_layer_{inner}"
    return _FOLDERS.get(folder, folder)


def _config(values, directory):
    source = str(directory / "config.json")
    name = values["registered_name"]
    if name.split(">")[-1] != "AlbertBackbone":
        raise ValueError(
            f"The preset must be one of AlbertBackbone. Received: {source!r} of {brief(name)}."
        )
    values = values.get("config")
    values = values if isinstance(values, dict) else {}
    if missing := (_FIELDS.keys() | {"dropout"}) - values.keys():
        raise ValueError(
            f"The configuration of a KerasHub preset must be complete. Received: {source!r} "
            f"without {', '.join(sorted(missing))}."
        )
    if unknown := values.keys() - _FIELDS.keys() - _OTHER_KEYS:
        raise ValueError(
            "The configuration of a KerasHub preset must have known keys. Received: "
            f"{source!r} with {listed(sorted(unknown))}."
        )
    fields = {field: values[key] for key, field in _FIELDS.items()}
    groups, layers = fields["num_hidden_groups"], fields["num_hidden_layers"]
    if isinstance(layers, int) and isinstance(groups, int) and groups and layers % groups:
        raise ValueError(
            "The layers of a KerasHub ALBERT must be a multiple of its groups. Received: "
            f"{source!r} with num_layers={brief(layers)}, num_groups={brief(groups)}."
        )
    return AlbertConfig(
        **fields,
        project_same_width=fields["embedding_size"] == fields["hidden_size"],
        hidden_act="gelu",
        hidden_dropout_prob=values["dropout"],
        attention_probs_dropout_prob=values["dropout"],
        attention_mask_value=-1e9,
    )


def _json(path):
    try:
        return read_json_object(path)
    except (OSError, ValueError):
        return {}

"""Writes a model as a directory that Hugging Face's transformers loads."""

import json
import pathlib
from typing import Any

import numpy as np

from albert_tf._keras import keras, tf_variable
from albert_tf._types import Path
from albert_tf.atomic import local_path, write_file
from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.checkpoints.files.safetensors_file import write_safetensors
from albert_tf.checkpoints.names.table import rules
from albert_tf.checkpoints.writers.hugging_face_tokenizer import (
    read_vocabulary,
    write_tokenizer,
    write_wordpiece,
)
from albert_tf.task_record import recorded_rules, write_task

DTYPES = ("float32", "float16")
# Their classes without a pooler.
_WITHOUT_POOLER = (
    "AlbertForMaskedLM",
    "AlbertForTokenClassification",
    "AlbertForQuestionAnswering",
)
_PROJECTION = "encoder.embedding_hidden_mapping_in."


def write_hugging_face(
    model: keras.layers.Layer,
    directory: Path,
    sp_model: Path | None = None,
    lower: bool = True,
    dtype: str = "float32",
    wordpiece: Any = None,
) -> None:
    """Writes config.json, model.safetensors and, given a vocabulary, the tokenizer's files.

    Where the text rules of the model's training are known, as of a run, task.json tells them.

    `AutoModel`, `AutoModelForPreTraining` and the like, and `AutoTokenizer` load it. An encoder
    becomes an AlbertModel, a pretrainer an AlbertForPreTraining, or an AlbertForMaskedLM if it
    lacks the sentence-order head, a task model the class for its task, with the names of its
    labels. In float32 reading the directory gives back the same bits.
    Where E = H and there is no projection, it gets the identity that Hugging Face's code needs.

    Args:
      model: An `AlbertEncoder`, an `AlbertPretrainer`, or a task model such as `AlbertClassifier`.
      directory: Path of an existing directory. Files in it are replaced; write into a new one and
        rename it, to be safe from half an output.
      sp_model: Path of the SentencePiece model. None: no tokenizer is written.
      lower: Whether the tokenizer lower-cases; all published English models need it.
      dtype: "float32", or "float16" for half the size with values rounded to 11 bits.
      wordpiece: `WordPieceVocabulary` instead of `sp_model`: the tokenizer is a BertTokenizer.

    Raises:
      FileNotFoundError: `sp_model` does not exist.
      ValueError: Hugging Face has no class for the model's heads, the vocabulary has another size
        or is none of ALBERT's, Hugging Face's code would group the layers otherwise, or a weight is
        too large for `dtype`.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> from albert_tf.checkpoints.writers.hugging_face import write_hugging_face
    >>> encoder = albert_tf.AlbertEncoder(1000, embedding_width=8, hidden_size=16, num_layers=2,
    ...                                             num_attention_heads=2, intermediate_size=32)
    >>> directory = tempfile.mkdtemp()
    >>> write_hugging_face(encoder, directory)
    >>> albert_tf.AlbertEncoder.from_checkpoint(directory).restore_report.ok
    True
    """
    if dtype not in DTYPES:
        raise ValueError(f"`dtype` must be one of {', '.join(DTYPES)}. Received: {dtype!r}.")
    local_path(directory)  # Refuses what is not one.
    architecture, flavor = _kind(model)
    encoder = getattr(model, "encoder", model)
    config = encoder.albert_config
    values = {
        "architectures": [architecture],
        **config.to_hugging_face(),
        **_classes(model),
        "dtype": dtype,
    }
    vocabulary = None
    if sp_model is not None:
        vocabulary = read_vocabulary(sp_model, config.vocab_size)
        values.update(vocabulary.config_ids)
    if wordpiece is not None:
        wordpiece.check_size(config.vocab_size)
        ids = wordpiece.special_ids
        values.update(pad_token_id=ids["padding_id"], tokenizer_class="BertTokenizer")
        values.update(
            bos_token_id=ids["start_of_sequence_id"], eos_token_id=ids["end_of_segment_id"]
        )
    tensors = {
        **_tensors(model, config, flavor, dtype),
        **_head_tensors(model, dtype),
    }
    if architecture in _WITHOUT_POOLER and not _has_pooler(encoder):
        # Restored from a class without pooler, as this is one; transformers would warn about it.
        tensors = {k: v for k, v in tensors.items() if not k.startswith("albert.pooler.")}

    directory = pathlib.Path(directory)
    write_safetensors(directory / "model.safetensors", tensors, {"format": "pt"})
    if vocabulary is not None:
        write_tokenizer(directory, vocabulary, config.max_position_embeddings, lower)
    if wordpiece is not None:
        write_wordpiece(directory, wordpiece, config.max_position_embeddings)
    text = json.dumps(values, indent=2, sort_keys=True)
    write_file(directory / "config.json", text + "\n")
    if rules_of_training := getattr(model, "rules", None) or recorded_rules(model):
        write_task(directory, {"rules": rules_of_training})


def _kind(model):
    """(Hugging Face's class, flavor) of a model."""
    if not hasattr(model, "weights_by_name"):
        raise ValueError(
            "A Hugging Face directory is written from an AlbertEncoder, an AlbertPretrainer or a "
            f"task model such as AlbertClassifier. Received: {type(model).__name__}."
        )
    if hasattr(model, "head_weight_names"):
        if any(weight.hugging_face is None for weight in model.head_weight_names):
            raise ValueError(
                "Hugging Face must have a class for the head of a model. Received: "
                f"{type(model).__name__} with version_2, the answer heads of SQuAD 2.0, for which "
                "it has none. Pass the model's encoder to leave the head out."
            )
        return model.hugging_face_class, "hugging_face"
    heads = tuple(
        getattr(model, name, None) is not None for name in ("masked_lm", "sentence_order")
    )
    if heads == (False, True):
        raise ValueError(
            "Hugging Face has no class with the sentence-order head alone. Received: a pretrainer "
            "without masked LM head. Pass its encoder, or a pretrainer with both heads."
        )
    return {
        (True, True): ("AlbertForPreTraining", "hugging_face"),
        (True, False): ("AlbertForMaskedLM", "hugging_face"),
        (False, False): ("AlbertModel", "hugging_face_model"),
    }[heads]


def _classes(model):
    """What config.json tells about the classes of a classifier."""
    number = getattr(model, "num_classes", None)
    if number is None:
        return {}
    labels = model.labels or [f"LABEL_{i}" for i in range(number)]
    values = {
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {label: i for i, label in enumerate(labels)},
    }
    problem_type = getattr(model, "problem_type", None)
    return {**values, "problem_type": problem_type} if problem_type else values


def _head_tensors(model, dtype):
    """As `_tensors`, of a task model's head: kernels are stored transposed."""
    tensors = {}
    weights = model.weights_by_name()
    for head_weight in getattr(model, "head_weight_names", ()):
        array = tf_variable(weights[head_weight.name]).numpy().T
        array = _rounded(array, head_weight, dtype)
        tensors[head_weight.hugging_face] = (TensorSpec(array.shape, dtype), lambda a=array: a)
    return tensors


def _tensors(model, config, flavor, dtype):
    """{name: (TensorSpec, function that returns the array)}, sorted by name."""
    weights = model.weights_by_name()
    tensors = {}

    def array_of(rule):
        return lambda: _rounded(rule.store(tf_variable(weights[rule.name]).numpy()), rule, dtype)

    for rule in rules(config, flavor):
        if rule.name in weights:
            tensors[rule.stored_name] = (TensorSpec(rule.stored_shape, dtype), array_of(rule))
    if not config.has_embedding_projection:
        size = config.hidden_size
        name = ("albert." if flavor == "hugging_face" else "") + _PROJECTION
        tensors[f"{name}weight"] = TensorSpec((size, size), dtype), lambda: np.eye(size)
        tensors[f"{name}bias"] = TensorSpec((size,), dtype), lambda: np.zeros(size)
    return dict(sorted(tensors.items()))


def _rounded(array, rule, dtype):
    if dtype != "float32" and np.abs(array).max() > np.finfo(dtype).max:
        raise ValueError(
            f"Weights of {dtype} must not exceed {np.finfo(dtype).max:g}. Received: {rule.name} "
            f"with {np.abs(array).max():g}. Write float32."
        )
    return array.astype(dtype)


def _has_pooler(encoder):
    weights = encoder.weights_by_name()
    names = ("pooler_transform/kernel", "pooler_transform/bias")
    return any(tf_variable(weights[name]).numpy().any() for name in names)

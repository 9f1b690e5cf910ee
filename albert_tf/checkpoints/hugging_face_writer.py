"""Writes a model as a directory that Hugging Face's transformers loads."""

import json
import pathlib

import numpy as np

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.checkpoints.hugging_face_tokenizer import read_vocabulary, write_tokenizer
from albert_tf.checkpoints.names import rules
from albert_tf.checkpoints.safetensors_file import write_safetensors
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer

DTYPES = ("float32", "float16")
_PROJECTION = "encoder.embedding_hidden_mapping_in."


def write_hugging_face(model, directory, sp_model=None, lower=True, dtype="float32"):
    """Writes config.json, model.safetensors and, given a vocabulary, the tokenizer's files.

    `AutoModel`, `AutoModelForPreTraining` and `AutoTokenizer` load it. An encoder becomes an
    AlbertModel, a pretrainer an AlbertForPreTraining, or an AlbertForMaskedLM if it lacks the
    sentence-order head. In float32 reading the directory gives back the same bits.
    Where E = H and there is no projection, it gets the identity that Hugging Face's code needs.

    Args:
      model: An `AlbertEncoder` or `AlbertPretrainer`.
      directory: Path of an existing directory. Files in it are replaced; write into a new one and
        rename it, to be safe from half an output.
      sp_model: Path of the SentencePiece model. None: no tokenizer is written.
      lower: Whether the tokenizer lower-cases; all published English models need it.
      dtype: "float32", or "float16" for half the size with values rounded to 11 bits.

    Raises:
      FileNotFoundError: `sp_model` does not exist.
      ValueError: Hugging Face has no class for the model's heads, the vocabulary has another size
        or is none of ALBERT's, Hugging Face's code would group the layers otherwise, or a weight is
        too large for `dtype`.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> from albert_tf.checkpoints.hugging_face_writer import write_hugging_face
    >>> encoder = albert_tf.AlbertEncoder(1000, embedding_width=8, hidden_size=16, num_layers=2,
    ...                                             num_attention_heads=2, intermediate_size=32)
    >>> directory = tempfile.mkdtemp()
    >>> write_hugging_face(encoder, directory)
    >>> albert_tf.AlbertEncoder.from_checkpoint(directory).restore_report.ok
    True
    """
    if dtype not in DTYPES:
        raise ValueError(f"`dtype` must be one of {', '.join(DTYPES)}. Received: {dtype!r}.")
    encoder, architecture, flavor = _kind(model)
    config = encoder.albert_config
    values = {"architectures": [architecture], **config.to_hugging_face(), "dtype": dtype}
    vocabulary = None
    if sp_model is not None:
        vocabulary = read_vocabulary(sp_model, config.vocab_size)
        values.update(vocabulary.config_ids)
    tensors = _tensors(model, config, flavor, dtype)
    if architecture == "AlbertForMaskedLM" and not _has_pooler(encoder):
        # Restored from a class without pooler, as this is one; transformers would warn about it.
        tensors = {k: v for k, v in tensors.items() if not k.startswith("albert.pooler.")}

    directory = pathlib.Path(directory)
    write_safetensors(directory / "model.safetensors", tensors, {"format": "pt"})
    if vocabulary is not None:
        write_tokenizer(directory, vocabulary, config.max_position_embeddings, lower)
    text = json.dumps(values, indent=2, sort_keys=True)
    (directory / "config.json").write_text(text + "\n", encoding="utf-8")


def _kind(model):
    """(encoder, Hugging Face's class, flavor) of a model."""
    if isinstance(model, AlbertEncoder):
        return model, "AlbertModel", "hugging_face_model"
    if not isinstance(model, AlbertPretrainer):
        raise ValueError(
            "A Hugging Face directory is written from an AlbertEncoder or AlbertPretrainer. "
            f"Received: {type(model).__name__}. Of a model for a task, pass its encoder."
        )
    heads = (model.masked_lm is not None, model.sentence_order is not None)
    if heads == (False, True):
        raise ValueError(
            "Hugging Face has no class with the sentence-order head alone. Received: a pretrainer "
            "without masked LM head. Pass its encoder, or a pretrainer with both heads."
        )
    architecture, flavor = {
        (True, True): ("AlbertForPreTraining", "hugging_face"),
        (True, False): ("AlbertForMaskedLM", "hugging_face"),
        (False, False): ("AlbertModel", "hugging_face_model"),
    }[heads]
    return model.encoder, architecture, flavor


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

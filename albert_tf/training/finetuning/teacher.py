"""The vectors of a teacher: from a file, or computed by a sentence encoder."""

import json
import pathlib

import numpy as np
import tensorflow as tf

from albert_tf.checkpoints.read import read
from albert_tf.checkpoints.vocabulary_file import require_vocabulary
from albert_tf.config_files import read_json_object
from albert_tf.encoder import AlbertEncoder
from albert_tf.messages import listed
from albert_tf.tasks.embedder import AlbertEmbedder
from albert_tf.text.given_vocabulary import found_vocabulary, reference_tokenizer
from albert_tf.training.engine.evaluation import Predictor

_FILES = (".npy", ".parquet")
_BATCH, _LENGTH = 64, 128
_MODULES = ("Transformer", "Pooling", "Normalize")


def is_file(teacher):
    """Whether a teacher is a file of vectors, which are those of the training texts."""
    return pathlib.Path(teacher).suffix.lower() in _FILES


def teacher_vectors(teacher, texts):
    """A teacher's vectors of texts.

    Args:
      teacher: Path of an .npy file with an array [texts, D]; of a .parquet file with one column of
        lists; or of the Hugging Face directory of a sentence encoder, whose vectors are the mean
        (or the first) of its token vectors, of 128 tokens at most. An ALBERT is computed by this
        package, any other by torch and transformers.
      texts: List of str.

    Returns:
      float32 array [texts, D].

    Raises:
      FileNotFoundError: There is no such file or directory.
      ImportError: pyarrow, or torch and transformers, are needed and missing.
      ValueError: There is not one vector of finite numbers for each text; or the directory holds
        an encoder of another kind.
    """
    path = pathlib.Path(teacher)
    if not path.exists():
        raise FileNotFoundError(
            "A teacher must be a file of vectors (.npy, .parquet) or the directory of a sentence "
            f"encoder. Received: {teacher}, which does not exist."
        )
    vectors = _of_file(path) if is_file(path) else _of_directory(path, list(texts))
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or len(vectors) != len(texts):
        raise ValueError(
            "A teacher must have one vector of numbers for each text, in their order. Received: "
            f"{teacher}: {vectors.dtype} {list(vectors.shape)} for {len(texts)} texts."
        )
    vectors = np.asarray(vectors, np.float32)
    bad = ~np.isfinite(vectors).all(1) | ~vectors.any(1)
    if bad.any():
        raise ValueError(
            "Vectors must be of finite numbers, not all 0. Received: "
            f"{teacher}: row {int(np.argmax(bad))}."
        )
    return vectors


def _of_file(path):
    if path.suffix.lower() == ".npy":
        return np.load(path, mmap_mode="r")
    try:
        from pyarrow import parquet, types
    except ImportError:
        raise ImportError(
            "Reading .parquet needs pyarrow: pip install 'albert_tf[parquet]'."
        ) from None
    table = parquet.read_table(path)
    lists = [
        f.name for f in table.schema if types.is_list(f.type) or types.is_fixed_size_list(f.type)
    ]
    if len(lists) != 1:
        raise ValueError(
            "A .parquet file of vectors must have one column of lists. Received: "
            f"{path} with {listed(lists) or 'none'} of {listed(table.column_names)}."
        )
    rows = table[lists[0]].to_pylist()
    if len({len(row or ()) for row in rows}) != 1:
        raise ValueError(f"Vectors must have one length. Received: {path}: {lists[0]!r}.")
    return np.asarray(rows, np.float32)


def _of_directory(path, texts):
    if (path / "modules.json").is_file():
        kinds = [kind.rpartition(".")[2] for kind in _module_types(path / "modules.json")]
        if strange := [kind for kind in kinds if kind not in _MODULES]:
            raise ValueError(
                f"A sentence encoder may consist of {listed(_MODULES)}. Received: {path} with "
                f"{listed(strange)}. Compute the vectors with sentence-transformers and pass them "
                "as an .npy file."
            )
    pooling = "mean"
    if (path / "1_Pooling" / "config.json").is_file():
        told = read_json_object(path / "1_Pooling" / "config.json")
        modes = [key for key, value in told.items() if key.startswith("pooling_mode") and value]
        if modes not in (["pooling_mode_mean_tokens"], ["pooling_mode_cls_token"]):
            raise ValueError(
                "The vectors of a sentence encoder must be the mean of its tokens, or the first. "
                f"Received: {path} with {listed(modes) or 'none'}. Compute them with "
                "sentence-transformers and pass them as an .npy file."
            )
        pooling = "mean" if "mean" in modes[0] else "cls"
    config = path / "config.json"
    kind = read_json_object(config).get("model_type", "albert") if config.is_file() else "albert"
    if kind == "albert" and pooling == "mean":
        return _of_albert(path, texts)
    return _of_transformers(path, texts, pooling)


def _module_types(path):
    return [str(module.get("type")) for module in json.loads(path.read_text(encoding="utf-8"))]


def _of_albert(path, texts):
    checkpoint = read(path)
    vocabulary = found_vocabulary(require_vocabulary(checkpoint.path), task=checkpoint.task)
    tokenizer = reference_tokenizer(vocabulary)
    special = tokenizer.special_ids
    first, last = special["start_of_sequence_id"], special["end_of_segment_id"]
    encoder = AlbertEncoder.from_checkpoint(checkpoint, skip_padding=True)
    length = min(_LENGTH, encoder.albert_config.max_position_embeddings)

    def inputs(batch):
        rows = [[first, *tokenizer.encode(text)[: length - 2], last] for text in batch]
        ids = np.zeros([len(rows), 1, length], np.int32)
        for i, row in enumerate(rows):
            ids[i, 0, : len(row)] = row
        mask = np.int32(np.arange(length) < np.array([[[len(row)]] for row in rows]))
        return {"input_word_ids": ids, "input_mask": mask, "input_type_ids": np.zeros_like(ids)}

    dataset = (
        tf.nest.map_structure(tf.constant, inputs(texts[i : i + _BATCH]))
        for i in range(0, len(texts), _BATCH)
    )
    return Predictor(AlbertEmbedder(encoder))(dataset)[:, 0]


def _of_transformers(path, texts, pooling):
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError:
        raise ImportError(
            "A teacher that is no ALBERT is computed by torch and transformers: pip install "
            f"'albert_tf[teacher]'. Received: {path}, and they are missing. Or pass its vectors as "
            "an .npy file."
        ) from None
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModel.from_pretrained(path).eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    vectors = np.empty([len(texts), model.config.hidden_size], np.float32)
    for start in range(0, len(texts), _BATCH):
        rows = order[start : start + _BATCH]
        batch = tokenizer(
            [texts[i] for i in rows],
            padding=True,
            truncation=True,
            max_length=_LENGTH,
            return_tensors="pt",
        )
        with torch.inference_mode():
            tokens = model(**batch).last_hidden_state
        mask = batch["attention_mask"][:, :, None].to(tokens.dtype)
        mean = (tokens * mask).sum(1) / mask.sum(1)
        vectors[rows] = (mean if pooling == "mean" else tokens[:, 0]).numpy()
    return vectors

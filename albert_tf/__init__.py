"""ALBERT for TensorFlow 2, as Keras layers and as reusable SavedModels.

text -> tokens -> encoder -> heads     Preprocessor, AlbertEncoder, AlbertPretrainer
heads for tasks                        AlbertClassifier, AlbertSpanLabeler, ...
checkpoints in -> SavedModels out      AlbertEncoder.from_checkpoint, export_encoder, ...
models out for small devices           export_tflite
SavedModels in                         KerasLayer
"""

import importlib
import os
import pathlib
import sys

from albert_tf._moved import install as _install_moved
from albert_tf._tensorflow_log import quiet_import

__version__ = "0.1.0"

# Public name -> module.
_PUBLIC = {
    "AlbertConfig": "config",
    "HIDDEN_ACTIVATIONS": "config",
    "PRESETS": "config",
    "Preprocessor": "text.preprocessor",
    "ReferenceTokenizer": "text.reference",
    "WordPieceReferenceTokenizer": "text.wordpiece",
    "FullSentencePieceTokenizer": "text.full_tokenizer",
    "AlbertEncoder": "encoder",
    "MaskedLM": "heads",
    "SentenceOrder": "heads",
    "AlbertPretrainer": "pretrainer",
    "FillMask": "fill_mask",
    "AlbertClassifier": "tasks.classifier",
    "AlbertMultipleChoice": "tasks.multiple_choice",
    "AlbertSpanLabeler": "tasks.span_labeler",
    "AlbertTokenClassifier": "tasks.token_classifier",
    "KerasLayer": "keras_layer.keras_layer",
    "export_classifier": "saved_model.classifier",
    "export_encoder": "saved_model.encoder",
    "export_multiple_choice": "saved_model.multiple_choice",
    "export_preprocessor": "saved_model.preprocessor",
    "export_span_labeler": "saved_model.span_labeler",
    "export_token_classifier": "saved_model.token_classifier",
    "export_tflite": "tflite",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *__all__])


# Before anything imports TensorFlow.
quiet_import()
_install_moved()

# `keras.models.load_model` finds classes that have registered themselves, so `import albert_tf` has
# to import them all. Spared TensorFlow, hundreds of MB and seconds, are processes that only prepare
# text, by this variable, and the command line: each command imports what it needs.
_is_command = pathlib.Path((sys.argv or [""])[0]).stem == "albert-tf"
_is_command |= sys.orig_argv[1:3] == ["-m", __name__]
if os.environ.get("ALBERT_TF_LAZY_IMPORT") != "1" and not _is_command:
    for _name in _PUBLIC:
        __getattr__(_name)

"""ALBERT for TensorFlow 2, as Keras layers and as reusable SavedModels.

text -> tokens -> encoder -> heads     Preprocessor, AlbertEncoder, AlbertPretrainer
heads for tasks                        AlbertClassifier, AlbertSpanLabeler, ...
checkpoints in -> SavedModels out      AlbertEncoder.from_checkpoint, export_encoder, ...
models out for small devices           export_tflite
SavedModels in                         KerasLayer
"""

import importlib

from albert_tf._moved import install as _install_moved
from albert_tf._saved_objects import register_stand_ins as _register_stand_ins
from albert_tf._tensorflow_log import quiet_import as _quiet_import

__version__ = "0.1.0"

# Public name -> module.
_PUBLIC = {
    "AlbertConfig": "config",
    "HIDDEN_ACTIVATIONS": "config",
    "PRESETS": "config",
    "Preprocessor": "text.preprocessor",
    "ReferenceTokenizer": "text.reference",
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


# What is to happen when TensorFlow and Keras are imported, if ever. `import albert_tf` imports
# neither: each public name imports what it needs.
_quiet_import()
_register_stand_ins()
_install_moved()

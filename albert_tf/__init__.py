"""ALBERT for TensorFlow 2, as Keras layers and as reusable SavedModels.

text -> tokens -> encoder -> heads     Preprocessor, AlbertEncoder, AlbertPretrainer
heads for tasks                        AlbertClassifier, AlbertSpanLabeler, ...
checkpoints in and out                 AlbertEncoder.from_checkpoint, convert, ...
SavedModels out                        export_encoder, export_preprocessor, ..., check
SavedModels in                         KerasLayer
texts in, answers out                  Predictor
models out for other runtimes          export_tflite, export_onnx
training                               finetune and make_task, pretrain; AdamW, Lamb
"""

import ast
import importlib
import pkgutil

from albert_tf import albert_tiny_en as albert_tiny_en
from albert_tf._moved import install as _install_moved
from albert_tf._saved_objects import register_stand_ins as _register_stand_ins
from albert_tf._tensorflow_log import quiet_import as _quiet_import

__version__ = "0.1.0"


def _public_names():
    """{public name: (module, name there)}, from the stub beside this file."""
    stub = ast.parse(pkgutil.get_data(__name__, "__init__.pyi"))
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


_PUBLIC = _public_names()
__all__ = sorted(_PUBLIC)


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, name_there = _PUBLIC[name]
    value = globals()[name] = getattr(importlib.import_module(module), name_there)
    return value


def __dir__():
    return sorted([*globals(), *__all__])


# What is to happen when TensorFlow and Keras are imported, if ever. `import albert_tf` imports
# neither: each public name imports what it needs.
_quiet_import()
_register_stand_ins()
_install_moved()

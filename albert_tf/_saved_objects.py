"""What lets `load_model` find the package's classes after a mere `import albert_tf`.

Keras looks for the classes of a saved model in its registry, and nowhere else: Keras 3 imports no
other package's modules by the names that a file holds. Classes register themselves when their
modules are imported, which takes TensorFlow. So that `import albert_tf` need not take it, the
registry holds stand-ins as soon as Keras is there; what uses one imports the object itself. To
import the objects at that moment would not do: Keras may be imported because one of their modules
is, which is then only half there.
"""

import contextlib
import functools
import importlib
import os
import sys

from albert_tf._around_import import around_import

# Module -> what it registers: classes, and functions, whose names are in lower case.
SAVED_OBJECTS = {
    "encoder": ["AlbertEncoder"],
    "heads": ["MaskedLM", "SentenceOrder"],
    "pretrainer": ["AlbertPretrainer"],
    "keras_layer.keras_layer": ["KerasLayer"],
    "tasks.classifier": [
        "AlbertClassifier",
        "classification_loss",
        "multi_label_loss",
        "regression_loss",
    ],
    "tasks.embedder": ["AlbertEmbedder"],
    "tasks.multiple_choice": ["AlbertMultipleChoice"],
    "tasks.span_labeler": ["AlbertSpanLabeler", "no_answer_loss"],
    "tasks.token_classifier": ["AlbertTokenClassifier", "token_classification_loss"],
    "training.optimizers.adamw_lamb": ["AdamW", "Lamb"],
    "training.optimizers.schedules": ["WarmupPolynomialDecay"],
}
_PACKAGE = __name__.rpartition(".")[0]


def register_stand_ins():
    """Registers a stand-in for each of SAVED_OBJECTS, now or when Keras is imported, if ever."""
    for keras in ("keras", "tf_keras"):
        if keras in sys.modules:
            _register_in(keras)
        else:
            around_import(keras, functools.partial(_registering_in, keras))


@contextlib.contextmanager
def _registering_in(keras):
    yield
    _register_in(keras)


def _register_in(package):
    # As TensorFlow decides. The other Keras, if somebody has imported it, cannot use our classes.
    legacy = os.environ.get("TF_USE_LEGACY_KERAS") in ("1", "true", "True")
    if package != ("tf_keras" if legacy else "keras"):
        return
    utils = importlib.import_module(f"{package}.utils")
    registry = utils.get_custom_objects()
    for module, names in SAVED_OBJECTS.items():
        for name in names:
            key = f"{_PACKAGE}>{name}"
            get = functools.partial(_get, f"{_PACKAGE}.{module}", name)
            if key in registry:
                continue
            if name.islower():
                # Keras takes functions as they are, and asks for their names when it saves them.
                utils.register_keras_serializable(_PACKAGE, name)(_function(name, get))
            else:
                registry[key] = _Class(get)


def _get(module, name):
    return getattr(importlib.import_module(module), name)


class _Class:
    """Does what the class does, importing it: Keras calls its `from_config`."""

    def __init__(self, get):
        self._get = get

    def __getattr__(self, name):
        return getattr(self._get(), name)

    def __call__(self, *args, **kwargs):
        return self._get()(*args, **kwargs)


def _function(name, get):
    def function(*args, **kwargs):
        return get()(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    return function

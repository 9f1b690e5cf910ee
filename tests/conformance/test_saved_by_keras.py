"""What Keras saves, in any form, loads in a process that only imports the package."""

import ast
import json
import os
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

import albert_tf
from albert_tf._keras import KERAS_3, keras
from albert_tf._saved_objects import SAVED_OBJECTS
from albert_tf.tasks.classifier import classification_loss
from albert_tf.training.optimizers.adamw_lamb import AdamW
from albert_tf.training.optimizers.schedules import WarmupPolynomialDecay

FAKE_UTILS = """
OBJECTS = {}
def get_custom_objects():
    return OBJECTS
def register_keras_serializable(package, name):
    return lambda function: OBJECTS.setdefault(f"{package}>{name}", function)
"""
PACKAGE = pathlib.Path(albert_tf.__file__).parent
IDS = np.array([[1, 2, 3, 4, 5]])
FORMS = [".keras", ".h5"] if KERAS_3 else [".keras", ".h5", ""]  # The last is a SavedModel.
# The head has none of the package's classes, but its loss. It is loaded, and saved again, first.
LOAD = """
import json, sys
import albert_tf
albert_tf.ReferenceTokenizer
assert not {"tensorflow", "keras", "tf_keras"} & set(sys.modules)
import tensorflow as tf
assert not {"albert_tf._keras", "albert_tf.encoder"} & set(sys.modules)
ids = tf.constant([[1, 2, 3, 4, 5]])
head, *models = sys.argv[1:]
for _ in range(2):
    model = tf.keras.models.load_model(head)
    assert tf.keras.utils.get_registered_name(model.loss) == "albert_tf>classification_loss"
    model.fit(tf.zeros([2, 3]), tf.zeros([2], tf.int32), verbose=0)
    model.save(head)
assert isinstance(model.optimizer, albert_tf.training.optimizers.adamw_lamb.AdamW)
outputs = []
for path in models:
    outputs.append(tf.keras.models.load_model(path)(ids).numpy().tolist())
print(json.dumps(outputs))
"""


def test_loads_in_a_fresh_process(tmp_path):
    head = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    head.compile(AdamW(WarmupPolynomialDecay(1e-4, 10, 1)), classification_loss)
    head.save(tmp_path / "head.keras")

    ids = keras.Input((5,), dtype="int32")
    encoder = albert_tf.AlbertEncoder(50, 8, 16, 2, 2, intermediate_size=8)
    classifier = albert_tf.AlbertClassifier(encoder, 2)
    functional = keras.Model(ids, keras.layers.Dense(2)(encoder(ids)[0]))
    expected, paths = [], []
    for name, model in {"functional": functional, "classifier": classifier}.items():
        output = np.asarray(model(IDS))
        for form in FORMS:
            if form == ".h5" and model is classifier:  # Subclassed models are not saved as .h5.
                continue
            expected.append(output)
            paths.append(str(tmp_path / name) + form)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # tf_keras advises against .h5.
                model.save(paths[-1])
    command = [sys.executable, "-c", LOAD, str(tmp_path / "head.keras"), *paths]
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    received = json.loads(process.stdout.splitlines()[-1])
    for path, output, same in zip(paths, received, expected, strict=True):
        np.testing.assert_allclose(output, same, atol=1e-6, err_msg=path)


def test_all_that_is_registered_has_a_stand_in():
    registered = {}
    for path in PACKAGE.rglob("*.py"):
        names = [
            node.name
            for node in ast.parse(path.read_text()).body
            for decorator in getattr(node, "decorator_list", [])
            if "register_keras_serializable" in ast.unparse(decorator)
        ]
        if names:
            registered[".".join(path.relative_to(PACKAGE).with_suffix("").parts)] = names
    assert registered == SAVED_OBJECTS


@pytest.mark.parametrize("order", ["albert_tf, keras, tf_keras", "keras, tf_keras, albert_tf"])
@pytest.mark.parametrize("chosen", ["keras", "tf_keras"])
def test_the_keras_of_tensorflow_has_the_stand_ins_in_any_order(tmp_path, order, chosen):
    for package in ("keras", "tf_keras"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(f"import {package}.utils")
        (tmp_path / package / "utils.py").write_text(FAKE_UTILS)
    program = f"import {order}; print(*keras.utils.OBJECTS, '|', *tf_keras.utils.OBJECTS)"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(PACKAGE.parent)]),
        "TF_USE_LEGACY_KERAS": str(int(chosen == "tf_keras")),
    }
    output = subprocess.check_output([sys.executable, "-c", program], env=environment, text=True)
    names = " ".join(f"albert_tf>{name}" for names in SAVED_OBJECTS.values() for name in names)
    expected = f"{names} | " if chosen == "keras" else f" | {names}"
    assert output.strip() == expected.strip()

"""A process that loads SavedModels again and again, as servers do, keeps nothing of the former."""

import contextlib
import json
import pathlib

import pytest
import tensorflow as tf

from albert_tf._keras import KERAS_3, keras
from albert_tf.saved_model.classifier import export_classifier
from albert_tf.tasks.classifier import AlbertClassifier
from tests.commands.command import run
from tests.saved_model.custom_gradients import custom_gradients
from tests.saved_model.task_exports import small_encoder

GROWTH = """
import ctypes, gc, json, os, sys
import tensorflow as tf, tensorflow_text
def megabytes():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
growth = []
for path in sys.argv[1:]:
    sizes = []
    for _ in range(6):
        tf.saved_model.load(path)
        sizes.append(megabytes())
    growth.append((sizes[5] - sizes[2]) / 3)
print(json.dumps(growth))
"""


@pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_loads_keep_no_memory(exported_encoder, sp_model, tmp_path, unchecked):
    classifier = tmp_path / "classifier"
    export_classifier(AlbertClassifier(small_encoder()), classifier, sp_model, seq_length=16)
    process = run(None, "-c", GROWTH, exported_encoder, classifier)
    assert process.returncode == 0, process.stderr
    growth = json.loads(process.stdout)  # MB a load; 25 and more with custom gradients.
    assert len(growth) == 2 and max(growth) < 3.0, growth


def test_finds_custom_gradients(tmp_path):
    @tf.custom_gradient
    def square(x):
        return x * x, lambda upstream: upstream * 2.0 * x

    module = tf.Module()
    module.square = tf.function(square, input_signature=[tf.TensorSpec([])], autograph=False)
    with contextlib.suppress(AssertionError):  # Of conftest.py.
        tf.saved_model.save(module, str(tmp_path))
    assert custom_gradients(tmp_path)


# === What users save themselves, of the live encoder ===


@pytest.fixture(scope="module")
def trained():
    """A trained Keras model on a live encoder, and its inputs."""
    names = ("input_word_ids", "input_mask", "input_type_ids")
    ids = {name: keras.Input((None,), dtype="int32", name=name) for name in names}
    outputs = keras.layers.Dense(2)(small_encoder()(ids)["pooled_output"])
    model = keras.Model(ids, outputs)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = {name: tf.ones([2, 8], tf.int32) for name in names}
    model.fit(x, tf.zeros([2]), verbose=0)
    return model, x


def test_functions_of_users_hold_no_custom_gradient(trained, tmp_path):
    """Not even one that was traced, and trained, under a tape."""
    model, x = trained
    module = tf.Module()
    module.model = model
    module.call = tf.function(lambda x: model(x, training=True), autograph=False)
    with tf.GradientTape() as tape:
        y = module.call(x)
    assert all(gradient is not None for gradient in tape.gradient(y, model.trainable_variables))
    tf.saved_model.save(module, str(tmp_path))
    assert not custom_gradients(tmp_path)
    assert len(tf.saved_model.load(str(tmp_path)).call.concrete_functions) == 1


def test_keras_exports_hold_no_custom_gradient(trained, tmp_path):
    model, _ = trained
    if KERAS_3:
        model.export(str(tmp_path), verbose=False)
    else:
        model.save(str(tmp_path), save_format="tf")  # With what trains.
    assert not custom_gradients(tmp_path)

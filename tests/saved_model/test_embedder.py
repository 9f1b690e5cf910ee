"""`export_embedder`: vectors of texts, as the live encoder has them."""

import json

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.encoder import AlbertEncoder
from albert_tf.saved_model.contract.tasks import check_task
from albert_tf.saved_model.embedder import embedder_task, export_embedder
from albert_tf.saved_model.tasks import serving_function
from albert_tf.text.preprocessor import Preprocessor
from tests.saved_model.task_exports import TEXTS, close, load, small_encoder


@pytest.fixture(scope="module")
def encoder():
    return small_encoder()


def test_mean_of_unit_length(encoder, sp_model, tmp_path):
    checks = export_embedder(encoder, tmp_path / "out", sp_model, warmup=True)
    assert len(checks) > 8 and all(check.difference is None for check in checks)
    loaded, serve = load(tmp_path / "out")
    inputs = Preprocessor(sp_model, seq_length=64)(TEXTS)
    mask = tf.cast(inputs["input_mask"], tf.float32)[:, :, tf.newaxis]
    vectors = tf.reduce_sum(encoder(inputs)["sequence_output"] * mask, 1) / tf.reduce_sum(mask, 1)
    expected = vectors / tf.norm(vectors, axis=1, keepdims=True)
    close(serve(text=tf.constant(TEXTS))["embedding"], expected)
    close(loaded(inputs), expected)
    task = json.loads(loaded.task().numpy())
    assert (task["task"], task["pooling"], task["seq_length"]) == ("embedding", "mean", 64)
    assert all(check.difference is None for check in check_task(loaded))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(loaded(inputs, training=True)[:, 0])
    assert tape.gradient(loss, loaded.trainable_variables[0]) is not None
    again = AlbertEncoder.from_checkpoint(tmp_path / "out")
    close(again(inputs)["pooled_output"], encoder(inputs)["pooled_output"])


@pytest.mark.parametrize("pooling, output", [("cls", "sequence_output"), ("pooled", None)])
def test_other_poolings(pooling, output, encoder, sp_model):
    task = embedder_task(encoder, pooling, normalize=False)
    serve, record, _kept = serving_function(task, sp_model, seq_length=64)
    outputs = encoder(Preprocessor(sp_model, seq_length=64)(TEXTS))
    expected = outputs[output][:, 0] if output else outputs["pooled_output"]
    close(serve(text=tf.constant(TEXTS))["embedding"], expected)
    assert record["pooling"] == pooling and record["normalize"] is False


def test_earlier_layer(tiny_checkpoint, sp_model):
    encoder = AlbertEncoder.from_checkpoint(tiny_checkpoint)
    serve, _, _kept = serving_function(
        embedder_task(encoder, "cls", 0, False), sp_model, seq_length=64
    )
    outputs = encoder(Preprocessor(sp_model, seq_length=64)(TEXTS))["encoder_outputs"]
    assert len(outputs) > 1
    close(serve(text=tf.constant(TEXTS))["embedding"], outputs[0][:, 0])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"pooling": "max"}, "one of mean, cls, pooled. Received: 'max'"),
        ({"layer": 1}, "encoder's 1 layers, from -1 to 0. Received: 1"),
        ({"layer": True}, "Received: True"),
    ],
)
def test_wrong_arguments(arguments, message, encoder, sp_model, tmp_path):
    with pytest.raises(ValueError, match=message):
        export_embedder(encoder, tmp_path / "out", sp_model, **arguments)
    with pytest.raises(TypeError, match="This exporter takes an AlbertEncoder. Received: str"):
        export_embedder("encoder", tmp_path / "out", sp_model)
    assert not (tmp_path / "out").exists()


def test_pooled_of_an_earlier_layer(tiny_checkpoint):
    encoder = AlbertEncoder.from_checkpoint(tiny_checkpoint)
    with pytest.raises(ValueError, match="`layer` must be -1. Received: 0"):
        embedder_task(encoder, "pooled", 0)
    layers = encoder.albert_config.num_hidden_layers
    assert embedder_task(encoder, "pooled", layers - 1).settings["layer"] == layers - 1


def test_padding_that_is_not_a_number_does_not_matter(encoder):
    model = embedder_task(encoder).model
    ids = tf.constant([[2, 9, 3, 0]])
    inputs = [ids, tf.constant([[1, 1, 1, 0]]), tf.zeros_like(ids)]
    short = [tensor[:, :3] for tensor in inputs]
    np.testing.assert_allclose(model.call(inputs), model.call(short), atol=1e-5)

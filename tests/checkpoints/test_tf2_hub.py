import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.read import read
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer

NAMES = ("input_word_ids", "input_mask", "input_type_ids")
SMALL = AlbertConfig(
    vocab_size=30,
    embedding_size=8,
    hidden_size=12,
    num_hidden_layers=4,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=16,
    hidden_dropout_prob=0.1,
    attention_probs_dropout_prob=0.2,
    attention_mask_value=-1e9,
)


def save(path, encoder, trainings=(False, True)):
    """A SavedModel as other exporters write it: without a configuration."""
    root = tf.train.Checkpoint()
    root.variables = [tf_variable(weight) for weight in encoder.weights_by_name().values()]

    def call(inputs, training=False):
        return encoder(inputs, training=training)

    root.__call__ = tf.function(call)
    inputs = {name: tf.TensorSpec([None, None], tf.int32, name) for name in NAMES}
    for training in trainings:
        root.__call__.get_concrete_function(inputs, training=training)
    tf.saved_model.save(root, str(path))
    return path


def change(path, function):
    file = path / "saved_model.pb"
    model = SavedModel.FromString(file.read_bytes())
    function(model.meta_graphs[0])
    file.write_bytes(model.SerializeToString())


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """(path, the encoder that it was saved from). Read only."""
    encoder = AlbertEncoder.from_albert_config(SMALL)
    return save(tmp_path_factory.mktemp("saved") / "model", encoder), encoder


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved[0], tmp_path / "copy")


# === The configuration, from shapes and the graph ===


def test_configuration_is_recovered(saved):
    path, encoder = saved
    restored = AlbertEncoder.from_checkpoint(path)
    assert restored.albert_config == SMALL
    checkpoint = read(path)
    assert checkpoint.flavor == "tf2_hub"
    assert checkpoint.known["num_hidden_layers"] == (4, "the graph has 4 attentions")
    for name, weight in restored.weights_by_name().items():
        expected = tf_variable(encoder.weights_by_name()[name])
        np.testing.assert_array_equal(tf_variable(weight), expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_act": "relu", "embedding_size": 12, "num_hidden_groups": 2, "inner_group_num": 2},
        {"hidden_act": "gelu_erf", "hidden_dropout_prob": 0.0, "attention_mask_value": -10000.0},
        {"hidden_act": "tanh", "attention_probs_dropout_prob": 0.0, "num_hidden_groups": 4},
        {"hidden_act": "linear", "embedding_size": 12, "project_same_width": True},
    ],
    ids=lambda changes: changes["hidden_act"],
)
def test_other_configurations(tmp_path, changes):
    config = dataclasses.replace(SMALL, **changes)
    path = save(tmp_path / "model", AlbertEncoder.from_albert_config(config))
    assert AlbertEncoder.from_checkpoint(path).albert_config == config


def test_what_does_not_show_is_asked_for(tmp_path):
    path = save(tmp_path / "model", AlbertEncoder.from_albert_config(SMALL), trainings=[False])
    with pytest.raises(
        FileNotFoundError,
        match=r"num_hidden_layers=4.* and pass attention_dropout_rate=\.\.\., dropout_rate=\.\.\.",
    ):
        AlbertEncoder.from_checkpoint(path)
    encoder = AlbertEncoder.from_checkpoint(path, dropout_rate=0.1, attention_dropout_rate=0.2)
    assert encoder.albert_config == SMALL
    assert AlbertEncoder.from_checkpoint(path, SMALL).albert_config == SMALL


def test_no_function_at_all(copy):
    change(copy, lambda graph: graph.object_graph_def.nodes[0].ClearField("children"))
    with pytest.raises(FileNotFoundError, match=r"activation=\.\.\..* num_layers=\.\.\."):
        AlbertEncoder.from_checkpoint(copy)


def test_another_epsilon(copy):
    def damage(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                if node.op == "Const" and len(node.attr["value"].tensor.float_val) == 1:
                    if 0 < node.attr["value"].tensor.float_val[0] < 1e-10:
                        node.attr["value"].tensor.float_val[0] = 1e-5

    change(copy, damage)
    with pytest.raises(ValueError, match=r"epsilon 1e-12\. Received: 1e-05 in '.*Rsqrt'"):
        AlbertEncoder.from_checkpoint(copy)


# === Our own ===


def test_own_saved_model(exported_encoder, tiny_checkpoint):
    model = AlbertPretrainer.from_checkpoint(exported_encoder)
    assert model.restore_report.flavor == "saved_model"
    assert len(model.restore_report.restored) == 32
    expected = AlbertPretrainer.from_checkpoint(tiny_checkpoint)
    assert model.encoder.albert_config == expected.encoder.albert_config
    for name, weight in expected.weights_by_name().items():
        restored = tf_variable(model.weights_by_name()[name])
        np.testing.assert_array_equal(tf_variable(weight), restored)


def test_configuration_in_it_is_checked(exported_encoder, tmp_path):
    path = shutil.copytree(exported_encoder, tmp_path / "copy")

    def damage(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                for i, string in enumerate(node.attr["value"].tensor.string_val):
                    if b"vocab_size" in string:
                        node.attr["value"].tensor.string_val[i] = b"[1"

    change(path, damage)
    with pytest.raises(ValueError, match="`config` of a SavedModel must be a JSON object"):
        read(path)


# === Bad files ===


def test_damaged(copy):
    (copy / "saved_model.pb").write_bytes(b"\xff" * 100)
    with pytest.raises(ValueError, match=r"must be readable\. Received: .*saved_model\.pb"):
        read(copy)


def test_without_variables(copy):
    (copy / "variables" / "variables.index").unlink()
    with pytest.raises(FileNotFoundError, match="needs its variables"):
        read(copy)


def test_truncated(copy):
    data = copy / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(ValueError, match="truncated"):
        read(copy)


def test_another_model(tmp_path):
    module = tf.Module()
    module.weight = tf.Variable([1.0], name="w")
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(ValueError, match=r"Received: .* with 1 variables: w\. Pass the SavedModel"):
        read(tmp_path)


def test_objects_that_do_not_exist(copy):
    def damage(graph):
        for function in graph.object_graph_def.concrete_functions.values():
            function.bound_inputs[0] = 10**6

    change(copy, damage)
    with pytest.raises(ValueError, match="objects of a SavedModel must exist"):
        read(copy)


# === The published format ===


@pytest.mark.parametrize("name", ["albert_en_v1", "albert_en_v3"])
def test_genuine_format(shared, name):
    version = name[-2:]
    path = shared / "hub_reference" / name
    model = AlbertPretrainer.from_checkpoint(path)
    assert model.encoder.albert_config == AlbertConfig(
        vocab_size=1000,
        embedding_size=32,
        hidden_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=128,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
        attention_mask_value=-10000.0 if version == "v1" else -1e9,
    )
    assert model.restore_report.flavor == ("tf2_hub_1" if version == "v1" else "tf2_hub")
    assert (model.masked_lm is None) == (version == "v1")
    golden = np.load(shared / "hub_reference" / "golden" / "encoder_golden.npz")
    cases = ("s1", "s8", "s20", "s128", "allmasked", "mask2", "type2")
    for case in cases:
        # Scores of -10000 and more cost float32 digits: how many depends on the processor.
        tolerance = 2e-4 if case in ("allmasked", "mask2") else 1e-5
        features = {key: tf.constant(golden[f"{case}/{key}"]) for key in NAMES}
        if model.masked_lm is not None:
            features["masked_lm_positions"] = tf.constant(golden[f"{case}/masked_lm_positions"])
        outputs = model(features)
        for key in ("pooled_output", "sequence_output", "mlm_logits"):
            if key in outputs:
                expected = golden[f"{case}/{version}/{key}"]
                np.testing.assert_allclose(outputs[key], expected, atol=tolerance, err_msg=case)

import json
import shutil

import h5py
import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.read import read
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from tests.conftest import GOLDENS

PRESET = GOLDENS / "keras_hub" / "preset"
CONFIG = AlbertConfig(
    vocab_size=60,
    embedding_size=8,
    hidden_size=12,
    num_hidden_layers=4,
    num_hidden_groups=2,
    inner_group_num=2,
    num_attention_heads=3,
    intermediate_size=20,
    hidden_dropout_prob=0.1,
    attention_probs_dropout_prob=0.1,
    max_position_embeddings=16,
    type_vocab_size=3,
    attention_mask_value=-1e9,
)


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(PRESET, tmp_path / "preset")


def change(path, **values):
    file = path / "config.json"
    content = json.loads(file.read_text())
    content["config"].update(values)
    file.write_text(json.dumps(content))


def test_outputs_are_those_of_keras_hub():
    golden = np.load(GOLDENS / "keras_hub" / "outputs.npz")
    encoder = AlbertEncoder.from_checkpoint(PRESET)
    assert encoder.albert_config == CONFIG
    outputs = encoder(
        {
            "input_word_ids": tf.constant(golden["token_ids"]),
            "input_mask": tf.constant(golden["padding_mask"]),
            "input_type_ids": tf.constant(golden["segment_ids"]),
        }
    )
    for name in ("pooled_output", "sequence_output"):
        np.testing.assert_allclose(outputs[name], golden[name], atol=1e-5)


def test_backbone_and_head_of_a_task(copy):
    model = AlbertPretrainer.from_checkpoint(copy)
    report = model.restore_report
    assert (report.flavor, len(report.restored), len(report.ignored)) == ("keras_hub", 73, 5)
    assert "KerasHub's masked LM head, whose layer normalization is another" in str(report)
    assert model.masked_lm is None
    name = report.restored["transformer_group_1_inner_group_0/self_attention/key/bias"]
    assert name == "group_1_inner_layer_0/_self_attention_layer/key_dense/vars/1"
    for file in ("task.json", "task.weights.h5"):
        (copy / file).unlink()
    assert not AlbertPretrainer.from_checkpoint(copy).restore_report.ignored


def test_file_without_layer_names(copy):
    expected = read(PRESET).tensors
    with h5py.File(copy / "model.weights.h5", "r+") as file:
        names = []
        file.visit(names.append)
        for name in names:
            file[name].attrs.clear()
        attention = file["layers/transformer_encoder/_self_attention_layer"]
        attention.move("query_dense", "_query_dense")  # As older versions called it.
    checkpoint = read(copy)
    assert set(checkpoint.tensors) == set(expected)
    assert AlbertEncoder.from_checkpoint(copy).restore_report.ok


def test_path_of_its_weights():
    assert read(PRESET / "model.weights.h5").flavor == "keras_hub"


def test_configuration_given():
    assert read(PRESET, CONFIG).config_source == "the configuration given"


@pytest.mark.parametrize(
    "values, message",
    [
        ({"num_layers": 3}, "multiple of its groups. Received: .*num_layers=3, num_groups=2"),
        ({"activation": "relu"}, "known keys. Received: .* with activation"),
        ({"hidden_dim": "x"}, "`hidden_size` must be a positive integer. Received: 'x'"),
        ({"embedding_dim": 10}, r"token_embedding/vars/0: float32 \[60, 8\] in the checkpoint"),
    ],
)
def test_configurations_that_are_refused(copy, values, message):
    change(copy, **values)
    with pytest.raises(ValueError, match=message):
        AlbertEncoder.from_checkpoint(copy)


def test_another_model(copy):
    content = json.loads((copy / "config.json").read_text())
    content["registered_name"] = "keras_hub>BertBackbone"
    (copy / "config.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="one of AlbertBackbone. Received: .*BertBackbone"):
        read(copy)


def test_incomplete(copy):
    content = json.loads((copy / "config.json").read_text())
    del content["config"]["dropout"]
    (copy / "config.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="must be complete. Received: .* without dropout"):
        read(copy)
    shutil.copy(PRESET / "config.json", copy)
    (copy / "model.weights.h5").unlink()
    with pytest.raises(FileNotFoundError, match="with no model.weights.h5. Copy the whole preset"):
        read(copy)
    (copy / "model.weights.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match="with sharded weights, which are not supported"):
        read(copy)

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.writers.round_trip import compare_weights
from albert_tf.checkpoints.writers.tf1 import write_tf1
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from tests.conftest import GOLDENS

SMALL = AlbertConfig(
    vocab_size=30,
    embedding_size=8,
    hidden_size=12,
    num_hidden_layers=4,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=16,
)


def contents(path):
    reader = tf.train.load_checkpoint(str(path))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.mark.parametrize("name", ["tiny", "tiny_groups"])
def test_the_original_s_checkpoint_comes_back(tmp_path, name):
    model = AlbertPretrainer.from_checkpoint(GOLDENS / name)
    assert write_tf1(model, tmp_path, global_step=125000) == []
    written, original = contents(tmp_path), contents(GOLDENS / name)
    assert written.keys() == original.keys()
    for key, values in original.items():
        assert (written[key].dtype, written[key].shape) == (values.dtype, values.shape)
        if key == "global_step":
            assert written[key] == 125000
        else:
            np.testing.assert_array_equal(written[key], values)
    values = json.loads((tmp_path / "albert_config.json").read_text())
    assert AlbertConfig.from_dict(values) == model.encoder.albert_config
    # All that the original's AlbertConfig has, and nothing that it would take for something else.
    assert set(values) == {
        *(
            set(AlbertConfig(vocab_size=1).to_dict())
            - {"attention_mask_value", "project_same_width"}
        ),
        "net_structure_type",
        "gap_size",
        "num_memory_blocks",
        "down_scale_factor",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"embedding_size": 12},
        {"num_hidden_groups": 2, "inner_group_num": 2},
        {"hidden_act": "relu", "type_vocab_size": 5, "hidden_dropout_prob": 0.1},
    ],
)
def test_round_trip(tmp_path, changes):
    config = dataclasses.replace(SMALL, **changes)
    model = AlbertPretrainer(AlbertEncoder.from_albert_config(config))
    write_tf1(model, tmp_path / "new")
    assert compare_weights(model, tmp_path / "new") == len(model.weights)
    assert AlbertEncoder.from_checkpoint(tmp_path / "new").albert_config == config


def test_encoder_alone(tmp_path):
    encoder = AlbertEncoder.from_albert_config(SMALL)
    write_tf1(encoder, tmp_path)
    assert compare_weights(encoder, tmp_path) == 25
    assert len(contents(tmp_path)) == 26
    model = AlbertPretrainer(encoder, sentence_order=None)
    write_tf1(model, tmp_path)
    assert len(contents(tmp_path)) == 31


def test_mask_value_is_noted(tmp_path):
    encoder = AlbertEncoder.from_albert_config(SMALL, attention_mask_value=-1e9)
    (note,) = write_tf1(encoder, tmp_path)
    assert note.startswith("The original masks with -10000, not -1e+09: rows without any token")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"hidden_act": "gelu_erf"}, "activation that the original has: .*Received: .*gelu_erf"),
        (
            {"embedding_size": 12, "project_same_width": True},
            "only if they are not as wide.* from 12 to as many",
        ),
    ],
)
def test_what_the_original_cannot_compute(tmp_path, changes, message):
    encoder = AlbertEncoder.from_albert_config(dataclasses.replace(SMALL, **changes))
    with pytest.raises(ValueError, match=message):
        write_tf1(encoder, tmp_path)
    assert not any(tmp_path.iterdir())
    with pytest.raises(TypeError, match="must be an AlbertEncoder or .* Received: int"):
        write_tf1(3, tmp_path)

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.names.flavors import BRIGHTMART_TABLE, rules
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer

CONFIG = AlbertConfig(
    vocab_size=40,
    embedding_size=6,
    hidden_size=12,
    num_hidden_layers=3,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=16,
)
TABLE, PROJECTION = BRIGHTMART_TABLE.split(" @ ")


def random_arrays():
    rng = np.random.default_rng(0)
    wide = dataclasses.replace(CONFIG, embedding_size=12)
    arrays = {
        rule.stored_name: rng.normal(0, 0.3, rule.stored_shape).astype(np.float32)
        for rule in rules(wide, "brightmart")
        if rule.stored_name != BRIGHTMART_TABLE
    }
    arrays[TABLE] = rng.normal(0, 0.3, (40, 6)).astype(np.float32)
    arrays[PROJECTION] = rng.normal(0, 0.3, (6, 12)).astype(np.float32)
    return arrays


@pytest.fixture
def checkpoint(tmp_path, write_tf1):
    """(directory, its arrays), with a configuration called as brightmart calls it."""
    arrays = random_arrays()
    write_tf1(tmp_path / "albert_model.ckpt", arrays)
    values = {**CONFIG.to_dict(), "ln_type": "postln"}
    (tmp_path / "albert_config_tiny.json").write_text(json.dumps(values))
    return tmp_path, arrays


def test_matrices_are_multiplied(checkpoint):
    path, arrays = checkpoint
    model = AlbertPretrainer.from_checkpoint(path)
    assert model.encoder.albert_config == dataclasses.replace(CONFIG, embedding_size=12)
    assert model.restore_report.flavor == "brightmart"
    assert model.restore_report.ok and not model.restore_report.ignored
    table = tf_variable(model.weights_by_name()["word_embeddings/embeddings"])
    np.testing.assert_allclose(table, arrays[TABLE] @ arrays[PROJECTION], atol=1e-6)
    name = model.restore_report.restored["transformer/output_layer_norm/gamma"]
    assert name == "bert/encoder/layer_shared/output/LayerNorm/gamma"


def test_optimizer_slots(tmp_path, checkpoint, write_tf1):
    path, arrays = checkpoint
    slots = {f"{name}/lamb_m": values for name, values in arrays.items()}
    write_tf1(path / "albert_model.ckpt", {**arrays, **slots})
    report = AlbertEncoder.from_checkpoint(path).restore_report
    assert list(report.ignored.values()).count("optimizer slot") == len(arrays)


def test_configuration_is_ambiguous(checkpoint):
    path, _ = checkpoint
    (path / "albert_config_base.json").write_text(CONFIG.to_json())
    with pytest.raises(FileNotFoundError, match="with no albert_config.json in"):
        AlbertEncoder.from_checkpoint(path)
    AlbertEncoder.from_checkpoint(path, path / "albert_config_tiny.json")


def test_layer_norm_before_the_block(checkpoint):
    path, _ = checkpoint
    values = {**CONFIG.to_dict(), "ln_type": "preln"}
    (path / "albert_config_tiny.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match="`ln_type` must be 'postln'"):
        AlbertEncoder.from_checkpoint(path)


def test_matrices_that_do_not_fit(tmp_path, write_tf1):
    arrays = random_arrays()
    arrays[PROJECTION] = arrays[PROJECTION].T
    with pytest.raises(ValueError, match=r"can be multiplied\. .*_2: float32 \[12, 6\]"):
        AlbertEncoder.from_checkpoint(write_tf1(tmp_path / "ckpt", arrays), CONFIG)
    del arrays[PROJECTION]
    with pytest.raises(ValueError, match="word_embeddings_2: None"):
        AlbertEncoder.from_checkpoint(write_tf1(tmp_path / "ckpt", arrays), CONFIG)


def test_equal_to_the_graph_of_albert_tiny_zh(shared, tmp_path, write_tf1):
    folder = shared / "data" / "albert_hub_graph" / "albert_tiny_zh_index"
    reader = tf.train.load_checkpoint(str(folder / "albert_model.ckpt"))
    rng = np.random.default_rng(1)
    arrays = {
        name: rng.normal(0, 0.1, shape).astype(np.float32) + name.endswith("gamma")
        for name, shape in sorted(reader.get_variable_to_shape_map().items())
    }
    write_tf1(tmp_path / "albert_model.ckpt", arrays)
    (tmp_path / "albert_config.json").write_text(
        pathlib.Path(folder / "albert_config_tiny.json").read_text()
    )
    model = AlbertPretrainer.from_checkpoint(tmp_path)

    # The graph has these shapes built in: one sequence of 128 tokens.
    ids = rng.integers(0, 21128, (1, 128)).astype(np.int32)
    mask = (np.arange(128) < 90).astype(np.int32)[np.newaxis]
    segments = rng.integers(0, 2, (1, 128)).astype(np.int32)
    positions = rng.integers(0, 128, (1, 128)).astype(np.int32)
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.import_meta_graph(str(folder / "albert_model.ckpt.meta"))
        feeds = {f"{name}/read:0": values for name, values in arrays.items()}
        feeds |= {
            "input_ids:0": ids,
            "input_mask:0": mask,
            "segment_ids:0": segments[0],
            "masked_lm_positions:0": positions,
        }
        sequence, pooled, masked_lm, order = session.run(
            [
                "bert/encoder/Reshape_5:0",
                "bert/pooler/dense/Tanh:0",
                "cls/predictions/BiasAdd:0",
                "cls/seq_relationship/BiasAdd:0",
            ],
            feeds,
        )
    outputs = model(
        {
            "input_word_ids": tf.constant(ids),
            "input_mask": tf.constant(mask),
            "input_type_ids": tf.constant(segments),
            "masked_lm_positions": tf.constant(positions),
        }
    )
    np.testing.assert_allclose(outputs["sequence_output"], sequence, atol=1e-5)
    np.testing.assert_allclose(outputs["pooled_output"], pooled, atol=1e-5)
    np.testing.assert_allclose(outputs["sop_logits"], order, atol=1e-5)
    scale = np.abs(masked_lm).max()
    np.testing.assert_allclose(outputs["mlm_logits"][0], masked_lm, atol=1e-5 * max(1, scale))

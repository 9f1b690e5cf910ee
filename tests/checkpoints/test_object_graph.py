import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.read import read
from albert_tf.checkpoints.sources.object_graph import GRAPH, open_variables
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder

CONFIG = AlbertConfig(
    vocab_size=30,
    embedding_size=8,
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=16,
)


def test_checkpoint_of_tensorflow_2(tmp_path):
    encoder = AlbertEncoder.from_albert_config(CONFIG)
    variables = [tf_variable(weight) for weight in encoder.weights_by_name().values()]
    slots = [tf.Variable(variable) for variable in variables]
    model = tf.train.Checkpoint(weights=variables)
    optimizer = tf.train.Checkpoint(slots=slots)
    path = tf.train.Checkpoint(model=model, optimizer=optimizer).save(str(tmp_path / "ckpt"))
    (tmp_path / "albert_config.json").write_text(CONFIG.to_json())
    for where in (path, tmp_path):
        restored = AlbertEncoder.from_checkpoint(where)
        report = restored.restore_report
        assert (report.flavor, len(report.restored)) == ("object_graph", 25)
        reasons = list(report.ignored.values())
        assert (reasons.count("optimizer slot"), reasons.count("step counter")) == (25, 1)
        for weight, expected in zip(restored.weights_by_name().values(), variables):
            np.testing.assert_array_equal(tf_variable(weight), expected)


def test_variables_of_one_name(tmp_path):
    variables = [tf.Variable([float(i)], name="w") for i in range(2)]
    path = tf.train.Checkpoint(a=variables[0], b=variables[1]).write(str(tmp_path / "ckpt"))
    tensors, ignored, get = open_variables(tmp_path / "ckpt")
    assert len(tensors) == 2 and "w" in tensors and not ignored
    assert sorted(float(get(name)[0]) for name in tensors) == [0, 1]
    with pytest.raises(ValueError, match="2 unused|unused: w"):
        AlbertEncoder.from_checkpoint(path, CONFIG)


def test_damaged_graph(tmp_path, write_tf1):
    write_tf1(tmp_path / "ckpt", {GRAPH: tf.constant(b"\xff\xff\xff")})
    with pytest.raises(ValueError, match="graph of objects must be readable"):
        read(tmp_path / "ckpt")

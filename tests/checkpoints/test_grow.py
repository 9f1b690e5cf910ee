"""A word table that grows for added pieces."""

import numpy as np
import pytest

import albert_tf
from albert_tf._keras import tf_variable
from albert_tf.config import AlbertConfig

TABLE = "word_embeddings/embeddings"
BIAS = "bert/cls/predictions/output_bias/bias"


def values(model, name):
    return tf_variable(model.weights_by_name()[name]).numpy()


def test_table_and_bias(tiny_checkpoint):
    old = albert_tf.AlbertPretrainer.from_checkpoint(tiny_checkpoint)
    new = albert_tf.AlbertPretrainer.from_checkpoint(tiny_checkpoint, vocab_size=1003)
    for name in old.weights_by_name():
        before, now = values(old, name), values(new, name)
        np.testing.assert_array_equal(now[: len(before)], before)
        if name in (TABLE, BIAS):
            assert len(now) == 1003
            mean = before.mean(0, dtype=np.float64)
            np.testing.assert_allclose(now[1000:], np.broadcast_to(mean, now[1000:].shape))
        else:
            assert now.shape == before.shape
    report = new.restore_report
    assert report.ok and report.grown == {TABLE: (1000, 1003), BIAS: (1000, 1003)}
    assert f"grown: {TABLE} from 1000 to 1003 rows; the new ones are the mean" in str(report)
    assert report.parameters == old.restore_report.parameters
    assert old.restore_report.grown == {} and "grown" not in str(old.restore_report)


def test_same_size_and_other_formats(tiny_checkpoint, exported_encoder, wordpiece_checkpoint):
    encoder = albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint, vocab_size=1000)
    report = encoder.restore_report
    assert report.ok and report.grown == {}
    for path, size in ((exported_encoder, 1001), (wordpiece_checkpoint, 230)):
        encoder = albert_tf.AlbertEncoder.from_checkpoint(path, vocab_size=size)
        assert encoder.get_embedding_table().shape[0] == size
        assert TABLE in encoder.restore_report.grown


def test_never_by_a_configuration_alone(tiny_checkpoint):
    config = AlbertConfig.from_json_file(tiny_checkpoint / "albert_config.json").to_dict()
    with pytest.raises(ValueError, match="is 1003 .* but 1000 (.|\n)*vocab_size=1003 of from"):
        albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint, {**config, "vocab_size": 1003})
    with pytest.raises(ValueError, match="999 .*1000(.|\n)*can grow, not shrink"):
        albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint, vocab_size=999)


def test_export_names_the_way(tiny_checkpoint, sp_model, tmp_path):
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto.FromString(sp_model.read_bytes())
    model.pieces.add(piece="<table>", score=0.0, type=4)
    grown = tmp_path / "grown.model"
    grown.write_bytes(model.SerializeToString())
    encoder = albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint)
    with pytest.raises(ValueError, match="vocab_size=1000.*with 1001 pieces.*vocab_size=1001"):
        albert_tf.export_encoder(encoder, tmp_path / "encoder", grown)

import pytest

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.writers.round_trip import compare_weights
from albert_tf.checkpoints.writers.tf1 import write_tf1
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from tests.conftest import GOLDENS

TINY = GOLDENS / "tiny"


def test_equal():
    assert compare_weights(AlbertPretrainer.from_checkpoint(TINY), TINY) == 32
    assert compare_weights(AlbertEncoder.from_checkpoint(TINY), TINY) == 25


def test_different():
    encoder = AlbertEncoder.from_checkpoint(TINY)
    bias = tf_variable(encoder.weights_by_name()["pooler_transform/bias"])
    bias.assign(-bias)
    with pytest.raises(
        ValueError, match=r"bit for bit\. Received: .* pooler_transform/bias differs"
    ):
        compare_weights(encoder, TINY)


def test_missing(tmp_path):
    write_tf1(AlbertEncoder.from_checkpoint(TINY), tmp_path)
    with pytest.raises(ValueError, match="cls/seq_relationship/kernel is missing"):
        compare_weights(AlbertPretrainer.from_checkpoint(TINY), tmp_path)

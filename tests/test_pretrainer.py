import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from tests.conftest import GOLDENS

NAMES = ("input_word_ids", "input_mask", "input_type_ids", "masked_lm_positions")


def small(**kwargs):
    return AlbertEncoder(50, 8, 16, 2, 2, intermediate_size=24, **kwargs)


@pytest.mark.parametrize("config", ["tiny", "tiny_groups"])
@pytest.mark.parametrize("group", ["", "len64/"])
def test_equals_the_original(config, group):
    recorded = np.load(GOLDENS / config / "golden.npz")
    model = AlbertPretrainer.from_checkpoint(GOLDENS / config)
    keys = ("input_ids", "input_mask", "segment_ids", "masked_lm_positions")
    outputs = model({name: recorded[group + key] for name, key in zip(NAMES, keys)})

    mlm = tf.nn.log_softmax(outputs["mlm_logits"])
    vocab_size = mlm.shape[-1]
    expected = recorded[f"{group}mlm_log_probs"]
    np.testing.assert_allclose(tf.reshape(mlm, [-1, vocab_size]), expected, atol=1e-5, rtol=1e-6)
    sop = tf.nn.log_softmax(outputs["sop_logits"])
    np.testing.assert_allclose(sop, recorded[f"{group}sop_log_probs"], atol=1e-5)


@pytest.mark.parametrize("case", ["s1", "s8", "s20", "s128", "s512", "type2"])
def test_masked_lm_equals_tf_hub(case):
    from tests.random_tiny import CHECKPOINT

    recorded = np.load(GOLDENS / "tf_hub" / "encoder_golden.npz")
    outputs = AlbertPretrainer.from_checkpoint(CHECKPOINT)(
        {name: recorded[f"{case}/{name}"] for name in NAMES}
    )
    expected = recorded[f"{case}/v3/mlm_logits"]
    # Logits are of the order of 10 here; the recordings of TF 1.15 and of the Hub differ by 6e-6.
    np.testing.assert_allclose(outputs["mlm_logits"], expected, atol=1e-5, rtol=1e-6)


def test_gradients_reach_every_weight_and_tie_the_table():
    model = AlbertPretrainer(small())
    ids = tf.constant([[2, 9, 4, 3]])
    with tf.GradientTape() as tape:
        outputs = model([ids, tf.ones_like(ids), tf.zeros_like(ids), tf.constant([[2, 1]])])
        loss = tf.reduce_sum(outputs["mlm_logits"] ** 2) + outputs["sop_logits"][0, 1]
    weights = [w.value if hasattr(w, "path") else w for w in model.trainable_weights]
    gradients = tape.gradient(loss, weights)
    assert len(weights) == 32 and all(g is not None for g in gradients)
    assert not isinstance(gradients[0], tf.IndexedSlices)  # The output matrix is the table.


def test_names_of_the_heads():
    names = list(AlbertPretrainer(small()).weights_by_name())[25:]
    assert names == [
        "bert/cls/predictions/output_bias/bias",
        "bert/cls/predictions/transform/dense/kernel",
        "bert/cls/predictions/transform/dense/bias",
        "bert/cls/predictions/transform/LayerNorm/gamma",
        "bert/cls/predictions/transform/LayerNorm/beta",
        "bert/cls/seq_relationship/kernel",
        "bert/cls/seq_relationship/bias",
    ]


def test_saves_and_loads(tmp_path):
    model = AlbertPretrainer(small(), sentence_order=None)
    ids = np.array([[2, 9, 4, 3]])
    x = dict(zip(NAMES, (ids, np.ones_like(ids), np.zeros_like(ids), np.array([[2]]))))
    expected = model(x)
    assert "sop_logits" not in expected
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(x)["mlm_logits"], expected["mlm_logits"])
    assert len(loaded.weights) == 30


def test_no_predictions_and_bad_positions():
    model = AlbertPretrainer(small())
    ids = tf.constant([[2, 9, 4, 3]])
    x = [ids, tf.ones_like(ids), tf.zeros_like(ids)]
    assert model([*x, tf.zeros([1, 0], tf.int32)])["mlm_logits"].shape == (1, 0, 50)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"4.* is not in \[0, 4\)"):
        model([*x, tf.constant([[4]])])
    with pytest.raises(ValueError, match="also needs 'masked_lm_positions'"):
        model(dict(zip(NAMES, x)))


def test_half_precision_logits_are_float32():
    model = AlbertPretrainer(small(dtype="mixed_bfloat16"))
    ids = tf.constant([[2, 9, 4, 3]])
    outputs = model([ids, tf.ones_like(ids), tf.zeros_like(ids), tf.constant([[2]])])
    assert outputs["sequence_output"].dtype == tf.bfloat16
    assert outputs["mlm_logits"].dtype == outputs["sop_logits"].dtype == tf.float32

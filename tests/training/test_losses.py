import numpy as np
import pytest
import tensorflow as tf

from albert_tf.training.engine import losses
from albert_tf.training.engine.losses import (
    Accuracy,
    MeanOf,
    SparseCrossEntropy,
    SquaredError,
    Term,
)
from tests.conftest import GOLDENS

RANDOM = np.random.RandomState(0)


def test_pretraining_losses_equal_the_original():
    recorded = np.load(GOLDENS / "tiny" / "golden.npz")
    weights = recorded["masked_lm_weights"]
    outputs = {
        "mlm_logits": recorded["mlm_log_probs"].reshape([*weights.shape, -1]) + 3.0,
        "sop_logits": recorded["sop_log_probs"] - 1.0,
    }
    targets = {key: recorded[key] for key in ("masked_lm_ids", "masked_lm_weights")}
    targets["sentence_order_labels"] = recorded["next_sentence_labels"][:, 0]
    mlm = losses.masked_lm_loss()
    np.testing.assert_allclose(mlm(outputs, targets), recorded["mlm_loss"], rtol=1e-6)
    sop = losses.sentence_order_loss()
    np.testing.assert_allclose(sop(outputs, targets), recorded["sop_loss"], rtol=1e-6)

    right = recorded["mlm_log_probs"].argmax(-1).reshape(weights.shape) == targets["masked_lm_ids"]
    expected = (right * weights).sum() / weights.sum()
    np.testing.assert_allclose(losses.masked_lm_accuracy()(outputs, targets), expected, rtol=1e-6)


def test_examples_of_weight_zero_do_not_count():
    logits = RANDOM.randn(4, 2).astype(np.float32)
    targets = {"sentence_order_labels": np.array([0, 1, 1, 0]), "has_order": [1.0, 0.0, 1.0, 0.0]}
    outputs = {"sop_logits": logits}
    half = {"sop_logits": logits[::2]}
    for make in (losses.sentence_order_loss, losses.sentence_order_accuracy):
        result = make("has_order")(outputs, targets)
        expected = make()(half, {"sentence_order_labels": np.array([0, 1])})
        np.testing.assert_allclose(result, expected, rtol=1e-6)
    nothing = {**targets, "has_order": [0.0] * 4}
    assert float(losses.sentence_order_loss("has_order")(outputs, nothing)) == 0.0


def test_squared_error_takes_a_column_or_a_vector():
    labels = np.array([1.0, -2.0, 0.5], np.float32)
    output = RANDOM.randn(3, 1).astype(np.float32)
    expected = np.mean((output[:, 0] - labels) ** 2)
    np.testing.assert_allclose(SquaredError()(output, labels), expected, rtol=1e-6)
    np.testing.assert_allclose(SquaredError()(output[:, 0], labels), expected, rtol=1e-6)


def test_half_precision_logits_are_computed_in_float32():
    logits = tf.constant([[12.0, 0.0]], tf.float16)
    result = SparseCrossEntropy()(logits, tf.constant([0]))
    np.testing.assert_allclose(result, np.log1p(np.exp(-12.0)), atol=1e-6)


def test_mean_of_a_function():
    loss = MeanOf(lambda outputs, targets: outputs["a"] * targets["b"], weights="w")
    targets = {"b": tf.constant([3.0, 4.0]), "w": tf.constant([1.0, 3.0])}
    assert float(loss({"a": tf.constant([1.0, 2.0])}, targets)) == 6.75


def test_errors():
    with pytest.raises(tf.errors.InvalidArgumentError, match="outside the valid range"):
        SparseCrossEntropy()(tf.zeros([1, 2]), tf.constant([2]))
    with pytest.raises(ValueError, match=r"single tensor. Received: dict with \['a'\]"):
        Accuracy(labels="l")({"a": tf.zeros([1, 2])}, {"l": tf.constant([0])})

    class Wrong(Term):
        def values(self, outputs, targets):
            return outputs

        def weights(self, targets):
            return targets

    with pytest.raises(ValueError, match="Wrong: values and weights must have the same shape"):
        Wrong()(tf.zeros([3, 2]), tf.zeros([3]))

"""What training minimizes and reports: weighted means over the global batch.

The global batch is spread over devices and over micro-batches. Its mean is not the mean of their
means when weights differ, so a term says separately what it adds up and what the sum is divided by.
"""

import tensorflow as tf


class Term:
    """A weighted mean over the items of the global batch: sum(weight * value) / sum(weight).

    A loss or a metric, computed piece by piece. The items are whatever the subclass says: examples,
    masked tokens. Subclasses implement `values`, and `weights` where items count differently.

    Args:
      epsilon: Added to the sum of the weights. Without it the mean of no items is 0.
    """

    def __init__(self, epsilon=0.0):
        self.epsilon = epsilon

    def values(self, outputs, targets):
        """float32 tensor [items] or of any shape: one value an item.

        Args:
          outputs: What the model returned.
          targets: The second part of the data set's elements (inputs, targets).
        """
        raise NotImplementedError

    def weights(self, targets):
        """float32 tensor shaped like `values`: how much each item counts.

        It depends on the targets alone, because the sum over the global batch is needed before the
        model runs.
        """
        raise NotImplementedError

    def mean(self, weighted_sum, weight):
        """The mean, from the sums over all pieces."""
        return tf.math.divide_no_nan(weighted_sum, weight + self.epsilon)

    def weighted_sum(self, outputs, targets):
        """Sum of weight * value over the items of this piece."""
        values = tf.cast(self.values(outputs, targets), tf.float32)
        weights = tf.cast(self.weights(targets), tf.float32)
        if values.shape.rank != weights.shape.rank:
            raise ValueError(
                f"{type(self).__name__}: values and weights must have the same shape. Received: "
                f"{values.shape} and {weights.shape}."
            )
        return tf.reduce_sum(values * weights)

    def __call__(self, outputs, targets):
        """The mean over one whole batch, for use without a `TrainStep`."""
        weight = tf.reduce_sum(tf.cast(self.weights(targets), tf.float32))
        return self.mean(self.weighted_sum(outputs, targets), weight)


class _OfLabels(Term):
    """A term about one output and its labels, every item counting 1 unless weights are named.

    Args:
      output: Key of the model's output; None if the output is a tensor.
      labels: Key of the labels in the targets; None if the targets are a tensor.
      weights: Key of the items' weights in the targets; None for all 1. The weights have the
        shape of the labels.
      epsilon: See `Term`.
    """

    def __init__(self, output=None, labels=None, weights=None, epsilon=0.0):
        super().__init__(epsilon)
        self.output = output
        self.labels = labels
        self.weights_key = weights

    def weights(self, targets):
        labels = _take(targets, self.labels)
        if self.weights_key is None:
            return tf.ones_like(labels, tf.float32)
        return tf.cast(targets[self.weights_key], tf.float32)

    def output_and_labels(self, outputs, targets):
        output, labels = _take(outputs, self.output), _take(targets, self.labels)
        return tf.convert_to_tensor(output), tf.convert_to_tensor(labels)


class SparseCrossEntropy(_OfLabels):
    """Softmax cross entropy of float32 logits [..., classes] and int labels [...].

    Args:
      output: Key of the logits in the model's outputs; None if the output is a tensor.
      labels: Key of the labels in the targets; None if the targets are a tensor.
      weights: Key of the items' weights in the targets, shaped like the labels; None for all 1.
      epsilon: Added to the sum of the weights.

    Example:

    >>> from albert_tf.training.engine.losses import SparseCrossEntropy
    >>> import tensorflow as tf
    >>> loss = SparseCrossEntropy()
    >>> round(float(loss(tf.zeros([4, 3]), tf.constant([0, 1, 2, 0]))), 4)
    1.0986
    """

    def values(self, outputs, targets):
        logits, labels = self.output_and_labels(outputs, targets)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(logits, tf.float32))


class SquaredError(_OfLabels):
    """Squared difference of an output [...] or [..., 1] and float labels [...].

    Example:

    >>> from albert_tf.training.engine.losses import SquaredError
    >>> import tensorflow as tf
    >>> float(SquaredError()(tf.constant([1.0, 3.0]), tf.constant([0.0, 3.0])))
    0.5
    """

    def values(self, outputs, targets):
        output, labels = self.output_and_labels(outputs, targets)
        output = tf.cast(output, tf.float32)
        if output.shape.rank == labels.shape.rank + 1:
            output = tf.squeeze(output, -1)
        return tf.square(output - tf.cast(labels, tf.float32))


class Accuracy(_OfLabels):
    """Fraction of items whose largest logit is the label's; arguments as `SparseCrossEntropy`."""

    def values(self, outputs, targets):
        logits, labels = self.output_and_labels(outputs, targets)
        return tf.cast(tf.argmax(logits, -1, labels.dtype) == labels, tf.float32)


class MeanOf(Term):
    """The mean over examples of what a function returns, for losses with more than one output.

    Args:
      function: (outputs, targets) -> float tensor [batch], one value an example.
      weights: Key of the examples' weights [batch] in the targets; None for all 1.

    Example:

    >>> from albert_tf.training.engine.losses import MeanOf
    >>> import tensorflow as tf
    >>> loss = MeanOf(lambda outputs, targets: tf.abs(outputs - targets["y"]))
    >>> float(loss(tf.constant([1.0, 2.0]), {"y": tf.constant([0.0, 0.0])}))
    1.5
    """

    def __init__(self, function, weights=None):
        super().__init__()
        self.function = function
        self.weights_key = weights

    def values(self, outputs, targets):
        return self.function(outputs, targets)

    def weights(self, targets):
        if self.weights_key is not None:
            return tf.cast(targets[self.weights_key], tf.float32)
        first = tf.nest.flatten(targets)[0]
        return tf.ones(tf.shape(first)[:1])


def masked_lm_loss():
    """The original's masked LM loss: sum(w * nll) / (sum(w) + 1e-5) over the global batch.

    Outputs: `mlm_logits` [B, P, V]; targets: `masked_lm_ids` [B, P], `masked_lm_weights` [B, P].

    Reference: `get_masked_lm_output` in the original's run_pretraining.py.
    """
    return SparseCrossEntropy("mlm_logits", "masked_lm_ids", "masked_lm_weights", epsilon=1e-5)


def masked_lm_accuracy():
    """Fraction of the masked tokens that are predicted; keys as for `masked_lm_loss`."""
    return Accuracy("mlm_logits", "masked_lm_ids", "masked_lm_weights")


def sentence_order_loss(weights=None):
    """Mean cross entropy of `sop_logits` [B, 2] and `sentence_order_labels` [B].

    Args:
      weights: Key of weights [B] in the targets, 0 for examples that carry no order; None for
        all 1, as in the original.

    Reference: `get_sentence_order_output` in the original's run_pretraining.py.
    """
    return SparseCrossEntropy("sop_logits", "sentence_order_labels", weights)


def sentence_order_accuracy(weights=None):
    """Fraction of examples whose order is predicted; arguments as for `sentence_order_loss`."""
    return Accuracy("sop_logits", "sentence_order_labels", weights)


def _take(structure, key):
    if key is not None:
        return structure[key]
    if isinstance(structure, (dict, list, tuple)):
        raise ValueError(
            "A term without a key needs a single tensor. Received: "
            f"{type(structure).__name__} with {list(structure)!r}. Name the key of the output, or "
            "of the labels."
        )
    return structure

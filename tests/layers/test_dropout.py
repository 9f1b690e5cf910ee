import threading

import numpy as np
import tensorflow as tf

from albert_tf.layers.dropout import dropout, dropout_seed

X = np.ones([40, 50], "float32")


def two_masks(seed):
    with dropout_seed(tf.constant(seed)):
        return np.stack([dropout(X, 0.25, training=True) for _ in range(2)])


def test_drops_at_its_rate_and_keeps_the_mean():
    for masks in (two_masks([1, 2]), np.asarray(dropout(X, 0.25, training=True))):
        assert set(np.unique(masks)) == {np.float32(0.0), np.float32(1.0 / 0.75)}
        assert abs(masks.mean() - 1.0) < 0.05


def test_is_a_function_of_seed_and_call():
    first = two_masks([1, 2])
    np.testing.assert_array_equal(first, two_masks([1, 2]))
    assert (first[0] != first[1]).any()
    assert (first != two_masks([2, 2])).any()
    in_graph = tf.function(lambda: [*two_masks_in_graph()])
    np.testing.assert_array_equal(in_graph(), first)
    np.testing.assert_array_equal(in_graph(), first)


def two_masks_in_graph():
    with dropout_seed(tf.constant([1, 2])):
        return [dropout(X, 0.25, training=True), dropout(X, 0.25, training=tf.constant(True))]


def test_draws_from_the_global_generator_outside_and_in_other_threads():
    results = []
    with dropout_seed(tf.constant([1, 2])):
        thread = threading.Thread(
            target=lambda: results.extend(dropout(X, 0.5, training=True) for _ in range(2))
        )
        thread.start()
        thread.join()
        with dropout_seed(tf.constant([5, 6])):
            inner = dropout(X, 0.25, training=True)
        outer = dropout(X, 0.25, training=True)
    assert np.any(results[0] != results[1])
    np.testing.assert_array_equal(outer, two_masks([1, 2])[0])
    np.testing.assert_array_equal(inner, two_masks([5, 6])[0])
    outside = [dropout(X, 0.5, training=True).numpy() for _ in range(2)]
    assert (outside[0] != outside[1]).any()


def test_does_nothing_unless_training():
    for training in (False, None, tf.constant(False)):
        np.testing.assert_array_equal(dropout(X, 0.5, training), X)
    assert dropout(X, 0.0, True) is X

import tensorflow as tf

from albert_tf.saved_model.tracing import traced_once


def test_saving_does_not_trace_again(tmp_path):
    traces = []

    def call(x):
        traces.append(x)
        return x + 1

    root = tf.train.Checkpoint()
    root.__call__ = tf.function(call, autograph=False)
    with traced_once():
        root.__call__.get_concrete_function(tf.TensorSpec([None], tf.int32, "x"))
        root.__call__.get_concrete_function(tf.TensorSpec([None], tf.float32, "x"))
    tf.saved_model.save(root, str(tmp_path))
    assert len(traces) == 2
    loaded = tf.saved_model.load(str(tmp_path))
    assert loaded(tf.constant([1, 2])).numpy().tolist() == [2, 3]

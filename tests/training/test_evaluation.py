import numpy as np
import pytest
import tensorflow as tf

from albert_tf.training.engine.evaluation import Predictor, evaluate_terms
from tests.training.small_run import make_data, make_model, make_step, mirrored


@pytest.mark.parametrize("make", [tf.distribute.get_strategy, mirrored], ids=["one", "mirrored"])
@pytest.mark.parametrize("rows", [7, 8, 40])
def test_every_example_is_answered_once_and_in_order(make, rows):
    strategy = make()
    with strategy.scope():
        model = make_model()
    inputs, _ = next(iter(make_data(0, 0).unbatch().batch(40)))
    expected = make_model()(inputs).numpy()
    dataset = tf.data.Dataset.from_tensor_slices(inputs).batch(rows)
    predict = Predictor(model, strategy)
    result = predict(dataset)
    np.testing.assert_allclose(result, expected, atol=1e-6)
    with_targets = dataset.map(lambda x: (x, tf.zeros([1])))
    np.testing.assert_array_equal(predict(with_targets), result)


def test_predict_keeps_the_structure_and_compiles():
    dataset = tf.data.Dataset.range(5).batch(2)

    def function(x, training):
        assert not training
        return {"double": 2 * x, "row": [tf.stack([x, x], 1)]}

    result = Predictor(function, jit_compile=True)(dataset)
    np.testing.assert_array_equal(result["double"], [0, 2, 4, 6, 8])
    np.testing.assert_array_equal(result["row"][0], [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4]])


def test_means_are_over_all_items():
    inputs, targets = next(iter(make_data(0, 0).unbatch().batch(40)))
    for strategy in (tf.distribute.get_strategy(), mirrored()):
        step = make_step(strategy)
        result = evaluate_terms(step, make_data)
        for name, term in step.terms.items():
            expected = float(term(make_model()(inputs), targets))
            np.testing.assert_allclose(result[name], expected, rtol=1e-5)


def test_evaluations_of_a_run_trace_once_and_see_the_new_weights():
    traces, weight = [], tf.Variable(1)

    def model(x, training):
        traces.append(x.shape)
        return weight * x

    predict, dataset = Predictor(model), tf.data.Dataset.range(1, 6, output_type=tf.int32).batch(2)
    for number in range(10):
        weight.assign(number)
        np.testing.assert_array_equal(predict(dataset), number * np.arange(1, 6))
    assert traces == [[2]]  # The last batch, of one example, is filled up.

    step, calls = make_step(), []
    term = step.terms["accuracy"]
    values = term.values
    term.values = lambda *arguments: calls.append(None) or values(*arguments)
    results = [evaluate_terms(step, make_data) for _ in range(3)]
    assert len(calls) == 1 and results[0] == results[2]


def test_errors():
    same = Predictor(lambda x, training: x)
    with pytest.raises(ValueError, match="at least one example. Received: none"):
        same(tf.data.Dataset.range(0).batch(2))
    growing = tf.data.Dataset.range(3).batch(1).concatenate(tf.data.Dataset.range(3).batch(3))
    with pytest.raises(ValueError, match="No batch may be larger than the first, 1. Received: 3"):
        same(growing)
    with pytest.raises(ValueError, match="An evaluation needs an end. Received: an infinite"):
        evaluate_terms(make_step(), lambda seed, epoch: make_data(seed, epoch).repeat())

"""Inputs are fitted to exported forms, or the difference is named."""

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.keras_layer.input_forms import as_shapes, describe, fit_inputs, shaped

INT32 = tf.TensorSpec([None, None], tf.int32)
INT64 = tf.TensorSpec([None, None], tf.int64)
RAGGED = tf.RaggedTensorSpec([None, None], tf.int32)


def test_exact_form_comes_before_a_cast():
    fitted = fit_inputs([{"a": INT32}, {"a": INT64}], {"a": tf.ones([2, 3], tf.int64)})
    assert fitted["a"].dtype == tf.int64


@pytest.mark.parametrize(
    ("spec", "value", "dtype"),
    [
        (INT32, np.ones([2, 3], np.int64), tf.int32),
        (INT64, lambda: tf.ones([2, 3], tf.int32), tf.int64),
        (INT32, [[1, 2], [3, 4]], tf.int32),
        (INT64, [[1, 2], [3, 4]], tf.int64),
        (INT32, np.array([[True, False]]), tf.int32),
        (tf.TensorSpec([None]), np.ones(3), tf.float32),
        (tf.TensorSpec([None]), lambda: tf.ones(3, tf.bfloat16), tf.float32),
        (tf.TensorSpec([None], tf.string), ["a", "b"], tf.string),
    ],
)
def test_conversion(spec, value, dtype):
    value = value() if callable(value) else value
    fitted = fit_inputs([spec], value)
    assert fitted.dtype == dtype
    np.testing.assert_array_equal(fitted, tf.convert_to_tensor(value).numpy())


def test_integers_out_of_range_do_not_wrap_around():
    ids = np.array([[5, 2**32 + 5, -(2**32)]])
    for value in (ids, tf.constant(ids), ids.tolist(), [list(row) for row in ids]):
        fitted = fit_inputs([INT32], value)
        np.testing.assert_array_equal(fitted, [[5, 2**31 - 1, -(2**31)]])


def test_forms_with_other_shapes():
    forms = [{"a": INT32, "b": RAGGED}, [INT64, INT32]]
    assert shaped(forms, as_shapes([(None, 3), [2, 4]])) == [
        tf.TensorSpec([None, 3], tf.int64),
        tf.TensorSpec([2, 4], tf.int32),
    ]
    found = shaped(forms, as_shapes({"a": (None, 3), "b": (None, None)}))
    assert found == {"a": tf.TensorSpec([None, 3], tf.int32), "b": RAGGED}
    assert shaped(forms, as_shapes((None, 3))) is None


def test_list_and_tuple_stand_for_each_other():
    x = tf.ones([1, 1], tf.int32)
    assert isinstance(fit_inputs([[INT32, INT32]], (x, x)), list)
    assert isinstance(fit_inputs([(INT32, INT32)], [x, x]), tuple)


IDS = np.ones([1, 1], "int32")


@pytest.mark.parametrize(
    ("form", "value", "message"),
    [
        (
            INT32,
            lambda: tf.ones([2, 3]),
            r"dtype int32: tf.cast\(x, tf.int32\), or dtype='int32' if",
        ),
        (INT32, [["a"]], "must have dtype int32: dtype='int32' if it is a keras.Input"),
        (INT32, [[1], [2, 3]], "cannot become a tensor"),
        (INT32, lambda: [tf.constant(IDS)], "Pass inputs as one tensor"),
        (INT32, IDS[0], r"must have shape \[None, None\], not \[1\]"),
        (INT32, lambda: tf.ragged.constant([[1], []]), r"to_tensor\(\)"),
        (INT32, lambda: tf.sparse.from_dense([[1]]), "tf.sparse.to_dense"),
        (RAGGED, IDS, "must be ragged"),
        (
            RAGGED,
            lambda: tf.ragged.constant([[[1]]]),
            "must have ragged rank 1 and int64 row splits, not 2",
        ),
        ({"a": INT32, "b": INT32}, {"a": IDS, 3: 0}, r"add \['b'\] and remove \[3\]"),
        ({"a": INT32}, IDS, r"as a dict with the keys \['a'\]"),
        ([INT32], {"a": 1}, "Pass inputs as a list of 1"),
        ([INT32], [1, 2], "as a list of 1 instead of 2"),
        ([INT32, None], [IDS, 5], r"inputs\[1\] must be None"),
    ],
)
def test_misfits(form, value, message):
    with pytest.raises(ValueError, match=rf"takes inputs of the form .*Received: .*{message}"):
        fit_inputs([form], value() if callable(value) else value)


def test_the_nearest_form_gives_the_remedy():
    with pytest.raises(ValueError, match=r"\['a'\] must have dtype int32") as error:
        fit_inputs([[INT32], {"a": INT32}, {"b": INT32}], {"a": tf.ones([2, 3])})
    assert "[int32 [None, None]] or {a: int32 [None, None]} or {b: int32" in str(error.value)


def test_describe():
    nest = {"b": [INT32, tf.ragged.constant([[1], []])], "a": np.ones([2], np.float64), "c": None}
    text = "{a: float64 [2], b: [int32 [None, None], ragged int32 [2, None]], c: None}"
    assert describe(nest) == text
    assert describe(["x"] * 9) == "list of 9 Python str"
    assert describe([["x"]] * 9).endswith("list of 1 Python str, ... 9 in all]")
    assert describe(tf.TensorSpec(None)) == "float32 of any rank"

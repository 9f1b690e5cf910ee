import numpy as np
import pytest

from albert_tf.data.tasks.features import Features, check_length, empty_rows, fill_row
from albert_tf.text.reference import ReferenceTokenizer


def test_is_a_mapping_of_arrays():
    features = Features({"a": np.arange(6).reshape(3, 2), "b": np.arange(3)})
    assert features.num_rows == 3 and list(features) == ["a", "b"] and len(features) == 2
    rows = features.rows(1, 9)
    assert rows["a"].tolist() == [[2, 3], [4, 5]] and rows["b"].tolist() == [1, 2]
    assert not features.report and features.has_labels


def test_fills_rows(sp_model):
    tokenizer = ReferenceTokenizer(sp_model)
    arrays = empty_rows([2, 2, 8])
    fill_row(arrays, (0, 1), tokenizer, [7, 8])
    fill_row(arrays, (1, 0), tokenizer, [7], [8, 9])
    assert arrays["input_ids"][0, 1].tolist() == [2, 7, 8, 3, 0, 0, 0, 0]
    assert arrays["input_ids"][1, 0].tolist() == [2, 7, 3, 8, 9, 3, 0, 0]
    assert arrays["segment_ids"][1, 0].tolist() == [0, 0, 0, 1, 1, 1, 0, 0]
    assert arrays["input_mask"].sum() == 10 and not arrays["segment_ids"][0].any()


def test_check_length():
    check_length(5, 5)
    with pytest.raises(ValueError, match=r"at least 5 here. Received: 4"):
        check_length(4, 5)

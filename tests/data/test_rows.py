import numpy as np
import pytest

from albert_tf.data.tasks import records
from albert_tf.data.tasks.features import Features
from albert_tf.data.tasks.rows import Rows

LENGTH = 11


@pytest.fixture(params=["memory", "file"])
def rows(request, tmp_path):
    features = Features(
        {
            "input_ids": np.arange(1, 2 * LENGTH + 1, dtype=np.int32).reshape(LENGTH, 2),
            "label_ids": np.arange(LENGTH, dtype=np.float32) / 2,
        }
    )
    if request.param == "memory":
        return Rows(features)
    records.write_records(tmp_path / "a.tfrecord", features)
    return Rows(str(tmp_path / "a.tfrecord"))


def order(dataset):
    return [int(x) // 2 for batch in dataset for x in batch["input_ids"][:, 0] - 1]


def test_keeps_the_order_without_a_seed(rows):
    dataset = rows.batches(4)
    assert order(dataset) == list(range(LENGTH)) and dataset.cardinality() == 3
    assert [len(batch["label_ids"]) for batch in dataset] == [4, 4, 3]
    for batch in dataset:
        assert batch["label_ids"].dtype == np.float32 and batch["input_ids"].dtype == np.int32
        assert batch["is_real_example"].numpy().all()


def test_order_is_a_function_of_seed_and_epoch(rows):
    first = order(rows.batches(4, seed=1, epoch=0))
    assert sorted(first) == list(range(LENGTH)) and first != list(range(LENGTH))
    assert order(rows.batches(4, seed=1, epoch=0)) == first
    assert order(rows.batches(4, seed=1, epoch=0).skip(2)) == first[8:]
    others = [order(rows.batches(4, seed=s, epoch=e)) for s, e in ((1, 1), (2, 0), (2, 1))]
    assert len({tuple(o) for o in [first, *others]}) == 4


@pytest.mark.parametrize("remainder, batches", [("drop", 2), ("pad", 3)])
def test_static_shapes(rows, remainder, batches):
    dataset = rows.batches(4, seed=3, remainder=remainder)
    shapes = {name: spec.shape.as_list() for name, spec in dataset.element_spec.items()}
    assert shapes == {"input_ids": [4, 2], "label_ids": [4], "is_real_example": [4]}
    assert dataset.cardinality() == batches


def test_padding_is_zeros_and_not_real(rows):
    batch = list(rows.batches(4, remainder="pad"))[-1]
    assert batch["is_real_example"].numpy().tolist() == [1, 1, 1, 0]
    assert not batch["input_ids"][3].numpy().any() and batch["label_ids"][3] == 0
    exact = Rows(Features({"x": np.ones([8, 2], np.int32)})).batches(4, remainder="pad")
    assert all(b["is_real_example"].numpy().all() for b in exact) and exact.cardinality() == 2


def test_refuses_what_gives_no_batch(rows):
    with pytest.raises(ValueError, match=r"remainder must be one of .* Received: 'cut'"):
        rows.batches(4, remainder="cut")
    with pytest.raises(ValueError, match=r"at most the number of rows, 11. Received: 12"):
        rows.batches(12, remainder="drop")
    assert rows.batches(12, remainder="pad").cardinality() == 1

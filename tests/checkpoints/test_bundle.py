import pathlib

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.files.bundle import data_files, index_file, open_bundle, prefix_of


@pytest.mark.parametrize(
    "name, prefix",
    [
        ("model.ckpt-7.index", "model.ckpt-7"),
        ("model.ckpt-7.data-00000-of-00002", "model.ckpt-7"),
        ("model.ckpt-7.meta", "model.ckpt-7"),
        ("model.ckpt-7", "model.ckpt-7"),
        ("variables.index", "variables"),
    ],
)
def test_prefix_of(name, prefix):
    assert prefix_of(pathlib.Path("a") / name) == pathlib.Path("a") / prefix


def test_any_tensors(tmp_path):
    values = {"x": np.arange(3), "y/z": np.ones([2, 2], np.float32), "s": np.array(b"text")}
    prefix = tmp_path / "ckpt"
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(values),
        shape_and_slices=[""] * 3,
        tensors=[tf.constant(v) for v in values.values()],
    )
    tensors, get = open_bundle(prefix)
    assert {name: str(spec) for name, spec in tensors.items()} == {
        "s": "string []",
        "x": "int64 [3]",
        "y/z": "float32 [2, 2]",
    }
    for name, expected in values.items():
        np.testing.assert_array_equal(get(name), expected)
    assert index_file(prefix).is_file()
    assert [file.name for file in data_files(prefix)] == ["ckpt.data-00000-of-00001"]
    assert data_files(tmp_path / "nowhere" / "ckpt") == []

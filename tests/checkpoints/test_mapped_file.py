import numpy as np
import pytest

from albert_tf.checkpoints.files.mapped_file import check_is_content, map_array, numpy_dtype


def test_map_array(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"xyz" + np.arange(6, dtype="<f4").tobytes())
    array = map_array(path, "float32", (2, 2), 3 + 8)
    np.testing.assert_array_equal(array, [[2, 3], [4, 5]])
    assert not array.flags.writeable
    assert map_array(path, "float32", (0, 2), 0).shape == (0, 2)
    with pytest.raises(ValueError, match="must not change while it is open. Received: '.*data'"):
        map_array(path, "float32", (7,), 3)


def test_numpy_dtype():
    assert numpy_dtype("float32") == np.dtype("<f4")
    assert numpy_dtype("bfloat16").itemsize == 2
    assert numpy_dtype("float8_e4m3fn").itemsize == 1


def test_check_is_content(tmp_path):
    with pytest.raises(FileNotFoundError, match="must exist"):
        check_is_content(tmp_path)
    (tmp_path / "data").write_bytes(b"x")
    check_is_content(tmp_path / "data")

import struct

import h5py
import ml_dtypes
import numpy as np
import pytest

from albert_tf.checkpoints.files import hdf5
from albert_tf.checkpoints.files.hdf5 import open_datasets

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "x.weights.h5"


def test_arrays_and_layer_names(file):
    with h5py.File(file, "w") as h5:
        h5["layers/dense/vars/0"] = VALUES
        h5["layers/dense/vars"].attrs["name"] = "mine"
        h5["step"] = np.int64(3)
    tensors, layers, get = open_datasets(file, "x")
    assert {name: str(spec) for name, spec in tensors.items()} == {
        "layers/dense/vars/0": "float32 [2, 3]",
        "step": "int64 []",
    }
    assert layers == {"layers/dense/vars": "mine"}
    np.testing.assert_array_equal(get("layers/dense/vars/0"), VALUES)


def test_bfloat16(file):
    values = VALUES.astype(ml_dtypes.bfloat16)
    with h5py.File(file, "w") as h5:
        h5.create_dataset("x", data=values.view("V2")).attrs["dtype"] = "bfloat16"
    tensors, _, get = open_datasets(file, "x")
    assert tensors["x"].dtype == "bfloat16"
    np.testing.assert_array_equal(get("x").astype(np.float32), VALUES)


def test_links_are_not_followed(file, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as h5:
        h5["secret"] = VALUES
    with h5py.File(file, "w") as h5:
        h5["x"] = h5py.ExternalLink("other.h5", "/secret")
        h5["y"] = h5py.SoftLink("/nowhere")
        h5["z"] = VALUES
    assert set(open_datasets(file, "x")[0]) == {"z"}


def external(h5):
    h5.create_dataset("x", (4,), "float32", external=[("/etc/passwd", 0, 16)])


def virtual(h5):
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    h5.create_virtual_dataset("x", layout)


HARMFUL = {
    "external": external,
    "virtual": virtual,
    # A few kilobytes that would unfold to four terabytes.
    "bomb": lambda h5: h5.create_dataset("x", (1 << 40,), "float32", chunks=(1 << 20,)),
    "unwritten": lambda h5: h5.create_dataset("x", (1 << 40,), "float32"),
    "compressed": lambda h5: h5.create_dataset("x", data=VALUES, compression="gzip"),
    "objects": lambda h5: h5.create_dataset("x", data=["a"]),
    "empty": lambda h5: h5.create_dataset("x", data=h5py.Empty("float32")),
}


@pytest.mark.parametrize("write", HARMFUL.values(), ids=HARMFUL)
def test_harmful_files(file, write):
    with h5py.File(file, "w") as h5:
        write(h5)
    with pytest.raises(
        ValueError, match=r"numbers stored in it as they are.* Received: 'x' of 'f'"
    ):
        open_datasets(file, "f")


def test_damaged_files(file):
    with h5py.File(file, "w") as h5:
        h5["x"] = np.zeros(10_000, np.float32)
    content = file.read_bytes()
    for damaged in (content[:-1000], b"nonsense", b""):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match="must be readable HDF5. Received: 'f'"):
            open_datasets(file, "f")


def test_too_many_arrays(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "_MOST_OBJECTS", 10)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for number in range(20):
            file.create_dataset(f"d{number}", data=np.zeros(1))
    with pytest.raises(ValueError, match="more than 10 arrays and groups"):
        open_datasets(tmp_path / "x.h5", "x.h5")


def test_arrays_that_overlap(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        arrays = [file.create_dataset(f"d{number}", 1000, np.float64) for number in range(4)]
        for array in arrays:  # All headers come first, then the arrays.
            array[:] = 1.0
        places = [file[f"d{number}"].id.get_offset() for number in range(4)]
    data, first = path.read_bytes(), places[0]
    for place in places[1:]:
        data = data.replace(struct.pack("<Q", place), struct.pack("<Q", first))
    end = first + 8000
    assert end == places[1]
    path.write_bytes(data[:end].replace(struct.pack("<Q", len(data)), struct.pack("<Q", end)))
    with pytest.raises(ValueError, match="arrays of 32000 bytes in a file of"):
        open_datasets(path, "x.h5")

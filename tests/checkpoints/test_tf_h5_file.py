import pathlib
import shutil

import h5py
import numpy as np
import pytest

from albert_tf.checkpoints.files.safetensors_file import open_safetensors
from albert_tf.checkpoints.sources.tf_h5_file import UNUSED_BIAS, open_tf_h5

HUGGING_FACE = pathlib.Path(__file__).parents[1] / "goldens" / "hugging_face"
POOLER = "albert/tf_albert_for_pre_training/albert/pooler"


@pytest.fixture
def h5(tmp_path):
    """Path of a file to spoil."""
    shutil.copy(HUGGING_FACE / "pretraining_h5" / "tf_model.h5", tmp_path)
    return tmp_path / "tf_model.h5"


def test_equal_to_safetensors():
    stored = open_tf_h5(HUGGING_FACE / "pretraining_h5" / "tf_model.h5")
    expected = open_safetensors(HUGGING_FACE / "pretraining" / "model.safetensors")
    assert set(stored) == {*expected, UNUSED_BIAS}
    for key in expected:
        assert stored[key].spec == expected[key].spec
        np.testing.assert_array_equal(stored[key].load(), expected[key].load())


def test_the_bias_that_tensorflow_adds():
    stored = open_tf_h5(HUGGING_FACE / "masked_lm_h5" / "tf_model.h5")
    assert not stored["predictions.bias"].load().any()
    assert stored[UNUSED_BIAS].load().any()


def test_two_values_of_one_variable(h5):
    with h5py.File(h5, "r+") as file:
        names = []
        file.visit(names.append)
        (copy,) = [n for n in names if n.startswith("predictions/") and "word_embeddings/w" in n]
        file[copy][0, 0] += 1
    with pytest.raises(ValueError, match="different values of 'albert.embeddings.word_embeddings"):
        open_tf_h5(h5)


def test_other_content(h5):
    with h5py.File(h5, "r+") as file:
        file[f"{POOLER}/momentum:0"] = np.zeros(3)
    with pytest.raises(ValueError, match="pooler/momentum:0', which is no variable of ALBERT's"):
        open_tf_h5(h5)


def test_a_compressed_bomb(h5):
    with h5py.File(h5, "r+") as file:
        del file[f"{POOLER}/kernel:0"]
        file.create_dataset(f"{POOLER}/kernel:0", (10**5, 10**5), "f4", compression="gzip")
    with pytest.raises(ValueError, match="not compressed"):
        open_tf_h5(h5)


def test_data_in_another_file(h5, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"\1" * 4 * 144)
    with h5py.File(h5, "r+") as file:
        del file[f"{POOLER}/kernel:0"]
        file.create_dataset(f"{POOLER}/kernel:0", (12, 12), "f4", external=[(secret, 0, 4 * 144)])
    with pytest.raises(ValueError, match="not in other files"):
        open_tf_h5(h5)


def test_links_to_another_file_are_not_followed(h5, tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["kernel"] = np.ones([12, 12], np.float32)
    with h5py.File(h5, "r+") as file:
        del file[f"{POOLER}/kernel:0"]
        file[f"{POOLER}/kernel:0"] = h5py.ExternalLink(tmp_path / "secret.h5", "kernel")
    assert "albert.pooler.weight" not in open_tf_h5(h5)


def test_truncated(h5):
    h5.write_bytes(h5.read_bytes()[:1000])
    with pytest.raises(ValueError, match="must be readable HDF5. Received: '.*tf_model.h5'"):
        open_tf_h5(h5)

import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.sources.tf1 import find_prefix, ignored_reason, open_tensors

TINY = pathlib.Path(__file__).parents[1] / "goldens" / "tiny"
NAME = "model.ckpt-best"
DATA = f"{NAME}.data-00000-of-00001"


@pytest.fixture
def tiny(tmp_path):
    """A directory with a copy of tiny's checkpoint, without its file `checkpoint`."""
    for name in (f"{NAME}.index", DATA):
        shutil.copy(TINY / name, tmp_path)
    return tmp_path


def state(directory, path):
    (directory / "checkpoint").write_text(f'model_checkpoint_path: "{path}"\n')


# === Finding ===


@pytest.mark.parametrize("name", ["", NAME, f"{NAME}.index", DATA, f"{NAME}.meta"])
def test_directory_prefix_or_any_of_its_files(tiny, name):
    assert find_prefix(tiny / name) == tiny / NAME


def test_only_index_counts_without_state_file(tiny):
    assert find_prefix(tiny) == tiny / NAME
    for suffix in ("index", "data-00000-of-00001"):
        shutil.copy(tiny / f"{NAME}.{suffix}", tiny / f"model.ckpt-7.{suffix}")
    with pytest.raises(ValueError, match=r"(?s)which one counts.*Received: .*model.ckpt-7, model"):
        find_prefix(tiny)
    state(tiny, "model.ckpt-7")
    assert find_prefix(tiny) == tiny / "model.ckpt-7"


def test_state_file_copied_from_elsewhere(tiny):
    # As in Google's own archives, whose paths begin with /cns.
    state(tiny, f"/cns/elsewhere/albert_base/{NAME}")
    assert find_prefix(tiny) == tiny / NAME
    # Another copy that does exist is still not the one in this directory.
    elsewhere = tiny / "other"
    elsewhere.mkdir()
    for name in (f"{NAME}.index", DATA):
        shutil.copy(tiny / name, elsewhere)
    state(elsewhere, tiny / NAME)
    assert find_prefix(elsewhere) == elsewhere / NAME


def test_state_file_without_its_checkpoint(tiny):
    state(tiny, "model.ckpt-99")
    with pytest.raises(FileNotFoundError, match=r"without 'model.ckpt-99.index'.*: model.ckpt-be"):
        find_prefix(tiny)
    (tiny / "checkpoint").write_text("nonsense {")
    with pytest.raises(ValueError, match="must name a checkpoint.*own path: model.ckpt-best"):
        find_prefix(tiny)


def test_missing_index(tiny):
    (tiny / f"{NAME}.index").unlink()
    for path in (tiny, tiny / NAME, tiny / DATA, tiny / f"{NAME}.index"):
        with pytest.raises(FileNotFoundError, match=r"needs its \.index file\. Received"):
            find_prefix(path)


def test_nothing_there(tmp_path):
    assert find_prefix(tmp_path) is None
    assert find_prefix(tmp_path / "model.ckpt") is None
    assert find_prefix(tmp_path / "no" / "model.ckpt") is None


# === Opening ===


def test_tensors_are_those_of_the_file(tiny):
    tensors, ignored, get = open_tensors(tiny / NAME)
    reader = tf.train.load_checkpoint(str(tiny / NAME))
    assert len(tensors) == 33
    assert ignored == {"global_step": "step counter"}
    for name, spec in tensors.items():
        assert spec.shape == tuple(reader.get_variable_to_shape_map()[name])
        np.testing.assert_array_equal(get(name), reader.get_tensor(name))
    assert str(tensors["bert/pooler/dense/bias"]) == "float32 [64]"


@pytest.mark.parametrize("name", ["a b", "ü", "a*", "a?", "{a}"])
def test_unusual_path(tiny, name):
    (tiny / name).mkdir()
    for file in (f"{NAME}.index", DATA):
        shutil.copy(tiny / file, tiny / name)
    tensors, _, get = open_tensors(find_prefix(tiny / name))
    assert get("bert/pooler/dense/bias").shape == tensors["bert/pooler/dense/bias"].shape


def test_path_that_tensorflow_cannot_open(tiny):
    (tiny / "[a]").mkdir()
    shutil.copy(tiny / f"{NAME}.index", tiny / "[a]")
    with pytest.raises(
        ValueError, match=r"takes for wildcards\. Received: .* with \[, \]\. Rename"
    ):
        open_tensors(find_prefix(tiny / "[a]"))


def test_several_data_files(tmp_path, write_tf1):
    parts = [
        write_tf1(tmp_path / f"part{i}", {f"bert/pooler/dense/{name}": np.ones(3, np.float32)})
        for i, name in enumerate(("kernel", "bias"))
    ]
    prefix = tmp_path / "model.ckpt"
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[str(part) for part in parts], destination_prefix=str(prefix)
    )
    assert open_tensors(prefix)[2]("bert/pooler/dense/bias").tolist() == [1, 1, 1]
    (tmp_path / "model.ckpt.data-00001-of-00002").unlink()
    with pytest.raises(FileNotFoundError, match=r"without model\.ckpt\.data-00001-of-00002\."):
        open_tensors(prefix)


def test_missing_data_file(tiny):
    (tiny / DATA).unlink()
    with pytest.raises(FileNotFoundError, match=f"all of its data files.* without {DATA}"):
        open_tensors(tiny / NAME)


def test_truncated_data_file(tiny):
    data = (tiny / DATA).read_bytes()
    (tiny / DATA).write_bytes(data[:-1])
    with pytest.raises(ValueError, match=r"Received: 308783 bytes .* lists 308784: .*truncated"):
        open_tensors(tiny / NAME)


@pytest.mark.parametrize("damage", ["empty", "truncated", "flipped"])
def test_damaged_index(tiny, damage):
    index = tiny / f"{NAME}.index"
    content = bytearray(index.read_bytes())
    content[300] ^= 0xFF
    index.write_bytes({"empty": b"", "truncated": content[:500], "flipped": content}[damage])
    with pytest.raises(ValueError, match=r"index .* must be readable\. Received: .*best\.index"):
        open_tensors(tiny / NAME)


def test_damaged_data(tiny):
    content = bytearray((tiny / DATA).read_bytes())
    content[100_000] ^= 0xFF
    (tiny / DATA).write_bytes(content)
    tensors, _, get = open_tensors(tiny / NAME)
    with pytest.raises(ValueError, match=f"'bert/.*' of .*{DATA} .*[Cc]hecksum.*Copy or download"):
        for name in tensors:
            get(name)


def test_object_based_checkpoint(tmp_path):
    prefix = tf.train.Checkpoint(v=tf.Variable(1.0)).write(str(tmp_path / "ckpt"))
    with pytest.raises(ValueError, match=r"variables by name\. Received: .* object-based"):
        open_tensors(pathlib.Path(prefix))


def test_checkpoint_of_another_model(tmp_path, write_tf1):
    prefix = write_tf1(tmp_path / "model.ckpt", {"dense/kernel": np.ones(3, np.float32)})
    with pytest.raises(ValueError, match="Received: .*with 1 variables: dense/kernel. "):
        open_tensors(prefix)


@pytest.mark.parametrize(
    "name, reason",
    [
        ("global_step", "step counter"),
        ("beta1_power", "optimizer slot"),
        ("bert/pooler/dense/bias/adam_m", "optimizer slot"),
        ("bert/pooler/dense/bias/adam_v", "optimizer slot"),
        ("bert/pooler/dense/bias/lamb_m", "optimizer slot"),
        ("bert/pooler/dense/bias/Adam", "optimizer slot"),
        ("bert/pooler/dense/bias/Adam_1", "optimizer slot"),
        ("bert/pooler/dense/bias/LAMB_1", "optimizer slot"),
        ("output_weights", "head of run_classifier.py or run_race.py"),
        ("output_bias/adam_m", "optimizer slot"),
        ("cls/squad/output_bias", "head of run_squad_v1.py"),
        ("end_logits/LayerNorm/gamma", "head of run_squad_v2.py"),
        ("start_logits/dense/kernel", "head of run_squad_v2.py"),
        ("answer_class/dense_1/kernel", "head of run_squad_v2.py"),
        ("bert/pooler/dense/bias", None),
        ("cls/predictions/output_bias", None),
        ("bert/pooler/dense/bias/adam_x", None),
        ("my_head/kernel", None),
        ("my_global_step", None),
    ],
)
def test_ignored_reason(name, reason):
    assert ignored_reason(name) == reason

import json
import pathlib
import shutil

import pytest

from albert_tf.checkpoints.read import opened, read
from albert_tf.config import AlbertConfig

TINY = pathlib.Path(__file__).parents[1] / "goldens" / "tiny"


@pytest.fixture
def without_config(tmp_path):
    for file in TINY.glob("model.ckpt-best.*"):
        shutil.copy(file, tmp_path)
    return tmp_path


def test_configuration_beside_the_checkpoint():
    checkpoint = read(str(TINY))
    assert checkpoint.flavor == "tf1"
    assert checkpoint.path == str(TINY / "model.ckpt-best")
    assert checkpoint.config == AlbertConfig.from_json_file(TINY / "albert_config.json")
    assert checkpoint.config_source == str(TINY / "albert_config.json")
    assert checkpoint.tensors["global_step"].dtype == "int64"


def test_configuration_given(without_config):
    path = TINY / "albert_config.json"
    expected = AlbertConfig.from_json_file(path)
    for config in (expected, json.loads(path.read_text()), path, str(path)):
        assert read(without_config, config).config == expected
    # It wins over the one in the directory.
    assert read(TINY, AlbertConfig(vocab_size=7)).config.vocab_size == 7


def test_configuration_of_an_open_checkpoint():
    with pytest.raises(ValueError, match="open has its configuration already. Received: config="):
        opened(read(TINY), AlbertConfig(vocab_size=7))


def test_no_configuration(without_config):
    checkpoint = read(without_config)
    assert checkpoint.config is None
    assert checkpoint.config_source.startswith("no albert_config.json in ")


def test_configuration_of_a_wrong_type_or_place(without_config):
    with pytest.raises(ValueError, match=r"`config` must be an AlbertConfig, .* Received: 3\."):
        read(without_config, 3)
    with pytest.raises(FileNotFoundError, match="must exist. Received: '.*no.json'"):
        read(without_config, without_config / "no.json")


def test_directory_of_another_kind(tmp_path):
    with pytest.raises(ValueError, match="supported flavor: .*Received: .* nothing in it"):
        read(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "onnx").mkdir()
    with pytest.raises(ValueError, match="Received: .* with config.json, onnx/"):
        read(tmp_path)
    for i in range(30):
        (tmp_path / f"file{i:02}").write_text("")
    with pytest.raises(ValueError, match="file18 and 12 more"):
        read(tmp_path)


def test_file_of_another_kind(tmp_path):
    file = tmp_path / "albert.onnx"
    file.write_bytes(b"x")
    with pytest.raises(ValueError, match=r"supported flavor: .*Received: the file '.*\.onnx'\."):
        read(file)


def test_nothing_there():
    with pytest.raises(
        FileNotFoundError, match="(?s)must exist: .*nowhere.*there is: .*golden.npz"
    ):
        read(TINY / "nowhere" / "model.ckpt")


def test_empty_path():
    with pytest.raises(ValueError, match="must not be empty.*from_albert_config"):
        read("")

import json
import pathlib
import shutil

import pytest

from albert_tf.checkpoints.sources.hugging_face_files import find_weights, open_weights

HUGGING_FACE = pathlib.Path(__file__).parents[1] / "goldens" / "hugging_face"


@pytest.fixture
def sharded(tmp_path):
    """Function (changes of the weight_map) that returns the path of an index with them."""

    def change(weight_map=None, **changes):
        shutil.copytree(HUGGING_FACE / "sharded", tmp_path / "sharded", dirs_exist_ok=True)
        index = tmp_path / "sharded" / "model.safetensors.index.json"
        stated = json.loads(index.read_text())["weight_map"]
        if weight_map is None:
            weight_map = {**stated, **changes}
        index.write_text(json.dumps({"weight_map": weight_map}))
        return index

    return change


def test_find_weights(tmp_path):
    assert find_weights(tmp_path) is None
    assert find_weights(tmp_path / "nowhere") is None
    for name in (
        "tf_model.h5",
        "pytorch_model.bin.index.json",
        "pytorch_model.bin",
        "model.safetensors.index.json",
        "model.safetensors",
    ):
        (tmp_path / name).write_text("")
        assert find_weights(tmp_path) == tmp_path / name  # The preferred one is added last.
        assert find_weights(tmp_path / name) == tmp_path / name
    for name in ("model.weights.h5", "config.json", "training_args.bin", "model.ckpt.index"):
        (tmp_path / name).write_text("")
        assert find_weights(tmp_path / name) is None
    (tmp_path / "model.fp16.safetensors").write_text("")
    assert find_weights(tmp_path / "model.fp16.safetensors") is not None


@pytest.mark.parametrize(
    "name, count",
    [
        ("sharded/model.safetensors.index.json", 80),
        ("bin_sharded/pytorch_model.bin.index.json", 83),
    ],
)
def test_sharded(name, count):
    assert len(open_weights(HUGGING_FACE / name)) == count


@pytest.mark.parametrize(
    "file",
    [
        "../secret.safetensors",
        "/etc/passwd",
        "a/b.safetensors",
        "..\\secret.safetensors",
        "C:x.safetensors",
        "..",
        "",
    ],
)
def test_files_elsewhere(sharded, file):
    with pytest.raises(ValueError, match="which is (no name of a file beside it|of no known form)"):
        open_weights(sharded(**{"albert.pooler.bias": file}))


def test_bad_indexes(sharded):
    with pytest.raises(ValueError, match="'passwd', which is of no known format"):
        open_weights(sharded(**{"albert.pooler.bias": "passwd"}))
    with pytest.raises(FileNotFoundError, match="must exist. Received: '.*3-of-3.safetensors'"):
        open_weights(sharded(**{"albert.pooler.bias": "3-of-3.safetensors"}))
    with pytest.raises(ValueError, match="safetensors', but they differ in strange"):
        open_weights(sharded(strange="model-00001-of-00002.safetensors"))
    with pytest.raises(ValueError, match="differ in albert.encoder.albert_layer_gr"):
        open_weights(sharded({"albert.pooler.bias": "model-00002-of-00002.safetensors"}))
    for weight_map in ({}, [], "x"):
        with pytest.raises(ValueError, match="no weight_map"):
            open_weights(sharded(weight_map))
    index = sharded()
    index.write_text("[1]")
    with pytest.raises(ValueError, match="must be a JSON object"):
        open_weights(index)

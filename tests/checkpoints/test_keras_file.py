import json
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras, tf_variable
from albert_tf.checkpoints.read import read
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.tasks.classifier import AlbertClassifier
from tests.conftest import GOLDENS

SIZES = {
    "vocab_size": 30,
    "embedding_size": 8,
    "hidden_size": 12,
    "num_hidden_layers": 4,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
    "attention_mask_value": -1e9,
}
CONFIGS = {
    "plain": AlbertConfig(**SIZES),
    "groups": AlbertConfig(**SIZES, num_hidden_groups=2, inner_group_num=2),
    "same_width": AlbertConfig(**{**SIZES, "embedding_size": 12}),
    "projected": AlbertConfig(**{**SIZES, "embedding_size": 12}, project_same_width=True),
}


def model_of(config):
    model = AlbertPretrainer(AlbertEncoder.from_albert_config(config))
    for weight in model.weights_by_name().values():  # Biases, too: no two are equal.
        tf_variable(weight).assign(tf.random.normal(weight.shape))
    return model


def same_weights(model, expected):
    weights = model.weights_by_name()
    for name, weight in weights.items():
        other = expected.weights_by_name()[name]
        np.testing.assert_array_equal(tf_variable(weight), tf_variable(other), err_msg=name)
    return len(weights)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_encoder_and_pretrainer(tmp_path, config):
    model = model_of(config)
    model.encoder.save(tmp_path / "encoder.keras")
    model.save(tmp_path / "model.keras")
    for name in ("encoder.keras", "model.keras"):
        encoder = AlbertEncoder.from_checkpoint(tmp_path / name)
        assert encoder.albert_config == config
        assert encoder.restore_report.flavor == "keras"
        same_weights(encoder, model)
    assert same_weights(AlbertPretrainer.from_checkpoint(tmp_path / "model.keras"), model) == len(
        model.weights
    )


def test_directory_of_one_file(tmp_path):
    model = model_of(CONFIGS["plain"])
    model.save(tmp_path / "albert.keras")
    same_weights(AlbertPretrainer.from_checkpoint(tmp_path), model)


def test_encoder_inside_a_task_and_with_an_optimizer(tmp_path):
    encoder = model_of(CONFIGS["plain"]).encoder
    model = AlbertClassifier(encoder, num_classes=3)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.optimizer.build(model.trainable_variables)  # Its slots, as after a step.
    model.save(tmp_path / "task.keras")
    restored = AlbertEncoder.from_checkpoint(tmp_path / "task.keras")
    same_weights(restored, encoder)
    reasons = list(restored.restore_report.ignored.values())
    assert reasons.count("head of a task") == 2
    assert reasons.count("optimizer slot") >= 50


@pytest.mark.parametrize("name", ["plain", "groups"])
def test_weights_alone(tmp_path, name):
    path = tmp_path / "x.weights.h5"
    model = model_of(CONFIGS[name])
    model.save_weights(path)
    same_weights(AlbertPretrainer.from_checkpoint(path, CONFIGS[name]), model)
    if name == "groups":
        with pytest.raises(ValueError, match="needs its configuration .`config`., which tells"):
            read(path)
    else:
        with pytest.raises(FileNotFoundError, match=r"vocab_size=30.* activation=\.\.\."):
            AlbertEncoder.from_checkpoint(path)
    (tmp_path / "albert_config.json").write_text(CONFIGS[name].to_json())
    same_weights(AlbertPretrainer.from_checkpoint(path), model)


@pytest.mark.parametrize("generation", ["keras_2", "keras_3"])
def test_files_of_either_keras(generation):
    path = GOLDENS / "keras_files" / f"{generation}.keras"
    model = AlbertPretrainer.from_checkpoint(path)
    assert model.encoder.albert_config == CONFIGS["groups"]
    for number, weight in enumerate(model.weights_by_name().values()):
        expected = np.full(weight.shape, number / 8, np.float32)
        np.testing.assert_array_equal(tf_variable(weight), expected)


# === What is refused ===


@pytest.fixture
def parts(tmp_path):
    """(config.json as a dict, function that writes a .keras file with another one)."""
    model_of(CONFIGS["plain"]).encoder.save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as good:
        config, weights = json.loads(good.read("config.json")), good.read("model.weights.h5")

    def write(config, weights=weights, compression=zipfile.ZIP_STORED):
        with zipfile.ZipFile(tmp_path / "bad.keras", "w", compression) as bad:
            bad.writestr("config.json", json.dumps(config))
            bad.writestr("model.weights.h5", weights)
        return tmp_path / "bad.keras"

    return config, write


def test_other_classes(parts):
    config, write = parts
    for changes in (
        {"registered_name": None, "class_name": "Functional"},
        {"registered_name": "os>system"},
        {"registered_name": "albert_tf>AlbertPretrainer", "config": {"encoder": 3}},
    ):
        with pytest.raises(ValueError, match=r"must be of an AlbertEncoder.* Received: .*bad"):
            read(write({**config, **changes}))
    with pytest.raises(ValueError, match="must be of an AlbertEncoder"):
        read(write(["x"]))


def test_incomplete_configuration(parts):
    config, write = parts
    del config["config"]["num_layers"]
    with pytest.raises(ValueError, match="must be complete. Received: .*without num_layers"):
        read(write(config))


def test_compressed(parts):
    config, write = parts
    bomb = write(config, bytes(10_000_000), zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 100_000
    with pytest.raises(ValueError, match="not compressed. .*unfolds from .* bytes"):
        read(bomb)


def test_huge_configuration(parts):
    config, write = parts
    with pytest.raises(ValueError, match="config.json unfolds"):
        read(write({**config, "x": "x" * (1 << 20)}))


def test_truncated_weights(parts):
    config, write = parts
    with pytest.raises(ValueError, match="must be readable HDF5"):
        read(write(config, b"\x89HDF\r\n\x1a\n"))


def test_file_of_another_model(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save_weights(tmp_path / "x.weights.h5")
    with pytest.raises(ValueError, match="must hold the weights of an AlbertEncoder"):
        read(tmp_path / "x.weights.h5")


def test_flipped_bits(tmp_path):
    model_of(CONFIGS["plain"]).encoder.save(tmp_path / "good.keras")
    good = (tmp_path / "good.keras").read_bytes()
    with zipfile.ZipFile(tmp_path / "good.keras") as archive:
        start = archive.getinfo("model.weights.h5").header_offset + 200
    for place in range(start, len(good) - 500, len(good) // 15):
        bad = bytearray(good)
        bad[place] ^= 1
        (tmp_path / "bad.keras").write_bytes(bad)
        with pytest.raises(ValueError, match="A .keras file must be readable.*CRC-32"):
            read(tmp_path / "bad.keras")

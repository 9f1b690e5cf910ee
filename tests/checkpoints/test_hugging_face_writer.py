import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.files.safetensors_file import open_safetensors
from albert_tf.checkpoints.writers.hugging_face import write_hugging_face
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer

TESTS = pathlib.Path(__file__).parents[1]
HUGGING_FACE = TESTS / "goldens" / "hugging_face"
SMALL = {
    "embedding_width": 8,
    "hidden_size": 12,
    "num_layers": 4,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_sequence_length": 20,
    "initializer": 0.3,
}
# Name: constructor arguments of an encoder with 100 pieces.
GEOMETRIES = {
    "groups": {"num_hidden_groups": 2, "inner_group_num": 2},
    "relu_types": {"activation": "relu", "type_vocab_size": 5},
    "gelu_erf": {"activation": "gelu_erf"},
    "same_width": {"embedding_width": 12},
    "same_width_projected": {"embedding_width": 12, "project_same_width": True},
    "mask_value": {"attention_mask_value": -1e9},
}


def array(weight):
    return np.array(tf.convert_to_tensor(weight))


def assert_same_weights(model, other):
    weights, others = model.weights_by_name(), other.weights_by_name()
    assert list(weights) == list(others)
    for name, weight in weights.items():
        np.testing.assert_array_equal(array(weight), array(others[name]), err_msg=name)


# === Round trips ===


@pytest.mark.parametrize("name", ["pretraining", "masked_lm", "model"])
def test_the_very_file_that_hugging_face_writes(tmp_path, name):
    model = AlbertPretrainer.from_checkpoint(HUGGING_FACE / name)
    write_hugging_face(model, tmp_path)
    theirs = (HUGGING_FACE / name / "model.safetensors").read_bytes()
    assert (tmp_path / "model.safetensors").read_bytes() == theirs
    config = json.loads((tmp_path / "config.json").read_text())
    expected = json.loads((HUGGING_FACE / name / "config.json").read_text())
    assert config.items() <= expected.items()


@pytest.mark.parametrize("name", GEOMETRIES)
def test_round_trip_of_every_geometry(tmp_path, name):
    model = AlbertPretrainer(AlbertEncoder(100, **{**SMALL, **GEOMETRIES[name]}))
    write_hugging_face(model, tmp_path)
    loaded = AlbertPretrainer.from_checkpoint(tmp_path)
    assert loaded.encoder.albert_config.to_dict() == {
        **model.encoder.albert_config.to_dict(),
        "initializer_range": 0.3,
    }
    assert_same_weights(model, loaded)


def test_from_the_original_and_back(tmp_path):
    model = AlbertPretrainer.from_checkpoint(TESTS / "goldens" / "tiny")
    write_hugging_face(model, tmp_path)
    assert_same_weights(model, AlbertPretrainer.from_checkpoint(tmp_path))
    assert json.loads((tmp_path / "config.json").read_text())["hidden_act"] == "gelu_new"


def test_encoder(tmp_path):
    encoder = AlbertEncoder(100, **SMALL)
    write_hugging_face(encoder, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == ["AlbertModel"]
    stored = open_safetensors(tmp_path / "model.safetensors")
    assert len(stored) == 25 and "pooler.weight" in stored
    assert_same_weights(encoder, AlbertEncoder.from_checkpoint(tmp_path))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_a_trained_pooler_is_kept(tmp_path):
    model = AlbertPretrainer(AlbertEncoder(100, **SMALL), sentence_order=None)
    write_hugging_face(model, tmp_path)
    assert "albert.pooler.weight" in open_safetensors(tmp_path / "model.safetensors")
    assert_same_weights(model, AlbertPretrainer.from_checkpoint(tmp_path))


# === Tokenizer ===


def test_half_precision(tmp_path):
    encoder = AlbertEncoder(100, **SMALL)
    write_hugging_face(encoder, tmp_path, dtype="float16")
    stored = open_safetensors(tmp_path / "model.safetensors")
    assert {tensor.spec.dtype for tensor in stored.values()} == {"float16"}
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == "float16"
    restored = AlbertEncoder.from_checkpoint(tmp_path)
    for ours, theirs in zip(encoder.get_weights(), restored.get_weights()):
        np.testing.assert_array_equal(ours.astype("float16"), theirs)
    encoder.set_weights([w + 70000 for w in encoder.get_weights()])
    with pytest.raises(ValueError, match="float16 must not exceed 65504. Received: .* Write float"):
        write_hugging_face(encoder, tmp_path, dtype="float16")
    with pytest.raises(ValueError, match="`dtype` must be one of float32, float16. Received: 'i"):
        write_hugging_face(encoder, tmp_path, dtype="int8")


def test_tokenizer_files(tmp_path, sp_model):
    write_hugging_face(AlbertEncoder(1000, **SMALL), tmp_path, sp_model)
    assert (tmp_path / "spiece.model").read_bytes() == sp_model.read_bytes()
    config = json.loads((tmp_path / "config.json").read_text())
    assert [config[f"{name}_token_id"] for name in ("pad", "bos", "eos")] == [0, 2, 3]
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["model_max_length"] == 20


# === Errors ===


def test_models_that_hugging_face_cannot_have(tmp_path, sp_model):
    encoder = AlbertEncoder(100, **SMALL)
    with pytest.raises(ValueError, match="no class with the sentence-order head alone"):
        write_hugging_face(AlbertPretrainer(encoder, masked_lm=None), tmp_path)
    with pytest.raises(ValueError, match="such as AlbertClassifier. Received: Linear"):
        write_hugging_face(Linear(), tmp_path)
    with pytest.raises(ValueError, match="encoder's 100 pieces. Received: '.*' of 1000 pieces"):
        write_hugging_face(encoder, tmp_path, sp_model)
    config = AlbertConfig(
        vocab_size=10, hidden_size=12, num_attention_heads=1, intermediate_size=4,
        num_hidden_layers=18, num_hidden_groups=14,
    )  # fmt: skip
    with pytest.raises(ValueError, match="round differently at layer"):
        write_hugging_face(AlbertEncoder.from_albert_config(config), tmp_path)
    assert not list(tmp_path.iterdir())


class Linear:
    """Something else."""


# === transformers ===


def ids_by_the_original(sp_model):
    """[[text, ids]] of the recorded texts, without those that Hugging Face's tokenizers know to
    differ in: special pieces in the text, and pieces that end with a digit and a comma."""
    rows = []
    with open(TESTS / "goldens" / "tokenizer.jsonl", encoding="utf-8") as file:
        for row in map(json.loads, file):
            text = row["text"]
            tie = text == "1,000,000.00"  # Two ways of the same score; the sums round differently.
            if row["category"] != "special" and isinstance(text, str) and not tie:
                if text.encode("utf-8", "replace").decode() == text:
                    rows.append([text, [2, *row["tiny"]["ids"], 3]])
    return rows


def test_transformers_loads_it(tmp_path, sp_model):
    python = os.environ.get("ALBERT_TF_TRANSFORMERS_PYTHON")
    if not python:
        pytest.skip("set ALBERT_TF_TRANSFORMERS_PYTHON to a Python with torch and transformers")
    models = {
        name: AlbertPretrainer(AlbertEncoder(100, **{**SMALL, **arguments}))
        for name, arguments in GEOMETRIES.items()
    }
    models["tiny"] = AlbertPretrainer.from_checkpoint(TESTS / "goldens" / "tiny")
    models["tiny_encoder"] = models["tiny"].encoder
    models["masked_lm"] = AlbertPretrainer.from_checkpoint(HUGGING_FACE / "masked_lm")
    for name, model in models.items():
        (tmp_path / name).mkdir()
        vocabulary = sp_model if name.startswith("tiny") else None
        write_hugging_face(model, tmp_path / name, vocabulary)
        np.savez(tmp_path / name / "outputs.npz", **inputs_and_outputs(model))
        if vocabulary:
            rows = ids_by_the_original(sp_model)
            assert len(rows) > 200
            (tmp_path / name / "ids.json").write_text(json.dumps(rows))
    script = HUGGING_FACE / "check_written.py"
    subprocess.run([python, script, *tmp_path.iterdir()], check=True)


def inputs_and_outputs(model):
    """A model's outputs under transformers' names."""
    rng = np.random.default_rng(3)
    config = getattr(model, "encoder", model).albert_config
    ids = rng.integers(0, config.vocab_size, (4, 15))
    mask = (np.arange(15) < np.array([[15], [3], [1], [9]])).astype(np.int64)
    types = rng.integers(0, config.type_vocab_size, (4, 15))
    inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}
    if model is not getattr(model, "encoder", model):
        inputs["masked_lm_positions"] = np.tile(np.arange(15), (4, 1))
    outputs = model(inputs)
    if "mlm_logits" not in outputs:
        named = {
            "last_hidden_state": outputs["sequence_output"],
            "pooler_output": outputs["pooled_output"],
        }
    elif "sop_logits" not in outputs:
        named = {"logits": outputs["mlm_logits"]}
    else:
        named = {
            "prediction_logits": outputs["mlm_logits"],
            "sop_logits": outputs["sop_logits"],
        }
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
    return {**{f"inputs/{key}": value for key, value in inputs.items()}, **named}

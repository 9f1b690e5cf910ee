import json
import pathlib
import pickle
import shutil

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.checkpoints.files.safetensors_file import open_safetensors, write_safetensors
from albert_tf.checkpoints.sources.hugging_face import is_hugging_face, read
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer

GOLDENS = pathlib.Path(__file__).parents[1] / "goldens"
HUGGING_FACE = GOLDENS / "hugging_face"
# Directory -> the one with outputs of the same weights.
OUTPUTS = {
    **{
        path.name: path.name
        for path in HUGGING_FACE.iterdir()
        if path.is_dir() and (path / "outputs.npz").is_file()
    },
    "bin": "pretraining",
    "bin_legacy": "pretraining",
    "bin_sharded": "pretraining",
    "sharded": "pretraining",
}
# Our output -> its name in transformers, of the encoder or of a class with a head.
NAMES = {
    "sequence_output": ("encoder/last_hidden_state", "last_hidden_state"),
    "pooled_output": ("encoder/pooler_output", "pooler_output"),
    "mlm_logits": ("prediction_logits", "logits"),
    "sop_logits": ("sop_logits",),
}


def array(weight):
    return np.array(tf.convert_to_tensor(weight))


@pytest.fixture
def change(tmp_path):
    """Function (golden, add, remove, config) that returns a changed copy's directory."""

    def write(golden="pretraining", add=(), remove=(), **config):
        source = HUGGING_FACE / golden
        stored = open_safetensors(source / "model.safetensors")
        arrays = {name: tensor.load() for name, tensor in stored.items() if name not in remove}
        arrays.update(dict(add))
        tensors = {
            name: (TensorSpec(array.shape, array.dtype.name), lambda array=array: array)
            for name, array in arrays.items()
        }
        write_safetensors(tmp_path / "model.safetensors", tensors, {"format": "pt"})
        values = {**json.loads((source / "config.json").read_text()), **config}
        values = {key: value for key, value in values.items() if value is not None}
        (tmp_path / "config.json").write_text(json.dumps(values))
        return tmp_path

    return write


# === Outputs ===


@pytest.mark.parametrize("name, outputs", OUTPUTS.items())
def test_outputs_equal_hugging_face(name, outputs):
    recorded = np.load(HUGGING_FACE / outputs / "outputs.npz")
    model = AlbertPretrainer.from_checkpoint(HUGGING_FACE / name)
    report = model.restore_report
    assert report.ok and report.flavor.startswith("hugging_face")
    ids, mask, types = (
        recorded[f"inputs/{key}"].reshape(-1, 17)
        for key in ("input_ids", "attention_mask", "token_type_ids")
    )
    inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": types}
    if model.masked_lm is not None:
        inputs["masked_lm_positions"] = np.tile(np.arange(17), (len(ids), 1))
    compared = set()
    for key, value in model(inputs).items():
        found = [other for other in NAMES.get(key, ()) if other in recorded]
        if found:
            np.testing.assert_allclose(value, recorded[found[0]], atol=1e-5, err_msg=key)
            compared.add(key)
    if name in ("pretraining_h5", "masked_lm_h5"):  # Recorded with TensorFlow: heads only.
        assert "mlm_logits" in compared
    else:
        assert "sequence_output" in compared
    if "pretraining" in outputs:
        assert {"mlm_logits", "sop_logits"} <= compared


def test_both_gelus_are_there():
    activations = {read(HUGGING_FACE / name).config.hidden_act for name in OUTPUTS}
    assert activations == {"gelu", "gelu_erf", "relu"}


# === What was restored ===


def test_formats_give_the_same_bits():
    expected = AlbertPretrainer.from_checkpoint(HUGGING_FACE / "pretraining").weights_by_name()
    for name in ("sharded", "bin", "bin_legacy", "bin_sharded", "pretraining_h5"):
        weights = AlbertPretrainer.from_checkpoint(HUGGING_FACE / name).weights_by_name()
        assert list(weights) == list(expected)
        for key, weight in weights.items():
            np.testing.assert_array_equal(array(weight), array(expected[key]), err_msg=name)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_cast_and_reported(dtype):
    model = AlbertPretrainer.from_checkpoint(HUGGING_FACE / dtype)
    full = AlbertPretrainer.from_checkpoint(HUGGING_FACE / "pretraining")
    for name, weight in model.weights_by_name().items():
        expected = tf.cast(tf.cast(array(full.weights_by_name()[name]), dtype), tf.float32)
        np.testing.assert_array_equal(array(weight), expected)
    assert set(model.restore_report.cast.values()) == {dtype}
    assert f"cast to float32: 80 x {dtype}" in str(model.restore_report)


def test_what_is_ignored_and_why():
    report = AlbertPretrainer.from_checkpoint(HUGGING_FACE / "bin").restore_report
    assert report.ignored == {
        "albert.embeddings.position_ids": "buffer, no weight",
        "predictions.decoder.weight": (
            "equal to albert.embeddings.word_embeddings.weight, which it is tied to"
        ),
        "predictions.decoder.bias": "equal to predictions.bias, which it is tied to",
    }
    report = AlbertEncoder.from_checkpoint(HUGGING_FACE / "multiple_choice").restore_report
    assert report.ignored == dict.fromkeys(
        ("classifier.weight", "classifier.bias"), "head of AlbertForMultipleChoice"
    )
    report = AlbertEncoder.from_checkpoint(HUGGING_FACE / "masked_lm_h5").restore_report
    assert report.ignored["predictions.bias (unused)"] == "saved but not used by TensorFlow's class"


def test_the_head_of_unknown_class(change):
    path = change("sequence_classification", architectures=None)
    assert set(read(path).ignored.values()) == {
        "head of AlbertForSequenceClassification or AlbertForTokenClassification or "
        "AlbertForMultipleChoice"
    }


def test_names_without_prefix():
    checkpoint = read(HUGGING_FACE / "model")
    assert checkpoint.flavor == "hugging_face_model"
    report = AlbertEncoder.from_checkpoint(HUGGING_FACE / "model").restore_report
    assert report.restored["pooler_transform/kernel"] == "pooler.weight"


# === Classes without a pooler ===


@pytest.mark.parametrize("name", ["masked_lm", "token_classification", "question_answering"])
def test_no_pooler(name):
    encoder = AlbertEncoder.from_checkpoint(HUGGING_FACE / name)
    (absent,) = encoder.restore_report.absent
    assert absent.startswith("pooler: AlbertFor") and absent.endswith("0 until it is trained")
    assert "pooler_transform/kernel" not in encoder.restore_report.restored
    pooled, _ = encoder(np.ones([1, 3], np.int32))
    np.testing.assert_array_equal(pooled, np.zeros([1, 12]))


@pytest.mark.parametrize("name", ["pretraining", "sequence_classification", "multiple_choice"])
def test_a_pooler_that_must_be_there(change, name):
    path = change(name, remove=["albert.pooler.weight", "albert.pooler.bias"])
    with pytest.raises(ValueError, match=r"missing: albert.pooler.weight \[12, 12\]"):
        AlbertEncoder.from_checkpoint(path)


def test_half_a_pooler(change):
    path = change("model", remove=["pooler.bias"])
    with pytest.raises(ValueError, match=r"missing: pooler.bias \[12\]"):
        AlbertEncoder.from_checkpoint(path)


# === Tied weights ===


def test_untied_weights(change):
    table = np.zeros([100, 8], np.float32)
    path = change(add={"predictions.decoder.weight": table})
    with pytest.raises(ValueError, match="'predictions.decoder.weight' differs from 'albert.emb"):
        AlbertEncoder.from_checkpoint(path)
    path = change(add={"predictions.decoder.bias": np.zeros([7], np.float32)})
    with pytest.raises(ValueError, match="'predictions.decoder.bias' differs from 'predictions.b"):
        AlbertEncoder.from_checkpoint(path)


def test_the_copy_alone(change):
    stored = open_safetensors(HUGGING_FACE / "pretraining" / "model.safetensors")
    originals = {
        "predictions.decoder.weight": "albert.embeddings.word_embeddings.weight",
        "predictions.decoder.bias": "predictions.bias",
    }
    add = {copy: stored[name].load() for copy, name in originals.items()}
    path = change(add=add, remove=originals.values())
    weights = AlbertPretrainer.from_checkpoint(path).weights_by_name()
    for copy, name in (
        ("predictions.decoder.weight", "word_embeddings/embeddings"),
        ("predictions.decoder.bias", "bert/cls/predictions/output_bias/bias"),
    ):
        np.testing.assert_array_equal(array(weights[name]), add[copy])


# === E = H ===


def test_projection_of_equal_widths():
    encoder = AlbertEncoder.from_checkpoint(HUGGING_FACE / "token_classification")
    assert encoder.albert_config.project_same_width
    assert encoder.embedding_projection is not None
    clone = AlbertEncoder.from_config(encoder.get_config())
    assert list(clone.weights_by_name()) == list(encoder.weights_by_name())


def test_projection_that_is_the_identity(change):
    name = "albert.encoder.embedding_hidden_mapping_in"
    identity = {
        f"{name}.weight": np.eye(12, dtype=np.float32),
        f"{name}.bias": np.zeros(12, np.float32),
    }
    path = change("token_classification", add=identity)
    encoder = AlbertEncoder.from_checkpoint(path)
    assert not encoder.albert_config.project_same_width
    assert encoder.embedding_projection is None
    assert encoder.restore_report.ignored[f"{name}.bias"] == "projection that is the identity"


def test_no_projection_where_hugging_face_has_one(change):
    name = "albert.encoder.embedding_hidden_mapping_in"
    path = change("token_classification", remove=[f"{name}.weight", f"{name}.bias"])
    encoder = AlbertEncoder.from_checkpoint(path)
    assert encoder.restore_report.ok and encoder.embedding_projection is None


# === Configuration ===


def test_configuration():
    checkpoint = read(HUGGING_FACE / "pretraining")
    assert checkpoint.config == AlbertConfig(
        vocab_size=100,
        embedding_size=8,
        hidden_size=12,
        num_hidden_layers=4,
        num_hidden_groups=2,
        inner_group_num=2,
        num_attention_heads=3,
        intermediate_size=20,
        max_position_embeddings=40,
        type_vocab_size=5,
    )
    assert checkpoint.config_source == str(HUGGING_FACE / "pretraining" / "config.json")


def test_configuration_given():
    config = AlbertConfig.from_json_file(HUGGING_FACE / "model" / "config.json")
    given = AlbertConfig(**{**config.to_dict(), "hidden_dropout_prob": 0.3})
    encoder = AlbertEncoder.from_checkpoint(HUGGING_FACE / "model", given)
    assert encoder.albert_config == given
    with pytest.raises(ValueError, match="vocab_size is 7 in the configuration, but 100"):
        AlbertEncoder.from_checkpoint(HUGGING_FACE / "model", vocab_size=7)


def test_configuration_of_early_versions(change):
    # Without model_type, and with the keys that Google's files have.
    path = change("model", model_type=None, gap_size=0, net_structure_type=0, hidden_act="gelu")
    assert read(path).config.hidden_act == "gelu_erf"


def test_no_configuration(change):
    path = change("token_classification")
    (path / "config.json").unlink()
    checkpoint = read(path)
    assert checkpoint.config is None
    assert checkpoint.config_source == f"no config.json in {str(path)!r}"
    known = {field: value for field, (value, _) in checkpoint.known.items()}
    assert known["vocab_size"] == 100 and known["embedding_size"] == known["hidden_size"] == 12
    assert known["project_same_width"] is True
    with pytest.raises(FileNotFoundError, match="needs its configuration"):
        AlbertEncoder.from_checkpoint(path)


@pytest.mark.parametrize(
    "config, message",
    [
        ({"model_type": "bert"}, "`model_type` must be 'albert'"),
        ({"hidden_act": "silu"}, "`hidden_act` must be one of gelu"),
        ({"layer_norm_eps": 1e-5}, "`layer_norm_eps` must be 1e-12"),
        ({"tie_word_embeddings": False}, "`tie_word_embeddings` must be True"),
        ({"position_embedding_type": "relative_key"}, "`position_embedding_type` must be"),
        ({"architectures": 5}, "`architectures` must be a list of the names of classes"),
        ({"quantization_config": {"bits": 8}}, "`quantization_config` must be None"),
        ({"adapters": {"adapters": {"a": {}, "b": 1}}}, "`adapters` must be {} or None"),
        ({"is_decoder": True}, r"`is_decoder` must be False.*\(`config`, --config\)"),
        ({"auto_map": {"AutoModel": "my.Model"}}, "`auto_map` with AutoModel, code of its own"),
        ({"num_hidden_layers": 18, "num_hidden_groups": 14}, "round differently at layer"),
        ({"hidden_size": 24}, "hidden_size is 24 in the configuration, but 12 in the weights"),
    ],
)
def test_bad_configurations(change, config, message):
    with pytest.raises(ValueError, match=message):
        AlbertEncoder.from_checkpoint(change("model", **config))


# What tools and people add, and transformers wrote at some time; none of it is read by any ALBERT.
HARMLESS = {
    "sbert_ce_default_activation_function": "torch.nn.modules.activation.Sigmoid",
    "sentence_transformers": {"version": "5.1.0"},
    "transformers.js_config": {"kv_cache_dtype": {}},
    "gradient_checkpointing": True,
    "adapters": {"adapters": {}, "config_map": {}},
    "eos_token_ids": 0,
    "is_composition": False,
    "quantization_config": None,
    "chunk_size_feed_forward": 64,
    "auto_map": {"AutoTokenizer": ["my.Tokenizer", None]},
    "my_team_note": "v3 of May",
}


def test_keys_that_change_nothing(change):
    plain = AlbertEncoder.from_checkpoint(change("model"))
    encoder = AlbertEncoder.from_checkpoint(change("model", **HARMLESS))
    assert encoder.albert_config == plain.albert_config
    assert plain.restore_report.ignored_keys == ()
    # The others are what transformers writes into every file, or are looked at.
    assert encoder.restore_report.ignored_keys == (
        "eos_token_ids",
        "gradient_checkpointing",
        "is_composition",
        "my_team_note",
        "sbert_ce_default_activation_function",
        "sentence_transformers",
        "transformers.js_config",
    )
    assert "  ignored in the configuration: eos_token_ids, gradient" in str(encoder.restore_report)


def test_a_given_configuration_is_the_way_out(change):
    path, config = change("model", is_decoder=True), read(change("model")).config
    assert read(path, config).config == config


def test_a_misspelled_key(change):
    path = change("model")
    values = json.loads((path / "config.json").read_text())
    values["hidden_sise"] = values.pop("hidden_size")
    (path / "config.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match="Received: 'hidden_sise', and no `hidden_size`"):
        read(path)


# === Which paths ===


def test_is_hugging_face(tmp_path):
    assert is_hugging_face(str(HUGGING_FACE / "bin"))
    assert is_hugging_face(HUGGING_FACE / "model" / "model.safetensors")
    assert not is_hugging_face(GOLDENS / "tiny")
    assert not is_hugging_face(HUGGING_FACE / "model" / "config.json")
    assert not is_hugging_face(tmp_path / "nowhere")
    (tmp_path / "config.json").write_text("{")
    assert not is_hugging_face(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "albert"}')
    assert is_hugging_face(tmp_path)
    with pytest.raises(FileNotFoundError, match="must have one of model.safetensors, "):
        read(tmp_path)


def test_a_file_of_weights():
    path = HUGGING_FACE / "bin" / "pytorch_model.bin"
    assert read(path).path == read(path.parent).path == str(path)
    assert AlbertEncoder.from_checkpoint(path).restore_report.ok


# === Bad weights ===


def test_other_models(tmp_path):
    tensors = {"bert.pooler.bias": (TensorSpec((2,), "float32"), lambda: np.zeros(2))}
    write_safetensors(tmp_path / "model.safetensors", tensors, {})
    with pytest.raises(ValueError, match="with 1 tensors: bert.pooler.bias. "):
        read(tmp_path)


def test_missing_strange_and_mis_shaped(change):
    path = change(
        remove=["albert.pooler.bias"],
        add={"albert.pooler.biases": np.zeros(12, np.float32)},
    )
    with pytest.raises(
        ValueError,
        match=r"(?s)1 missing, 1 unused, .*pooler.bias \[12\] \(nearest: albert.pooler.biases",
    ):
        AlbertEncoder.from_checkpoint(path)
    path = change(add={"albert.pooler.weight": np.zeros([12, 13], np.float32)})
    with pytest.raises(ValueError, match=r"pooler.weight: float32 \[12, 13\] in the checkpoint"):
        AlbertEncoder.from_checkpoint(path)


@pytest.mark.parametrize("dtype", ["int8", "float64"])
def test_wrong_dtype(change, dtype):
    path = change(add={"albert.pooler.bias": np.zeros(12, dtype)})
    with pytest.raises(ValueError, match=rf"mis-shaped: albert.pooler.bias: {dtype} \[12\] in the"):
        AlbertEncoder.from_checkpoint(path)


def test_nan(change):
    bias = np.zeros(12, np.float32)
    bias[3] = np.nan
    path = change(add={"albert.pooler.bias": bias})
    with pytest.raises(ValueError, match="finite. Received: 'albert.pooler.bias' .* 1 NaN"):
        AlbertEncoder.from_checkpoint(path)


def test_code_is_not_executed(tmp_path):
    shutil.copytree(HUGGING_FACE / "bin", tmp_path / "bin")
    executed = tmp_path / "executed"

    class Malicious:
        def __reduce__(self):
            return exec, (f"open({str(executed)!r}, 'w')",)

    (tmp_path / "bin" / "pytorch_model.bin").write_bytes(pickle.dumps({"a": Malicious()}))
    with pytest.raises(ValueError, match="without executing what a pickle asks for"):
        AlbertEncoder.from_checkpoint(tmp_path / "bin")
    assert not executed.exists()

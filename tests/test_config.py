import dataclasses
import json

import pytest

from albert_tf.config import PRESETS, AlbertConfig

# As printed on the TF Hub page google/albert_base/3.
BASE_V2 = {
    "attention_probs_dropout_prob": 0,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0,
    "embedding_size": 128,
    "hidden_size": 768,
    "initializer_range": 0.02,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "num_hidden_groups": 1,
    "net_structure_type": 0,
    "gap_size": 0,
    "num_memory_blocks": 0,
    "inner_group_num": 1,
    "down_scale_factor": 1,
    "type_vocab_size": 2,
    "vocab_size": 30000,
}


def test_reads_the_published_file(tmp_path):
    path = tmp_path / "albert_config.json"
    path.write_text(json.dumps(BASE_V2))
    assert AlbertConfig.from_json_file(path) == PRESETS["albert_base_v2"]


# Parameters: millions, arXiv 1909.11942 table 1 (base 12, large 18, xlarge 60, xxlarge 235 with
# the heads and rounding of the paper).
@pytest.mark.parametrize(
    ("name", "hidden", "layers", "heads", "intermediate", "dropout"),
    [
        ("albert_base_v1", 768, 12, 12, 3072, 0.1),
        ("albert_base_v2", 768, 12, 12, 3072, 0.0),
        ("albert_large_v1", 1024, 24, 16, 4096, 0.1),
        ("albert_large_v2", 1024, 24, 16, 4096, 0.0),
        ("albert_xlarge_v1", 2048, 24, 32, 8192, 0.1),
        ("albert_xlarge_v2", 2048, 24, 32, 8192, 0.0),
        ("albert_xxlarge_v1", 4096, 12, 64, 16384, 0.0),
        ("albert_xxlarge_v2", 4096, 12, 64, 16384, 0.0),
    ],
)
def test_presets(name, hidden, layers, heads, intermediate, dropout):
    config = AlbertConfig.from_preset(name)
    assert (config.hidden_size, config.num_hidden_layers) == (hidden, layers)
    assert (config.num_attention_heads, config.intermediate_size) == (heads, intermediate)
    assert config.hidden_dropout_prob == config.attention_probs_dropout_prob == dropout
    assert (config.vocab_size, config.embedding_size) == (30000, 128)
    assert (config.max_position_embeddings, config.type_vocab_size) == (512, 2)


def test_round_trip():
    config = AlbertConfig(vocab_size=1000, hidden_act="relu", num_hidden_groups=3)
    assert AlbertConfig.from_dict(json.loads(config.to_json())) == config


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PRESETS["albert_base_v2"].hidden_size = 1


def test_group_of_layer_follows_the_original():
    config = AlbertConfig(vocab_size=10, num_hidden_layers=12, num_hidden_groups=5)
    groups = [config.group_of_layer(layer) for layer in range(12)]
    assert groups == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize(
    ("original", "ours"),
    [("GELU", "gelu"), ("relu", "relu"), ("Tanh", "tanh"), ("", "linear"), (None, "linear")],
)
def test_original_activation_names(original, ours):
    assert AlbertConfig.from_dict({"vocab_size": 10, "hidden_act": original}).hidden_act == ours


def test_hugging_face_keeps_the_two_gelus_apart():
    hugging_face = {
        "model_type": "albert",
        "architectures": ["AlbertForMaskedLM"],
        "vocab_size": 30000,
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_attention_heads": 12,
        "layer_norm_eps": 1e-12,
        "classifier_dropout_prob": 0.1,
        "pad_token_id": 0,
        "transformers_version": "4.57.6",
    }
    read = AlbertConfig.from_dict
    assert read({**hugging_face, "hidden_act": "gelu_new"}).hidden_act == "gelu"
    assert read({**hugging_face, "hidden_act": "gelu"}).hidden_act == "gelu_erf"
    for name, ours in (("gelu_fast", "gelu"), ("gelu_python", "gelu_erf")):
        assert read({**hugging_face, "hidden_act": name}).hidden_act == ours


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("gelu", "gelu_new"), ("gelu_erf", "gelu"), ("relu", "relu"), ("tanh", "tanh")],
)
def test_to_hugging_face_and_back(ours, theirs):
    config = AlbertConfig(vocab_size=100, hidden_act=ours, type_vocab_size=5, num_hidden_groups=3)
    config = dataclasses.replace(config, initializer_range=0.3)
    values = config.to_hugging_face()
    assert (values["hidden_act"], values["model_type"]) == (theirs, "albert")
    assert "attention_mask_value" not in values and "project_same_width" not in values
    assert AlbertConfig.from_dict(values) == config
    config = dataclasses.replace(config, attention_mask_value=-1e9)
    assert AlbertConfig.from_dict(config.to_hugging_face()) == config


def test_projection():
    assert AlbertConfig(vocab_size=10).has_embedding_projection
    same = AlbertConfig(vocab_size=10, embedding_size=4096)
    assert not same.has_embedding_projection
    assert dataclasses.replace(same, project_same_width=True).has_embedding_projection


def test_groups_that_round_otherwise_in_hugging_face():
    config = AlbertConfig(vocab_size=10, num_hidden_layers=18, num_hidden_groups=14)
    with pytest.raises(ValueError, match="num_hidden_groups=14, where they round differently"):
        config.to_hugging_face()
    values = {"model_type": "albert", "num_hidden_layers": 18, "num_hidden_groups": 14}
    with pytest.raises(ValueError, match="round differently at layer"):
        AlbertConfig.from_dict(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden_sise": 4}, "Configuration keys must be known. Received: hidden_sise"),
        ({"net_structure_type": 1}, "`net_structure_type` must be 0, .* Received: 1"),
        ({"ln_type": "preln"}, "`ln_type` must be 'postln'"),
        ({"hidden_act": "swish"}, "`hidden_act` must be one of gelu, .* Received: 'swish'"),
        ({"num_attention_heads": 5}, "`hidden_size` must be a multiple of `num_attention_heads`"),
        ({"num_hidden_layers": 0}, "`num_hidden_layers` must be a positive integer. Received: 0"),
        ({"num_hidden_layers": True}, "`num_hidden_layers` must be a positive integer"),
        ({"hidden_size": "768"}, "`hidden_size` must be a positive integer. Received: '768'"),
        ({"hidden_dropout_prob": 1.0}, r"`hidden_dropout_prob` must be in the range \[0, 1\)"),
        ({"hidden_dropout_prob": "0"}, "`hidden_dropout_prob` must be a number. Received: '0'"),
        ({"num_hidden_groups": 13}, "`num_hidden_groups` must not exceed `num_hidden_layers`"),
        ({"initializer_range": 0}, "`initializer_range` must be positive"),
        ({"attention_mask_value": 1}, "`attention_mask_value` must be negative and finite"),
        ({"project_same_width": 1}, "`project_same_width` must be True or False. Received: 1"),
        ({"project_same_width": True}, "True with embedding_size=128, hidden_size=4096"),
        ({"hidden_act": ["gelu"]}, "`hidden_act` must be one of"),
        ({"hidden_act": {}}, "`hidden_act` must be one of"),
        ({"hidden_act": "x" * 10**6}, "`hidden_act` must be one of"),
        ({"model_type": "albert", "hidden_act": {}}, "`hidden_act` must be one of"),
        ({"attention_mask_value": -(10**400)}, "`attention_mask_value` must be finite"),
        ({"attention_mask_value": -1e39}, "`attention_mask_value` must be finite"),
        ({"attention_mask_value": float("nan")}, "`attention_mask_value` must be negative"),
        ({"initializer_range": float("inf")}, "`initializer_range` must be finite"),
        ({"initializer_range": float("nan")}, "`initializer_range` must be positive"),
        ({"hidden_dropout_prob": float("nan")}, r"`hidden_dropout_prob` must be in the range"),
        ({"num_hidden_layers": 10**400}, "`num_hidden_layers` must not exceed 2147483647"),
        ({"hidden_size": 10**5000}, "`hidden_size` must not exceed .* very many digits"),
        ({"num_hidden_layers": 10**9}, "the transformer blocks in a row, must not exceed 1024"),
        ({"inner_group_num": 10**9}, "the transformer blocks in a row, must not exceed 1024"),
        ({5: 1, "b": 2}, "keys must be known. Received: 5, b"),
        ({"model_type": "albert", 5: 1, "hidden_siz": 2}, "'hidden_siz', and no `hidden_size`"),
        ({"model_type": {}}, "`model_type` must be 'albert'"),
        ({"model_type": "bert"}, "`model_type` must be 'albert'"),
        ({"model_type": "albert", "layer_norm_eps": 1e-5}, "`layer_norm_eps` must be 1e-12"),
        ({"model_type": "albert", "hidden_act": "silu"}, "one of gelu, .*gelu_new"),
    ],
)
def test_bad_values(values, message):
    with pytest.raises(ValueError, match=message) as error:
        AlbertConfig.from_dict({"vocab_size": 10, **values})
    assert len(str(error.value)) < 1000


def test_vocab_size_is_required():
    with pytest.raises(ValueError, match="must state `vocab_size`"):
        AlbertConfig.from_dict({"hidden_size": 64})


def test_unknown_preset_lists_the_known():
    with pytest.raises(ValueError, match="Received: 'albert_huge'. Available: albert_base_v1"):
        AlbertConfig.from_preset("albert_huge")


def test_bad_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="The configuration file must exist"):
        AlbertConfig.from_json_file(tmp_path / "no.json")
    (tmp_path / "text.json").write_text("{")
    with pytest.raises(ValueError, match="must be a JSON file"):
        AlbertConfig.from_json_file(tmp_path / "text.json")
    (tmp_path / "digits.json").write_text('{"vocab_size": ' + "1" * 10_000 + "}")
    with pytest.raises(ValueError, match="must be a JSON file. Received: '.*digits.json'"):
        AlbertConfig.from_json_file(tmp_path / "digits.json")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="must be a JSON file"):
        AlbertConfig.from_json_file(tmp_path / "deep.json")
    with pytest.raises(FileNotFoundError, match="The configuration file must exist"):
        AlbertConfig.from_json_file(tmp_path)
    with pytest.raises(FileNotFoundError, match="name of a preset or .* Presets: albert_base_v1"):
        AlbertConfig.from_name_or_file("albert-base-v2")
    many = {"model_type": "albert", "vocab_size": 10, **{f"k{i}": 0 for i in range(2000)}}
    with pytest.raises(ValueError, match="Received: 2000 others, k0, k1, k10, k100, k1000 and"):
        AlbertConfig.from_dict(many)
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(ValueError, match="must be a JSON object"):
        AlbertConfig.from_json_file(tmp_path / "list.json")


def test_keras_arguments():
    config = AlbertConfig.from_preset("albert_large_v1")
    arguments = config.to_keras()
    assert arguments["embedding_width"] == 128 and arguments["num_layers"] == 24
    assert AlbertConfig.from_keras(arguments) == config
    with pytest.raises(ValueError, match="Encoder arguments must be known. Received: embed_dim"):
        AlbertConfig.from_keras({"embed_dim": 1})


def test_a_byte_order_mark(tmp_path):
    (tmp_path / "config.json").write_text('\ufeff{"vocab_size": 10}', encoding="utf-8")
    assert AlbertConfig.from_json_file(tmp_path / "config.json").vocab_size == 10

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.checkpoints.names.table import FLAVORS, rules
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer

SIZES = {
    "embedding_size": 8,
    "hidden_size": 12,
    "num_hidden_layers": 4,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
}
CONFIGS = {
    "plain": AlbertConfig(vocab_size=30, **SIZES),
    "groups": AlbertConfig(vocab_size=30, num_hidden_groups=2, inner_group_num=2, **SIZES),
    "same_width": AlbertConfig(vocab_size=30, **{**SIZES, "embedding_size": 12}),
    "types": AlbertConfig(vocab_size=30, type_vocab_size=5, **SIZES),
}

# The variables of the published TF Hub models, with the names of generations 2 and 3.
PUBLISHED = """
word_embeddings/embeddings position_embedding/embeddings type_embeddings/embeddings
embeddings/layer_norm/gamma embeddings/layer_norm/beta
embedding_projection/kernel embedding_projection/bias
transformer/self_attention/query/kernel transformer/self_attention/query/bias
transformer/self_attention/key/kernel transformer/self_attention/key/bias
transformer/self_attention/value/kernel transformer/self_attention/value/bias
transformer/self_attention/attention_output/kernel transformer/self_attention/attention_output/bias
transformer/self_attention_layer_norm/gamma transformer/self_attention_layer_norm/beta
transformer/intermediate/kernel transformer/intermediate/bias
transformer/output/kernel transformer/output/bias
transformer/output_layer_norm/gamma transformer/output_layer_norm/beta
pooler_transform/kernel pooler_transform/bias
bert/cls/predictions/output_bias/bias
bert/cls/predictions/transform/dense/kernel bert/cls/predictions/transform/dense/bias
bert/cls/predictions/transform/LayerNorm/gamma bert/cls/predictions/transform/LayerNorm/beta
""".split()


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_rules_are_the_variables_of_the_model(config):
    model = AlbertPretrainer(AlbertEncoder.from_albert_config(config))
    weights = {name: tuple(weight.shape) for name, weight in model.weights_by_name().items()}
    for flavor in FLAVORS:
        table = rules(config, flavor)
        assert [(rule.name, rule.shape) for rule in table] == list(weights.items())


@pytest.mark.parametrize("flavor", FLAVORS)
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_store_undoes_load(config, flavor):
    rng = np.random.default_rng(0)
    table = rules(config, flavor)
    assert len({rule.stored_name for rule in table}) == len(table)
    for rule in table:
        stored = rng.normal(size=rule.stored_shape)
        values = rule.load(stored)
        assert values.shape == rule.shape
        np.testing.assert_array_equal(rule.store(values), stored)


def test_published_names():
    names = {flavor: [r.stored_name for r in rules(CONFIGS["plain"], flavor)] for flavor in FLAVORS}
    assert names["tf2_hub"][:-2] == PUBLISHED
    renamed = {
        "transformer/self_attention/attention_output/kernel",
        "transformer/self_attention/attention_output/bias",
    }
    assert set(names["tf2_hub"]) - set(names["tf2_hub_1"]) == renamed
    assert names["tf2_hub_1"][13] == "transformer/self_attention_output/kernel"


@pytest.mark.parametrize(
    "name, tf1, hugging_face",
    [
        (
            "position_embedding/embeddings",
            "bert/embeddings/position_embeddings",
            "albert.embeddings.position_embeddings.weight",
        ),
        (
            "embedding_projection/bias",
            "bert/encoder/embedding_hidden_mapping_in/bias",
            "albert.encoder.embedding_hidden_mapping_in.bias",
        ),
        (
            "transformer_group_1_inner_group_0/self_attention/attention_output/kernel",
            "bert/encoder/transformer/group_1/inner_group_0/attention_1/output/dense/kernel",
            "albert.encoder.albert_layer_groups.1.albert_layers.0.attention.dense.weight",
        ),
        (
            "transformer_group_0_inner_group_1/output_layer_norm/gamma",
            "bert/encoder/transformer/group_0/inner_group_1/LayerNorm_1/gamma",
            "albert.encoder.albert_layer_groups.0.albert_layers.1.full_layer_layer_norm.weight",
        ),
        (
            "transformer/output/kernel",
            "bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/output/dense/kernel",
            "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn_output.weight",
        ),
        ("pooler_transform/kernel", "bert/pooler/dense/kernel", "albert.pooler.weight"),
        (
            "bert/cls/predictions/output_bias/bias",
            "cls/predictions/output_bias",
            "predictions.bias",
        ),
        (
            "bert/cls/predictions/transform/LayerNorm/beta",
            "cls/predictions/transform/LayerNorm/beta",
            "predictions.LayerNorm.bias",
        ),
        (
            "bert/cls/seq_relationship/kernel",
            "cls/seq_relationship/output_weights",
            "sop_classifier.classifier.weight",
        ),
    ],
)
def test_names_in_each_flavor(name, tf1, hugging_face):
    for flavor, expected in (("tf1", tf1), ("hugging_face", hugging_face)):
        stored = {rule.name: rule.stored_name for rule in rules(CONFIGS["groups"], flavor)}
        assert stored[name] == expected


def test_layouts():
    def rule(flavor, name):
        return next(r for r in rules(CONFIGS["plain"], flavor) if r.name == name)

    # Columns of the original's query kernel: head 0's, then head 1's, ...
    matrix = np.arange(12 * 12).reshape(12, 12)
    query = "transformer/self_attention/query/kernel"
    ours = rule("tf1", query).load(matrix)
    assert ours.shape == (12, 3, 4)
    np.testing.assert_array_equal(ours[:, 1], matrix[:, 4:8])
    np.testing.assert_array_equal(rule("hugging_face", query).load(matrix.T), ours)

    # Rows of the output projection: head 0's, then head 1's, ...
    output = "transformer/self_attention/attention_output/kernel"
    ours = rule("tf1", output).load(matrix)
    np.testing.assert_array_equal(ours[1], matrix[4:8])
    np.testing.assert_array_equal(rule("hugging_face", output).load(matrix.T), ours)

    # The original multiplies with the transpose of this one.
    order = rule("tf1", "bert/cls/seq_relationship/kernel")
    weights = np.arange(24).reshape(2, 12)
    np.testing.assert_array_equal(order.load(weights), weights.T)


@pytest.mark.parametrize(
    "index, config, without",
    [
        ("albert_base_zh_index/model.ckpt-best", "albert_base_zh_index/albert_config.json", ""),
        (
            "albert_base_3/variables/variables",
            "albert_base_3/assets/albert_config.json",
            "cls/seq_relationship/",  # The module has no sentence-order head.
        ),
    ],
)
def test_genuine_indexes(shared, index, config, without):
    folder = pathlib.Path(shared, "data", "albert_hub_graph")
    reader = tf.train.load_checkpoint(str(folder / index))
    stored = {
        name: tuple(shape)
        for name, shape in reader.get_variable_to_shape_map().items()
        if name != "global_step"
    }
    table = {
        rule.stored_name: rule.stored_shape
        for rule in rules(AlbertConfig.from_json_file(folder / config), "tf1")
        if not (without and rule.stored_name.startswith(without))
    }
    assert stored == table

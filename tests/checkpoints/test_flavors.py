import pytest

from albert_tf.checkpoints.names import table as names
from albert_tf.checkpoints.names.flavors import (
    FLAVORS,
    block_prefix,
    describe,
    rules,
    stores_matrices,
)
from albert_tf.config import AlbertConfig

CONFIG = AlbertConfig(vocab_size=30, num_hidden_groups=2, inner_group_num=2)


def test_columns_of_the_table_are_flavors():
    for flavor in names.FLAVORS:
        assert rules(CONFIG, flavor) == names.rules(CONFIG, flavor)
        assert describe(flavor) == names.FLAVORS[flavor].description


@pytest.mark.parametrize("flavor", FLAVORS)
def test_every_tensor_has_a_name_of_its_own(flavor):
    table = rules(CONFIG, flavor)
    assert len({rule.stored_name for rule in table}) == len(table)
    assert len({describe(flavor) for flavor in FLAVORS}) == len(FLAVORS)
    if flavor != "brightmart":  # Which has but one block.
        prefix = block_prefix(flavor, 1, 0)
        assert sum(rule.stored_name.startswith(prefix) for rule in table) == 16


@pytest.mark.parametrize(
    "flavor, name, expected",
    [
        ("keras_hub", "type_embeddings/embeddings", "segment_embedding/vars/0"),
        (
            "keras_hub",
            "transformer_group_1_inner_group_0/self_attention/attention_output/bias",
            "group_1_inner_layer_0/_self_attention_layer/output_dense/vars/1",
        ),
        (
            "keras_hub",
            "transformer/output_layer_norm/gamma",
            "group_0_inner_layer_0/_feedforward_layer_norm/vars/0",
        ),
        (
            "brightmart",
            "transformer/self_attention_layer_norm/beta",
            "bert/encoder/layer_shared/attention/output/LayerNorm/beta",
        ),
        (
            "brightmart",
            "transformer/output/kernel",
            "bert/encoder/layer_shared/output/dense/kernel",
        ),
        ("tf1_hub", "pooler_transform/bias", "bert/pooler/dense/bias"),
        ("keras", "pooler_transform/bias", "pooler_transform/bias"),
    ],
)
def test_names(flavor, name, expected):
    assert {rule.name: rule.stored_name for rule in rules(CONFIG, flavor)}[name] == expected


def test_layouts_are_the_column_s():
    assert stores_matrices("brightmart") and stores_matrices("tf1_hub")
    assert not stores_matrices("keras_hub") and not stores_matrices("saved_model")

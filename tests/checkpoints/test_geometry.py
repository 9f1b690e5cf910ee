import pathlib

import pytest

from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.checkpoints.names.flavors import FLAVORS, rules, stores_matrices
from albert_tf.checkpoints.names.geometry import fields_from_shapes
from albert_tf.checkpoints.read import read
from albert_tf.config import AlbertConfig

GOLDENS = pathlib.Path(__file__).parents[1] / "goldens"
HIDDEN = {
    "num_hidden_layers",
    "hidden_act",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "initializer_range",
    "attention_mask_value",
}


@pytest.mark.parametrize("name", ["tiny", "tiny_groups"])
def test_golden_checkpoints(name):
    checkpoint = read(GOLDENS / name)
    fields = fields_from_shapes("tf1", checkpoint.tensors)
    expected = checkpoint.config.to_dict()
    assert {field: value for field, (value, _) in fields.items()} == {
        field: expected[field] for field in expected.keys() - HIDDEN - {"num_attention_heads"}
    }
    assert fields["vocab_size"][1] == "bert/embeddings/word_embeddings is [1000, 32]"


@pytest.mark.parametrize("flavor", FLAVORS)
@pytest.mark.parametrize("embedding_size", [8, 12])
def test_every_flavor(flavor, embedding_size):
    config = AlbertConfig(
        vocab_size=30,
        embedding_size=embedding_size,
        hidden_size=12,
        num_hidden_groups=3,
        inner_group_num=2,
        num_attention_heads=3,
        intermediate_size=20,
        type_vocab_size=5,
    )
    tensors = {
        rule.stored_name: TensorSpec(rule.stored_shape, "float32") for rule in rules(config, flavor)
    }
    hidden = HIDDEN | {"num_attention_heads"} if stores_matrices(flavor) else HIDDEN
    expected = config.to_dict()
    assert {field: value for field, (value, _) in fields_from_shapes(flavor, tensors).items()} == {
        field: expected[field] for field in expected.keys() - hidden
    }


def test_nothing_known():
    assert fields_from_shapes("tf1", {"x": TensorSpec((1,), "float32")}) == {}

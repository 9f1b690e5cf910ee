import pytest

from albert_tf.config import PRESETS, AlbertConfig
from albert_tf.text.sentencepiece_model import SentencePieceModel
from albert_tf.training.finetune_start import check_sizes, starting_point, starting_vocabulary
from albert_tf.training.finetuning.recipes import recipe_for
from tests import random_tiny


def test_checkpoint():
    config, found = starting_point(random_tiny.CHECKPOINT, None, False)
    assert config == found.config and config.hidden_size == 64
    assert starting_vocabulary(found, None, None, None).path == random_tiny.SP_MODEL
    assert starting_point(found, None, False) == (config, found)


def test_from_scratch(tmp_path):
    assert starting_point(None, "albert_base_v2", True) == (PRESETS["albert_base_v2"], None)
    for checkpoint, config in ((None, None), (random_tiny.CHECKPOINT, "albert_base_v2")):
        with pytest.raises(ValueError, match="a configuration and no checkpoint. Received: ch"):
            starting_point(checkpoint, config, True)
    with pytest.raises(FileNotFoundError, match="albert_bass"):
        starting_point(None, "albert_bass", True)


def test_sizes_that_do_not_fit():
    config = AlbertConfig(vocab_size=999)
    recipe = recipe_for("rte", config)
    vocabulary = SentencePieceModel.read(random_tiny.SP_MODEL)
    with pytest.raises(ValueError, match="as many pieces .*=999. Received: .* with 1000 pieces"):
        check_sizes(config, vocabulary, recipe)
    config = AlbertConfig(vocab_size=1000, max_position_embeddings=64)
    with pytest.raises(ValueError, match="exceed the encoder's 64 positions. Received: 512"):
        check_sizes(config, vocabulary, recipe)

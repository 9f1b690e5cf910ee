"""What a fine-tuning starts from: weights, their configuration and their vocabulary."""

import dataclasses

from albert_tf.checkpoints.read import opened
from albert_tf.checkpoints.restore import complete_config
from albert_tf.checkpoints.vocabulary_file import require_vocabulary
from albert_tf.config import AlbertConfig
from albert_tf.text.given_vocabulary import found_vocabulary, given_vocabulary


def starting_point(checkpoint, config, from_scratch, vocab_size=None):
    """What a fine-tuning starts from; refuses to start from nothing unless told to.

    Args:
      checkpoint: What `AlbertEncoder.from_checkpoint` takes, or None.
      config: `AlbertConfig`, the path of its JSON file, the name of a preset, or None.
      from_scratch: Whether to start with random weights.
      vocab_size: Number of word embeddings, if there are to be more than in the checkpoint.

    Returns:
      (AlbertConfig, the opened `Checkpoint` with its own configuration, or None)
    """
    if from_scratch:
        if checkpoint is not None or config is None:
            raise ValueError(
                "From scratch there is a configuration and no checkpoint. Received: "
                f"checkpoint={checkpoint!r}, config={config!r}."
            )
        return with_vocab_size(AlbertConfig.from_name_or_file(config), vocab_size), None
    if checkpoint is None:
        raise ValueError(
            "Fine-tuning starts from a checkpoint. Received: none, so nothing would be restored. "
            "Pass one, or say from_scratch (on the command line --from_scratch) and pass a "
            "configuration, for random weights."
        )
    found = opened(checkpoint, config)
    if found.config is None:
        found = complete_config(found, {})
    return with_vocab_size(found.config, vocab_size), found


def with_vocab_size(config, vocab_size):
    """A configuration with as many word embeddings, or as it is for None; fewer are refused."""
    if vocab_size is None:
        return config
    if vocab_size < config.vocab_size:
        raise ValueError(
            "A table of word embeddings can grow, not shrink: `vocab_size` must be at least "
            f"{config.vocab_size}. Received: {vocab_size}."
        )
    return dataclasses.replace(config, vocab_size=vocab_size)


def starting_vocabulary(checkpoint, sp_model, vocab_file, do_lower_case):
    """The vocabulary that is given, or else the one that lies with an opened `Checkpoint`.

    Raises:
      ValueError: There is neither, or both arguments are given.
    """
    if sp_model is not None or vocab_file is not None:
        return given_vocabulary(sp_model, vocab_file, do_lower_case)
    path = require_vocabulary(checkpoint and checkpoint.path)
    return found_vocabulary(path, do_lower_case, checkpoint.task)


def check_sizes(config, vocabulary, recipe):
    """Raises unless vocabulary and length of the rows fit the encoder."""
    vocabulary.check_size(config.vocab_size)
    if recipe.max_seq_length > config.max_position_embeddings:
        raise ValueError(
            f"`max_seq_length` must not exceed the encoder's {config.max_position_embeddings} "
            f"positions. Received: {recipe.max_seq_length}."
        )

"""What a fine-tuning starts from: weights, their configuration and their vocabulary."""

from albert_tf.checkpoints.read import opened
from albert_tf.checkpoints.restore import complete_config
from albert_tf.config import AlbertConfig
from albert_tf.text.sentencepiece_model import SentencePieceModel


def starting_point(checkpoint, config, from_scratch):
    """What a fine-tuning starts from; refuses to start from nothing unless told to.

    Args:
      checkpoint: What `AlbertEncoder.from_checkpoint` takes, or None.
      config: `AlbertConfig`, the path of its JSON file, the name of a preset, or None.
      from_scratch: Whether to start with random weights.

    Returns:
      (AlbertConfig, the opened `Checkpoint` with that configuration or None)
    """
    if from_scratch:
        if checkpoint is not None or config is None:
            raise ValueError(
                "From scratch there is a configuration and no checkpoint. Received: "
                f"checkpoint={checkpoint!r}, config={config!r}."
            )
        return AlbertConfig.from_name_or_file(config), None
    if checkpoint is None:
        raise ValueError(
            "Fine-tuning starts from a checkpoint. Received: none, so nothing would be restored. "
            "Pass one, or say from_scratch (on the command line --from_scratch) and pass a "
            "configuration, for random weights."
        )
    found = opened(checkpoint, config)
    if found.config is None:
        found = complete_config(found, {})
    return found.config, found


def check_sizes(config, sp_model, recipe):
    """Raises unless vocabulary and length of the rows fit the encoder."""
    SentencePieceModel.read(sp_model).check_size(config.vocab_size)
    if recipe.max_seq_length > config.max_position_embeddings:
        raise ValueError(
            f"`max_seq_length` must not exceed the encoder's {config.max_position_embeddings} "
            f"positions. Received: {recipe.max_seq_length}."
        )

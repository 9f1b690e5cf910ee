"""What a pre-training starts from: a model, and records and a vocabulary that fit it."""

import hashlib

from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.training.finetune_start import with_vocab_size


def starting_model(config, init_from, options, vocab_size=None):
    """An `AlbertPretrainer` with random weights, or with those of a checkpoint.

    Args:
      config: What `AlbertConfig.from_name_or_file` takes, or None.
      init_from: What `AlbertPretrainer.from_checkpoint` takes, or None; heads that it lacks are
        new.
      options: `PretrainOptions`.
      vocab_size: Number of word embeddings, if there are to be more than in the checkpoint.
    """
    how = {"dtype": options.policy, "recompute": options.recompute}
    if (rate := options.dropout_rate) is not None:
        how |= {"dropout_rate": rate, "attention_dropout_rate": rate}
    if (config is None) == (init_from is None):
        raise ValueError(
            "Pre-training begins with random weights, made by `config`, or goes on from "
            f"`init_from`. Received: config={config!r}, init_from={init_from!r}. Pass one of them."
        )
    if init_from is not None:
        if vocab_size is not None:
            how["vocab_size"] = vocab_size
        held = AlbertPretrainer.from_checkpoint(init_from, **how)
        return AlbertPretrainer(held.encoder, held.masked_lm or "new", held.sentence_order or "new")
    config = with_vocab_size(AlbertConfig.from_name_or_file(config), vocab_size)
    return AlbertPretrainer(AlbertEncoder.from_albert_config(config, **how))


def check_vocabulary(records, vocabulary):
    """Raises unless `PretrainingRecords` were made with a `SentencePieceModel`."""
    digest = hashlib.sha256(vocabulary.proto).hexdigest()
    if records.sp_model_digest not in (None, digest):
        raise ValueError(
            "`sp_model` must be the one that the records were made with. Received: "
            f"{vocabulary.path}, and {records.directory} was made with another."
        )


def check_sizes(config, vocabulary, all_records):
    """Raises unless vocabulary and length of the records fit the encoder."""
    vocabulary.check_size(config.vocab_size)
    for records in all_records:
        if records.max_seq_length > config.max_position_embeddings:
            raise ValueError(
                "Records must not be longer than the encoder's "
                f"{config.max_position_embeddings} positions. Received: {records.directory} with "
                f"{records.max_seq_length} tokens."
            )

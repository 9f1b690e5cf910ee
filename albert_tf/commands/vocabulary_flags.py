"""The flags of commands that take a WordPiece vocabulary instead of a SentencePiece model."""

from absl import flags

FLAG_GROUPS = {"vocab_file": "WordPiece"}

_VOCAB_FILE = flags.DEFINE_string(
    "vocab_file",
    None,
    "WordPiece vocabulary, instead of --sp_model: the vocab.txt of Chinese and other models.",
)
_DO_LOWER_CASE = flags.DEFINE_bool(
    "do_lower_case",
    None,
    "With a WordPiece vocabulary: lower-case and remove accents. Default: what "
    "tokenizer_config.json or task.json beside it says, or else true.",
)


def wordpiece_arguments():
    """{vocab_file, do_lower_case} as the flags say."""
    return {"vocab_file": _VOCAB_FILE.value, "do_lower_case": _DO_LOWER_CASE.value}


def chosen_vocabulary(sp_model, checkpoint):
    """The vocabulary that flags name, or else the one with a checkpoint.

    Args:
      sp_model: --sp_model, or None.
      checkpoint: An opened `Checkpoint`.

    Returns:
      The path of a SentencePiece model, a `WordPieceVocabulary`, or None if there is none.
    """
    from albert_tf.checkpoints.vocabulary_file import find_vocabulary
    from albert_tf.text.given_vocabulary import (
        found_vocabulary,
        given_vocabulary,
        is_wordpiece_file,
    )

    if sp_model is not None or _VOCAB_FILE.value is not None:
        given = given_vocabulary(sp_model, **wordpiece_arguments())
        return sp_model or given
    path = find_vocabulary(checkpoint.path)
    if path is None or not is_wordpiece_file(path):
        return path
    return found_vocabulary(path, _DO_LOWER_CASE.value, checkpoint.task)


def told(vocabulary):
    """What a command says about the vocabulary that it attaches to a SavedModel."""
    if vocabulary is None:
        return (
            "note: no vocabulary is attached, since none is given and there is not exactly one "
            "with the checkpoint. The encoder needs none; for text, pass --sp_model or --vocab_file"
        )
    if hasattr(vocabulary, "do_lower_case"):
        return (
            f"attached: {vocabulary.path} as vocab_file, with "
            f"do_lower_case={vocabulary.do_lower_case}"
        )
    return f"attached: {vocabulary} as sp_model_file"

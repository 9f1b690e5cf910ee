"""Which of the two kinds of vocabulary a caller gives, and the Python tokenizer for it."""

import os

from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.text.sentencepiece_model import SentencePieceModel
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer
from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary

WORDPIECE_ENDING = ".txt"


def given_vocabulary(sp_model=None, vocab_file=None, do_lower_case=None):
    """The vocabulary that a caller gives as one of two arguments.

    Args:
      sp_model: Path of a SentencePiece model, or None. An opened vocabulary of either kind, too.
      vocab_file: Path of a WordPiece vocabulary, a `WordPieceVocabulary`, or None.
      do_lower_case: For a WordPiece vocabulary; see `WordPieceVocabulary.read`.

    Returns:
      `SentencePieceModel` or `WordPieceVocabulary`.

    Raises:
      FileNotFoundError, ValueError: There is not exactly one of both, or it is wrong.
    """
    if (sp_model is None) == (vocab_file is None):
        both = "none" if sp_model is None else "both"
        raise ValueError(
            "There must be one vocabulary: sp_model, a SentencePiece model such as "
            "30k-clean.model, or vocab_file, a WordPiece vocabulary such as the vocab.txt of "
            f"Chinese models. Received: {both}."
        )
    if vocab_file is not None or isinstance(sp_model, WordPieceVocabulary):
        given = sp_model if vocab_file is None else vocab_file
        return WordPieceVocabulary.read(given, do_lower_case)
    if do_lower_case is not None:
        raise ValueError(
            "do_lower_case is for a WordPiece vocabulary, vocab_file. Received: "
            f"do_lower_case={do_lower_case} with sp_model. Leave it out: with a SentencePiece "
            "model, text is lower-cased."
        )
    return SentencePieceModel.read(sp_model)


def found_vocabulary(path, do_lower_case=None, task=None):
    """The vocabulary in a file that lies with a checkpoint: a .txt is WordPiece.

    Args:
      path: Path of the file.
      do_lower_case: As for `given_vocabulary`.
      task: `Checkpoint.task` of the checkpoint, for what a SavedModel says about lower-casing.
    """
    if not is_wordpiece_file(path):
        return given_vocabulary(path, do_lower_case=do_lower_case)
    if do_lower_case is None:
        do_lower_case = (task or {}).get("do_lower_case")
    return WordPieceVocabulary.read(path, do_lower_case)


def is_wordpiece_file(path):
    """Whether a file that was found is a WordPiece vocabulary, by its name."""
    return os.fspath(path).endswith(WORDPIECE_ENDING)


def reference_tokenizer(vocabulary):
    """The tokenizer in plain Python for an opened vocabulary."""
    if isinstance(vocabulary, WordPieceVocabulary):
        return WordPieceReferenceTokenizer(vocabulary)
    return ReferenceTokenizer(vocabulary)


def vocabulary_record(vocabulary):
    """What task.json tells about a vocabulary besides the rules: {do_lower_case} of WordPiece."""
    if isinstance(vocabulary, WordPieceVocabulary):
        return {"do_lower_case": vocabulary.do_lower_case}
    return {}

"""The vocabulary in a SavedModel, under the names that TF Hub's models have."""

import tensorflow as tf

from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary


def attach_vocabulary(root, vocabulary):
    """Makes a vocabulary part of the object that is saved.

    A SentencePiece model is the asset `sp_model_file`, as in TF Hub's ALBERTs. A WordPiece
    vocabulary is the asset `vocab_file`, beside the variable `do_lower_case`, as in its BERTs.

    Args:
      root: The trackable object to save. Its list `variables` does not get `do_lower_case`.
      vocabulary: `SentencePieceModel`, `WordPieceVocabulary`, or None for none.
    """
    if vocabulary is None:
        return
    asset = tf.saved_model.Asset(vocabulary.path)
    if isinstance(vocabulary, WordPieceVocabulary):
        root.vocab_file = asset
        root.do_lower_case = tf.Variable(
            vocabulary.do_lower_case, trainable=False, name="do_lower_case"
        )
    else:
        root.sp_model_file = asset

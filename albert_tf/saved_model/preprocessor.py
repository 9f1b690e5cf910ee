"""The preprocessor as a SavedModel, a drop-in for tensorflow/albert_en_preprocess/3."""

import tensorflow as tf

from albert_tf._types import Path
from albert_tf.atomic import replacing_directory
from albert_tf.saved_model.contract.check import check_or_raise
from albert_tf.saved_model.contract.checklist import Check
from albert_tf.saved_model.tracing import traced_once
from albert_tf.saved_model.vocabulary_asset import attach_vocabulary
from albert_tf.text.given_vocabulary import given_vocabulary
from albert_tf.text.preprocessor import Preprocessor
from albert_tf.text.rules import rules_for
from albert_tf.text.sentencepiece_model import SentencePieceModel

_TEXT = tf.TensorSpec([None], tf.string, name="inputs")
_IDS = tf.RaggedTensorSpec([None, None], tf.int32, ragged_rank=1, row_splits_dtype=tf.int64)
_WORDS = tf.RaggedTensorSpec([None, None, None], tf.int32, ragged_rank=2, row_splits_dtype=tf.int64)
_DENSE_IDS = tf.TensorSpec([None, None], tf.int32)
_LENGTH = tf.TensorSpec([], tf.int32, name="seq_length")


def export_preprocessor(
    sp_model: Path | None = None,
    path: Path | None = None,
    rules: str | None = None,
    seq_length: int = 128,
    overwrite: bool = False,
    vocab_file: Path | None = None,
    do_lower_case: bool | None = None,
) -> list[Check]:
    """Writes the preprocessor SavedModel.

    The loaded object has `__call__`, `tokenize`, `tokenize_with_offsets`, `detokenize`,
    `bert_pack_inputs`, `encode_pairs`, `get_special_tokens_dict`, `rules()` and the signature
    `serving_default(sentences)`, as `Preprocessor` documents them; the asset `sp_model_file`, or
    for WordPiece, as in TF Hub's BERT models, the asset `vocab_file` and the bool `do_lower_case`
    (`do_lower_case.numpy()`). `variables` is empty.
    Programs that load it need tensorflow-text of their TensorFlow (`import tensorflow_text`).

    Args:
      sp_model: Path of the SentencePiece model; its name is kept in assets/. None with
        `vocab_file`.
      path: Directory to write.
      rules: "tfhub" or "original", see `Preprocessor`; it must be what the model behind it was
        trained with. Default: what task.json beside `sp_model` says, or else "tfhub". That is not
        the default of the rest of the package, because this SavedModel takes the place of
        tensorflow/albert_en_preprocess/3, and models that were trained behind that one need its
        ids. `rules()` of the SavedModel tells.
      seq_length: Length of the outputs of the root and the signature; default of the rest.
      overwrite: Whether an earlier output at `path` is replaced.
      vocab_file, do_lower_case: A WordPiece vocabulary instead of `sp_model`, as of `Preprocessor`;
        its `rules` are "original".

    Returns:
      The list of `albert_tf.saved_model.contract.checklist.Check` that the SavedModel passed
      before it appeared at `path`.

    Raises:
      ImportError: If tensorflow-text is missing.
      FileExistsError: If `path` exists and may not be replaced.
      FileNotFoundError, ValueError: For a wrong vocabulary, `rules` or `seq_length`.

    Example:
      >>> import tempfile
      >>> import albert_tf
      >>> from albert_tf import albert_tiny_en
      >>> path = tempfile.mkdtemp() + "/preprocessor"
      >>> _ = albert_tf.export_preprocessor(albert_tiny_en.SP_MODEL, path, seq_length=16)
      >>> preprocessor = albert_tf.KerasLayer(path)
      >>> preprocessor(["Hello world"])["input_word_ids"].shape
      TensorShape([1, 16])
    """
    if path is None:
        raise ValueError("There must be a directory to write, `path`. Received: None.")
    with replacing_directory(path, overwrite) as directory:
        vocabulary = given_vocabulary(sp_model, vocab_file, do_lower_case)
        if isinstance(vocabulary, SentencePieceModel):
            rules = rules_for(vocabulary.path, rules, default="tfhub")
        with traced_once():
            root = exportable_preprocessor(Preprocessor(vocabulary, rules, seq_length))

        sentences = tf.TensorSpec([None], tf.string, name="sentences")

        @tf.function(input_signature=[sentences], autograph=False)
        def serve(sentences):
            return root.__call__(sentences)

        tf.saved_model.save(root, str(directory), signatures={"serving_default": serve})
        return check_or_raise(str(directory))


def exportable_preprocessor(preprocessor):
    """Wraps a live `Preprocessor` into an object that `tf.saved_model.save` saves complete.

    Args:
      preprocessor: `Preprocessor`.

    Returns:
      Trackable object with the members that `export_preprocessor` lists. Make it an attribute of
      another object to save both together.
    """
    root = tf.train.Checkpoint()
    root.__call__ = _keras_function(preprocessor)
    root.tokenize = tf.train.Checkpoint()
    root.tokenize.__call__ = _keras_function(preprocessor.tokenize)
    root.tokenize.get_special_tokens_dict = _function(preprocessor.get_special_tokens_dict, [])
    root.get_special_tokens_dict = root.tokenize.get_special_tokens_dict
    root.tokenize_with_offsets = _function(preprocessor.tokenize_with_offsets, [_TEXT])
    root.detokenize = _function(preprocessor.detokenize, [_IDS], [_DENSE_IDS])
    root.bert_pack_inputs = _packing_function(
        preprocessor.bert_pack_inputs,
        preprocessor.seq_length,
        *([spec] * segments for spec in (_IDS, _WORDS) for segments in (1, 2)),
    )
    root.encode_pairs = _pairs_function(preprocessor)
    root.rules = _function(lambda: tf.constant(preprocessor.rules), [])
    attach_vocabulary(root, preprocessor.tokenize.vocabulary)
    # Holds the model's resource, which the functions use.
    root.live_preprocessor = preprocessor
    for part in (root, root.tokenize):
        part.variables, part.trainable_variables, part.regularization_losses = [], [], []
    return root


def _function(method, *signatures):
    """A tf.function of positional arguments, traced for each list of specs."""
    function = tf.function(method, autograph=False)
    for specs in signatures:
        function.get_concrete_function(*specs)
    return function


def _keras_function(layer):
    """A tf.function with the arguments of a Keras layer's call."""

    def call(inputs, training=False, mask=None):
        return layer(inputs, training=training, mask=mask)

    function = tf.function(call, autograph=False)
    for training in (True, False):
        function.get_concrete_function(_TEXT, training=training, mask=None)
    return function


def _packing_function(method, default_length, *signatures):
    def bert_pack_inputs(inputs, seq_length=default_length):
        return method(inputs, seq_length=seq_length)

    return _function(bert_pack_inputs, *([segments, _LENGTH] for segments in signatures))


def _pairs_function(preprocessor):
    def encode_pairs(first, second, seq_length=preprocessor.seq_length):
        return preprocessor.encode_pairs(first, second, seq_length=seq_length)

    return _function(encode_pairs, [_TEXT, _TEXT, _LENGTH])

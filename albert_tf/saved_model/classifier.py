"""A classifier as a SavedModel: text in, label and probabilities out."""

import tensorflow as tf

from albert_tf.saved_model.tasks import (
    TaskExport,
    check_model,
    checked_labels,
    export_task,
    pack_to_longest,
)
from albert_tf.tasks.classifier import AlbertClassifier


def export_classifier(
    model,
    path,
    sp_model,
    labels=None,
    rules="tfhub",
    seq_length=128,
    pairs=False,
    overwrite=False,
    skip_padding=True,
):
    """Writes a SavedModel that classifies text (or, with one class, rates it).

    Includes tokenizer, encoder and head. It is reusable, too: loaded, it can be called on ids and
    trained further, for example with `albert_tf.KerasLayer`. Programs that load it need
    tensorflow-text of their TensorFlow: `import tensorflow_text` before `tf.saved_model.load`, or
    TensorFlow reports "Op type not registered 'SentencepieceOp'". The contract is in
    `albert_tf/saved_model/task_contract.py`; it is checked before the SavedModel appears.

    Signatures (all inputs of any batch size):
      serving_default: {text: string [batch]}, with `pairs` {text_a, text_b: string [batch]} ->
        {label: string [batch], probabilities: float32 [batch, classes]}, with one class
        {score: float32 [batch]}.
      ids: {input_word_ids, input_mask, input_type_ids: int32 [batch, length]} -> the same.

    Args:
      model: An `AlbertClassifier`.
      path: Directory to write.
      sp_model: Path of the SentencePiece model that the encoder was trained with.
      labels: Names of the classes, in order. Default: "0", "1", ... Not for regression.
      rules: "tfhub" or "original", as in training: `Preprocessor` has the first by default,
        the package's readers of training data have the second.
      seq_length: Longest input in tokens; what exceeds it is cut off, as in training.
      pairs: Whether the text inputs are pairs of texts.
      overwrite: Whether an earlier output at `path` is replaced.
      skip_padding: Whether the encoder computes tokens only, not padding. Answers are the same, in
        less time. XLA cannot compile it.

    Returns:
      The list of `albert_tf.saved_model.check.Check` that the SavedModel passed.

    Raises:
      ImportError: tensorflow-text is missing.
      FileExistsError: There is something at `path`, and not `overwrite`.
      TypeError, ValueError: An argument is not as above.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> from albert_tf import albert_tiny_en
    >>> import tensorflow as tf
    >>> import tensorflow_text
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> classifier = albert_tf.AlbertClassifier(encoder)
    >>> path = tempfile.mkdtemp() + "/sentiment"
    >>> _ = albert_tf.export_classifier(classifier, path, albert_tiny_en.SP_MODEL,
    ...                                 labels=["negative", "positive"], seq_length=64)
    >>> serve = tf.saved_model.load(path).signatures["serving_default"]
    >>> sorted(serve(text=tf.constant(["I liked it."])))
    ['label', 'probabilities']
    """
    check_model(model, AlbertClassifier)
    regression = model.num_classes == 1
    if regression and labels is not None:
        raise ValueError(
            "`labels` must be None for regression: there are no classes to name. "
            f"Received: {labels!r}."
        )
    names = None if regression else checked_labels(labels, model.num_classes)

    def answer(logits):
        if regression:
            return {"score": logits[:, 0]}
        label = tf.gather(tf.constant(names), tf.argmax(logits, -1))
        return {"label": label, "probabilities": tf.nn.softmax(logits)}

    def answer_text(preprocessor, compute, **texts):
        segments = [preprocessor.tokenize(text) for text in texts.values()]
        return answer(compute(pack_to_longest(preprocessor, segments)))

    export = TaskExport(
        task="regression" if regression else "classification",
        model=model,
        text_inputs={"text_a": 1, "text_b": 1} if pairs else {"text": 1},
        answer_text=answer_text,
        answer_ids=answer,
        labels=names,
    )
    return export_task(export, path, sp_model, rules, seq_length, overwrite, skip_padding)

"""A classifier as a SavedModel: text in, label and probabilities out."""

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import tensorflow as tf

from albert_tf._types import Path
from albert_tf.saved_model.arguments import ExportOptions, check_model, checked_labels
from albert_tf.saved_model.contract.checklist import Check
from albert_tf.saved_model.tasks import TaskExport, export_task, exporter
from albert_tf.tasks.classifier import (
    MULTI_LABEL,
    REGRESSION,
    SINGLE_LABEL,
    AlbertClassifier,
    check_problem_type,
)
from albert_tf.text.preprocessor import pack_to_longest

_TASKS = {REGRESSION: "regression", SINGLE_LABEL: "classification", MULTI_LABEL: "multi_label"}


@exporter
def export_classifier(
    model: AlbertClassifier,
    path: Path,
    sp_model: Path | None = None,
    labels: Sequence[str] | None = None,
    seq_length: int = 128,
    pairs: bool = False,
    problem_type: str | None = None,
    threshold: float | Sequence[float] = 0.5,
    **options: Unpack[ExportOptions],
) -> list[Check]:
    """Writes a SavedModel that classifies text, or rates it, as its problem type says.

    Includes tokenizer, encoder and head. It is reusable, too: loaded, it can be called on ids and
    trained further, for example with `albert_tf.KerasLayer`. Programs that load it need
    tensorflow-text of their TensorFlow: `import tensorflow_text` before `tf.saved_model.load`, or
    TensorFlow reports "Op type not registered 'SentencepieceOp'". The contract is in
    `albert_tf/saved_model/contract/tasks.py`; it is checked before the SavedModel appears.

    Signatures (all inputs of any batch size):
      serving_default: {text: string [batch]}, with `pairs` {text_a, text_b: string [batch]} ->
        for one class a text {label: string [batch], probabilities: float32 [batch, classes]},
          which sum to 1;
        for several labels a text {predictions: bool [batch, classes], probabilities: float32
          [batch, classes]}, each from 0 to 1;
        for regression {score: float32 [batch]}, or [batch, classes] of several numbers.
      ids: {input_word_ids, input_mask, input_type_ids: int32 [batch, length]} -> the same.

    Args:
      model: An `AlbertClassifier`.
      path: Directory to write.
      sp_model: Path of the SentencePiece model that the encoder was trained with. None with
        `vocab_file`.
      labels: Names of the classes, in order. Default: `model.labels`, or else "0", "1", ... Not for
        regression.
      seq_length: Longest input in tokens; what exceeds it is cut off, as in training.
      pairs: Whether the text inputs are pairs of texts.
      problem_type: "single_label_classification" (softmax), "multi_label_classification" (sigmoid)
        or "regression". Default: `model.problem_type`, which looks at the loss that it was compiled
        with; where there was none, as in a training loop of your own, say it.
      threshold: Probability from which a label is predicted, where a text has several: a number,
        or one for each label.
      rules: Text rules of the training, "original" or "tfhub". Default: those of the model, or
        else of task.json beside `sp_model`, or else "original", with which this package trains
        and tokenizes. Only the output of `export_preprocessor` has others by default.
      overwrite: Whether an earlier output at `path` is replaced.
      skip_padding: Whether the encoder computes tokens only, not padding. Answers are the same, in
        less time. XLA cannot compile it.
      compute_dtype: "float32", "bfloat16" or "float16", what blocks and pooler compute in.
        Variables and outputs are float32 in any case. Default: that of the encoder.
      warmup: Whether to write `assets.extra/tf_serving_warmup_requests`, a few requests that
        TensorFlow Serving computes before it answers the first one.
      vocab_file, do_lower_case: A WordPiece vocabulary instead of `sp_model`, as of `Preprocessor`.

    Returns:
      The list of `albert_tf.saved_model.contract.checklist.Check` that the SavedModel passed.

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
    task = classifier_task(model, labels, pairs, problem_type, threshold)
    return export_task(task, path, sp_model, seq_length=seq_length, **options)


def classifier_task(
    model, labels=None, pairs=False, problem_type=None, threshold: float | Sequence[float] = 0.5
):
    """The `TaskExport` of `export_classifier`, which describes the arguments."""
    check_model(model, AlbertClassifier)
    check_problem_type(problem_type, model.num_classes)
    problem_type = problem_type or model.problem_type
    if problem_type == REGRESSION and labels is not None:
        raise ValueError(
            "`labels` must be None for regression: there are no classes to name. "
            f"Received: {labels!r}."
        )
    task = _TASKS[problem_type]
    labels = model.labels if labels is None else labels
    names = None if task == "regression" else checked_labels(labels, model.num_classes)
    settings = {"problem_type": problem_type}
    if task == "multi_label":
        settings["thresholds"] = _checked_thresholds(threshold, model.num_classes)

    def answer(logits):
        if task == "regression":
            return {"score": logits[:, 0] if model.num_classes == 1 else logits}
        if task == "multi_label":
            probabilities = tf.sigmoid(logits)
            predictions = probabilities >= tf.constant(settings["thresholds"])
            return {"predictions": predictions, "probabilities": probabilities}
        label = tf.gather(tf.constant(names or ()), tf.argmax(logits, -1))
        return {"label": label, "probabilities": tf.nn.softmax(logits)}

    def answer_text(preprocessor, compute, **texts):
        segments = [preprocessor.tokenize(text) for text in texts.values()]
        return answer(compute(pack_to_longest(preprocessor, segments)))

    return TaskExport(
        task=task,
        model=model,
        text_inputs={"text_a": 1, "text_b": 1} if pairs else {"text": 1},
        answer_text=answer_text,
        answer_ids=answer,
        labels=names,
        settings=settings,
    )


def _checked_thresholds(threshold, num_classes):
    """One probability for each label, a list of float."""
    thresholds = np.asarray(threshold)
    if (
        thresholds.dtype.kind not in "fiu"
        or thresholds.shape not in ((), (num_classes,))
        or not np.all((thresholds >= 0) & (thresholds <= 1))
    ):
        raise ValueError(
            f"`threshold` must be a probability, or a list of {num_classes}, one for each label. "
            f"Received: {threshold!r}."
        )
    return np.broadcast_to(thresholds, [num_classes]).astype(float).tolist()

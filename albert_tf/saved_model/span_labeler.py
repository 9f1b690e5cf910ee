"""Question answering as a SavedModel: question and context in, best answers out."""

from typing import Unpack

import tensorflow as tf

from albert_tf._types import Path
from albert_tf.saved_model.arguments import ExportOptions, check_model, check_positive
from albert_tf.saved_model.best_spans import (
    best_spans,
    conditional_candidates,
    independent_candidates,
)
from albert_tf.saved_model.contract.checklist import Check
from albert_tf.saved_model.tasks import TaskExport, export_task, exporter
from albert_tf.saved_model.windows import sliding_windows
from albert_tf.tasks.span_labeler import AlbertSpanLabeler


@exporter
def export_span_labeler(
    model: AlbertSpanLabeler,
    path: Path,
    sp_model: Path | None = None,
    seq_length: int = 384,
    doc_stride: int = 128,
    max_query_length: int = 64,
    max_answer_length: int = 30,
    n_best: int = 5,
    no_answer_threshold: float | None = None,
    **options: Unpack[ExportOptions],
) -> list[Check]:
    """Writes a SavedModel that answers questions with spans of a context.

    Includes tokenizer, encoder and head, and is reusable, as that of `export_classifier`: see there
    for what programs need that load it. A context that is too long is read in overlapping windows,
    all of it.

    Signatures (any batch size):
      serving_default: {question: string [batch], context: string [batch]} -> a dict with
        answer: string [batch], the best answer as it stands in the context, or "" where there is
          none.
        no_answer_score: float32 [batch], high where the context holds no answer: the least of the
          windows' `cls_logits`; of the simple head, the score of [CLS] minus that of the best span.
        answers: string [batch, n_best], best first.
        scores: float32 [batch, n_best]: sum of the logits, with version_2 of the log probabilities,
          of start and end.
        probabilities: float32 [batch, n_best], softmax of these scores.
        byte_starts, byte_ends, char_starts, char_ends: int32 [batch, n_best], where in the context
          the answer is, in bytes of UTF-8 and in characters.
        Where there are fewer spans: "", the score -1e6, offsets -1.
      ids: {input_word_ids, input_mask, input_type_ids: int32 [batch, length]} -> the outputs of
        `AlbertSpanLabeler`. With `skip_padding`, the simple head's logits at padding are those of a
        zero vector. Its softmax in training is over padding, too: pass False to train it on.

    Args:
      model: An `AlbertSpanLabeler`.
      path, sp_model, **options: As of `export_classifier`.
      seq_length: Longest window in tokens.
      doc_stride: Distance of windows in tokens.
      max_query_length: Longest question in tokens; the rest is cut off, as in training.
      max_answer_length: Longest answer in tokens.
      n_best: Number of answers.
      no_answer_threshold: The answer is "" unless `no_answer_score` is below it, such as the best
        threshold of an evaluation. Default: 0 with version_2, for the simple head no threshold: the
        best span is the answer.

    Returns, Raises: As `export_classifier`.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> model, path = albert_tf.AlbertSpanLabeler(encoder), tempfile.mkdtemp() + "/answers"
    >>> _ = albert_tf.export_span_labeler(model, path, albert_tf.albert_tiny_en.SP_MODEL)
    >>> sorted(albert_tf.Predictor(path)(question="Who sang?", context="Ann sang."))
    ['answer', 'end', 'score', 'start']

    Reference: `convert_examples_to_features`, `write_predictions_v1` and `_v2` in the original's
    squad_utils.py.
    """
    task = span_labeler_task(
        model, doc_stride, max_query_length, max_answer_length, n_best, no_answer_threshold
    )
    return export_task(task, path, sp_model, seq_length=seq_length, **options)


def span_labeler_task(
    model,
    doc_stride=128,
    max_query_length=64,
    max_answer_length=30,
    n_best=5,
    no_answer_threshold=None,
):
    """The `TaskExport` of `export_span_labeler`, which describes the arguments."""
    check_model(model, AlbertSpanLabeler)
    check_positive(
        doc_stride=doc_stride,
        max_query_length=max_query_length,
        max_answer_length=max_answer_length,
        n_best=n_best,
    )

    def check_length(seq_length):
        if max_query_length > seq_length - 4:
            raise ValueError(
                "`max_query_length` must leave room for [CLS], two [SEP] and context: at most "
                f"seq_length - 4. Received: max_query_length={max_query_length}, "
                f"seq_length={seq_length}."
            )

    if no_answer_threshold is None and model.version_2:
        no_answer_threshold = 0.0

    def answer_text(preprocessor, compute, question, context):
        check = tf.debugging.assert_equal(
            tf.shape(question), tf.shape(context), "question and context must have as many rows."
        )
        with tf.control_dependencies([check] if check is not None else []):
            question = tf.identity(question)
        query = preprocessor.tokenize(question)[:, :max_query_length]
        tokens, starts, limits = preprocessor.tokenize_with_offsets(context)
        windows = sliding_windows(
            tokens,
            preprocessor.seq_length,
            doc_stride,
            preprocessor.tokenize.vocabulary.special_ids,
            query,
        )
        outputs = compute(_inputs(windows, model.version_2))
        candidates = conditional_candidates if model.version_2 else independent_candidates
        spans = best_spans(
            candidates(outputs, windows, max_answer_length),
            windows,
            context,
            starts,
            limits,
            n_best,
        )
        if model.version_2:
            no_answer_score = tf.math.segment_min(outputs["cls_logits"], windows.examples)
        else:
            null = outputs["start_logits"][:, 0] + outputs["end_logits"][:, 0]
            no_answer_score = tf.math.segment_min(null, windows.examples) - spans["scores"][:, 0]
        answer = spans["answers"][:, 0]
        if no_answer_threshold is not None:
            answer = tf.where(no_answer_score < no_answer_threshold, answer, "")
        return {"answer": answer, "no_answer_score": no_answer_score, **spans}

    return TaskExport(
        task="span",
        model=model,
        text_inputs={"question": 1, "context": 1},
        answer_text=answer_text,
        answer_ids=lambda outputs: outputs,
        settings={
            "version_2": model.version_2,
            "doc_stride": doc_stride,
            "max_query_length": max_query_length,
            "max_answer_length": max_answer_length,
            "no_answer_threshold": no_answer_threshold,
        },
        further_inputs={"p_mask": 2, "start_positions": 1} if model.version_2 else {},
        needed_in_training=("start_positions",) if model.version_2 else (),
        check_length=check_length,
    )


def _inputs(windows, version_2):
    if not version_2:
        return windows.inputs
    is_cls = tf.range(tf.shape(windows.tokens)[1]) == 0
    return {**windows.inputs, "p_mask": 1 - tf.cast(windows.is_text | is_cls, tf.int32)}

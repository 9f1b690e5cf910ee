"""A multiple-choice model as a SavedModel: context, question and choices in, answer out."""

from typing import Unpack

import tensorflow as tf

from albert_tf._types import Path
from albert_tf.saved_model.arguments import ExportOptions, check_model, check_positive
from albert_tf.saved_model.contract.checklist import Check
from albert_tf.saved_model.tasks import TaskExport, export_task, exporter
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.text.preprocessor import pack_to_longest


@exporter
def export_multiple_choice(
    model: AlbertMultipleChoice,
    path: Path,
    sp_model: Path | None = None,
    seq_length: int = 512,
    max_qa_length: int = 128,
    **options: Unpack[ExportOptions],
) -> list[Check]:
    """Writes a SavedModel that answers multiple-choice questions on a text.

    Includes tokenizer, encoder and head, and is reusable, as that of `export_classifier`: see there
    for what programs need that load it.

    As in the original, a choice replaces every "_" in the question, or follows the question if it
    has none; then [CLS] context [SEP] question and choice [SEP]. Of question and choice the last
    `max_qa_length` tokens count; the context is cut at its end.

    Signatures (any batch size and number of choices, which all examples of a batch share):
      serving_default: {context: string [batch], question: string [batch],
        choices: string [batch, choices]} -> {choice: int32 [batch], answer: string [batch],
        probabilities: float32 [batch, choices]}. A choice "" is absent, for questions with fewer
        choices than others of the batch: its probability is 0, and it is no answer.
      ids: {input_word_ids, input_mask, input_type_ids: int32 [batch, choices, length]} ->
        {choice, probabilities}.

    Args:
      model: An `AlbertMultipleChoice`.
      path, sp_model, **options: As of `export_classifier`.
      seq_length: Longest input in tokens.
      max_qa_length: Longest question with choice, in tokens; seq_length - 3 if it is more.

    Returns, Raises: As `export_classifier`.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> model, path = albert_tf.AlbertMultipleChoice(encoder), tempfile.mkdtemp() + "/choices"
    >>> _ = albert_tf.export_multiple_choice(model, path, albert_tf.albert_tiny_en.SP_MODEL)
    >>> choose = albert_tf.Predictor(path)
    >>> answer = choose(("The dog is black.", "The dog is _ .", ["red", "black"]))
    >>> sorted(answer)
    ['answer', 'choice', 'score']

    Reference: `convert_single_example` in the original's race_utils.py.
    """
    # A wrong seq_length is reported by the preprocessor.
    if isinstance(seq_length, int) and isinstance(max_qa_length, int):
        max_qa_length = min(max_qa_length, max(seq_length - 3, 1))
    task = multiple_choice_task(model, max_qa_length)
    return export_task(task, path, sp_model, seq_length=seq_length, **options)


def multiple_choice_task(model, max_qa_length=128):
    """The `TaskExport` of `export_multiple_choice`, which describes the arguments."""
    check_model(model, AlbertMultipleChoice)
    check_positive(max_qa_length=max_qa_length)

    def answer(logits, present=True):
        logits = tf.where(present, logits, logits.dtype.min)
        choice = tf.argmax(logits, -1, output_type=tf.int32)
        return {"choice": choice, "probabilities": tf.nn.softmax(logits)}

    def answer_text(preprocessor, compute, context, question, choices):
        check = tf.debugging.assert_equal(
            tf.tile(tf.shape(choices)[:1], [2]),
            tf.concat([tf.shape(context), tf.shape(question)], 0),
            "context, question and choices must have as many rows.",
        )
        with tf.control_dependencies([check] if check is not None else []):
            choices = tf.identity(choices)
        batch, count = tf.shape(choices)[0], tf.shape(choices)[1]
        example = tf.repeat(tf.range(batch), count)
        statements = _statements(
            tf.gather(preprocessor.tokenize.normalize(question), example),
            preprocessor.tokenize.normalize(tf.reshape(choices, [-1])),
        )
        seq_length = preprocessor.seq_length
        longest = min(max_qa_length, seq_length - 3)
        second = preprocessor.tokenize(statements)[:, -longest:]
        first = tf.gather(preprocessor.tokenize(context), example)
        room = seq_length - 3 - second.row_lengths()
        position = tf.ragged.range(first.row_lengths()).values
        keep = position < tf.gather(room, first.value_rowids())
        first = tf.ragged.boolean_mask(first, first.with_values(keep))
        inputs = pack_to_longest(preprocessor, [first, second])
        length = tf.shape(inputs["input_word_ids"])[1]
        shape = [batch, count, length]
        logits = compute({name: tf.reshape(x, shape) for name, x in inputs.items()})
        result = answer(logits, choices != "")
        return {**result, "answer": tf.gather(choices, result["choice"], batch_dims=1)}

    return TaskExport(
        task="multiple_choice",
        model=model,
        text_inputs={"context": 1, "question": 1, "choices": 2},
        answer_text=answer_text,
        answer_ids=answer,
        settings={"max_qa_length": max_qa_length},
    )


def _statements(questions, choices):
    """Puts each choice in place of every "_" of its question, or after a question without one.

    Args:
      questions, choices: string [n] each.

    Returns:
      string [n].
    """
    has_blank = tf.strings.regex_full_match(questions, r"(?s).*_.*")
    parts = tf.strings.split(questions, "_")  # [n, (parts)]
    question = parts.value_rowids()
    is_first = tf.range(tf.size(question, tf.int64), dtype=tf.int64) == tf.gather(
        parts.row_starts(), question
    )
    filled = tf.strings.join([tf.where(is_first, "", tf.gather(choices, question)), parts.values])
    filled = tf.strings.unsorted_segment_join(filled, question, tf.size(questions))
    return tf.where(has_blank, filled, tf.strings.join([questions, choices], " "))

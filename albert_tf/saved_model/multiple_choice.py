"""A multiple-choice model as a SavedModel: context, question and choices in, answer out."""

import tensorflow as tf

from albert_tf.saved_model.tasks import (
    TaskExport,
    check_model,
    check_positive,
    export_task,
)
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.text.given_vocabulary import given_vocabulary
from albert_tf.text.preprocessor import pack_to_longest


def export_multiple_choice(
    model,
    path,
    sp_model=None,
    rules=None,
    seq_length=512,
    max_qa_length=128,
    overwrite=False,
    skip_padding=True,
    compute_dtype=None,
    warmup=False,
    vocab_file=None,
    do_lower_case=None,
):
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
      path, sp_model, rules, overwrite, skip_padding, compute_dtype, warmup, vocab_file,
        do_lower_case: As of `export_classifier`.
      seq_length: Longest input in tokens.
      max_qa_length: Longest question with choice, in tokens; seq_length - 3 if it is more.

    Returns:
      The list of `albert_tf.saved_model.contract.checklist.Check` that the SavedModel passed.

    Raises: As `export_classifier`.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> from albert_tf import albert_tiny_en
    >>> import tensorflow as tf
    >>> import tensorflow_text
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> model = albert_tf.AlbertMultipleChoice(encoder)
    >>> path = tempfile.mkdtemp() + "/choices"
    >>> _ = albert_tf.export_multiple_choice(model, path, albert_tiny_en.SP_MODEL)
    >>> serve = tf.saved_model.load(path).signatures["serving_default"]
    >>> answer = serve(context=tf.constant(["The dog is black."]),
    ...                question=tf.constant(["The dog is _ ."]),
    ...                choices=tf.constant([["red", "black"]]))
    >>> answer["probabilities"].shape
    TensorShape([1, 2])

    Reference: `convert_single_example` in the original's race_utils.py.
    """
    # A wrong seq_length is reported by the preprocessor.
    if isinstance(seq_length, int) and isinstance(max_qa_length, int):
        max_qa_length = min(max_qa_length, max(seq_length - 3, 1))
    task = multiple_choice_task(model, max_qa_length)
    vocabulary = given_vocabulary(sp_model, vocab_file, do_lower_case)
    return export_task(
        task, path, vocabulary, rules, seq_length, overwrite, skip_padding, compute_dtype, warmup
    )


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
    rows = parts.value_rowids()
    is_first = tf.range(tf.size(rows, tf.int64), dtype=tf.int64) == tf.gather(
        parts.row_starts(), rows
    )
    filled = tf.strings.join([tf.where(is_first, "", tf.gather(choices, rows)), parts.values])
    filled = tf.strings.unsorted_segment_join(filled, rows, tf.size(questions))
    return tf.where(has_blank, filled, tf.strings.join([questions, choices], " "))

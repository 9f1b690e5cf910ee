"""A question with options as one row an option, as the original makes them for RACE."""

from collections.abc import Sequence

import numpy as np

from albert_tf.data.progress import progress
from albert_tf.data.report import Report
from albert_tf.data.tasks.examples import ExampleSet, MultipleChoiceExample
from albert_tf.data.tasks.features import Features, check_length, empty_rows, fill_row
from albert_tf.text.reference import ReferenceTokenizer, preprocess_text
from albert_tf.text.wordpiece import WordPieceReferenceTokenizer

CUT_CONTEXTS = "contexts cut at their end"
CUT_ANSWERS = "questions with an option cut at their front"


def multiple_choice_features(
    examples: ExampleSet | Sequence[MultipleChoiceExample],
    tokenizer: ReferenceTokenizer | WordPieceReferenceTokenizer,
    max_seq_length: int = 512,
    max_qa_length: int = 128,
) -> Features:
    """Turns questions with options into ids.

    Each option makes a row `[CLS] context [SEP] question and option [SEP]`; see `question_option`.
    Question and option keep their last `max_qa_length` pieces, then the context its first pieces.

    Args:
      examples: `ExampleSet` of `MultipleChoiceExample`s with C options each.
      tokenizer: `albert_tf.text.reference.ReferenceTokenizer`.
      max_seq_length: Length of all rows, S.
      max_qa_length: Most pieces of question and option together, at least 1; S - 3 if it is more.

    Returns:
      `Features` of N rows: input_ids, input_mask, segment_ids int32 [N, C, S]; label_ids int32 [N];
      is_real_example int32 [N], all 1. The report counts what was cut.

    Raises:
      ValueError: If the lengths do not fit or the numbers of options differ.

    Example:
      >>> import albert_tf
      >>> from albert_tf.data.tasks.examples import ExampleSet, MultipleChoiceExample
      >>> example = MultipleChoiceExample("1", "Ann ran.", "Who ran?", ("Ann", "Bob"), 0)
      >>> tokenizer = albert_tf.ReferenceTokenizer(albert_tf.albert_tiny_en.SP_MODEL)
      >>> features = albert_tf.multiple_choice_features(ExampleSet([example], []), tokenizer, 32)
      >>> features["input_ids"].shape
      (1, 2, 32)

    Reference: `convert_single_example` in the original's race_utils.py.
    """
    check_length(max_seq_length, 4)
    if max_qa_length < 1:
        raise ValueError(f"max_qa_length must be at least 1. Received: {max_qa_length}.")
    max_qa_length = min(max_qa_length, max_seq_length - 3)
    choices = len(examples[0].options)
    arrays = empty_rows([len(examples), choices, max_seq_length])
    report, contexts = Report(), {}
    for row, example in enumerate(progress(examples, "Questions to ids")):
        if len(example.options) != choices:
            raise ValueError(
                "All questions must have the same number of options. "
                f"Received: {choices} and, in {example.guid}, {len(example.options)}."
            )
        if example.context not in contexts:
            contexts = {example.context: tokenizer.encode(example.context)}
        context = contexts[example.context]
        location = f"{example.guid} {example.question!r:.40}"
        texts = [question_option(example.question, x, tokenizer.normalize) for x in example.options]
        answers = [tokenizer.encode(text) for text in texts]
        if max(map(len, answers)) > max_qa_length:
            report.add(CUT_ANSWERS, location)
        answers = [answer[-max_qa_length:] for answer in answers]
        rooms = [max_seq_length - 3 - len(answer) for answer in answers]
        if len(context) > min(rooms):
            report.add(CUT_CONTEXTS, location)
        for choice, (answer, room) in enumerate(zip(answers, rooms)):
            fill_row(arrays, (row, choice), tokenizer, context[:room], answer)
    arrays["label_ids"] = np.array([example.label or 0 for example in examples], np.int32)
    arrays["is_real_example"] = np.ones(len(examples), np.int32)
    return Features(arrays, report, has_labels=examples[0].label is not None)


def question_option(question, option, normalize=preprocess_text):
    """Question and option as one text: the option in place of every "_", or else after a space.

    Both are normalized first, by the tokenizer's `normalize`: as in the original, a full-width "＿"
    is a gap for SentencePiece, too, and none for WordPiece.
    """
    question, option = normalize(question), normalize(option)
    return question.replace("_", option) if "_" in question else f"{question} {option}"

import json

import pytest

from albert_tf.data.tasks import race
from albert_tf.data.tasks.examples import ExampleSet, MultipleChoiceExample
from albert_tf.data.tasks.multiple_choice_features import multiple_choice_features, question_option
from albert_tf.text.reference import ReferenceTokenizer
from tests.conftest import FIXTURES


@pytest.fixture
def tokenizer(sp_model):
    return ReferenceTokenizer(sp_model)


def test_contexts_lose_their_end_and_answers_their_front(tokenizer):
    context, question, options = (
        "the name of the python file is not",
        "why so ?",
        ("a", "long " * 9 + "b"),
    )
    examples = ExampleSet([MultipleChoiceExample("1", context, question, options, 1)], [])
    features = multiple_choice_features(examples, tokenizer, max_seq_length=14, max_qa_length=6)
    context = tokenizer.encode(context)
    for choice, option in enumerate(options):
        answer = tokenizer.encode(f"{question} {option}")[-6:]
        row = [2, *context[: 11 - len(answer)], 3, *answer, 3]
        padding = [0] * (14 - len(row))
        assert features["input_ids"][0, choice].tolist() == row + padding
        assert features["input_mask"][0, choice].tolist() == [1] * len(row) + padding
        segments = [0] * (len(row) - len(answer) - 1) + [1] * (len(answer) + 1)
        assert features["segment_ids"][0, choice].tolist() == segments + padding
    assert features["label_ids"].tolist() == [1]
    assert features.report.counts == {
        "questions with an option cut at their front": 1,
        "contexts cut at their end": 1,
    }


def test_options_fill_every_gap():
    assert question_option("From _ to _ ,", "ONE ") == "from one to one ,"
    assert question_option("a \uff3f b", "x") == "a x b"  # Full-width low line.
    assert question_option("Why?", "") == "why? "


def test_refuses_lengths_and_numbers_that_do_not_fit(tokenizer):
    pair = MultipleChoiceExample("1", "c", "q", ("a", "b"), 0)
    three = MultipleChoiceExample("2", "c", "q", ("a", "b", "c"), 0)
    with pytest.raises(ValueError, match=r"max_qa_length must be at least 1. Received: 0"):
        multiple_choice_features(ExampleSet([pair], []), tokenizer, 16, 0)
    with pytest.raises(ValueError, match=r"same number of options. Received: 2 and, in 2, 3"):
        multiple_choice_features(ExampleSet([pair, three], []), tokenizer, 16, 8)


def test_recordings_of_the_original(shared):
    recorded = json.loads((shared / "golden" / "formats" / "race_expected.json").read_text())
    tokenizer = ReferenceTokenizer(shared / "data" / "albert_spm" / "30k-clean.model")
    examples = race.read(FIXTURES, "dev")
    for row in recorded["features"]:
        features = multiple_choice_features(
            examples, tokenizer, row["max_seq_length"], row["max_qa_length"]
        )
        for key in ("input_ids", "input_mask", "segment_ids"):
            assert features[key][row["i"]].tolist() == row[key]
        assert features["label_ids"][row["i"]] == examples[row["i"]].label

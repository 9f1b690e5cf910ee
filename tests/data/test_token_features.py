import pytest

from albert_tf.data.tasks.examples import ExampleSet, TaggedExample
from albert_tf.data.tasks.token_features import token_features
from albert_tf.text.reference import ReferenceTokenizer


@pytest.fixture
def tokenizer(sp_model):
    return ReferenceTokenizer(sp_model)


def test_labels_are_on_first_pieces(tokenizer):
    words, tags = ("The", "zebra's", "9"), ("O", "ANIMAL", "NUMBER")
    examples = ExampleSet([TaggedExample("1", words, tags)], [], ["ANIMAL", "NUMBER", "O"])
    features = token_features(examples, tokenizer, 16)
    expected_ids, expected_labels = [2], [-1]
    for word, label in zip(words, (2, 0, 1)):
        pieces = tokenizer.tokenize(word)
        first = 1 if pieces[0] == "▁" else 0
        expected_ids += tokenizer.pieces_to_ids(pieces)
        expected_labels += [label if i == first else -1 for i in range(len(pieces))]
    length = len(expected_ids) + 1
    assert length > 6  # At least one word is in several pieces.
    assert features["input_ids"].tolist() == [expected_ids + [3] + [0] * (16 - length)]
    assert features["label_ids"].tolist() == [expected_labels + [-1] * (17 - length)]
    assert features["input_mask"].sum() == length and features["segment_ids"].sum() == 0


def test_what_is_cut_or_has_no_piece_is_counted(tokenizer):
    examples = [
        TaggedExample("a", ("one", "\u200b", "two"), ("X", "X", "Y")),
        TaggedExample("b", ("word",) * 9, ("X",) * 9),
    ]
    features = token_features(ExampleSet(examples, [], ["X", "Y"]), tokenizer, 8)
    assert features.report.counts == {
        "words without any piece, whose tags are not learned": 1,
        "texts cut to max_seq_length": 1,
    }
    assert (features["label_ids"][0] >= 0).sum() == 2
    assert features["input_ids"][1, -1] == 3 and features["label_ids"][1, -1] == -1


def test_unlabeled_words_keep_their_places(tokenizer):
    examples = ExampleSet([TaggedExample("a", ("one", "two"))], [], ())
    features = token_features(examples, tokenizer, 8)
    assert (features["label_ids"] == 0).sum() == 2 and not features.has_labels

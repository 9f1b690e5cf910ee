import pytest
import tensorflow as tf

from albert_tf.saved_model.token_classifier import export_token_classifier
from albert_tf.tasks.token_classifier import AlbertTokenClassifier
from albert_tf.text.preprocessor import Preprocessor
from albert_tf.text.reference import ReferenceTokenizer
from tests.saved_model.task_exports import close, load, small_encoder


@pytest.fixture(scope="module")
def encoder():
    return small_encoder()


@pytest.fixture(scope="module")
def tagger(encoder):
    return AlbertTokenClassifier(encoder, num_classes=3)


def test_token_classifier_tags_words(tagger, sp_model, tmp_path):
    names = ["O", "B-LOC", "I-LOC"]
    export_token_classifier(tagger, tmp_path / "tagger", sp_model, names, seq_length=64, stride=16)
    _, serve = load(tmp_path / "tagger")
    texts = ["Zürich, the 北京 licence", "", "  is\n\u0301\u0302 free "]
    answer = serve(text=tf.constant(texts))
    tokenizer = Preprocessor(sp_model).tokenize
    blank = tokenizer.sp_model.pieces.index("▁")
    assert answer["counts"].numpy().tolist() == [4, 0, 3]
    for i, text in enumerate(texts):
        words = text.split()
        pieces = [tokenizer([word]).values.numpy().tolist() for word in words]
        pieces = [[] if set(piece) <= {blank} else piece for piece in pieces]
        ids = tf.constant([[2, *sum(pieces, []), 3]], tf.int32)
        logits = tagger([ids, tf.ones_like(ids), tf.zeros_like(ids)])[0].numpy()
        position = 1
        for j, (word, piece) in enumerate(zip(words, pieces)):
            assert answer["tokens"][i, j].numpy().decode() == word
            start, end = int(answer["char_starts"][i, j]), int(answer["char_ends"][i, j])
            assert text[start:end] == word
            start, end = int(answer["byte_starts"][i, j]), int(answer["byte_ends"][i, j])
            assert text.encode()[start:end].decode() == word
            if piece:
                first = position + next(k for k, id in enumerate(piece) if id != blank)
                tag = logits[first].argmax()
                assert answer["tags"][i, j] == names[tag].encode()
                close(answer["scores"][i, j], tf.nn.softmax(logits[first])[tag])
            else:
                assert answer["tags"][i, j] == b"" and answer["scores"][i, j] == 0
            position += len(piece)
        assert (answer["char_ends"][i, len(words) :].numpy() == -1).all()
        assert (answer["tags"][i, len(words) :].numpy() == b"").all()


def test_token_classifier_reads_long_texts_in_windows(tagger, sp_model, tmp_path, unchecked):
    export_token_classifier(
        tagger, tmp_path / "tagger", sp_model, seq_length=16, stride=5, units="pieces"
    )
    _, serve = load(tmp_path / "tagger")
    text = "The licence is free of charge, and no warranty is given. " * 3
    answer = serve(text=tf.constant([text]))
    ids, starts, limits = ReferenceTokenizer(sp_model).encode_with_offsets(text)
    assert answer["counts"].numpy().tolist() == [len(ids)]
    assert answer["char_starts"][0].numpy().tolist() == starts
    assert answer["char_ends"][0].numpy().tolist() == limits
    # A token in the middle of its window, and the last one: windows begin every 5 tokens.
    last = -(-(len(ids) - 14) // 5) * 5
    for token, first in ((12, 5), (len(ids) - 1, last)):
        row = tf.constant([[2, *ids[first : first + 14], 3]])
        logits = tagger([row, tf.ones_like(row), tf.zeros_like(row)])[0, token - first + 1]
        close(answer["scores"][0, token], tf.reduce_max(tf.nn.softmax(logits)))
        assert answer["tags"][0, token] == str(int(tf.argmax(logits))).encode()

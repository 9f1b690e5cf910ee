import random
import unicodedata

import pytest
import tensorflow as tf

from albert_tf.text.characters import CLUSTER_PATTERN, byte_to_character_offsets, clusters
from albert_tf.text.characters import _is_follower as is_follower

text = pytest.importorskip("tensorflow_text")

TRICKY = list(
    " \t\u00a0\u3000\u200b\u00adßẞİıΣσςﬁ½Ⅷ,1２，٣\x07\u1100\u1161\u11a8가각ㅏㄱﾡﾢﾞカﾊ゙"
    "\u0301\u0327\u0323\u302a\u0e33\ufe0f\u200d\u0378\ufffd\U0001f600Αabcé"
)


def tricky_texts(count, seed=0):
    random_state = random.Random(seed)
    return ["".join(random_state.choices(TRICKY, k=12)) for _ in range(count)]


def test_clusters_are_closed_under_normalization():
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        for sample in tricky_texts(500):
            normal = "".join(unicodedata.normalize(form, c) for c in clusters(sample))
            assert normal == unicodedata.normalize(form, sample)


def test_graph_and_python_split_alike():
    samples = tricky_texts(500)
    split = text.regex_split_with_offsets(tf.constant(samples), CLUSTER_PATTERN, CLUSTER_PATTERN)[0]
    assert [[c.decode() for c in row] for row in split.to_list()] == [clusters(s) for s in samples]


def test_followers_are_those_that_the_normal_form_says():
    def expected(character):
        first = unicodedata.normalize("NFKD", character)[0]
        vowel_or_final = "\u1160" <= first <= "\u11ff" or "\ud7b0" <= first <= "\ud7fb"
        return vowel_or_final or unicodedata.category(first)[0] == "M"

    surrogates = range(0xD800, 0xE000)
    characters = (chr(c) for c in range(0x110000) if c not in surrogates)
    assert not [hex(ord(c)) for c in characters if is_follower(c) != expected(c)]


def test_byte_to_character_offsets():
    source = "aé中\U0001f600b"
    starts = [len(source[:i].encode()) for i in range(len(source) + 1)]
    assert byte_to_character_offsets(source, starts) == list(range(len(source) + 1))
    assert byte_to_character_offsets(source.encode(), starts) == list(range(len(source) + 1))
    assert byte_to_character_offsets(source, [2]) == [1]  # Inside "é".
    with pytest.raises(ValueError, match="between 0 and the text's 11 bytes"):
        byte_to_character_offsets(source, [12])

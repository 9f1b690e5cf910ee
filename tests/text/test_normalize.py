import os
import subprocess
import sys
import unicodedata

import pytest
import tensorflow as tf

from albert_tf.text.normalize import normalize
from albert_tf.text.reference import preprocess_text
from tests.text.test_characters import tricky_texts

pytest.importorskip("tensorflow_text")


def original(samples):
    return [s.decode() for s in normalize(tf.constant(samples), "original").numpy()]


def test_original_equals_python_on_every_character_of_unicode_3_2():
    # Younger ones depend on the versions of Unicode in Python and in TensorFlow.
    old = unicodedata.ucd_3_2_0
    characters = (chr(c) for c in range(0x110000))
    samples = [f"a{c}B{c}" for c in characters if old.category(c) not in ("Cn", "Cs", "Co")]
    assert original(samples) == [preprocess_text(s) for s in samples]


def test_original_equals_python_on_combinations():
    samples = tricky_texts(1000) + [
        "ΑΣ ΑΣ. Σ ΑΣ\u00adΑ Σ\x00Α",
        "É\x00\x00É\u00a0",
        " \x1c a \x85 b ",
    ]
    assert original(samples) == [preprocess_text(s) for s in samples]


def test_original_does_not_depend_on_the_locale():
    program = (
        "import tensorflow as tf; from albert_tf.text.normalize import normalize; "
        "print(normalize(['TITLE I \\u0130 \\u00c9'], 'original').numpy()[0].decode('ascii'))"
    )
    environment = {**os.environ, "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert result.stdout.strip() == "title i i e", result.stderr


def test_tfhub():
    samples = ["Zürich STRASSE straße", "x\u00ady", "\ufb01", "\u0130"]
    received = normalize(tf.constant(samples), "tfhub").numpy().tolist()
    assert [r.decode() for r in received] == ["zurich strasse strasse", "xy", "fi", "i"]


def test_unknown_rules():
    with pytest.raises(ValueError, match="rules must be one of 'tfhub', 'original'. Received: 'x'"):
        normalize(tf.constant(["a"]), "x")

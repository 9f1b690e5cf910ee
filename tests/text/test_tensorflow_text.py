import sys

import pytest
import tensorflow as tf

from albert_tf.text.preprocessor import Preprocessor
from tests.conftest import FIXTURES


def test_missing_package_is_a_plain_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(ImportError, match="pip install tensorflow-text"):
        Preprocessor(FIXTURES / "tiny.model")


def test_package_for_another_tensorflow_is_a_plain_error(monkeypatch, tmp_path):
    (tmp_path / "tensorflow_text.py").write_text(
        "import tensorflow as tf\n"
        "raise tf.errors.NotFoundError(None, None, 'ops.so: undefined symbol: OpDefBuilder')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tensorflow_text", raising=False)
    minor = ".".join(tf.__version__.split(".")[:2])
    message = rf"minor version.*Received: TensorFlow {tf.__version__}.*undefined symbol.*"
    with pytest.raises(ImportError, match=message + rf"pip install tensorflow-text~={minor}\.0`"):
        Preprocessor(FIXTURES / "tiny.model")


def test_a_tokenizer_outlives_a_new_seed():
    preprocessor = Preprocessor(FIXTURES / "tiny.model")
    texts = tf.constant(["a text"])
    function = tf.function(lambda: preprocessor(texts)["input_word_ids"])
    before = function().numpy().tolist()
    tf.random.set_seed(1)
    assert preprocessor(texts)["input_word_ids"].numpy().tolist() == before
    assert function().numpy().tolist() == before

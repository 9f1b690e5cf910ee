import sys

import pytest

from albert_tf.text.preprocessor import Preprocessor
from tests.conftest import FIXTURES


def test_missing_package_is_a_plain_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(ImportError, match="pip install tensorflow-text"):
        Preprocessor(FIXTURES / "tiny.model")

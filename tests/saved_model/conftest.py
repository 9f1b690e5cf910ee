"""The small SavedModels of toy_models.py, each built once."""

import pytest

# TensorFlow is imported late: `python -m tests` starts by reading this file.


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    from tests.saved_model.toy_models import build_encoder

    return build_encoder(str(tmp_path_factory.mktemp("encoder") / "model"))


@pytest.fixture(scope="module")
def narrow_encoder(tmp_path_factory):
    """As the published generation /1: a list of int32 only."""
    import tensorflow as tf

    from tests.saved_model.toy_models import build_encoder

    path = str(tmp_path_factory.mktemp("narrow") / "model")
    return build_encoder(path, dtypes=(tf.int32,), forms=("list",))


@pytest.fixture(scope="module")
def preprocessor(tmp_path_factory):
    from tests.saved_model.toy_models import build_preprocessor

    return build_preprocessor(str(tmp_path_factory.mktemp("preprocessor") / "model"))

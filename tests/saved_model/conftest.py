"""The small SavedModels of toy_models.py, each built once."""

import pytest

# TensorFlow is imported late: `python -m tests` starts by reading this file.


@pytest.fixture(scope="module")
def encoder(made_once):
    from tests.saved_model.toy_models import build_encoder

    return made_once("toy_encoder", build_encoder)


@pytest.fixture(scope="module")
def narrow_encoder(made_once):
    """As the published generation /1: a list of int32 only."""
    import tensorflow as tf

    from tests.saved_model.toy_models import build_encoder

    return made_once(
        "narrow_encoder", lambda path: build_encoder(path, dtypes=(tf.int32,), forms=("list",))
    )


@pytest.fixture(scope="module")
def preprocessor(made_once):
    from tests.saved_model.toy_models import build_preprocessor

    return made_once("toy_preprocessor", build_preprocessor)

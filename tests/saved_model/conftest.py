"""The small SavedModels of toy_models.py, each built once."""

import pytest

# TensorFlow is imported late: `python -m tests` starts by reading this file.


@pytest.fixture(scope="session", autouse=True)
def no_custom_gradients():
    """Checks every SavedModel, of whatever form, that a test of this folder has the package write.

    Custom gradients, and what they use, would stay in memory after each load.
    """
    import tensorflow as tf

    from tests.saved_model.custom_gradients import custom_gradients

    save = tf.saved_model.save

    def checked_save(root, path, *args, **kwargs):
        save(root, path, *args, **kwargs)
        assert not custom_gradients(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.saved_model, "save", checked_save)
        yield


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

"""Servers in this process, on small models of every task."""

import pytest

from tests.prediction.conftest import model_of  # noqa: F401

# TensorFlow is imported late: `python -m tests` starts by reading this file.


@pytest.fixture(scope="session")
def versions(model_of):  # noqa: F811
    """Function from a kind, a key of `models.INPUTS`, to its loaded `ServedVersion`."""
    from albert_tf.serving.served_version import load_saved_model

    loaded = {}

    def version(kind):
        if kind not in loaded:
            loaded[kind] = load_saved_model(model_of(kind), 1)
        return loaded[kind]

    return version

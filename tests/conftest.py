"""Shared by all tests: where the goldens are, two logical devices, and exports made once."""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest  # noqa: E402

TESTS = pathlib.Path(__file__).parent
GOLDENS = TESTS / "goldens"
FIXTURES = TESTS / "fixtures"


def pytest_configure(config):
    if getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput"):
        return  # The tests run in other processes; spare this one the memory.
    import tensorflow as tf

    # Before TensorFlow starts: MirroredStrategy needs two devices to mirror on.
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture(scope="session")
def tiny_checkpoint():
    """Google's original checkpoint of the configuration `tiny`, with both heads."""
    return GOLDENS / "tiny"


@pytest.fixture(scope="session")
def sp_model():
    """The vocabulary of 1000 pieces that goes with `tiny_checkpoint`."""
    return FIXTURES / "tiny.model"


@pytest.fixture(scope="session")
def exported_encoder(tmp_path_factory, tiny_checkpoint, sp_model):
    """A SavedModel of `tiny_checkpoint`, with `.mlm` and `.sop`. Read only."""
    import albert_tf

    path = tmp_path_factory.mktemp("export") / "encoder"
    model = albert_tf.AlbertPretrainer.from_checkpoint(tiny_checkpoint)
    albert_tf.export_encoder(model, path, sp_model=sp_model)
    return str(path)


@pytest.fixture(scope="session")
def exported_preprocessor(tmp_path_factory, sp_model):
    """A SavedModel of the preprocessor, rules `tfhub`, 32 tokens. Read only."""
    import albert_tf

    path = tmp_path_factory.mktemp("export") / "preprocessor"
    albert_tf.export_preprocessor(sp_model, path, seq_length=32)
    return str(path)


@pytest.fixture(scope="session")
def shared():
    """The folder of data sets and genuine models that the project does not carry."""
    path = os.environ.get("ALBERT_TF_SHARED")
    if not path:
        pytest.skip("set ALBERT_TF_SHARED to the folder of data sets and genuine TF Hub models")
    return pathlib.Path(path)

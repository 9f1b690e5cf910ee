"""Shared by all tests: where the goldens are, how TensorFlow runs, and exports made once."""

import contextlib
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import hypothesis  # noqa: E402
import pytest  # noqa: E402

# The same examples in every run, and nothing left behind.
hypothesis.settings.register_profile(
    "albert_tf", derandomize=True, deadline=None, database=None, max_examples=60
)
hypothesis.settings.load_profile("albert_tf")

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


# TensorFlow optimizes each graph before its first run, which takes longer than all else that a
# small model does. The tests of numbers and of speed run on what users run on: optimized graphs.
OPTIMIZED = (
    "benchmarks",
    "conformance",
    "layers",
    "saved_model/test_computation.py",
    "test_encoder.py",
    "test_encoder_skip_padding.py",
    "test_encoder_work.py",
    "test_pretrainer.py",
)


@pytest.fixture(scope="module", autouse=True)
def optimized_graphs(request):
    """Lets TensorFlow optimize graphs in the files of `OPTIMIZED`, and nowhere else."""
    path = request.path.relative_to(TESTS).as_posix()
    tf = sys.modules.get("tensorflow")
    if tf:
        off = not path.startswith(OPTIMIZED)
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": off})


@pytest.fixture(scope="session")
def tiny_checkpoint():
    """Google's original checkpoint of the configuration `tiny`, with both heads."""
    return GOLDENS / "tiny"


@pytest.fixture(scope="session")
def sp_model():
    """The vocabulary of 1000 pieces that goes with `tiny_checkpoint`."""
    return FIXTURES / "tiny.model"


@pytest.fixture(scope="session")
def vocab_file():
    """A WordPiece vocabulary of 222 pieces, Chinese characters among them."""
    return FIXTURES / "vocab_zh.txt"


@pytest.fixture
def wordpiece_checkpoint(vocab_file, tmp_path):
    """A Hugging Face directory with random weights, masked LM head and vocab.txt."""
    from albert_tf.checkpoints.writers.hugging_face import write_hugging_face
    from albert_tf.encoder import AlbertEncoder
    from albert_tf.pretrainer import AlbertPretrainer

    sizes = {"num_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    encoder = AlbertEncoder(222, 8, 16, max_sequence_length=32, **sizes)
    directory = tmp_path / "albert_chinese_tiny"
    directory.mkdir()
    write_hugging_face(AlbertPretrainer(encoder, sentence_order=None), directory)
    (directory / "vocab.txt").write_bytes(vocab_file.read_bytes())
    return directory


@pytest.fixture(scope="session")
def made_once(request, tmp_path_factory):
    """Function (name, make) that returns the path that `make(path)` writes. Read only.

    In a run of `python -m tests` all processes share it, those of both Keras generations, too.
    """
    workerinput = getattr(request.config, "workerinput", {})
    shared = pathlib.Path(workerinput.get("shared") or tmp_path_factory.mktemp("made"))

    def path_of(name, make):
        path = shared / name
        if not path.exists():
            temporary = shared / f"{name}.{os.getpid()}" / "made"
            temporary.parent.mkdir()
            make(str(temporary))
            with contextlib.suppress(OSError):  # Another process was faster.
                temporary.rename(path)
        return str(path)

    return path_of


@pytest.fixture(scope="session")
def exported_encoder(made_once, tiny_checkpoint, sp_model):
    """A SavedModel of `tiny_checkpoint`, with `.mlm` and `.sop`. Read only."""
    import albert_tf
    from albert_tf._keras import KERAS_3

    def make(path):
        model = albert_tf.AlbertPretrainer.from_checkpoint(tiny_checkpoint)
        albert_tf.export_encoder(model, path, sp_model=sp_model)

    # Each generation exports its own, which its tests are about.
    return made_once(f"encoder_{KERAS_3}", make)


@pytest.fixture(scope="session")
def exported_preprocessor(made_once, sp_model):
    """A SavedModel of the preprocessor, rules `tfhub`, 32 tokens. Read only."""
    import albert_tf

    # The preprocessor is no Keras layer, so that one serves both generations.
    return made_once(
        "preprocessor", lambda path: albert_tf.export_preprocessor(sp_model, path, seq_length=32)
    )


@contextlib.contextmanager
def without_checks():
    """Within it, exporters do not check what they write: for tests of something else about it."""
    from albert_tf.saved_model import encoder, preprocessor, tasks

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder, "check_or_raise", lambda path: [])
        patch.setattr(preprocessor, "check_or_raise", lambda path: [])
        patch.setattr(tasks, "check_task", lambda loaded: [])
        patch.setattr(tasks, "_same_answers", lambda *args: [])
        yield


@pytest.fixture
def unchecked():
    """See `without_checks`."""
    with without_checks():
        yield


@pytest.fixture(scope="session")
def shared():
    """The folder of data sets and genuine models that the project does not carry."""
    path = os.environ.get("ALBERT_TF_SHARED")
    if not path:
        pytest.skip("set ALBERT_TF_SHARED to the folder of data sets and genuine TF Hub models")
    return pathlib.Path(path)

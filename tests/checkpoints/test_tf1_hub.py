import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from albert_tf._keras import tf_variable
from albert_tf.checkpoints.read import read
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer
from tests.conftest import GOLDENS

TINY = GOLDENS / "tiny"


@pytest.fixture
def module(tmp_path):
    """A directory laid out like a TF1 Hub module, with the weights of tiny."""
    model = SavedModel()
    model.meta_graphs.add().meta_info_def.tags.append("train")
    (tmp_path / "saved_model.pb").write_bytes(model.SerializeToString())
    (tmp_path / "tfhub_module.pb").write_bytes(b"\x08\x03")
    for folder in ("assets", "variables"):
        (tmp_path / folder).mkdir()
    shutil.copy(TINY / "albert_config.json", tmp_path / "assets")
    for suffix in ("index", "data-00000-of-00001"):
        source = TINY / f"model.ckpt-best.{suffix}"
        shutil.copy(source, tmp_path / "variables" / f"variables.{suffix}")
    return tmp_path


def test_directory(module):
    model = AlbertPretrainer.from_checkpoint(module)
    report = model.restore_report
    assert (report.flavor, report.path) == ("tf1_hub", str(module))
    assert len(report.restored) == 32
    expected = AlbertPretrainer.from_checkpoint(TINY).weights_by_name()
    for name, weight in model.weights_by_name().items():
        np.testing.assert_array_equal(tf_variable(weight), tf_variable(expected[name]))


def test_variables_of_a_module(module):
    checkpoint = read(module / "variables" / "variables")
    assert checkpoint.flavor == "tf1"
    assert checkpoint.config_source == str(module / "assets" / "albert_config.json")


def test_without_variables(module):
    (module / "variables" / "variables.index").unlink()
    with pytest.raises(FileNotFoundError, match="TF1 Hub module needs its variables"):
        read(module)


def test_names_with_a_prefix(tmp_path, write_tf1):
    reader = tf.train.load_checkpoint(str(TINY / "model.ckpt-best"))
    arrays = {f"module/{n}": reader.get_tensor(n) for n in reader.get_variable_to_shape_map()}
    arrays["global_step"] = arrays.pop("module/global_step")
    arrays["module/bert/pooler/dense/bias/adam_m"] = arrays["module/bert/pooler/dense/bias"]
    arrays["output_weights"] = np.ones([3, 64], np.float32)
    path = write_tf1(tmp_path / "model.ckpt", arrays)
    shutil.copy(TINY / "albert_config.json", tmp_path)
    encoder = AlbertEncoder.from_checkpoint(path)
    bias = encoder.weights_by_name()["pooler_transform/bias"]
    np.testing.assert_array_equal(tf_variable(bias), arrays["module/bert/pooler/dense/bias"])
    assert len(encoder.restore_report.ignored) == 10
    arrays["other/bert/embeddings/word_embeddings"] = np.ones([2, 2], np.float32)
    with pytest.raises(ValueError, match="one ALBERT.* with 2, called 'module/', 'other/'"):
        read(write_tf1(tmp_path / "model.ckpt", arrays))


def run_module(path, features, positions):
    """The outputs of a module, run by TensorFlow."""
    signatures = tf.saved_model.load(str(path), tags=[]).signatures
    outputs = {**signatures["mlm"](**features, mlm_positions=positions)}
    if "sop" in signatures:
        outputs.update(signatures["sop"](**features))
    return outputs


def compare(model, expected, features, positions):
    outputs = model(
        {
            "input_word_ids": features["input_ids"],
            "input_mask": features["input_mask"],
            "input_type_ids": features["segment_ids"],
            "masked_lm_positions": positions,
        }
    )
    for name in ("pooled_output", "sequence_output"):
        np.testing.assert_allclose(outputs[name], expected[name], atol=1e-5)
    logits = tf.reshape(outputs["mlm_logits"], tf.shape(expected["mlm_logits"]))
    scale = max(1.0, np.abs(logits).max())
    np.testing.assert_allclose(logits, expected["mlm_logits"], atol=1e-5 * scale)
    if "sop_log_probs" in expected:
        log_probs = tf.nn.log_softmax(outputs["sop_logits"])
        np.testing.assert_allclose(log_probs, expected["sop_log_probs"], atol=1e-5)


def test_module_of_the_original_exporter(shared):
    golden = np.load(shared / "golden" / "tf1_hub_module_golden.npz")
    model = AlbertPretrainer.from_checkpoint(shared / "golden" / "tf1_hub_module")
    features = {key: golden[key] for key in ("input_ids", "input_mask", "segment_ids")}
    features = {key: tf.constant(value) for key, value in features.items()}
    expected = {
        key.rpartition("/")[2]: golden[key] for key in golden.files if key.startswith("notrain/")
    }
    compare(model, expected, features, tf.constant(golden["masked_lm_positions"]))


def test_genuine_module_with_random_weights(shared, tmp_path, write_tf1):
    source = shared / "data" / "albert_hub_graph" / "albert_base_3"
    path = tmp_path / "module"
    shutil.copytree(source, path, copy_function=shutil.copyfile)
    reader = tf.train.load_checkpoint(str(source / "variables" / "variables"))
    rng = np.random.default_rng(3)
    arrays = {
        name: rng.normal(0, 0.03, shape).astype(np.float32) + name.endswith("gamma")
        for name, shape in sorted(reader.get_variable_to_shape_map().items())
    }
    write_tf1(path / "variables" / "variables", arrays)
    model = AlbertPretrainer.from_checkpoint(path)
    assert len(model.restore_report.restored) == 30
    assert model.restore_report.absent == ("sentence-order head",)
    mask = np.arange(24) < np.array([[24], [7]])
    features = {
        "input_ids": rng.integers(0, 30000, (2, 24)),
        "input_mask": mask,
        "segment_ids": rng.integers(0, 2, (2, 24)),
    }
    features = {key: tf.constant(value, tf.int32) for key, value in features.items()}
    positions = tf.constant([[3, 9], [1, 6]])
    compare(model, run_module(path, features, positions), features, positions)

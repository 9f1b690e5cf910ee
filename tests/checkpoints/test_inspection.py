import hashlib
import shutil

import numpy as np
import tensorflow as tf

from albert_tf.checkpoints.inspection import inspect
from tests.conftest import GOLDENS

TINY = GOLDENS / "tiny"


def test_complete_checkpoint():
    inspection = inspect(TINY)
    assert inspection.description == "original TF1 checkpoint"
    assert inspection.parameters == 77_194
    assert inspection.num_bytes == 4 * 77_194 + 8
    assert inspection.lacking == {
        "encoder": None,
        "masked LM head": None,
        "sentence-order head": None,
        "text to ids": "its vocabulary (--sp_model or --vocab_file)",
    }
    assert inspection.purposes["bert/pooler/dense/bias"] == "pooler_transform/bias"
    assert inspection.purposes["global_step"] == "step counter"
    names = {file.name: file for file in inspection.files}
    data = names["model.ckpt-best.data-00000-of-00001"]
    content = (TINY / data.name).read_bytes()
    assert (data.num_bytes, data.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert set(names) == {data.name, "model.ckpt-best.index", "albert_config.json"}


def test_incomplete_checkpoint(tmp_path, write_tf1, tiny_checkpoint):
    reader = tf.train.load_checkpoint(str(tiny_checkpoint / "model.ckpt-best"))
    arrays = {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if not name.startswith(("cls/seq", "bert/pooler"))
    }
    arrays["mine"] = np.zeros(3, np.float32)
    write_tf1(tmp_path / "model.ckpt", arrays)
    inspection = inspect(tmp_path)
    assert "activation=..." in inspection.lacking["encoder"]
    shutil.copy(tiny_checkpoint / "albert_config.json", tmp_path)
    inspection = inspect(tmp_path)
    assert inspection.lacking["encoder"].startswith(
        "2 missing, 1 unused, 0 mis-shaped: bert/pooler"
    )
    assert inspection.lacking["sentence-order head"] == "its weights are not in the checkpoint"
    assert inspection.purposes["mine"] == "unknown"


def test_directory(exported_encoder):
    inspection = inspect(exported_encoder)
    assert inspection.lacking["encoder"] is None
    assert "text to ids" not in inspection.lacking
    assert "variables/variables.index" in {file.name for file in inspection.files}

"""TensorFlow's own command line shows and runs a SavedModel."""

import importlib
import sys

import numpy as np
import pytest
import tensorflow as tf
from absl import flags

from tests.commands.command import forget_flags
from tests.foreign.inputs import batch

MODULE = "tensorflow.python.tools.saved_model_cli"


@pytest.fixture
def saved_model_cli():
    """Function from arguments to what `saved_model_cli` does, in this process.

    It defines flags of the names that our commands' have, so there are its own only.
    """
    others = [*forget_flags("benchmarks."), *forget_flags("albert_tf.commands.")]
    module = importlib.import_module(MODULE)

    def call(command, *arguments):
        flags.FLAGS(["saved_model_cli", *map(str, arguments)])
        getattr(module, command)()

    yield call
    flags.FLAGS.unparse_flags()
    forget_flags(MODULE)
    del sys.modules[MODULE]
    for name, flag in others:
        flags.DEFINE_flag(flag, module_name=name)


def test_show(saved_model_cli, exported_encoder, capsys):
    which = ["--tag_set=serve", "--signature_def=serving_default"]
    saved_model_cli("show", f"--dir={exported_encoder}", *which)
    shown = capsys.readouterr().out
    for text in (
        "inputs['input_word_ids'] tensor_info:",
        "dtype: DT_INT32",
        "shape: (-1, -1)",
        "name: serving_default_input_word_ids:0",
        "outputs['pooled_output'] tensor_info:",
        "Method name is: tensorflow/serving/predict",
    ):
        assert text in shown


def test_run(saved_model_cli, exported_encoder, tmp_path):
    inputs = batch(3, 6)
    expressions = ";".join(f"{name}={x.tolist()}" for name, x in inputs.items())
    saved_model_cli(
        "run",
        f"--dir={exported_encoder}",
        "--tag_set=serve",
        "--signature_def=serving_default",
        f"--input_exprs={expressions}",
        f"--outdir={tmp_path}",
    )
    encoder = tf.saved_model.load(exported_encoder).signatures["serving_default"]
    expected = encoder(**{name: tf.constant(x) for name, x in inputs.items()})
    for name, right in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), right, atol=1e-5)

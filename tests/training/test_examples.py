import doctest
import importlib
import pkgutil
import tempfile

import pytest
import tensorflow as tf

from albert_tf import training
from albert_tf.training.engine.losses import SparseCrossEntropy
from albert_tf.training.engine.train_step import TrainStep
from albert_tf.training.optimizers.adamw_lamb import AdamW

MODULES = [module.name for module in pkgutil.iter_modules(training.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_run(name):
    module = importlib.import_module(f"albert_tf.training.{name}")
    if name in ("pretrain", "finetune"):
        pytest.skip("their examples need data")
    names = {
        "tf": tf,
        "tempfile": tempfile,
        "TrainStep": TrainStep,
        "AdamW": AdamW,
        "SparseCrossEntropy": SparseCrossEntropy,
    }
    assert doctest.testmod(module, extraglobs=names).failed == 0

import numpy as np

from albert_tf.encoder import AlbertEncoder
from albert_tf.text.reference import ReferenceTokenizer
from albert_tf.training.finetuning.data import EvaluationData, TrainingData, digest
from albert_tf.training.finetuning.recipes import recipe_for
from albert_tf.training.finetuning.tasks import make_task
from tests import random_tiny
from tests.conftest import FIXTURES


def prepared(batch_size):
    task = make_task("rte", data_dir=FIXTURES / "glue")
    task.tokenizer = ReferenceTokenizer(random_tiny.SP_MODEL)
    config = AlbertEncoder.from_checkpoint(random_tiny.CHECKPOINT).albert_config
    return task, recipe_for("rte", config).changed(batch_size=batch_size)


def test_training_rows_are_trimmed_to_the_longest(tmp_path):
    task, recipe = prepared(batch_size=3)
    data = TrainingData(task, recipe, tmp_path, random_tiny.SP_MODEL)
    assert data.num_rows == 4 and data.length % 8 == 0 and data.length < 64
    assert data.label_counts.sum() == 4
    ((inputs, targets),) = data.batches(seed=1, epoch=0)  # The row that is over is left out.
    assert inputs["input_word_ids"].shape == [3, data.length]
    assert targets["weights"].numpy().tolist() == [1.0, 1.0, 1.0]
    full = task.features("train", recipe)["input_mask"]
    assert full.sum(-1).max() <= data.length


def test_a_set_smaller_than_a_batch_is_filled_up(tmp_path):
    task, recipe = prepared(batch_size=6)
    data = TrainingData(task, recipe, tmp_path, random_tiny.SP_MODEL)
    ((_, targets),) = data.batches(seed=1, epoch=0)
    assert sorted(targets["weights"].numpy()) == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]


def test_the_model_answers_the_same_without_padding(tmp_path):
    task, recipe = prepared(batch_size=2)
    encoder = AlbertEncoder.from_checkpoint(random_tiny.CHECKPOINT)
    model = task.build(encoder, recipe)
    data = EvaluationData(task, "dev", recipe, batch_size=2)
    (trimmed,) = data.batches()
    whole = task.inputs(data.features.rows(0, 2))
    assert trimmed["input_word_ids"].shape[1] < whole["input_word_ids"].shape[1] == 512
    np.testing.assert_allclose(model(trimmed), model(whole), atol=1e-6)


def test_digest_depends_on_content_and_order():
    task, _ = prepared(batch_size=2)
    examples = task.splits["train"]
    assert digest(examples) == digest(make_task("rte", data_dir=FIXTURES / "glue").splits["train"])
    before = digest(examples)
    examples.examples.reverse()
    assert digest(examples) != before

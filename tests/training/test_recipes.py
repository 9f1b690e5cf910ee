import dataclasses

import pytest

from albert_tf.config import PRESETS, AlbertConfig
from albert_tf.training.finetuning.recipes import RECIPES, Recipe, model_size, recipe_for
from albert_tf.training.finetuning.tasks import TASK_NAMES

SMALL = AlbertConfig(vocab_size=100, hidden_size=64, num_attention_heads=2, intermediate_size=64)


def test_numbers_of_googles_script():
    # run_glue.sh of the original: warm-up, rate, steps, batch.
    script = {
        "sst-2": (1256, 1e-5, 20935, 32),
        "mnli": (1000, 3e-5, 10000, 128),
        "cola": (320, 1e-5, 5336, 16),
        "qnli": (1986, 1e-5, 33112, 32),
        "qqp": (1000, 5e-5, 14000, 128),
        "rte": (200, 3e-5, 800, 32),
        "sts-b": (214, 2e-5, 3598, 16),
        "mrpc": (200, 2e-5, 800, 32),
    }
    for task, (warmup, rate, steps, batch) in script.items():
        recipe = recipe_for(task, PRESETS["albert_base_v1"])
        assert recipe.steps(10**6) == (steps, warmup)
        assert (recipe.learning_rate, recipe.batch_size) == (rate, batch)
        assert recipe.max_seq_length == 512 and "run_glue.sh" in recipe.source


def test_every_task_and_size_has_a_recipe_with_a_source():
    for task in TASK_NAMES:
        for config in (*PRESETS.values(), SMALL):
            recipe = recipe_for(task, config)
            assert recipe.source and recipe.steps(1000)[0] > recipe.steps(1000)[1]
    assert set(RECIPES) - {"race"} <= set(TASK_NAMES)


def test_sizes():
    assert model_size(PRESETS["albert_large_v1"]) == "albert_large_v1"
    assert model_size(PRESETS["albert_xxlarge_v2"]) == "albert_xxlarge"
    assert model_size(SMALL) is None


def test_versions_differ_in_dropout_and_race():
    v1, v2 = PRESETS["albert_base_v1"], PRESETS["albert_base_v2"]
    assert recipe_for("rte", v1).dropout_rate is None  # As its configuration says: 0.1.
    assert recipe_for("rte", v2).dropout_rate == 0.1
    assert recipe_for("race", v1).learning_rate == 2e-5
    for task in ("race", "race-middle", "race-high"):
        race = recipe_for(task, v2)
        assert (race.learning_rate, race.dropout_rate) == (1e-5, 0.0) and "README" in race.source


def test_small_models_and_random_weights():
    for size, rate in ((64, 1e-4), (384, 1e-4), (1024, 1e-5)):
        config = dataclasses.replace(SMALL, hidden_size=size)
        recipe = recipe_for("sst-2", config)
        assert recipe.learning_rate == rate and ("small models" in recipe.source) == (size < 768)
        assert recipe_for("classification", config).learning_rate == rate
    scratch = recipe_for("sst-2", SMALL, from_scratch=True)
    assert scratch.learning_rate == 5e-4 and "own choice" in scratch.source
    short = dataclasses.replace(SMALL, max_position_embeddings=64)
    assert recipe_for("squad1.1", short).max_seq_length == 64


def test_changes():
    recipe = recipe_for("cola", PRESETS["albert_base_v2"])
    assert recipe.changed(learning_rate=None) is recipe
    shorter = recipe.changed(train_steps=667)
    assert shorter.steps(10) == (667, 40)  # The warm-up's share stays.
    assert shorter.source.endswith("changed: train_steps=667")
    assert recipe.changed(epochs=2.0, warmup_steps=5).steps(160) == (20, 5)
    assert recipe.changed(epochs=0.01).steps(160) == (1, 0)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"lerning_rate": 1.0}, r"Received: 'lerning_rate'. Did you mean 'learning_rate'\?"),
        ({"epochs": 1.0, "train_steps": 5}, "either `train_steps` or `epochs`. Received: 5 and"),
        ({"batch_size": 0}, "`batch_size` must be positive. Received: 0"),
        ({"warmup_proportion": 2.0}, "from 0 to 1. Received: 2.0"),
        ({"optimizer": "sgd"}, "must be adamw or lamb. Received: 'sgd'"),
    ],
)
def test_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        recipe_for("cola", SMALL).changed(**changes)


def test_a_recipe_needs_a_length():
    with pytest.raises(ValueError, match="Received: None and None"):
        Recipe(learning_rate=1.0, batch_size=1, warmup_steps=0)

import types

import pytest

from albert_tf.training.pretraining.curriculum import Curriculum, Stage


def records(name, num_records):
    return types.SimpleNamespace(
        steps=lambda batch_size: num_records // batch_size,
        num_records=num_records,
        directory=name,
        batches=lambda batch_size, seed, epoch: (name, batch_size, seed, epoch),
    )


def test_stages_follow_each_other_pass_by_pass():
    curriculum = Curriculum([Stage(records("short", 105), 10, 25), Stage(records("long", 8), 4, 3)])
    assert curriculum.steps == 28
    assert [curriculum.steps_in(epoch) for epoch in range(5)] == [10, 10, 5, 2, 1]
    assert curriculum.batches(7, 2) == ("short", 10, 7, 2)
    assert curriculum.batches(7, 3) == ("long", 4, 7, 3)
    with pytest.raises(ValueError, match="The curriculum has an end. Received: epoch 0"):
        curriculum.batches(7, 5)


@pytest.mark.parametrize("stages", ([], [Stage(records("short", 10), 10, 0)]))
def test_needs_steps(stages):
    with pytest.raises(ValueError, match="stages of at least one step. Received"):
        Curriculum(stages)


def test_a_batch_is_not_larger_than_its_data():
    Curriculum([Stage(records("short", 10), 10, 1)])
    message = "Received: a batch of 4096 .--batch_size. for the 10 records of short. Pass a smaller"
    with pytest.raises(ValueError, match=message):
        Curriculum([Stage(records("short", 10), 4096, 1)])

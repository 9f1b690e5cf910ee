import numpy as np
import pytest
import tensorflow as tf

from albert_tf.training.engine.batches import Batches
from tests.training.small_run import mirrored


def numbers(seed, epoch, rows=4, size=24):
    dataset = tf.data.Dataset.range(size).shuffle(size, seed=100 * seed + epoch)
    return dataset.batch(rows, drop_remainder=True).map(lambda x: ({"x": x[:, None]}, x))


def read(strategy, iterator, count):
    """[steps, rows] of a distributed iterator."""
    batches = [next(iterator)[1] for _ in range(count)]
    return [np.concatenate(strategy.experimental_local_results(b)) for b in batches]


@pytest.mark.parametrize("make", [tf.distribute.get_strategy, mirrored], ids=["one", "mirrored"])
def test_batches_from_any_position(make):
    strategy = make()
    batches = Batches(numbers, strategy, seed=5)
    assert (batches.batch_size, batches.steps_per_epoch) == (4, 6)
    expected = [y.numpy() for _, y in numbers(5, 1)]
    np.testing.assert_array_equal(read(strategy, batches.iterator(1), 6), expected)
    np.testing.assert_array_equal(read(strategy, batches.iterator(1, skip=4), 2), expected[4:])


def test_each_process_reads_its_part():
    strategy = tf.distribute.get_strategy()
    batches = Batches(numbers, strategy)
    made = []

    class TwoProcesses:
        num_replicas_in_sync = 2

        def distribute_datasets_from_function(self, function):
            for index in range(2):
                context = tf.distribute.InputContext(2, index, 2)
                made.append([y.numpy() for _, y in function(context)])
            return []

    batches.strategy = TwoProcesses()
    batches.iterator(0, skip=1)
    expected = [y.numpy() for _, y in numbers(0, 0)][1:]
    np.testing.assert_array_equal(np.concatenate(made, axis=1), expected)


def test_counts_an_epoch_of_unknown_length():
    def filtered(seed, epoch):
        return numbers(seed, epoch).filter(lambda x, y: True)

    assert Batches(filtered, tf.distribute.get_strategy()).steps_per_epoch == 6
    assert Batches(filtered, tf.distribute.get_strategy(), steps_per_epoch=3).steps_per_epoch == 3

    def endless(seed, epoch):
        return numbers(seed, epoch).repeat()

    assert Batches(endless, tf.distribute.get_strategy()).steps_per_epoch is None


@pytest.mark.parametrize(
    "change, accumulate, message",
    [
        (lambda d: d.map(lambda x, y: y), 1, r"elements \(inputs, targets\). Received: TensorSpec"),
        (lambda d: d.unbatch().batch(4), 1, "must have one static shape.*drop_remainder=True"),
        (lambda d: d, 3, "a multiple of devices x accumulate_steps = 1 x 3. Received: .4. rows"),
        (lambda d: d.take(0), 1, "at least one batch. Received: an empty data set"),
        (lambda d: d.map(lambda x, y: (x, y[:2])), 1, r"Received: \[2, 4\] rows"),
    ],
)
def test_errors(change, accumulate, message):
    with pytest.raises(ValueError, match=message):
        Batches(
            lambda seed, epoch: change(numbers(seed, epoch)),
            tf.distribute.get_strategy(),
            accumulate_steps=accumulate,
        )

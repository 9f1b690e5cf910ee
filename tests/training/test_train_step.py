import itertools

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras
from albert_tf.training.engine.batches import Batches
from albert_tf.training.engine.loss_scale import LossScale
from albert_tf.training.engine.train_step import TrainStep
from albert_tf.training.optimizers.adamw_lamb import AdamW
from albert_tf.training.optimizers.base import raw_variable
from tests.training import small_run, tiny_runs
from tests.training.small_run import make_data, make_step, mirrored


def run(strategy=None, steps=5, **options):
    step = make_step(strategy, **options)
    batches = Batches(make_data, step.strategy, 0, step.accumulate_steps)
    logs, stop = step(batches.iterator(0), steps, 0)
    assert not stop
    return logs, small_run.weights_of(step.model)


def updates(step):
    return int(raw_variable(step.optimizer.iterations).numpy())


@pytest.fixture(scope="module")
def one_device():
    return run()


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "one"},
        {"strategy": "mirrored"},
        {"accumulate_steps": 4},
        {"strategy": "mirrored", "accumulate_steps": 2},
        {"jit_compile": True},
        {"jit_compile": True, "accumulate_steps": 2},
        {"strategy": "mirrored", "jit_compile": True},
        {"loss_scale": "static"},
    ],
    ids=str,
)
def test_same_global_batch_gives_the_same_losses(one_device, options):
    options = dict(options)
    if name := options.pop("strategy", None):
        one = tf.distribute.OneDeviceStrategy("CPU:0")
        options["strategy"] = mirrored() if name == "mirrored" else one
    if "loss_scale" in options:
        options["loss_scale"] = LossScale(2.0**10, growth_steps=None)
    logs, weights = run(**options)
    for name, values in one_device[0].items():
        np.testing.assert_allclose(logs[name], values, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(weights, one_device[1], atol=1e-5)


def test_one_call_equals_many(one_device):
    step = make_step()
    iterator = Batches(make_data, step.strategy).iterator(0)
    losses = [step(iterator, 1, i)[0]["loss"][0] for i in range(2)]
    losses += list(step(iterator, 3, 2)[0]["loss"])
    np.testing.assert_array_equal(losses, one_device[0]["loss"])
    assert step._many_steps.experimental_get_tracing_count() == 1


def test_a_new_epoch_does_not_trace_again():
    step = make_step(mirrored())
    batches = Batches(make_data, step.strategy)
    for epoch in range(3):
        step(batches.iterator(epoch), 2, 2 * epoch)
    assert step._many_steps.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("skip_padding", [False, True])
def test_gelu_is_compiled_unless_the_number_of_tokens_changes(skip_padding):
    step = make_step()
    step.model.encoder.skip_padding = skip_padding
    iterator = Batches(make_data, step.strategy).iterator(0)
    numbers = tf.constant(1), tf.constant(0, tf.int64), tf.constant(0.0)
    graph = step._many_steps.get_concrete_function(iterator, *numbers).graph.as_graph_def()
    compiled = {
        f.arg_attr[0].attr["_output_shapes"].list.shape[0].dim[0].size
        for f in graph.library.function
        if f.attr["_XlaMustCompile"].b
    }
    first_tokens, tokens = small_run.BATCH, small_run.BATCH * small_run.LENGTH
    assert compiled == ({first_tokens} if skip_padding else {first_tokens, tokens})


def test_metrics_and_losses_are_means_over_the_global_batch():
    step = make_step(mirrored(), accumulate_steps=2)
    outputs = small_run.make_model()
    inputs, targets = next(iter(make_data(0, 0)))
    logs, _ = step(Batches(make_data, step.strategy, 0, 2).iterator(0), 1, 0)
    for name, term in step.terms.items():
        expected = term(outputs(inputs), targets)
        np.testing.assert_allclose(logs[name][0], expected, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_dropout_depends_on_seed_and_step_only(jit_compile):
    # One layer: to compile one more takes longer than all the rest.
    options = {"dropout": 0.3, "jit_compile": jit_compile, "num_layers": 1, "steps": 3}
    first = run(**options)
    tf.random.set_seed(123)  # The global generator has no say.
    again = run(**options)
    other = run(**options, seed=1)
    np.testing.assert_array_equal(first[1], again[1])
    assert np.abs(first[1] - other[1]).max() > 1e-4

    step = make_step(dropout=0.3)
    iterator = iter(tf.data.Dataset.from_tensors(next(iter(make_data(0, 0)))).repeat())
    step.optimizer._learning_rate.learning_rate = 0.0  # Only the masks differ.
    losses = [step(iterator, 1, number)[0]["loss"][0] for number in (0, 1, 0)]
    assert losses[0] == losses[2] != losses[1]


def test_dropout_differs_between_replicas_and_micro_batches():
    inputs, targets = next(iter(make_data(0, 0)))
    inputs = {name: tf.repeat(x[:1], 4, axis=0) for name, x in inputs.items()}
    targets = {"labels": tf.repeat(targets["labels"][:1], 4), "weights": tf.ones([4])}
    dataset = tf.data.Dataset.from_tensors((inputs, targets))
    losses = []

    step = make_step(mirrored(), dropout=0.5, accumulate_steps=2)
    call = step.model.call

    def spying(inputs, training=None, mask=None):
        logits = call(inputs, training=training, mask=mask)
        tf.py_function(lambda x: losses.append(tuple(x.numpy()[0])), [logits], [])
        return logits

    step.model.call = spying
    step(Batches(lambda seed, epoch: dataset, step.strategy, 0, 2).iterator(0), 1, 0)
    assert len(losses) == 4 and len(set(losses)) == 4


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("strategy", [None, mirrored], ids=["one", "mirrored"])
def test_mixed_precision(one_device, dtype, strategy):
    step = make_step(strategy and strategy(), dtype=dtype)
    assert (step.loss_scale is not None) == (dtype == "mixed_float16")
    logs, _ = step(Batches(make_data, step.strategy).iterator(0), 5, 0)
    np.testing.assert_allclose(logs["loss"], one_device[0]["loss"], atol=0.02)
    assert all(w.dtype == "float32" for w in step.model.weights)


@pytest.mark.parametrize("strategy", [None, mirrored], ids=["one", "mirrored"])
def test_overflow_skips_the_step_and_halves_the_scale(strategy):
    strategy = strategy() if strategy else tf.distribute.get_strategy()
    with strategy.scope():
        scale = LossScale(2.0**100, growth_steps=2)
    step = make_step(strategy, dtype="mixed_float16", loss_scale=scale)
    before = small_run.weights_of(step.model)
    iterator = iter(Batches(make_data, strategy).iterator(0))
    logs, _ = step(iterator, 1, 0)
    assert not np.isfinite(logs["grad_norm"][0]) and np.isfinite(logs["loss"][0])
    np.testing.assert_array_equal(small_run.weights_of(step.model), before)
    assert updates(step) == 0
    assert scale.scale.numpy() == 2.0**99
    scale.scale.assign(8.0)
    step(iterator, 2, 1)
    assert updates(step) == 2
    assert scale.scale.numpy() == 16.0


# What a TPU, or XLA anywhere, cannot compile would be named here with its reason.
NOT_COMPILED = ()


@pytest.mark.parametrize("task", ["classifier", "pretrain"])
def test_the_whole_step_compiles_with_static_shapes(task):
    recorded = np.load(tiny_runs.GOLDENS / "training" / f"{task}_batches.npz")
    if task == "classifier":
        model, data = tiny_runs.classifier(recorded), tiny_runs.classifier_batches(recorded)
    else:
        model, data = tiny_runs.pretrainer(), tiny_runs.pretraining_batches(recorded)
    step = TrainStep(model, tiny_runs.losses(task), AdamW(), jit_compile=True)
    batch = tf.nest.map_structure(lambda x: tf.constant(x[0]), data)
    arguments = (batch, tf.constant(0, tf.int64), tf.constant(0.0))
    program = step._step.experimental_get_compiler_ir(*arguments)(stage="hlo")
    # A dynamic dimension is written "<=".
    assert "<=" not in program.split("ENTRY")[0].split("entry_computation_layout")[1][:2000]
    graph = step._step.get_concrete_function(*arguments).graph
    functions = [f.node_def for f in graph.as_graph_def().library.function]
    names = {node.op for node in itertools.chain(graph.as_graph_def().node, *functions)}
    host_only = {"PyFunc", "EagerPyFunc", "Where", "Unique", "UniqueV2", "Print", "PrintV2"}
    assert sorted(names & host_only) == list(NOT_COMPILED)
    random = {"RandomUniform", "RandomStandardNormal", "TruncatedNormal"}
    assert not names & random  # Their state would not survive a restart.


def test_errors():
    model = small_run.make_model()
    losses = {"loss": tiny_runs.SparseCrossEntropy()}
    with pytest.raises(ValueError, match="must be an AdamW or a Lamb.*Received: <"):
        TrainStep(model, losses, keras.optimizers.SGD())
    with pytest.raises(ValueError, match="`losses` must name at least one term"):
        TrainStep(model, {}, AdamW())
    with pytest.raises(ValueError, match="`accumulate_steps` must be positive. Received: 0"):
        TrainStep(model, losses, AdamW(), accumulate_steps=0)
    with pytest.raises(ValueError, match="The model must be constructed under `with strategy"):
        TrainStep(model, losses, AdamW(), mirrored())

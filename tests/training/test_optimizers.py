import functools
import json

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import KERAS_3, keras
from albert_tf.training.engine.train_step import TrainStep
from albert_tf.training.optimizers.adamw_lamb import AdamW, Lamb
from albert_tf.training.optimizers.base import raw_variable
from albert_tf.training.optimizers.schedules import WarmupPolynomialDecay
from tests.conftest import GOLDENS
from tests.training import small_run, tiny_runs

OPTIMIZERS = {"adamw": AdamW, "lamb": Lamb}
RATES = {
    ("classifier", "adamw"): 1e-3,
    ("classifier", "lamb"): 1e-3,
    ("pretrain", "adamw"): 1e-4,
    ("pretrain", "lamb"): 0.00176,
}


def run_recorded(run, task, optimizer, lookup, **schedule_options):
    """Repeats a recorded run; returns the model, the optimizer and what each step reported."""
    if task == "classifier":
        model, batches = tiny_runs.classifier(run, lookup), tiny_runs.classifier_batches(run)
    else:
        model, batches = tiny_runs.pretrainer(lookup), tiny_runs.pretraining_batches(run)
    schedule = WarmupPolynomialDecay(RATES[task, optimizer], 10, 3, **schedule_options)
    made = OPTIMIZERS[optimizer](schedule, norm_of_rows=lookup)
    step = TrainStep(model, tiny_runs.losses(task), made)
    data = iter(tf.data.Dataset.from_tensor_slices(batches))
    logs, _ = step(data, num_steps=10, first_step=0)
    return model, made, logs


@pytest.mark.parametrize("optimizer", ["adamw", "lamb"])
@pytest.mark.parametrize("task", ["classifier", "pretrain"])
@pytest.mark.parametrize("kind", ["", "_onehot"])
def test_ten_steps_equal_the_original(task, optimizer, kind):
    recorded = np.load(GOLDENS / "training" / f"{task}_{optimizer}{kind}.npz")
    batches = np.load(GOLDENS / "training" / f"{task}_batches.npz")
    model, _, logs = run_recorded(batches, task, optimizer, lookup=not kind)

    for name in ("loss", "mlm_loss", "sop_loss"):
        if name in logs and f"step/{name}" in recorded:
            np.testing.assert_allclose(logs[name], recorded[f"step/{name}"], atol=1e-5)
    np.testing.assert_allclose(logs["learning_rate"], recorded["step/lr"], rtol=1e-6)
    np.testing.assert_allclose(logs["grad_norm"], recorded["step/global_norm"], rtol=1e-5)
    for name, entry in tiny_runs.by_original_name(model).items():
        result = tiny_runs.values(entry).astype(np.float64).ravel()
        size, seed = result.size, 1234
        projections = np.random.RandomState(seed).standard_normal([4, size])
        sums = projections @ result
        # Independent errors of 1e-5 would sum up to about this.
        np.testing.assert_allclose(sums, recorded[f"final/{name}"], atol=1e-5 * size**0.5)


@pytest.mark.parametrize(
    "name",
    [
        *(f"{task}_{optimizer}{kind}" for task, optimizer in RATES for kind in ("", "_onehot")),
        "classifier_adamw_asrun",
        "pretrain_lamb_asrun",
    ],
)
def test_ten_steps_equal_the_original_in_every_number(shared, name):
    run = np.load(shared / "golden" / f"train_{name}.npz")
    task, optimizer, *kind = name.split("_")
    # `asrun`: TF 1.15 with resource variables read the step late during warm-up.
    options = {"warmup_offset": 1} if kind == ["asrun"] else {}
    model, made, logs = run_recorded(run, task, optimizer, kind != ["onehot"], **options)

    np.testing.assert_allclose(logs["loss"], run["step/loss"], atol=1e-5)
    np.testing.assert_allclose(logs["learning_rate"], run["step/lr"], rtol=1e-6)
    np.testing.assert_allclose(logs["grad_norm"], run["step/global_norm"], rtol=1e-5)
    for original, (weight, store) in tiny_runs.by_original_name(model).items():
        np.testing.assert_allclose(
            store(np.asarray(weight)), run[f"final/{original}"], atol=1e-5, err_msg=original
        )
        index = made.index_of[made._var_key(weight)]
        moments = {"adam_m": made.first_moments, "adam_v": made.second_moments}
        for slot, variables in moments.items():
            if f"slot/{original}/{slot}" in run:
                result = store(raw_variable(variables[index]).numpy())
                np.testing.assert_allclose(
                    result, run[f"slot/{original}/{slot}"], atol=1e-5, err_msg=original
                )


@pytest.mark.parametrize("task", ["classifier", "pretrain"])
def test_decays_what_the_original_decays(task):
    recorded = json.loads((GOLDENS / "training" / "decayed.json").read_text())[task]
    batches = np.load(GOLDENS / "training" / f"{task}_batches.npz")
    model = tiny_runs.classifier(batches) if task == "classifier" else tiny_runs.pretrainer()
    optimizer = Lamb()
    optimizer.build(model.trainable_variables)
    names = tiny_runs.by_original_name(model)
    index = {name: optimizer.index_of[optimizer._var_key(w)] for name, (w, _) in names.items()}
    assert sorted(n for n, i in index.items() if optimizer.decayed[i]) == recorded["weight_decay"]
    assert (
        sorted(n for n, i in index.items() if not optimizer.adapted[i])
        == (recorded["no_weight_decay"])
    )


def numpy_updates(kind, value, gradients, rate, bias_correction):
    """A transcription of the published update rules in float64."""
    m, v = np.zeros_like(value), np.zeros_like(value)
    for t, gradient in enumerate(gradients, 1):
        gradient = gradient / max(1.0, np.linalg.norm(gradient))
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        m_hat, v_hat = m, v
        if bias_correction:
            m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        change = m_hat / (np.sqrt(v_hat) + 1e-6) + 0.01 * value
        ratio = np.linalg.norm(value) / np.linalg.norm(change) if kind == "lamb" else 1.0
        value = value - rate * ratio * change
    return value


@pytest.mark.parametrize("bias_correction", [False, True])
@pytest.mark.parametrize("kind", ["adamw", "lamb"])
def test_bias_correction(kind, bias_correction):
    random = np.random.RandomState(0)
    start, gradients = random.randn(5, 3), random.randn(4, 5, 3)
    variable = tf.Variable(start, dtype=tf.float32, name="dense/kernel")
    optimizer = OPTIMIZERS[kind](0.01, bias_correction=bias_correction)
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient, tf.float32), variable)])
    expected = numpy_updates(kind, start, gradients, 0.01, bias_correction)
    np.testing.assert_allclose(variable, expected, atol=1e-6)


def test_lamb_of_a_zero_variable_takes_a_plain_step():
    variable = tf.Variable([0.0, 0.0], name="dense/kernel")
    optimizer = Lamb(0.1, clip_norm=None)
    optimizer.apply_gradients([(tf.constant([1.0, 0.0]), variable)])
    np.testing.assert_allclose(variable, [-0.1 * 0.1 / (0.001**0.5 + 1e-6), 0.0], rtol=1e-5)


def test_norm_of_rows_counts_repeated_rows_apart():
    def norm(**options):
        variable = tf.Variable(tf.ones([3, 1]), name="table")
        optimizer = AdamW(0.1, **options)
        optimizer.build([variable])
        optimizer.apply_gradients([(gradient, variable)])
        return variable.numpy()

    gradient = tf.IndexedSlices(tf.constant([[3.0], [4.0]]), tf.constant([1, 1]), [3, 1])
    dense, rows = norm(), norm(norm_of_rows=True)
    # Clipped to 7/7 and to 7/5: the first moment keeps a tenth.
    m, v = 0.1 * np.array([1.0, 1.4]), 0.001 * np.array([1.0, 1.4]) ** 2
    expected = 1.0 - 0.1 * (m / (np.sqrt(v) + 1e-6) + 0.01)
    np.testing.assert_allclose([dense[1, 0], rows[1, 0]], expected, rtol=1e-5)


def test_a_step_that_is_not_applied_changes_nothing():
    variable = tf.Variable([1.0, 2.0], name="dense/kernel")
    optimizer = AdamW(0.1)
    optimizer.build([variable])
    bad = tf.constant([float("inf"), 0.0])
    optimizer.apply_summed([bad], [variable], apply=tf.constant(False))
    np.testing.assert_array_equal(variable, [1.0, 2.0])
    assert int(optimizer.iterations) == 0
    assert not np.any(raw_variable(optimizer.first_moments[0]))


@pytest.mark.parametrize("optimizer", [AdamW, Lamb])
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_fit(optimizer, policy):
    keras.utils.set_random_seed(1)
    x = np.random.RandomState(0).randn(64, 4).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int32)
    model = keras.Sequential(
        [keras.layers.Dense(8, "tanh", dtype=policy), keras.layers.Dense(2, dtype="float32")]
    )
    if policy == "mixed_float16":
        wrapper = functools.partial(keras.mixed_precision.LossScaleOptimizer, initial_scale=256.0)
        made = wrapper(optimizer(0.05))
    else:
        made = optimizer(WarmupPolynomialDecay(0.05, 40, 4))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(made, loss=loss)
    history = model.fit(x, y, batch_size=16, epochs=10, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    inner = made.inner_optimizer if policy == "mixed_float16" else made
    assert int(inner.iterations) == 40


def test_fit_under_mirrored_strategy_equals_one_device():
    x = np.random.RandomState(0).randn(32, 4).astype(np.float32)
    y = x[:, :1] * 2.0

    def fit(strategy):
        with strategy.scope():
            model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="ones")])
            model.compile(Lamb(0.05, clip_norm=0.1), loss="mse")
        model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        return [np.asarray(w) for w in model.get_weights()]

    one = fit(tf.distribute.OneDeviceStrategy("CPU:0"))
    two = fit(small_run.mirrored())
    for a, b in zip(one, two):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("optimizer", [AdamW, Lamb])
def test_saved_with_the_model(optimizer, tmp_path):
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    model.compile(optimizer(WarmupPolynomialDecay(0.1, 10, 2), beta_1=0.8), loss="mse")
    model.fit(np.ones([4, 2]), np.ones([4, 1]), verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.models.load_model(path)
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert type(loaded.optimizer) is optimizer
    x = np.full([4, 2], 0.5)
    for m in (model, loaded):
        m.fit(x, np.ones([4, 1]), verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], loaded.get_weights()[0], atol=1e-7)


def test_errors():
    with pytest.raises(ValueError, match="`clip_norm` must be positive or None. Received: 0"):
        AdamW(clip_norm=0.0)
    variable = tf.Variable([1.0], name="a/kernel")
    optimizer = AdamW()
    with pytest.raises(ValueError, match="At least one variable must have a gradient"):
        optimizer.apply_gradients([(None, variable)])
    optimizer.apply_gradients([(tf.ones([1]), variable)])
    other = tf.Variable([1.0], name="b/kernel")
    with pytest.raises(ValueError, match="only the variables that it first saw. Received: 'b/ker"):
        optimizer.apply_gradients([(tf.ones([1]), other)])


def test_generation():
    assert isinstance(AdamW(), tf.keras.optimizers.Optimizer), f"Keras 3: {KERAS_3}"

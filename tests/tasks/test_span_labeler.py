import numpy as np
import pytest
import tensorflow as tf

from albert_tf.encoder import AlbertEncoder
from albert_tf.tasks.span_labeler import AlbertSpanLabeler, span_loss
from tests.tasks.common import (
    assert_close,
    fits,
    functional,
    recorded,
    recorded_inputs,
    saves_and_loads,
    set_head,
    small_encoder,
    small_inputs,
)

TOP_OUTPUTS = ("start_top_log_probs", "start_top_index", "end_top_log_probs", "end_top_index")


def recorded_labels():
    g = recorded()
    return {
        "start_logits": g["start_positions"],
        "end_logits": g["end_positions"],
        "cls_logits": g["is_impossible"],
    }


def version_2_inputs():
    g = recorded()
    return {**recorded_inputs(), "p_mask": g["p_mask"]}


def test_equals_the_originals_simple_head(tiny_checkpoint):
    g = recorded()
    model = AlbertSpanLabeler(AlbertEncoder.from_checkpoint(tiny_checkpoint))
    set_head(model, "squad_v1_predict")
    outputs = model(recorded_inputs())
    for name in ("start_logits", "end_logits"):
        assert_close(outputs[name], g[f"squad_v1_predict/{name}"])
    set_head(model, "squad_v1_train")
    losses = span_loss(recorded_labels(), model(recorded_inputs(), training=True))
    assert losses.shape == (8,)
    assert_close(tf.reduce_mean(losses), g["squad_v1_train/loss"])


@pytest.mark.parametrize("head, k", [("squad_v2_predict", 5), ("squad_v2_predict_k3", 3)])
def test_predicts_as_the_originals_head_of_version_2(tiny_checkpoint, head, k):
    g = recorded()
    encoder = AlbertEncoder.from_checkpoint(tiny_checkpoint)
    model = AlbertSpanLabeler(encoder, version_2=True, start_n_top=k, end_n_top=k)
    set_head(model, head)
    outputs = model(version_2_inputs())
    assert set(outputs) == {*TOP_OUTPUTS, "cls_logits"}
    for name, value in outputs.items():
        assert value.shape == g[f"{head}/{name}"].shape
        assert_close(value, g[f"{head}/{name}"])


def test_trains_as_the_originals_head_of_version_2(tiny_checkpoint):
    g = recorded()
    encoder = AlbertEncoder.from_checkpoint(tiny_checkpoint)
    model = AlbertSpanLabeler(encoder, version_2=True, dropout_rate=0.0)
    inputs = {**version_2_inputs(), "start_positions": g["start_positions"]}

    set_head(model, "squad_v2_train_parts")
    outputs = model(inputs, training=True)
    for name in ("start", "end"):
        log_probs = tf.nn.log_softmax(outputs[f"{name}_logits"])
        assert_close(log_probs, g[f"squad_v2_train_parts/train_{name}_log_probs"])
    assert_close(outputs["cls_logits"], g["squad_v2_train_parts/train_cls_logits"])

    set_head(model, "squad_v2_train")
    losses = span_loss(recorded_labels(), model(inputs, training=True))
    assert_close(tf.reduce_mean(losses), g["squad_v2_train/loss"])


def test_default_p_mask_is_cls_and_context():
    model = AlbertSpanLabeler(small_encoder(), version_2=True)
    #                    CLS  q SEP  c  c SEP pad
    mask = tf.constant([[1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1, 1]])
    types = tf.constant([[0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1]])
    p_mask = tf.constant([[0, 1, 1, 0, 0, 1, 1], [0, 1, 1, 0, 0, 0, 1]])
    inputs = {
        "input_word_ids": tf.reshape(tf.range(14), [2, 7]),
        "input_mask": mask,
        "input_type_ids": types,
    }
    default, explicit = model(inputs), model({**inputs, "p_mask": p_mask})
    for name in explicit:
        assert_close(default[name], explicit[name])
    assert_close(model(list(inputs.values()))["cls_logits"], default["cls_logits"])


def test_ends_depend_on_the_start():
    model = AlbertSpanLabeler(small_encoder(), version_2=True)
    inputs, _ = small_inputs()
    first, second = (
        model({**inputs, "start_positions": np.full([8], start)})["end_logits"] for start in (3, 4)
    )
    assert np.abs(first - second)[:, 3:5].max() > 1e-3


def test_fewer_positions_than_asked_for():
    model = AlbertSpanLabeler(small_encoder(), version_2=True, start_n_top=5, end_n_top=4)
    call = tf.function(model, input_signature=[[tf.TensorSpec([None, None], tf.int32)] * 3])
    for length in (3, 6):
        inputs, _ = small_inputs(length=length)
        outputs = model(inputs)
        k, j = min(5, length), min(4, length)
        assert outputs["start_top_index"].shape == (8, k)
        assert outputs["end_top_index"].shape == (8, k * j)
        dynamic = call(list(inputs.values()))
        for name in outputs:
            assert_close(outputs[name], dynamic[name])
    empty = call([tf.zeros([0, 4], tf.int32)] * 3)
    assert empty["end_top_index"].shape == (0, 16)


@pytest.mark.parametrize("version_2", [False, True])
def test_fits_saves_and_loads(tmp_path, version_2):
    model = AlbertSpanLabeler(small_encoder(), version_2=version_2)
    inputs, labels = small_inputs()
    starts = 4 - labels
    y = {"start_logits": starts, "end_logits": np.full([8], 4)}
    x = inputs
    if version_2:
        x = {**inputs, "start_positions": starts}
        y["cls_logits"] = labels.astype(np.float32)
    losses = fits(model, x, y, **model.compile_arguments())
    assert_close(np.mean(span_loss(y, model(x))), model.evaluate(x, y, verbose=0)[0], 1e-3)
    assert losses[-1] > np.mean(span_loss(y, model(x)))
    loaded = saves_and_loads(model, inputs, tmp_path / "model.keras")
    loaded.fit(x, y, epochs=1, verbose=0)


@pytest.mark.parametrize("version_2", [False, True])
def test_works_in_functional_models(version_2):
    labeler = AlbertSpanLabeler(small_encoder(), version_2=version_2)
    model = functional(labeler, (6,))
    inputs, _ = small_inputs()
    expected = labeler(inputs)
    outputs = model(inputs)
    assert set(outputs) == set(expected)
    for name in expected:
        assert_close(outputs[name], expected[name])


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(dtype):
    model = AlbertSpanLabeler(small_encoder(dtype=dtype), version_2=True)
    inputs, labels = small_inputs()
    outputs = model(inputs)
    assert outputs["start_top_log_probs"].dtype == outputs["cls_logits"].dtype == tf.float32
    x = {**inputs, "start_positions": 3 + labels}
    y = {"start_logits": 3 + labels, "end_logits": np.full([8], 4), "cls_logits": labels}
    fits(model, x, y, **model.compile_arguments())


def test_compiles_under_xla():
    model = AlbertSpanLabeler(small_encoder(), version_2=True)
    inputs, _ = small_inputs()
    inputs = {name: tf.constant(value) for name, value in inputs.items()}
    expected, compiled = model(inputs), tf.function(model, jit_compile=True)(inputs)
    for name in expected:
        assert_close(compiled[name], expected[name])
    gold = {**inputs, "start_positions": tf.fill([8], 3)}
    outputs = tf.function(lambda x: model(x, training=True), jit_compile=True)(gold)
    assert np.isfinite(outputs["cls_logits"]).all()


@pytest.mark.parametrize("version_2", [False, True])
def test_config_round_trip(version_2):
    model = AlbertSpanLabeler(
        small_encoder(), version_2, dropout_rate=0.2, start_n_top=3, end_n_top=2, name="mine"
    )
    again = AlbertSpanLabeler.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    names = [row.name for row in model.head_weight_names]
    assert list(again.weights_by_name())[25:] == names


def test_errors():
    encoder = small_encoder()
    inputs, _ = small_inputs()
    with pytest.raises(ValueError, match="needs the right starts.*'start_positions'"):
        AlbertSpanLabeler(encoder, version_2=True)(inputs, training=True)
    with pytest.raises(ValueError, match="unknown 'p_mask'"):
        AlbertSpanLabeler(encoder)({**inputs, "p_mask": inputs["input_mask"]})
    with pytest.raises(ValueError, match="`start_n_top` must be a positive integer. Received: 0"):
        AlbertSpanLabeler(encoder, start_n_top=0)

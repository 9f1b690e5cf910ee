"""Three inputs of one shape, under whatever names; no form of a model broadcasts them."""

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

import albert_tf
from albert_tf._keras import keras
from albert_tf.inputs import INPUT_NAMES, as_int32, unpack_inputs
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.tasks.multiple_choice import AlbertMultipleChoice
from albert_tf.tasks.span_labeler import AlbertSpanLabeler
from albert_tf.tasks.token_classifier import AlbertTokenClassifier
from tests.conftest import without_checks
from tests.saved_model.task_exports import small_encoder

B, S = 2, 4
IDS = np.array([[2, 9, 30, 3], [2, 7, 3, 0]], np.int32)
MASK = np.minimum(IDS, 1)
TYPES = np.array([[0, 0, 1, 1], [0, 1, 1, 0]], np.int32)
INPUTS = [IDS, MASK, TYPES]

# Of ids, mask and types: shapes that NumPy would broadcast, and one with as many elements.
WRONG = {
    "mask [B, 1]": [IDS, MASK[:, :1], TYPES],
    "mask [1, S]": [IDS, MASK[:1], TYPES],
    "ids [B, 1]": [IDS[:, :1], MASK, TYPES],
    "types [B, 1]": [IDS, MASK, TYPES[:, :1]],
    "types [1, S]": [IDS, MASK, TYPES[:1]],
    "mask [S, B]": [IDS, MASK.T, TYPES],
}
SAME_SHAPE = "must.have.the.same.shape"
ERRORS = (ValueError, tf.errors.InvalidArgumentError)


# === Names and dtypes ===


@pytest.mark.parametrize("ids", ["input_word_ids", "input_ids"])
@pytest.mark.parametrize("mask", ["input_mask", "attention_mask"])
@pytest.mark.parametrize("types", ["input_type_ids", "segment_ids", "token_type_ids"])
def test_names(ids, mask, types):
    names = (ids, mask, types)
    for received, expected in zip(unpack_inputs(dict(zip(names, INPUTS))), INPUTS):
        np.testing.assert_array_equal(received, expected)


def test_what_may_be_missing():
    for inputs in ({"input_ids": IDS, "attention_mask": MASK}, [IDS, MASK, None]):
        ids, mask, types = unpack_inputs(inputs)
        np.testing.assert_array_equal(mask, MASK)
        np.testing.assert_array_equal(types, np.zeros_like(IDS))
    ids, mask, types = unpack_inputs(IDS)
    np.testing.assert_array_equal(mask, np.ones_like(IDS))
    np.testing.assert_array_equal(types, np.zeros_like(IDS))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"input_ids": IDS}, r"Received: a dict with the keys \['input_ids'\] \(no 'input_mask'\)"),
        ([IDS, None, TYPES], r"Received: a list of 3 \(no 'input_mask'\)"),
        ({"input_ids": IDS, "attention_mask": MASK, "x": IDS}, "unknown 'x'"),
        (
            {"input_ids": IDS, "attention_mask": MASK, "input_mask": 1 - MASK},
            "one input under two names",
        ),
        ([IDS, MASK.astype("float32"), TYPES], "Received: dtype float32 for 'input_mask'"),
        ([IDS > 0, MASK, TYPES], "Received: dtype bool for 'input_word_ids'"),
    ],
)
def test_refused(inputs, message):
    with pytest.raises(ValueError, match=message):
        unpack_inputs(inputs)


def test_masks_may_be_bool():
    np.testing.assert_array_equal(unpack_inputs([IDS, MASK > 0, TYPES])[1], MASK)
    model = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    np.testing.assert_array_equal(model([IDS, MASK > 0, TYPES])[0], model(INPUTS)[0])


def test_the_mask_of_keras():
    """`mask` belongs to word ids alone; Keras passes one None for each of several tensors."""
    for none in (None, [None, None, None]):
        np.testing.assert_array_equal(unpack_inputs(INPUTS, mask=none)[1], MASK)
    np.testing.assert_array_equal(unpack_inputs(IDS, mask=IDS != 0)[1], MASK)
    with pytest.raises(ValueError, match="`mask` goes with input_word_ids alone.*Received: both"):
        unpack_inputs(INPUTS, mask=MASK)
    encoder = small_encoder()
    for model in (encoder, AlbertClassifier(encoder), AlbertTokenClassifier(encoder, 3)):
        received, expected = model(INPUTS, mask=None), model(INPUTS)
        tf.nest.map_structure(np.testing.assert_array_equal, received, expected)


def test_further_inputs_have_as_many_rows():
    with pytest.raises(ValueError, match="'masked_lm_positions' must have as many rows"):
        unpack_inputs([*INPUTS, np.zeros([3, 1], "int32")], further=["masked_lm_positions"])


def test_int64_does_not_wrap_around():
    values = tf.constant([-(2**40), -1, 0, 2**31 - 1, 2**31, 2**32 + 5], tf.int64)
    expected = [-(2**31), -1, 0, 2**31 - 1, 2**31 - 1, 2**31 - 1]
    np.testing.assert_array_equal(as_int32(values), expected)


# === Every form ===


def in_graph(call):
    """`call` in a graph that knows no shape."""

    @tf.function(autograph=False)
    def function(*tensors):
        return call(list(tensors))

    def run(inputs):
        specs = [tf.TensorSpec([None] * np.ndim(x), tf.as_dtype(x.dtype)) for x in inputs]
        return function.get_concrete_function(*specs)(*map(tf.constant, inputs))

    return run


def compiled(call):
    function = tf.function(lambda *tensors: call(list(tensors)), jit_compile=True, autograph=False)
    return lambda inputs: function(*map(tf.constant, inputs))


def by_name(call, names=INPUT_NAMES, **further):
    return lambda inputs: call(dict(zip(names, map(tf.constant, inputs))) | further)


def signature(loaded, name):
    names = ("input_ids", "input_mask", "segment_ids") if name == "tokens" else INPUT_NAMES
    return by_name(lambda x: loaded.signatures[name](**x), names)


@pytest.fixture(scope="module")
def exports(tmp_path_factory, tiny_checkpoint, sp_model, exported_encoder):
    """{name: a model, live or exported}, all with the weights of `tiny_checkpoint`."""
    encoder = albert_tf.AlbertEncoder.from_checkpoint(tiny_checkpoint)
    path = str(tmp_path_factory.mktemp("forms") / "skipping")
    with without_checks():
        albert_tf.export_encoder(encoder, path, sp_model, skip_padding=True)
    return {
        "encoder": encoder,
        "plain": tf.saved_model.load(exported_encoder),
        "skipping": tf.saved_model.load(path),
        "plain, KerasLayer": albert_tf.KerasLayer(exported_encoder),
        "skipping, KerasLayer": albert_tf.KerasLayer(path),
    }


@pytest.fixture(scope="module")
def forms(exports):
    """{name: function of a list of ids, mask and types}."""
    small, encoder, plain = small_encoder(), exports["encoder"], exports["plain"]
    positions = tf.zeros([B, 1], tf.int32)
    forms = {name: lambda x, f=f: f(list(map(tf.constant, x))) for name, f in exports.items()}
    return forms | {
        "encoder in a graph": in_graph(encoder),
        "encoder under XLA": compiled(encoder),
        "classifier": AlbertClassifier(small),
        "token classifier in a graph": in_graph(AlbertTokenClassifier(small, 3)),
        "span labeler in a graph": in_graph(AlbertSpanLabeler(small, version_2=True)),
        "plain, dict": by_name(plain),
        "plain, in a graph": in_graph(plain),
        "plain, under XLA": compiled(plain),
        "plain, mlm": by_name(plain.mlm, masked_lm_positions=positions),
        "plain, sop": by_name(plain.sop),
        "plain, signature": signature(plain, "serving_default"),
        "skipping, dict": by_name(exports["skipping"]),
        "skipping, signature": signature(exports["skipping"], "tokens"),
    }


@pytest.mark.parametrize("wrong", WRONG)
def test_shapes_that_differ_are_errors_in_every_form(forms, wrong):
    for name, call in forms.items():
        with pytest.raises(ERRORS, match=SAME_SHAPE):
            call(WRONG[wrong])
            pytest.fail(f"{name} took {wrong}")


def test_one_shape_is_right_in_every_form(forms):
    for call in forms.values():
        for output in tf.nest.flatten(call(INPUTS)):
            assert output.shape[0] == B and np.isfinite(output).all()


def test_large_int64_ids_are_errors_in_every_form(forms):
    """Modulo 2**32 they would be ids of the vocabulary."""
    ids = np.where(IDS == 30, IDS.astype("int64") + 2**32, IDS)
    inputs = [ids, MASK.astype("int64"), TYPES.astype("int64")]
    for name, call in forms.items():
        if "signature" in name:
            continue  # int32 only.
        if "XLA" in name:  # It has no errors at run time.
            outputs = call(inputs)
            assert np.isnan(outputs[0][0]).all() and np.isfinite(outputs[0][1]).all()
            continue
        if name.endswith("mlm"):
            continue  # Positions of the fixture are int32.
        with pytest.raises(ERRORS, match=r"is not in \[0, 1000\)"):
            call(inputs)
            pytest.fail(f"{name} took it")


def test_choices():
    """Tensors of rank 3 with as many rows in all, but not with one shape."""
    model = AlbertMultipleChoice(small_encoder())
    inputs = [np.repeat(x[:, np.newaxis], 3, 1) for x in INPUTS]  # [2, 3, S]
    for call in (model, in_graph(model)):
        assert call(inputs).shape == (2, 3)
        for wrong in (inputs[1].transpose([1, 0, 2]), inputs[1][:, :1], inputs[1][:1]):
            with pytest.raises(ERRORS, match=SAME_SHAPE):
                call([inputs[0], wrong, inputs[2]])


def test_p_mask_has_the_shape_too():
    model = AlbertSpanLabeler(small_encoder(), version_2=True)
    named = dict(zip(INPUT_NAMES, INPUTS))

    def call(inputs):
        return model(named | {"p_mask": inputs[0]})

    for each in (call, in_graph(call)):
        assert each([1 - MASK])["cls_logits"].shape == (B,)
        for wrong in (MASK[:, :1], MASK[:1]):
            with pytest.raises(ERRORS, match=r"must.have"):
                each([wrong])


# === Any shapes ===

_shapes = st.tuples(st.integers(0, 2), st.integers(1, 3))


@hypothesis.settings(derandomize=True, deadline=None, max_examples=40, database=None)
@hypothesis.given(
    shapes=st.one_of(_shapes.map(lambda shape: [shape] * 3), st.tuples(_shapes, _shapes, _shapes)),
    dtypes=st.tuples(*[st.sampled_from(["int32", "int64"])] * 3),
    values=st.lists(st.integers(-1, 1000), min_size=18, max_size=18),
    named=st.booleans(),
)
def test_fuzz(exports, shapes, dtypes, values, named):
    """An error or the right answer, the same one from each form."""
    inputs = [
        np.resize(np.array(values[first : first + 6]), shape).astype(dtype)
        for first, shape, dtype in zip((0, 6, 12), shapes, dtypes)
    ]
    inputs[1] = inputs[1] % 2
    right = len(set(shapes)) == 1 and bool(np.all((inputs[0] >= 0) & (inputs[0] < 1000)))
    answers = []
    for name, call in exports.items():
        # A SavedModel takes one dtype.
        x = [tf.constant(t, dtypes[0] if name in ("plain", "skipping") else None) for t in inputs]
        try:
            outputs = call(dict(zip(INPUT_NAMES, x)) if named else x)
        except ERRORS as error:
            assert not right, error
        else:
            assert right, f"{name} took it"
            answers.append(outputs["pooled_output"] if named else outputs[0])
    for answer in answers[1:]:
        np.testing.assert_allclose(answer, answers[0], atol=5e-3)  # Rows without any token.


def test_a_functional_model_of_inputs_that_differ():
    inputs = [keras.Input(shape, dtype="int32") for shape in ((S,), (1,), (S,))]
    with pytest.raises(ValueError, match=SAME_SHAPE):
        small_encoder()(inputs)

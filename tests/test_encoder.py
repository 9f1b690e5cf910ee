import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras, tf_variable
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.layers.embeddings import EmbeddingTable
from tests.conftest import GOLDENS
from tests.random_tiny import CHECKPOINT

SMALL = dict(
    vocab_size=50,
    embedding_width=8,
    hidden_size=16,
    num_layers=2,
    num_attention_heads=2,
    max_sequence_length=12,
    intermediate_size=24,
)


def inputs(batch=2, length=5, names=None):
    ids = np.arange(batch * length).reshape(batch, length) % 50
    tensors = [ids.astype("int32"), np.ones_like(ids, "int32"), np.zeros_like(ids, "int32")]
    return dict(zip(names, tensors)) if names else tensors


# === Numbers ===


@pytest.fixture(scope="module", params=["tiny", "tiny_groups"])
def golden(request):
    path = GOLDENS / request.param
    return AlbertEncoder.from_checkpoint(path), np.load(path / "golden.npz")


@pytest.mark.parametrize("group", ["", "len64/", "zeromask/"])
def test_equals_the_original(golden, group):
    encoder, recorded = golden
    names = ("input_ids", "input_mask", "segment_ids")
    word_ids, mask, type_ids = (recorded[group + name] for name in names)
    outputs = encoder({"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": type_ids})
    # An all-zero mask shifts all scores by -10000, where float32 has steps of 1e-3.
    tolerance = 2e-4 if group == "zeromask/" else 1e-5
    for name in ("pooled_output", "sequence_output"):
        np.testing.assert_allclose(outputs[name], recorded[group + name], atol=tolerance, rtol=0)
    if group == "zeromask/":
        return
    blocks = [key for key in recorded if key.startswith(f"{group}encoder_layer_")]
    assert len(blocks) == len(outputs["encoder_outputs"])
    for key, output in zip(sorted(blocks), outputs["encoder_outputs"]):
        np.testing.assert_allclose(output, recorded[key], atol=1e-5, rtol=0)
    embeddings = encoder.embeddings(tf.constant(word_ids), tf.constant(type_ids))
    np.testing.assert_allclose(embeddings, recorded[f"{group}embedding_output"], atol=1e-5, rtol=0)
    np.testing.assert_array_equal(
        encoder.embeddings.word_embeddings(word_ids), recorded[f"{group}word_embedding_output"]
    )


def test_ids_alone_mean_all_real_and_segment_0(golden):
    encoder, recorded = golden
    pooled, sequence = encoder(recorded["input_ids"])
    np.testing.assert_allclose(pooled, recorded["defaults/pooled_output"], atol=1e-5, rtol=0)
    np.testing.assert_allclose(sequence, recorded["defaults/sequence_output"], atol=1e-5, rtol=0)


# What the SavedModels of the TF Hub generations /1 and /3 answered with the default checkpoint's
# weights. They disagree on rows without any token (`allmasked`) and masks other than 0 and 1:
# /1 adds -10000 as Google's original, /3 adds -1e9.
@pytest.mark.parametrize(("version", "mask_value"), [("v1", -10000.0), ("v3", -1e9)])
@pytest.mark.parametrize("case", ["s1", "s8", "s20", "s128", "s512", "allmasked", "mask2", "type2"])
def test_equals_tf_hub(version, mask_value, case):
    recorded = np.load(GOLDENS / "tf_hub" / "encoder_golden.npz")
    encoder = AlbertEncoder.from_checkpoint(CHECKPOINT, attention_mask_value=mask_value)
    names = ("input_word_ids", "input_mask", "input_type_ids")
    outputs = encoder({name: recorded[f"{case}/{name}"] for name in names})
    # Masks that shift all scores by -10000 cost float32 digits (see above).
    tolerance = 2e-4 if case in ("allmasked", "mask2") else 1e-5
    for name in ("pooled_output", "sequence_output", "encoder_outputs"):
        key = f"{case}/{version}/{name}"
        if key in recorded:
            np.testing.assert_allclose(outputs[name], recorded[key], atol=tolerance, rtol=0)


# Largest difference from float32 on `tiny`, whose outputs are of the order of 1.
@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 0.01), ("bfloat16", 0.08)])
def test_half_precision(tiny_checkpoint, dtype, tolerance):
    recorded = np.load(tiny_checkpoint / "golden.npz")
    encoder = AlbertEncoder.from_checkpoint(tiny_checkpoint, dtype=f"mixed_{dtype}")
    assert {w.dtype for w in encoder.weights} <= {"float32", tf.float32}
    names = ("input_ids", "input_mask", "segment_ids")
    pooled, sequence = encoder([recorded[name] for name in names])
    assert pooled.dtype == sequence.dtype == dtype
    real = recorded["input_mask"][..., None] > 0
    difference = np.abs(np.float32(sequence) - recorded["sequence_output"]) * real
    assert difference.max() < tolerance
    for mask_value in (-10000.0, -1e9):
        encoder = AlbertEncoder.from_checkpoint(
            tiny_checkpoint, dtype=f"mixed_{dtype}", attention_mask_value=mask_value
        )
        pooled, sequence = encoder([recorded[f"zeromask/{name}"] for name in names])
        assert np.isfinite(np.float32(pooled)).all() and np.isfinite(np.float32(sequence)).all()


# === Weights ===


def test_weights_exist_at_once_with_the_published_names():
    with tf.name_scope("somewhere"):
        names = list(AlbertEncoder(**SMALL).weights_by_name())
    assert len(names) == 25
    assert names[0] == "word_embeddings/embeddings"
    assert names[13] == "transformer/self_attention/attention_output/kernel"
    assert names[24] == "pooler_transform/bias"


def test_no_projection_where_the_widths_are_equal():
    names = AlbertEncoder(**{**SMALL, "embedding_width": 16}).weights_by_name()
    assert len(names) == 23 and "embedding_projection/kernel" not in names


def test_initial_weights_differ_from_each_other():
    encoder = AlbertEncoder(**SMALL)
    attention = encoder.transformer_blocks()[0].self_attention
    assert np.abs(attention.query.kernel.numpy() - attention.key.kernel.numpy()).max() > 0
    table = encoder.embeddings.word_embeddings.embeddings.numpy()
    assert 0.01 < table.std() < 0.03 and np.abs(table).max() <= 0.04 + 1e-6


def test_config_round_trip():
    encoder = AlbertEncoder(**SMALL, num_hidden_groups=2, activation="relu", dropout_rate=0.2)
    again = AlbertEncoder.from_config(encoder.get_config())
    assert again.get_config() == encoder.get_config()
    assert again.albert_config == encoder.albert_config
    config = AlbertConfig.from_preset("albert_base_v1")
    small = AlbertConfig(**{**config.to_dict(), "vocab_size": 9, "num_hidden_layers": 1})
    assert AlbertEncoder.from_albert_config(small).albert_config == small


def test_object_checkpoint_has_all_weights(tmp_path):
    encoder = AlbertEncoder(**SMALL, num_hidden_groups=2)
    path = tf.train.Checkpoint(model=encoder).write(str(tmp_path / "checkpoint"))
    stored = [name for name, _ in tf.train.list_variables(path) if "VARIABLE_VALUE" in name]
    assert len(encoder.weights) == 41 == len(stored)


# === Use in Keras ===


def test_answers_in_the_form_of_the_question():
    encoder = AlbertEncoder(**SMALL)
    pooled, sequence = encoder(inputs())
    assert pooled.shape == (2, 16) and sequence.shape == (2, 5, 16)
    for type_key in ("input_type_ids", "segment_ids"):
        outputs = encoder(inputs(names=("input_word_ids", "input_mask", type_key)))
        assert set(outputs) == {"pooled_output", "sequence_output", "encoder_outputs"}
        np.testing.assert_array_equal(outputs["pooled_output"], pooled)
        np.testing.assert_array_equal(outputs["encoder_outputs"][-1], outputs["sequence_output"])
    assert isinstance(AlbertEncoder(**SMALL, dict_outputs=True)(inputs()), dict)
    assert AlbertEncoder(**SMALL, output_key="pooled_output")(inputs()).shape == (2, 16)


def test_functional_model_trains_saves_and_loads(tmp_path):
    encoder = AlbertEncoder(**SMALL)
    ids, mask, segments = (keras.Input((5,), dtype="int32") for _ in range(3))
    pooled_output, _ = encoder([ids, mask, segments])
    model = keras.Model([ids, mask, segments], keras.layers.Dense(2)(pooled_output))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    assert len(model.trainable_weights) == 27
    before = [w.numpy() for w in encoder.trainable_weights]
    history = model.fit(inputs(8), np.arange(8) % 2, epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert all((b != w.numpy()).any() for b, w in zip(before, encoder.trainable_weights))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(inputs(), verbose=0), model.predict(inputs(), verbose=0)
    )


def test_sequential_model():
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            AlbertEncoder(**SMALL, output_key="pooled_output"),
            keras.layers.Dense(2),
        ]
    )
    assert model(inputs()[0]).shape == (2, 2)
    assert len(model.trainable_weights) == 27


def test_subclassed_model():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder = AlbertEncoder(**SMALL)
            self.dense = keras.layers.Dense(2)

        def call(self, x, training=None):
            return self.dense(self.encoder(x, training=training)["pooled_output"])

    model = Model()
    x = inputs(4, names=("input_word_ids", "input_mask", "segment_ids"))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, np.arange(4) % 2, verbose=0)
    assert model.predict(x, verbose=0).shape == (4, 2)
    assert len(model.trainable_weights) == 27


def test_dropout_only_in_training():
    encoder = AlbertEncoder(**SMALL)  # Dropout 0.1 by default, as the Model Garden's class.
    np.testing.assert_array_equal(encoder(inputs())[0], encoder(inputs(), training=False)[0])
    a, b = (np.array(encoder(inputs(), training=True)[0]) for _ in range(2))
    assert np.abs(a - b).max() > 0
    assert not encoder.non_trainable_weights
    symbolic = tf.function(lambda training: encoder(inputs(), training=training)[0])
    np.testing.assert_allclose(symbolic(tf.constant(False)), encoder(inputs())[0], atol=1e-6)
    assert np.abs(symbolic(tf.constant(True)) - symbolic(tf.constant(True))).max() > 0


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_length_1_and_the_longest_and_no_rows(dtype):
    encoder = AlbertEncoder(**SMALL)
    for batch, length in ((2, 1), (2, 12), (0, 5)):
        pooled, sequence = encoder([x.astype(dtype) for x in inputs(batch, length)])
        assert pooled.shape == (batch, 16) and sequence.shape == (batch, length, 16)


def test_padding_does_not_matter():
    encoder = AlbertEncoder(**SMALL)
    ids, mask, segments = inputs(1, 5)
    mask[:, 3:] = 0
    long, _ = encoder([ids, mask, segments])
    short, _ = encoder([x[:, :3] for x in (ids, mask, segments)])
    np.testing.assert_allclose(long, short, atol=1e-6)


# === Errors ===


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: inputs()[:2], r"takes a list \[input_word_ids, .* Received: a list of 2"),
        (lambda: {"input_word_ids": inputs()[0]}, r"\(no 'input_mask'\)"),
        (
            lambda: {
                **inputs(names=("input_word_ids", "input_mask", "segment_ids")),
                "x": inputs()[0],
            },
            "unknown 'x'",
        ),
        (lambda: [x.astype("float32") for x in inputs()], "int32 or int64 .* dtype float32"),
        (lambda: [x[0] for x in inputs()], r"of shape \[batch, length\].* Received: shape \(5,\)"),
        (lambda: [inputs()[0], inputs(length=4)[1], inputs()[2]], "must have the same shape"),
    ],
)
def test_bad_inputs(make, message):
    with pytest.raises(ValueError, match=message):
        AlbertEncoder(**SMALL)(make())


def test_ragged_input():
    ragged = tf.ragged.constant([[1, 2], [3]])
    with pytest.raises(ValueError, match="a RaggedTensor for 'input_word_ids'. Pad it"):
        AlbertEncoder(**SMALL).call([ragged, ragged, ragged])


@pytest.mark.parametrize("dynamic", [False, True])
def test_longer_than_the_position_table(dynamic):
    encoder = AlbertEncoder(**SMALL)
    spec = [tf.TensorSpec([None, None] if dynamic else [2, 15], tf.int32)] * 3
    function = tf.function(lambda *x: encoder(list(x)), input_signature=spec)
    ids, mask, segments = map(tf.constant, inputs(length=15))
    message = "(?s)longer than max_sequence_length=12 tokens.*length.*15"
    for call in (function, lambda *x: encoder(list(x))):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            call(ids, mask, segments)
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            call(ids, tf.zeros_like(mask), segments)
        # Padding beyond the table changes nothing: preprocessors pad to 128 whatever follows.
        short = tf.concat([mask[:, :12], tf.zeros_like(mask[:, 12:])], 1)
        pooled, sequence = call(ids, short, segments)
        expected = encoder([x[:, :12] for x in (ids, mask, segments)])
        np.testing.assert_allclose(pooled, expected[0], atol=1e-6)
        np.testing.assert_allclose(sequence[:, :12], expected[1], atol=1e-6)
    compiled = tf.function(lambda *x: encoder(list(x)), input_signature=spec, jit_compile=True)
    assert np.isnan(compiled(ids, mask, segments)[0]).all()


@pytest.mark.parametrize("wrong", [-1, 50])
def test_ids_out_of_the_vocabulary(wrong):
    encoder = AlbertEncoder(**SMALL)
    ids, mask, segments = map(tf.constant, inputs())
    ids = tf.where(ids == 3, wrong, ids)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"is not in \[0, 50\)"):
        encoder([ids, mask, segments])
    compiled = tf.function(lambda *x: encoder(list(x)), jit_compile=True)
    pooled, sequence = compiled(ids, mask, segments)
    assert np.isnan(pooled[0]).all() and np.isnan(sequence[0]).all()
    np.testing.assert_allclose(
        pooled[1], encoder([ids[1:], mask[1:], segments[1:]])[0][0], atol=1e-6
    )


def test_segment_ids_out_of_range_are_no_segment():
    encoder = AlbertEncoder(**SMALL)
    ids, mask, segments = map(tf.constant, inputs())
    answers = [encoder([ids, mask, segments + wrong])[0] for wrong in (-1, 2, 1000)]
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer, answers[0])
    encoder.embeddings.type_embeddings.embeddings.assign(np.zeros([2, 8], "float32"))
    np.testing.assert_allclose(encoder([ids, mask, segments])[0], answers[0], atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"skip_padding": True}, {"num_hidden_groups": 2}])
def test_attention_probabilities(options):
    encoder = AlbertEncoder(**SMALL, initializer=0.5, **options)
    ids, mask, segments = inputs()
    mask[1, 3:] = 0
    x = [ids, mask, segments]
    probabilities = encoder.attention_probabilities(x)
    assert [tuple(p.shape) for p in probabilities] == [(2, 2, 5, 5)] * 2
    outputs = encoder.encode(*map(tf.constant, x))["encoder_outputs"]
    last = encoder.transformer_blocks()[-1].self_attention
    expected = last.probabilities(outputs[0], tf.constant(mask))
    np.testing.assert_allclose(probabilities[1], expected, atol=1e-6)
    for block in probabilities:
        np.testing.assert_allclose(tf.reduce_sum(block, -1), np.ones([2, 2, 5]), atol=1e-5)
        assert not np.any(block[1, :, :, 3:])  # Nobody attends to padding.


def test_embedding_table():
    encoder = AlbertEncoder(**SMALL)
    table = encoder.get_embedding_table()
    assert isinstance(table, tf.Variable) and table.shape == (50, 8)
    assert table.name == "word_embeddings/embeddings:0"


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("num_layers", 0),
        ("embedding_width", 2.5),
        ("max_sequence_length", "512"),
        ("dropout_rate", 1.0),
        ("attention_dropout_rate", "x"),
        ("activation", "swish"),
        ("activation", lambda x: x),
        ("initializer", 0),
        ("initializer", -0.5),
    ],
)
def test_errors_name_the_arguments(argument, value):
    with pytest.raises(ValueError, match=f"^`{argument}` must be .* Received: "):
        AlbertEncoder(**{**SMALL, argument: value})


def test_bad_arguments():
    with pytest.raises(ValueError, match="exceed `num_layers`: .*num_layers=2"):
        AlbertEncoder(**SMALL, num_hidden_groups=3)
    assert AlbertEncoder(**SMALL, activation=tf.nn.relu).get_config()["activation"] == "relu"
    assert AlbertEncoder(**SMALL, initializer=1).albert_config.initializer_range == 1.0
    with pytest.raises(ValueError, match="`activation` must be one of"):
        AlbertEncoder(**SMALL, activation="swish")
    with pytest.raises(ValueError, match="`output_key` must be None or one of pooled_output"):
        AlbertEncoder(**SMALL, output_key="default")


def test_embedding_gradient_is_sparse():
    table = EmbeddingTable(50, 8, "zeros")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(table(tf.constant([[1, 2]])))
    gradient = tape.gradient(loss, tf_variable(table.embeddings))
    assert isinstance(gradient, tf.IndexedSlices)

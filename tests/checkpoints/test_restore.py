import dataclasses
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import keras, tf_variable
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.pretrainer import AlbertPretrainer

GOLDENS = pathlib.Path(__file__).parents[1] / "goldens"
SMALL = AlbertConfig(
    vocab_size=30,
    embedding_size=8,
    hidden_size=12,
    num_hidden_layers=4,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=16,
)
# Ours -> the original's in tiny, written out once more, independently of the table.
BLOCK = "bert/encoder/transformer/group_0/inner_group_0"
ORIGINAL = {
    "word_embeddings/embeddings": "bert/embeddings/word_embeddings",
    "position_embedding/embeddings": "bert/embeddings/position_embeddings",
    "type_embeddings/embeddings": "bert/embeddings/token_type_embeddings",
    "embeddings/layer_norm": "bert/embeddings/LayerNorm",
    "embedding_projection": "bert/encoder/embedding_hidden_mapping_in",
    "transformer/self_attention/query": f"{BLOCK}/attention_1/self/query",
    "transformer/self_attention/key": f"{BLOCK}/attention_1/self/key",
    "transformer/self_attention/value": f"{BLOCK}/attention_1/self/value",
    "transformer/self_attention/attention_output": f"{BLOCK}/attention_1/output/dense",
    "transformer/self_attention_layer_norm": f"{BLOCK}/LayerNorm",
    "transformer/intermediate": f"{BLOCK}/ffn_1/intermediate/dense",
    "transformer/output": f"{BLOCK}/ffn_1/intermediate/output/dense",
    "transformer/output_layer_norm": f"{BLOCK}/LayerNorm_1",
    "pooler_transform": "bert/pooler/dense",
    "bert/cls/predictions/output_bias/bias": "cls/predictions/output_bias",
    "bert/cls/predictions/transform/dense": "cls/predictions/transform/dense",
    "bert/cls/predictions/transform/LayerNorm": "cls/predictions/transform/LayerNorm",
    "bert/cls/seq_relationship/kernel": "cls/seq_relationship/output_weights",
    "bert/cls/seq_relationship/bias": "cls/seq_relationship/output_bias",
}


def original_name(name):
    layer, _, leaf = name.rpartition("/")
    return ORIGINAL[name] if name in ORIGINAL else f"{ORIGINAL[layer]}/{leaf}"


def array(weight):
    return np.array(tf.convert_to_tensor(weight))


@pytest.fixture
def small(tmp_path, write_tf1, random_arrays):
    """Function (changes of the arrays) that writes a checkpoint of the small configuration."""

    def write(config=SMALL, remove=(), **changes):
        arrays = {**random_arrays(config), **changes.get("add", {})}
        for name in remove:
            del arrays[name]
        (tmp_path / "albert_config.json").write_text(config.to_json())
        write_tf1(tmp_path / "model.ckpt", arrays)
        return tmp_path, arrays

    return write


# === Values ===


def test_every_value_of_tiny():
    model = AlbertPretrainer.from_checkpoint(GOLDENS / "tiny")
    reader = tf.train.load_checkpoint(str(GOLDENS / "tiny" / "model.ckpt-best"))
    weights = model.weights_by_name()
    assert len(weights) == 32
    for name, weight in weights.items():
        stored = reader.get_tensor(original_name(name))
        if name == "bert/cls/seq_relationship/kernel":
            stored = stored.T
        # Splitting a matrix by heads moves no number.
        np.testing.assert_array_equal(array(weight).reshape(stored.shape), stored, err_msg=name)


@pytest.mark.parametrize("name", ["tiny", "tiny_groups"])
def test_outputs_equal_the_original(name):
    golden = np.load(GOLDENS / name / "golden.npz")
    model = AlbertPretrainer.from_checkpoint(GOLDENS / name)
    outputs = model(
        {
            "input_word_ids": golden["input_ids"],
            "input_mask": golden["input_mask"],
            "input_type_ids": golden["segment_ids"],
            "masked_lm_positions": golden["masked_lm_positions"],
        }
    )
    for key in ("pooled_output", "sequence_output"):
        np.testing.assert_allclose(outputs[key], golden[key], atol=1e-5)
    mlm = tf.reshape(tf.nn.log_softmax(outputs["mlm_logits"]), golden["mlm_log_probs"].shape)
    np.testing.assert_allclose(mlm, golden["mlm_log_probs"], atol=1e-5)
    sop = tf.nn.log_softmax(outputs["sop_logits"])
    np.testing.assert_allclose(sop, golden["sop_log_probs"], atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"embedding_size": 12},
        {"num_hidden_groups": 2, "inner_group_num": 2},
        {"hidden_act": "relu", "type_vocab_size": 5},
    ],
    ids=["same_width", "groups", "relu_5_types"],
)
def test_geometries(small, changes):
    config = dataclasses.replace(SMALL, **changes)
    path, arrays = small(config)
    assert ("bert/encoder/embedding_hidden_mapping_in/kernel" in arrays) == (
        config.embedding_size != config.hidden_size
    )
    model = AlbertPretrainer.from_checkpoint(path)
    assert model.encoder.albert_config == config
    report = model.restore_report
    assert len(report.restored) == len(arrays)
    assert report.parameters == sum(values.size for values in arrays.values())
    for name, weight in model.weights_by_name().items():
        stored = arrays[report.restored[name]]
        if "seq_relationship/kernel" in name:
            stored = stored.T
        np.testing.assert_array_equal(array(weight).reshape(stored.shape), stored, err_msg=name)


# === What is in a checkpoint beside the model ===


def test_training_checkpoint():
    encoder = AlbertEncoder.from_checkpoint(GOLDENS / "train_ckpt_with_slots")
    report = encoder.restore_report
    assert (len(report.restored), len(report.ignored)) == (25, 72)
    reasons = list(report.ignored.values())
    assert reasons.count("optimizer slot") == 64
    assert reasons.count("step counter") == 1
    assert "25 restored (73,920 parameters" in str(report)

    pretrainer = AlbertPretrainer.from_checkpoint(GOLDENS / "train_ckpt_with_slots")
    assert len(pretrainer.restore_report.restored) == 32
    assert len(pretrainer.restore_report.ignored) == 65


def test_fine_tuned_checkpoint(small, random_arrays):
    heads = [name for name in random_arrays(SMALL) if name.startswith("cls/")]
    new = {"output_weights": np.ones([3, 12], np.float32), "output_bias": np.ones(3, np.float32)}
    path, _ = small(remove=heads, add=new)
    report = AlbertEncoder.from_checkpoint(path).restore_report
    assert report.ignored == dict.fromkeys(new, "head of run_classifier.py or run_race.py")
    model = AlbertPretrainer.from_checkpoint(path)
    assert model.masked_lm is None
    assert model.sentence_order is None
    assert model.restore_report.absent == ("masked LM head", "sentence-order head")


def test_one_head(small):
    path, _ = small(
        remove=["cls/seq_relationship/output_weights", "cls/seq_relationship/output_bias"]
    )
    model = AlbertPretrainer.from_checkpoint(path)
    assert model.masked_lm is not None
    assert model.sentence_order is None


def test_half_a_head(small):
    path, _ = small(remove=["cls/predictions/output_bias"])
    with pytest.raises(ValueError, match=r"missing: cls/predictions/output_bias \[30\]"):
        AlbertPretrainer.from_checkpoint(path)
    assert AlbertEncoder.from_checkpoint(path).restore_report.ok


# === Arguments ===


def test_arguments_win_over_the_configuration(small):
    path, _ = small()
    encoder = AlbertEncoder.from_checkpoint(path, dropout_rate=0.25, num_layers=2, name="mine")
    assert encoder.albert_config == dataclasses.replace(
        SMALL, hidden_dropout_prob=0.25, num_hidden_layers=2
    )
    assert encoder.name == "mine"


def test_initializer_of_the_configuration_is_kept(small):
    path, _ = small(dataclasses.replace(SMALL, initializer_range=0.05))
    for model in (
        AlbertEncoder.from_checkpoint(path),
        AlbertPretrainer.from_checkpoint(path).encoder,
    ):
        initializer = keras.initializers.deserialize(model.get_config()["initializer"])
        assert isinstance(initializer, keras.initializers.TruncatedNormal)
        assert initializer.get_config()["stddev"] == 0.05


def test_an_argument_that_does_not_fit_the_weights(small):
    path, _ = small()
    with pytest.raises(ValueError, match="max_position_embeddings is 64 .*, but 16 in the weights"):
        AlbertEncoder.from_checkpoint(path, max_sequence_length=64)


def test_inside_a_distribution_strategy(small):
    path, arrays = small()
    reduction = tf.distribute.ReductionToOneDevice()  # See test_hub_keras_layer.py.
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=reduction)
    with strategy.scope():
        encoder = AlbertEncoder.from_checkpoint(path)
    weight = tf_variable(encoder.weights_by_name()["pooler_transform/kernel"])
    replicas = strategy.experimental_local_results(weight)
    assert len(replicas) == 2
    for replica in replicas:
        np.testing.assert_array_equal(replica, arrays["bert/pooler/dense/kernel"])


def test_subclass(small):
    class Mine(AlbertEncoder):
        pass

    path, _ = small()
    assert isinstance(Mine.from_checkpoint(path), Mine)


def test_no_configuration(small):
    path, _ = small()
    (path / "albert_config.json").unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r"(?s)needs its configuration.*vocab_size=30, embedding_size=8, .*hidden_size=12",
    ):
        AlbertEncoder.from_checkpoint(path)
    assert AlbertEncoder.from_checkpoint(path, SMALL).restore_report.ok


# === Bad weights ===


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite(small, bad):
    values = np.ones([12, 12], np.float32)
    values[3, 4] = bad
    path, _ = small(add={"bert/pooler/dense/kernel": values})
    count = "1 NaN and 0" if np.isnan(bad) else "0 NaN and 1"
    with pytest.raises(ValueError, match=f"finite. .*'bert/pooler/dense/kernel' .*{count} .* 144"):
        AlbertEncoder.from_checkpoint(path)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_weights(small, dtype):
    values = tf.random.stateless_normal([12, 12], [1, 2])
    stored = tf.cast(values, dtype)
    path, _ = small(add={"bert/pooler/dense/kernel": stored})
    encoder = AlbertEncoder.from_checkpoint(path)
    kernel = array(encoder.weights_by_name()["pooler_transform/kernel"])
    np.testing.assert_array_equal(kernel, tf.cast(stored, tf.float32))
    assert encoder.restore_report.cast == {"bert/pooler/dense/kernel": dtype.name}


def test_integer_weights(small):
    path, _ = small(add={"bert/pooler/dense/kernel": np.ones([12, 12], np.int32)})
    with pytest.raises(ValueError, match=r"kernel: int32 \[12, 12\] in the .*, float32 \[12, 12\]"):
        AlbertEncoder.from_checkpoint(path)


def test_truncated_checkpoint_builds_nothing(tmp_path, monkeypatch):
    shutil.copytree(GOLDENS / "tiny", tmp_path / "tiny")
    data = tmp_path / "tiny" / "model.ckpt-best.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:100_000])

    def build(*args, **kwargs):
        raise AssertionError("An encoder was built.")

    monkeypatch.setattr(AlbertEncoder, "from_albert_config", build)
    with pytest.raises(ValueError, match="truncated"):
        AlbertEncoder.from_checkpoint(tmp_path / "tiny")
    with pytest.raises(ValueError, match="vocab_size is 5 in the configuration"):
        AlbertEncoder.from_checkpoint(GOLDENS / "tiny", vocab_size=5)

"""The exported preprocessor: what it promises, in this process and in fresh ones."""

import os
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf

from albert_tf._keras import KERAS_3, keras
from albert_tf.saved_model.preprocessor import export_preprocessor
from albert_tf.text.preprocessor import Preprocessor
from tests import programs
from tests.conftest import FIXTURES

pytest.importorskip("tensorflow_text")

TINY = FIXTURES / "tiny.model"
NAMES = ("input_word_ids", "input_mask", "input_type_ids")
TEXTS = ["In 2010, Zürich", "", "straße \u2167 ﬁne"]


@pytest.fixture(scope="module", params=["tfhub", "original"])
def exported(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "preprocessor"
    checks = export_preprocessor(TINY, path, rules=request.param, seq_length=32)
    assert checks and not any(c.difference for c in checks)
    return path, Preprocessor(TINY, rules=request.param, seq_length=32)


@pytest.fixture(scope="module")
def loaded(exported):
    return tf.saved_model.load(str(exported[0]))


def assert_equal(a, b):
    tf.nest.assert_same_structure(a, b, expand_composites=True)
    flat = (tf.nest.flatten(x, expand_composites=True) for x in (a, b))
    for x, y in zip(*flat):
        np.testing.assert_array_equal(x, y)


def test_equals_the_live_preprocessor(exported, loaded):
    live = exported[1]
    texts = tf.constant(TEXTS)
    assert_equal(loaded(texts), live(texts))
    assert_equal(loaded(texts, training=True), live(texts))
    assert_equal(loaded.tokenize(texts), live.tokenize(texts))
    assert_equal(loaded.tokenize_with_offsets(texts), live.tokenize_with_offsets(texts))
    tokens = live.tokenize(texts)
    assert_equal(loaded.detokenize(tokens), live.detokenize(tokens))
    assert_equal(loaded.detokenize(tokens.to_tensor()), live.detokenize(tokens))
    assert_equal(loaded.encode_pairs(texts, texts), live.encode_pairs(texts, texts))
    assert_equal(
        loaded.encode_pairs(texts, texts[::-1], seq_length=9),
        live.encode_pairs(texts, texts[::-1], seq_length=9),
    )
    assert_equal(loaded.get_special_tokens_dict(), live.get_special_tokens_dict())
    assert_equal(loaded.tokenize.get_special_tokens_dict(), live.get_special_tokens_dict())
    words = tf.RaggedTensor.from_row_lengths(tokens, [2, 1])
    for segments in ([tokens], [tokens, tokens], [words], [words, words]):
        assert_equal(loaded.bert_pack_inputs(segments), live.bert_pack_inputs(segments))
        assert_equal(loaded.bert_pack_inputs(segments, 8), live.bert_pack_inputs(segments, 8))


def test_interface(loaded):
    assert os.path.basename(loaded.sp_model_file.asset_path.numpy()) == b"tiny.model"
    for part in (loaded, loaded.tokenize):
        assert len(part.variables) == len(part.trainable_variables) == 0
        assert len(part.regularization_losses) == 0
    outputs = loaded.signatures["serving_default"](sentences=tf.constant(TEXTS))
    assert_equal(outputs, loaded(tf.constant(TEXTS)))
    for texts in (TEXTS, np.array(TEXTS), np.array(TEXTS, object)):
        assert_equal(loaded(texts), outputs)


def test_batch_0_and_static_shapes(loaded):
    assert loaded(tf.zeros([0], tf.string))["input_mask"].shape == (0, 32)
    texts = tf.data.Dataset.from_tensor_slices(TEXTS).batch(2)

    def packed(batch):
        return loaded.bert_pack_inputs([loaded.tokenize(batch)], seq_length=16)

    for function, length in ((loaded, 32), (packed, 16)):
        spec = texts.map(lambda batch: function(batch)).element_spec
        assert {k: v.shape.as_list() for k, v in spec.items()} == {k: [None, length] for k in NAMES}


def test_too_small_length_is_an_error(loaded):
    tokens = loaded.tokenize(tf.constant(TEXTS))
    with pytest.raises(tf.errors.InvalidArgumentError, match="seq_length must be .* at least 2"):
        loaded.bert_pack_inputs([tokens], seq_length=1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="3 for two"):
        loaded.bert_pack_inputs([tokens, tokens], seq_length=2)


def test_graph_holds_no_python_function(exported):
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    data = (exported[0] / "saved_model.pb").read_bytes()
    graph = SavedModel.FromString(data).meta_graphs[0].graph_def
    ops = {n.op for f in graph.library.function for n in f.node_def} | {n.op for n in graph.node}
    assert "SentencepieceTokenizeOp" in ops
    assert not [op for op in ops if "PyFunc" in op]


@pytest.mark.skipif(KERAS_3, reason="hub.KerasLayer exists for tf_keras only")
def test_hub_keras_layer(exported, loaded):
    hub = pytest.importorskip("tensorflow_hub")
    live = exported[1]
    text_inputs = [keras.layers.Input(shape=(), dtype=tf.string) for _ in range(2)]
    outputs = hub.KerasLayer(str(exported[0]))(text_inputs[0])
    assert {k: v.shape.as_list() for k, v in outputs.items()} == {k: [None, 32] for k in NAMES}
    tokenize = hub.KerasLayer(loaded.tokenize)
    pack = hub.KerasLayer(loaded.bert_pack_inputs, arguments=dict(seq_length=16))
    pair = pack([tokenize(segment) for segment in text_inputs])
    assert {k: v.shape.as_list() for k, v in pair.items()} == {k: [None, 16] for k in NAMES}
    model = keras.Model(text_inputs, [outputs, pair])
    texts = np.array(TEXTS, object)
    single_outputs, pair_outputs = model.predict([texts, texts], verbose=0)
    assert_equal(single_outputs, live(TEXTS))
    assert_equal(pair_outputs, live.encode_pairs(TEXTS, TEXTS, 16))


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"sp_model": "tiny.vocab"}, ValueError, "readable list"),
        ({"sp_model": "nothing.model"}, FileNotFoundError, "existing SentencePiece model"),
        ({"rules": "python"}, ValueError, "rules must be one of"),
        ({"seq_length": 2}, ValueError, "seq_length must be"),
        ({"path": "file"}, FileExistsError, "must not exist yet"),
    ],
)
def test_errors_leave_nothing(tmp_path, arguments, error, message):
    (tmp_path / "file").write_text("")
    arguments = {"sp_model": TINY, "path": "out", **arguments}
    arguments["path"] = tmp_path / arguments["path"]
    with pytest.raises(error, match=message):
        export_preprocessor(**arguments)
    assert os.listdir(tmp_path) == ["file"]


def run(program, *arguments, directory=None):
    root = FIXTURES.parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, *program, *arguments]
    return programs.run(command, cwd=directory or root, env=environment, text=True)


def test_command(tmp_path):
    options = [f"--sp_model={TINY}", f"--output={tmp_path / 'out'}", "--rules=original"]
    result = run(["-m", "export.preprocessor"], *options)
    assert result.returncode == 0 and "Wrote" in result.stdout, result.stderr
    result = run(["-m", "export.preprocessor"], *options)
    assert result.returncode == 1 and "must not exist yet" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_without_tensorflow_text_the_op_is_unknown(exported_preprocessor):
    program = """
import sys, tensorflow as tf
try:
    tf.saved_model.load(sys.argv[1])
except (RuntimeError, tf.errors.OpError, OSError) as error:
    print(error)
from albert_tf.text.tensorflow_text import import_tensorflow_text
import_tensorflow_text()
print(tf.saved_model.load(sys.argv[1])(["a"])["input_mask"].shape)
"""
    result = run(["-c", program], exported_preprocessor)
    assert "Op type not registered" in result.stdout, result.stderr
    assert "(1, 32)" in result.stdout, result.stderr


@pytest.mark.slow
def test_three_generations_in_fresh_processes(exported, tmp_path):
    program = """
import sys, tensorflow as tf, tensorflow_text
source, target = sys.argv[1:]
model = tf.saved_model.load(source)
with open(model.sp_model_file.asset_path.numpy(), "rb") as file:
    size = len(file.read())
tokens, starts, _ = model.tokenize_with_offsets(["Zürich, 1"])
print(size, model(["Hello"])["input_word_ids"].numpy().tolist(), tokens.to_list(), starts.to_list(),
      model.signatures["serving_default"](sentences=tf.constant(["a"]))["input_mask"].shape,
      int(model.tokenize.get_special_tokens_dict()["mask_id"]))
tf.saved_model.save(model, target, signatures=model.signatures)
"""
    answers = set()
    shutil.copytree(exported[0], tmp_path / "0")
    for generation in range(4):
        directory = tmp_path / f"cwd{generation}"
        directory.mkdir()
        source, target = tmp_path / str(generation), tmp_path / str(generation + 1)
        result = run(["-c", program], source, target, directory=directory)
        assert result.returncode == 0, result.stderr
        shutil.rmtree(source)
        assert os.listdir(target / "assets") == ["tiny.model"]
        answers.add(result.stdout)
    assert len(answers) == 1 and answers.pop().startswith(f"{TINY.stat().st_size} ")

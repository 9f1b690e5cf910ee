"""Requests that are computed together get what they would get alone."""

import threading
import time

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("uvicorn", reason="albert_tf[serve] is not installed")
pytest.importorskip("fastapi", reason="albert_tf[serve] is not installed")

from albert_tf.serving.batcher import Batcher  # noqa: E402
from albert_tf.serving.served_version import load_saved_model  # noqa: E402
from albert_tf.serving.signature import read_signature  # noqa: E402
from tests.serving.clients import Held  # noqa: E402


def ids(length, seed=0, shape=()):
    word_ids = np.random.default_rng(seed).integers(6, 900, [1, *shape, length], np.int32)
    return {
        "input_word_ids": word_ids,
        "input_mask": np.ones_like(word_ids),
        "input_type_ids": np.zeros_like(word_ids),
    }


def texts(*values):
    array = np.empty(len(values), object)
    array[:] = [value.encode() for value in values]
    return {"text": array}


def check(together, alone):
    for parts, whole in zip(together, alone):
        for name in whole:
            assert parts[name].shape == whole[name].shape, name
            if parts[name].dtype == object:
                assert parts[name].tolist() == whole[name].tolist()
            else:
                np.testing.assert_allclose(parts[name], whole[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "kind", ["classifier", "token-classifier", "span-labeler", "embedding", "fill-mask"]
)
def test_ids_of_different_length(kind, versions):
    signature = versions(kind).signatures["ids"]
    assert signature.batches and signature.pads
    requests = [ids(7), ids(20, 1), ids(3, 2)]
    requests[1]["input_word_ids"][0, 4:6] = requests[2]["input_word_ids"][0, 1] = 4  # [MASK].
    assert len({signature.group(request) for request in requests}) == 1
    check(signature.together(requests), [signature(request) for request in requests])


def test_choices_of_different_length(versions):
    signature = versions("multiple-choice").signatures["ids"]
    two = [ids(2, 0, [2]), ids(9, 1, [2])]  # As many choices as the shorter has tokens.
    check(signature.together(two), [signature(request) for request in two])
    assert signature.group(two[0]) != signature.group(ids(2, 0, [3]))


def test_encoders(exported_encoder):
    version = load_saved_model(exported_encoder, 4)
    assert version.version == 4 and version.record == {}
    signature = version.signatures["serving_default"]
    requests = [ids(5), ids(11, 1)]
    together = signature.together(requests)
    check(together, [signature(request) for request in requests])
    assert together[0]["sequence_output"].shape[1] == 5


def test_texts(versions):
    signature = versions("token-classifier").signatures["serving_default"]
    requests = [texts("a b"), texts("", "one two three four"), texts("")]
    check(signature.together(requests), [signature(request) for request in requests])


def test_models_that_heed_no_mask_are_not_padded():
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32, name) for name in "abc"])
    def mean(a, b, c):
        return {"mean": tf.reduce_mean(tf.cast(a + b + c, tf.float32), 1)}

    names = ["input_word_ids", "input_mask", "input_type_ids"]

    @tf.function
    def named(**inputs):
        return mean(*(inputs[name] for name in names))

    specs = {name: tf.TensorSpec([None, None], tf.int32, name) for name in names}
    signature = read_signature("ids", named.get_concrete_function(**specs))
    assert signature.batches and not signature.pads
    assert signature.group(ids(3)) != signature.group(ids(4))


def test_models_without_rows_are_computed_alone():
    @tf.function
    def total(**inputs):
        return {"total": tf.reduce_sum(inputs["x"])}

    signature = read_signature("f", total.get_concrete_function(x=tf.TensorSpec([None], name="x")))
    assert not signature.batches
    assert signature.group({"x": np.zeros(1)}) != signature.group({"x": np.zeros(1)})
    assert signature({"x": np.float32([1, 2])})["total"] == 3


def test_one_that_fails_does_not_spoil_the_others(versions):
    signature = versions("fill-mask").signatures["serving_default"]
    batcher = Batcher(8, 0.2, 10_000)
    later = time.monotonic() + 60
    good = batcher.submit(signature, texts("a [MASK]"), later)
    bad = batcher.submit(signature, texts("a " * 40 + "[MASK]"), later)
    assert good.result(30)["counts"].tolist() == [1]
    with pytest.raises(tf.errors.InvalidArgumentError, match="within the first 32 tokens"):
        bad.result(30)
    batcher.close()


def test_batches_are_bounded_and_late_ones_left_out(versions):
    held = Held(versions("classifier"))
    signature = held.version.signatures["serving_default"]
    sizes = []
    batcher = Batcher(3, 0.0, 100, sizes.append)
    later = time.monotonic() + 60
    futures = [batcher.submit(signature, texts("first"), later)]
    assert held.started.wait(30)
    late = batcher.submit(signature, texts("late"), time.monotonic() - 1)
    dropped = batcher.submit(signature, texts("dropped"), later)
    assert dropped.cancel()
    futures += [batcher.submit(signature, texts("a"), later) for _ in range(4)]
    futures += [batcher.submit(signature, texts("b" * 60), later) for _ in range(2)]
    futures += [batcher.submit(signature, texts(*"abcdefgh"), later)]
    held.go.set()
    assert [len(future.result(30)["label"]) for future in futures] == [1] * 7 + [8]
    assert late.cancelled()
    assert sizes == [1, 1, 3, 1, 1, 8] or sizes[0] == 1 and max(sizes[:-1]) <= 3
    batcher.close()


def test_closing_computes_what_was_submitted(versions):
    held = Held(versions("classifier"))
    signature = held.version.signatures["serving_default"]
    batcher = Batcher(1, 5.0, 1000)
    futures = [batcher.submit(signature, texts("a"), time.monotonic() + 60) for _ in range(3)]
    closing = threading.Thread(target=batcher.close)
    closing.start()
    held.go.set()
    closing.join(30)
    assert not closing.is_alive() and all(future.done() for future in futures)
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(signature, texts("a"), time.monotonic() + 60)

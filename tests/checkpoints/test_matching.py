import dataclasses
import pathlib
import time

import pytest

from albert_tf.checkpoints.checkpoint import TensorSpec
from albert_tf.checkpoints.matching import match, require_ok
from albert_tf.checkpoints.names.geometry import fields_from_shapes
from albert_tf.checkpoints.names.table import PARTS
from albert_tf.checkpoints.read import read

TINY = read(pathlib.Path(__file__).parents[1] / "goldens" / "tiny")
POOLER = "bert/pooler/dense/kernel"


def changed(remove=(), config=None, **add):
    tensors = {name: spec for name, spec in TINY.tensors.items() if name not in remove}
    config = dataclasses.replace(TINY.config, **(config or {}))
    return dataclasses.replace(TINY, tensors={**tensors, **add.pop("add", {})}, config=config)


def refuse(checkpoint, parts=PARTS):
    _, report = match(checkpoint, parts)
    assert not report.ok
    with pytest.raises(ValueError) as error:
        require_ok(checkpoint, report)
    return str(error.value)


def test_everything_matches():
    table, report = match(TINY, PARTS)
    assert report.ok
    assert len(table) == len(report.restored) == 32
    assert report.restored["pooler_transform/kernel"] == POOLER
    assert report.ignored == {"global_step": "step counter"}
    assert report.absent == ()
    require_ok(TINY, report)


def test_heads_are_no_part_of_an_encoder():
    table, report = match(TINY, ["encoder"])
    assert report.ok
    assert len(table) == 25
    assert report.absent == ()
    assert report.ignored["cls/predictions/output_bias"] == "masked LM head, not part of an encoder"
    assert len(report.ignored) == 8


def test_absent_head():
    head = {"cls/seq_relationship/output_weights", "cls/seq_relationship/output_bias"}
    table, report = match(changed(remove=head), PARTS)
    assert report.ok
    assert report.absent == ("sentence-order head",)
    assert {rule.part for rule in table} == {"encoder", "masked_lm"}


def test_half_a_head():
    half = changed(remove={"cls/seq_relationship/output_bias"})
    message = refuse(half)
    assert "1 missing, 0 unused, 0 mis-shaped" in message
    assert "missing: cls/seq_relationship/output_bias [2]" in message
    assert "AlbertEncoder.from_checkpoint loads the encoder alone" in message
    assert match(half, ["encoder"])[1].ok


def test_missing_and_unused_with_the_nearest_names():
    renamed = changed(
        remove={POOLER}, add={"bert/pooler/dense_1/kernel": TensorSpec((64, 64), "float32")}
    )
    message = refuse(renamed)
    assert "1 missing, 1 unused, 0 mis-shaped" in message
    assert f"missing: {POOLER} [64, 64] (nearest: bert/pooler/dense_1/kernel)" in message
    assert f"unused: bert/pooler/dense_1/kernel, float32 [64, 64] (nearest: {POOLER})" in message
    assert "as its authors published it" in message


def test_unknown_head_is_unused():
    message = refuse(changed(add={"my_head/kernel": TensorSpec((64, 3), "float32")}))
    assert "unused: my_head/kernel, float32 [64, 3]\n" in message


def test_wrong_configuration():
    wrong = {"vocab_size": 30000, "intermediate_size": 256, "num_hidden_groups": 2}
    message = refuse(changed(config=wrong))
    assert "16 missing, 0 unused, 5 mis-shaped" in message
    assert (
        "mis-shaped: bert/embeddings/word_embeddings: float32 [1000, 32] in the checkpoint, "
        "float32 [30000, 32] needed"
    ) in message
    assert (
        "vocab_size is 30000 in the configuration, but 1000 in the weights: "
        "bert/embeddings/word_embeddings is [1000, 32]"
    ) in message
    assert "it has vocab_size=1000, intermediate_size=128, num_hidden_groups=1." in message


def test_projection_without_its_configuration():
    message = refuse(changed(config={"embedding_size": 64}))
    assert "unused: bert/encoder/embedding_hidden_mapping_in/kernel, float32 [32, 64]" in message
    assert "it has embedding_size=32." in message


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_cast(dtype):
    _, report = match(changed(add={POOLER: TensorSpec((64, 64), dtype)}), PARTS)
    assert report.ok
    assert report.cast == {POOLER: dtype}


@pytest.mark.parametrize("dtype", ["int8", "float64", "string"])
def test_other_dtypes_are_refused(dtype):
    message = refuse(changed(add={POOLER: TensorSpec((64, 64), dtype)}))
    assert f"mis-shaped: {POOLER}: {dtype} [64, 64] in the checkpoint, float32 [64, 64]" in message


def test_hundreds_of_thousands_of_unknown_tensors():
    spec = TensorSpec((1,), "float32")
    unknown = {f"bert/encoder/unknown_{i}/kernel": spec for i in range(200_000)}
    message = refuse(changed(remove=[POOLER], add=unknown))
    assert len(message) < 4000
    assert "1 missing, 200000 unused" in message and "and 199990 more" in message


def test_names_that_are_no_names():
    spec = TensorSpec((1,), "float32")
    message = refuse(changed(add={"x\nError: all is well": spec, "y" * 100_000: spec}))
    assert len(message) < 2000 and "'x\\nError: all is well'" in message


def test_as_many_groups_as_tensors():
    names = (f"bert/encoder/transformer/group_{i}/inner_group_0/x" for i in range(100_000))
    tensors = dict.fromkeys(names, TensorSpec((1,), "float32"))
    start = time.process_time()
    assert fields_from_shapes("tf1", tensors)["num_hidden_groups"][0] == 100_000
    assert time.process_time() - start < 10  # Less than one; the square would be an hour.

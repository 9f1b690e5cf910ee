import dataclasses
import json
import os
import pathlib
import shutil
import signal
import sys

import numpy as np
import pytest

from albert_tf.config import AlbertConfig
from albert_tf.data.pretraining.documents import DocumentIterable
from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.write import write_pretraining_data
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.training import run as run_module
from albert_tf.training.engine.callbacks import Callback
from albert_tf.training.pretraining.options import PretrainOptions
from albert_tf.training.pretraining.pretrain import pretrain
from tests import programs
from tests.conftest import FIXTURES, GOLDENS

MODEL = str(FIXTURES / "tiny.model")
VOCAB_SIZE = 1000
CONFIG = AlbertConfig(
    vocab_size=VOCAB_SIZE,
    embedding_size=32,
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=128,
    max_position_embeddings=32,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
OPTIONS = PretrainOptions(optimizer="adamw", learning_rate=3e-3, warmup_steps=2, tensorboard=False)


def write(path, num_documents, length=32):
    text = (FIXTURES / "pretrain_corpus.txt").read_text(encoding="utf-8")
    documents = text.split("\n\n")[:num_documents]
    write_pretraining_data(
        DocumentIterable(lambda: documents, "some"),
        path,
        MODEL,
        PretrainingOptions(max_seq_length=length, dupe_factor=1),
        workers=1,
        show_progress=False,
    )
    return str(path)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    directory = tmp_path_factory.mktemp("records")
    return write(directory / "short", 12, 16), write(directory / "long", 12, 32)


def test_over_fits_a_tiny_corpus(data, tmp_path):
    # The same records again and again in an epoch: to start one takes longer than its step.
    (shard,) = pathlib.Path(data[1]).glob("*.tfrecord*")
    for copy in range(40):
        (tmp_path / "records").mkdir(exist_ok=True)
        shutil.copy(shard, tmp_path / "records" / f"{copy:02d}.tfrecord")
    options = dataclasses.replace(
        OPTIONS, learning_rate=2e-3, warmup_steps=40, weight_decay_rate=0.0, evaluate_every=400
    )
    result = pretrain(
        tmp_path / "run", [(str(tmp_path / "records"), 400, 16)], MODEL,
        config=CONFIG, heldout=data[1], options=options,
    )  # fmt: skip
    assert result.scores["mlm_accuracy"] > 0.95
    assert result.scores["sop_accuracy"] > 0.95
    assert result.scores["mlm_perplexity"] == pytest.approx(np.exp(result.scores["mlm_loss"]))
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["steps"] == 400
    assert (tmp_path / "run" / "curves.png").exists()
    restored = AlbertPretrainer.from_checkpoint(tmp_path / "run")
    for ours, theirs in zip(restored.get_weights(), result.model.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


RUN = """
import os, signal, sys
from albert_tf.training import run
from albert_tf.training.engine.callbacks import Callback
from albert_tf.training.pretraining.pretrain import pretrain
from tests.training.test_pretrain import CONFIG, MODEL, OPTIONS
import dataclasses

output, short, long, kill_at = sys.argv[1:]

class KillAt(Callback):
    def __init__(self, directory): pass
    def on_steps(self, logs):
        if int(kill_at) in logs["step"]:
            os.kill(os.getpid(), signal.SIGKILL)

if int(kill_at):
    run.History = KillAt
options = dataclasses.replace(OPTIONS, steps_per_loop=2, save_every=3, dropout_rate=0.1)
pretrain(output, [(short, 7, 8), (long, 6, 4)], MODEL, config=CONFIG, options=options)
"""


def run(output, data, kill_at=0):
    command = [sys.executable, "-c", RUN, str(output), *data, str(kill_at)]
    return programs.run(command, text=True)


@pytest.fixture(scope="module")
def whole_run(data, tmp_path_factory):
    output = tmp_path_factory.mktemp("whole") / "run"
    process = run(output, data)
    assert process.returncode == 0, process.stderr
    return output


@pytest.mark.parametrize("kill_at", (5, 11))
def test_killed_and_started_again_equals_an_uninterrupted_run(data, whole_run, tmp_path, kill_at):
    """In the first stage, whose data have fewer batches than it has steps, and in the second."""
    output = tmp_path / "run"
    assert run(output, data, kill_at).returncode == -9
    process = run(output, data)
    assert process.returncode == 0, process.stderr
    whole, killed = (
        np.load(directory / "states" / "step-00000013" / "weights.npz")
        for directory in (whole_run, output)
    )
    assert len(whole.files) > 20
    for name in whole.files:
        np.testing.assert_array_equal(whole[name], killed[name])


def test_goes_on_from_a_checkpoint_with_its_heads(data, tmp_path):
    options = dataclasses.replace(OPTIONS, learning_rate=1e-9, warmup_steps=0)
    before = AlbertPretrainer.from_checkpoint(GOLDENS / "tiny")
    result = pretrain(
        tmp_path / "run", [(data[0], 1, 4)], MODEL, init_from=GOLDENS / "tiny", options=options
    )
    assert result.model.masked_lm is not None and result.model.sentence_order is not None
    for ours, theirs in zip(result.model.get_weights(), before.get_weights()):
        np.testing.assert_allclose(ours, theirs, atol=1e-8)


def test_compiles_accumulates_and_mixes_precision(data, tmp_path):
    """Under XLA all shapes of the step are static; equal losses say that nothing else changed."""
    losses = []
    for name, changes in (
        ("plain", {}),
        ("xla", {"jit_compile": True, "accumulate_steps": 2, "recompute": True}),
        ("bfloat16", {"precision": "bfloat16", "optimizer": "lamb"}),
    ):
        options = dataclasses.replace(OPTIONS, **changes)
        result = pretrain(
            tmp_path / name, [(data[1], 4, 8)], MODEL,
            config=CONFIG, heldout=data[0], options=options,
        )  # fmt: skip
        losses.append(result.scores["loss"])
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert losses[2] == pytest.approx(losses[0], abs=0.5)


@pytest.mark.parametrize(
    "changes, message",
    (
        ({"config": None}, "Received: config=None, init_from=None. Pass one of them."),
        ({"init_from": "x"}, "Pass one of them."),
        (
            {"config": dataclasses.replace(CONFIG, vocab_size=30000)},
            "as many pieces as the encoder has word embeddings: vocab_size=30000. Received",
        ),
        (
            {"config": dataclasses.replace(CONFIG, max_position_embeddings=8)},
            "Records must not be longer than the encoder's 8 positions",
        ),
        (
            {"options": dataclasses.replace(OPTIONS, warmup_steps=10)},
            "`warmup_steps` must be fewer than all steps, 4. Received: 10",
        ),
        ({"sp_model": str(FIXTURES / "tf_hub_tiny.model")}, "the one that the records were made"),
    ),
)
def test_errors_come_before_anything_is_written(data, tmp_path, changes, message):
    arguments = {"sp_model": MODEL, "config": CONFIG, "options": OPTIONS, **changes}
    with pytest.raises(ValueError, match=message):
        pretrain(tmp_path / "run", [(data[0], 4, 4)], **arguments)
    assert not (tmp_path / "run").exists()


def test_a_default_batch_on_little_data_is_an_error_before_any_work(data, tmp_path):
    with pytest.raises(ValueError, match="a batch of 4096 .--batch_size. for the .* records of"):
        pretrain(tmp_path / "run", [(data[0], 4, 4096)], MODEL, config=CONFIG, options=OPTIONS)
    assert not (tmp_path / "run").exists()


def test_records_exchanged_under_a_run_are_noticed(tmp_path):
    records = write(tmp_path / "records", 6, 16)
    heldout = write(tmp_path / "heldout", 2, 16)
    arguments = {"config": CONFIG, "heldout": heldout, "options": OPTIONS}
    pretrain(tmp_path / "run", [(records, 3, 4)], MODEL, **arguments)
    metrics = tmp_path / "run" / "metrics.json"
    assert 0.0 <= json.loads(metrics.read_text())["minutes"] < 10.0
    (tmp_path / "run" / "seconds.txt").write_text("3600.0")  # Of earlier calls.
    pretrain(tmp_path / "run", [(records, 3, 4)], MODEL, **arguments)
    assert 60.0 <= json.loads(metrics.read_text())["minutes"] < 70.0

    moved = shutil.copytree(records, tmp_path / "moved")  # The same data are the same run.
    pretrain(tmp_path / "run", [(moved, 3, 4)], MODEL, **arguments)
    for path, name in ((records, "stages.1.records_digest"), (heldout, "heldout_digest")):
        before = shutil.copytree(path, tmp_path / f"before {name}")
        shutil.rmtree(path)
        write(path, 7, 16)
        with pytest.raises(ValueError, match=f"{name} is .*, was .* Use the earlier settings"):
            pretrain(tmp_path / "run", [(records, 3, 4)], MODEL, **arguments)
        shutil.rmtree(path)
        shutil.copytree(before, path)


def test_free_options_may_change_under_a_run(data, tmp_path, monkeypatch):
    class Interrupts(Callback):
        def __init__(self, directory):
            pass

        def on_steps(self, logs):
            if 2 in logs["step"]:
                os.kill(os.getpid(), signal.SIGTERM)

    def run(output, **changes):
        options = dataclasses.replace(OPTIONS, **changes)
        return pretrain(output, [(data[0], 6, 8)], MODEL, config=CONFIG, options=options)

    whole = run(tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "History", Interrupts)
        assert run(tmp_path / "run", steps_per_loop=1).state.stopped_by == "interrupted"
    with pytest.raises(ValueError, match='options.precision is "bfloat16", was "float32"'):
        run(tmp_path / "run", precision="bfloat16")
    free = {"strategy": "mirrored", "accumulate_steps": 2, "recompute": True, "jit_compile": True}
    result = run(tmp_path / "run", save_every=7, tensorboard=True, **free)
    assert result.state == whole.state
    for ours, theirs in zip(result.model.get_weights(), whole.model.get_weights()):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_a_record_damaged_in_place_is_named(tmp_path):
    records = write(tmp_path / "records", 6, 16)
    (shard,) = (tmp_path / "records").glob("*.tfrecord")
    content = bytearray(shard.read_bytes())
    content[-30] ^= 1  # The size stays.
    shard.write_bytes(content)
    with pytest.raises(ValueError, match="right checksums. Received: .*pretraining-00000-of-00001"):
        pretrain(tmp_path / "run", [(records, 20, 4)], MODEL, config=CONFIG, options=OPTIONS)


@pytest.mark.parametrize(
    "name, value", (("precision", "int8"), ("optimizer", "sgd"), ("save_every", 0))
)
def test_options_are_checked(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: {value!r}"):
        PretrainOptions(**{name: value})


def test_a_run_is_a_checkpoint_with_its_vocabulary(data, tmp_path):
    from albert_tf.checkpoints.read import read
    from albert_tf.checkpoints.vocabulary_file import find_vocabulary

    run = tmp_path / "run"
    options = dataclasses.replace(OPTIONS, save_every=2)
    pretrain(run, [(data[0], 4, 4)], MODEL, config=CONFIG, options=options)
    newest = run / "states" / "step-00000004"
    for path in (run, run / "states", newest, newest / "weights.npz"):
        checkpoint = read(path)
        assert checkpoint.path == str(newest) and checkpoint.config == CONFIG
        assert find_vocabulary(checkpoint.path) == run / "sentencepiece.model"

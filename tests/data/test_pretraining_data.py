"""The whole way from files to files: what records are, workers, interruption, errors."""

import errno
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from albert_tf.data.pretraining import shards
from albert_tf.data.pretraining.documents import DocumentFiles, DocumentIterable
from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.records import read_pretraining_records
from albert_tf.data.pretraining.write import write_pretraining_data
from albert_tf.lock import locked
from tests.conftest import FIXTURES, TESTS
from tests.data.pretraining_statistics import (
    MASK_ID,
    masked_positions,
    replaced,
    run_lengths,
    stack,
)

CORPUS = FIXTURES / "pretrain_corpus.txt"
OPTIONS = PretrainingOptions(max_seq_length=64, dupe_factor=2)
CLS, SEP = 2, 3


def write(output, options=OPTIONS, documents=None, **arguments):
    arguments = {"num_shards": 3, "workers": 1, "show_progress": False, **arguments}
    documents = documents or DocumentFiles(CORPUS)
    return write_pretraining_data(documents, output, FIXTURES / "tiny.model", options, **arguments)


def digests(output):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in output.iterdir()}


def read(output):
    return [r for path in sorted(output.glob("*.tfrecord")) for r in read_pretraining_records(path)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(output, counts, features) of the recipe "paper"."""
    output = tmp_path_factory.mktemp("data") / "records"
    options = PretrainingOptions(max_seq_length=64, dupe_factor=10)
    return output, write(output, options), stack(read(output))


def test_counts(made):
    output, counts, features = made
    assert counts["documents"] == 220 and counts["sentences"] == 1174
    assert counts["records"] == len(features["input_ids"])
    assert counts["record_tokens"] == features["input_mask"].sum()
    assert counts["predictions"] == features["masked_lm_weights"].sum()
    assert counts["order_records"] == features["next_sentence_weights"].sum()
    assert counts["order_label_1"] == features["next_sentence_labels"].sum()
    assert json.loads((output / "manifest.json").read_text())["statistics"] == counts
    names = [f"pretraining-0000{shard}-of-00003.tfrecord" for shard in range(3)]
    assert sorted(os.listdir(output)) == ["manifest.json", *names]


def test_layout(made):
    _, _, features = made
    chosen = masked_positions(features)
    ids, mask = features["input_ids"], features["input_mask"]
    lengths = mask.sum(axis=1)
    np.testing.assert_array_equal(mask, np.arange(64) < lengths[:, None])
    assert (ids[mask == 0] == 0).all() and (features["segment_ids"][mask == 0] == 0).all()
    assert (ids[:, 0] == CLS).all()
    assert (ids[np.arange(len(ids)), lengths - 1] == SEP).all()
    # [CLS], [SEP] and padding are never masked, and never put in the place of something else.
    assert not (chosen & ((ids == CLS) | (ids == SEP) | (mask == 0))).any()
    paired = features["next_sentence_weights"][:, 0] == 1
    np.testing.assert_array_equal((ids == SEP).sum(axis=1), np.where(paired, 2, 1))
    assert (ids == CLS).sum() == len(ids)
    first_sep = (ids == SEP).argmax(axis=1)[:, None]
    expected = (np.arange(64) > first_sep) & (mask == 1)
    np.testing.assert_array_equal(features["segment_ids"], expected)


def test_masks_are_the_paper_s(made):
    _, counts, features = made
    lengths = features["input_mask"].sum(axis=1)
    budgets = np.maximum(np.rint(0.15 * lengths), 1)
    spent = features["masked_lm_weights"].sum(axis=1)
    assert (spent <= budgets).all() and (spent == budgets).mean() > 0.999
    total = counts["predictions"]
    found = replaced(features)
    for kind, share in (("[MASK]", 0.8), ("kept", 0.1), ("other", 0.1)):
        error = 4.5 * np.sqrt(share * (1 - share) / total) + 1 / 1000  # A random one may be equal.
        assert abs(found[kind] / total - share) < error, kind
    weights, positions = features["masked_lm_weights"] > 0, features["masked_lm_positions"]
    ids = np.take_along_axis(features["input_ids"], positions, axis=1)[weights]
    assert not np.isin(ids, [0, 1, CLS, SEP]).any() and (ids == MASK_ID).any()
    assert (np.diff(positions)[weights[:, 1:]] > 0).all()


def test_whole_words_are_masked(made):
    _, _, features = made
    chosen = masked_positions(features)
    ids, starts = features["input_ids"], features["token_boundary"]
    text = (features["input_mask"] == 1) & (ids != CLS) & (ids != SEP)
    # A token that goes on with a word is masked if and only if the one before it is.
    goes_on = text[:, 1:] & text[:, :-1] & (starts[:, 1:] == 0)
    np.testing.assert_array_equal(chosen[:, 1:][goes_on], chosen[:, :-1][goes_on])
    pieces, words = run_lengths(features)
    assert pieces.max() > 3 and (words[pieces > 0] >= 0).all()


def test_sentence_order_is_the_paper_s(made):
    _, counts, features = made
    weights, labels = features["next_sentence_weights"], features["next_sentence_labels"]
    assert 0 < weights.mean() < 1
    assert (labels[weights == 0] == 0).all()
    share = counts["order_label_1"] / counts["order_records"]
    assert abs(share - 0.5) < 4.5 * 0.5 / np.sqrt(counts["order_records"])


def test_other_passes_have_other_masks(tmp_path):
    options = PretrainingOptions(max_seq_length=64, dupe_factor=2, short_seq_prob=0.0)
    one = ["Exactly one sentence."]
    documents = DocumentIterable(lambda: [one], "one")
    for seed in range(5):
        write(tmp_path / str(seed), options, documents, num_shards=1, seed=seed)
    made = [[str(record) for record in read(tmp_path / str(seed))] for seed in range(5)]
    assert all(len(records) == 2 for records in made)
    assert len(set(sum(made, []))) > 2


@pytest.mark.parametrize("recipe", ["paper", "original"])
def test_same_bytes_from_any_number_of_workers(tmp_path, recipe):
    options = PretrainingOptions(recipe=recipe, max_seq_length=64, dupe_factor=2)
    for workers in (1, 3):
        write(tmp_path / str(workers), options, workers=workers, num_shards=5)
    assert digests(tmp_path / "1") == digests(tmp_path / "3")
    write(tmp_path / "other", options, seed=1, num_shards=5)
    assert digests(tmp_path / "other") != digests(tmp_path / "1")


def test_blocks_bound_what_is_held(tmp_path, monkeypatch):
    whole = write(tmp_path / "whole")
    monkeypatch.setattr(shards.blocks_of, "__defaults__", (5000,))
    held = []
    encode = shards.BlockEncoder.encode

    def spy(self, documents):
        held.append(sum(len(sentence) for document in documents for sentence in document))
        return encode(self, documents)

    monkeypatch.setattr(shards.BlockEncoder, "encode", spy)
    counts = write(tmp_path / "blocks")
    assert len(held) > 15 and max(held) < 12_000
    assert counts["documents"] == whole["documents"] and counts["tokens"] == whole["tokens"]


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    write(tmp_path / "whole")

    class Interrupted(Exception):
        pass

    make = shards.make_records

    def fails(block, encoder, options, seed):
        if seed[1] == 1:
            raise Interrupted
        return make(block, encoder, options, seed)

    monkeypatch.setattr(shards, "make_records", fails)
    with pytest.raises(Interrupted):
        write(tmp_path / "again")
    first = tmp_path / "again" / "pretraining-00000-of-00003.tfrecord"
    assert len(list((tmp_path / "again").glob("*.tfrecord*"))) == 1
    finished = first.stat().st_mtime_ns
    monkeypatch.setattr(shards, "make_records", make)
    write(tmp_path / "again")
    assert first.stat().st_mtime_ns == finished
    assert digests(tmp_path / "again") == digests(tmp_path / "whole")
    # A finished one is left as it is, a lost shard comes again.
    assert write(tmp_path / "again") == write(tmp_path / "whole")
    first.unlink()
    write(tmp_path / "again")
    assert digests(tmp_path / "again") == digests(tmp_path / "whole")


PROGRAM = """
import sys
from albert_tf.data.pretraining.documents import DocumentFiles
from albert_tf.data.pretraining.write import write_pretraining_data
from albert_tf.data.pretraining.options import PretrainingOptions

if __name__ == "__main__":
    corpus, output, model = sys.argv[1:]
    write_pretraining_data(
        DocumentFiles(corpus), output, model, PretrainingOptions(max_seq_length=64, dupe_factor=60),
        num_shards=8, workers=2,
    )
"""


def test_killed_and_started_again_gives_the_same_bytes(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}

    def start(output):
        arguments = [sys.executable, program, CORPUS, output, FIXTURES / "tiny.model"]
        return subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL)

    killed = tmp_path / "killed"
    process = start(killed)
    deadline = time.monotonic() + 120
    while len(list(killed.glob("*.tfrecord"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = len(list(killed.glob("*.tfrecord")))
    assert 2 <= finished < 8
    assert start(killed).wait() == 0
    assert start(tmp_path / "whole").wait() == 0
    assert digests(killed) == digests(tmp_path / "whole")
    assert not list(killed.glob(".*"))


def test_workers_do_not_load_tensorflow():
    program = (
        "import sys, albert_tf.data.pretraining.write, albert_tf.data.pretraining.documents; "
        "sys.exit('tensorflow' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    assert subprocess.run([sys.executable, "-c", program], env=environment).returncode == 0


def test_other_arguments_do_not_mix(tmp_path):
    write(tmp_path / "out")
    other = PretrainingOptions(max_seq_length=32, dupe_factor=2)
    with pytest.raises(FileExistsError, match="options.max_seq_length .was 64, is 32."):
        write(tmp_path / "out", other)
    with pytest.raises(FileExistsError, match="differs in seed .was 12345, is 1."):
        write(tmp_path / "out", seed=1)
    write(tmp_path / "out", other, overwrite=True, num_shards=2)
    assert len(list((tmp_path / "out").glob("*.tfrecord"))) == 2
    assert len(read(tmp_path / "out")[0]["input_ids"]) == 32


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("important")
    with pytest.raises(FileExistsError, match="must be an empty directory .* with other files"):
        write(tmp_path, overwrite=True)
    with pytest.raises(FileExistsError, match="must be a directory. Received: the file"):
        write(tmp_path / "thesis.txt")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text("{}")
    with pytest.raises(ValueError, match="manifest.json must be one that this program wrote"):
        write(tmp_path / "out")


def test_no_documents(tmp_path):
    (tmp_path / "a.txt").write_text("\n\n  \n")
    with pytest.raises(ValueError, match="must have documents with text. Received: .*a.txt"):
        write(tmp_path / "out", documents=DocumentFiles(tmp_path / "a.txt"))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_worker_is_that_of_the_run(tmp_path, workers):
    (tmp_path / "a.txt").write_bytes(b"One.\n\nTwo.\n\nf\xfcnf\n\nSix.\n")
    with pytest.raises(ValueError, match="must be UTF-8. Received: .*a.txt:5: byte 0xfc"):
        write(tmp_path / "out", documents=DocumentFiles(tmp_path / "a.txt"), workers=workers)


@pytest.mark.parametrize("name", ["num_shards", "workers"])
def test_bad_numbers(tmp_path, name):
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1. Received: 0"):
        write(tmp_path / "out", **{name: 0})
    assert not (tmp_path / "out").exists()


def test_another_process_in_the_same_output_is_refused(tmp_path):
    with locked(tmp_path / "out"):
        with pytest.raises(BlockingIOError, match="Only one process at a time may write"):
            write(tmp_path / "out")
        assert os.listdir(tmp_path / "out") == [".lock"]
    write(tmp_path / "out")


def test_a_url_is_no_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for output in ("gs://bucket/records", pathlib.Path("gs://bucket/records"), "s3://bucket"):
        with pytest.raises(ValueError, match="local directory. .*-beam` writes to gs://, s3://"):
            write(output)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_names_the_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shards, "frame_records", full)
    with pytest.raises(OSError, match="No space left on device: .*pretraining-00000-of-00003"):
        write(tmp_path / "out")
    assert os.listdir(tmp_path / "out") == ["manifest.json"]

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from albert_tf.data.pretraining.documents import DocumentFiles
from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.data.pretraining.reader import PretrainingRecords
from albert_tf.data.pretraining.records import read_pretraining_records
from albert_tf.data.pretraining.write import write_pretraining_data
from tests.conftest import FIXTURES

MODEL = str(FIXTURES / "tiny.model")


def write(path, **options):
    options = PretrainingOptions(max_seq_length=32, dupe_factor=1, **options)
    documents = DocumentFiles([str(FIXTURES / "pretrain_corpus.txt")])
    write_pretraining_data(
        documents, path, MODEL, options, num_shards=3, workers=1, show_progress=False
    )
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write(tmp_path_factory.mktemp("records") / "static")


def rows(dataset, part=0, name="input_word_ids"):
    return np.concatenate([batch[part][name].numpy() for batch in dataset])


def test_in_order_every_record_is_there_once_and_filled_rows_have_no_weight(data):
    records = PretrainingRecords(data)
    expected = [r for file in records.files for r in read_pretraining_records(file)]
    assert records.num_records == len(expected) and records.num_records % 7
    dataset = records.batches(7)
    assert int(dataset.cardinality()) * 7 - len(expected) in range(1, 7)
    for part, name, theirs in (
        (0, "input_word_ids", "input_ids"),
        (0, "masked_lm_positions", "masked_lm_positions"),
        (1, "masked_lm_ids", "masked_lm_ids"),
        (1, "masked_lm_weights", "masked_lm_weights"),
        (1, "sentence_order_labels", "next_sentence_labels"),
        (1, "sentence_order_weights", "next_sentence_weights"),
    ):
        ours = rows(dataset, part, name)
        wanted = np.array([record[theirs] for record in expected]).reshape(len(expected), -1)
        np.testing.assert_array_equal(ours[: len(expected)].reshape(wanted.shape), wanted)
        assert not ours[len(expected) :].any()


def test_a_shuffled_pass_has_each_record_once_and_an_order_of_its_own(data):
    records = PretrainingRecords(data)
    size = records.num_records // 3  # Nearly all fit into the batches.
    first, again, second = (rows(records.batches(size, seed=1, epoch=epoch)) for epoch in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()
    everything = {row.tobytes() for row in rows(records.batches(1))}
    taken = {row.tobytes() for row in first}
    assert taken <= everything and len(first) == records.steps(size) * size
    assert len(taken) > 0.95 * len(first)  # The corpus has a few equal sentences.


def test_unmasked_records_get_other_masks_in_each_pass(tmp_path):
    data = write(tmp_path / "dynamic", static_masks=False)
    records = PretrainingRecords(data, MODEL)
    assert records.max_predictions_per_seq == 5

    def masks(epoch):
        dataset = records.batches(16, seed=1, epoch=epoch)
        return {
            row.tobytes(): tuple(masked)
            for inputs, targets in dataset
            for row, masked in zip(
                inputs["input_type_ids"].numpy(), targets["masked_lm_ids"].numpy()
            )
        }

    assert masks(0) == masks(0) and masks(0) != masks(1)
    with pytest.raises(ValueError, match="need their manifest.json and the SentencePiece model"):
        PretrainingRecords(data)


def test_reads_googles_records(data, tmp_path):
    """They have no manifest, and no weights of the sentence order: all count."""
    shutil.copy(PretrainingRecords(data).files[0], tmp_path / "some.tfrecord")
    stripped = tmp_path / "original"
    stripped.mkdir()
    with tf.io.TFRecordWriter(str(stripped / "examples.tf_record.tfrecord")) as writer:
        for record in tf.data.TFRecordDataset(str(tmp_path / "some.tfrecord")):
            example = tf.train.Example.FromString(record.numpy())
            del example.features.feature["next_sentence_weights"]
            writer.write(example.SerializeToString())
    records = PretrainingRecords(stripped)
    assert records.sp_model_digest is None
    weights = rows(records.batches(64), 1, "sentence_order_weights")
    assert weights.sum() == records.num_records


def test_errors(data, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a directory with \*.tfrecord files"):
        PretrainingRecords(tmp_path)
    with pytest.raises(ValueError, match="batch_size must be from 1 to the number of records"):
        PretrainingRecords(data).batches(10**6, seed=0)
    shutil.copytree(data, tmp_path / "part")
    manifest = json.loads((tmp_path / "part" / "manifest.json").read_text())
    del manifest["shards"]["1"]
    (tmp_path / "part" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="must be complete: 3 shards. Received: .* with 2"):
        PretrainingRecords(tmp_path / "part")
    with tf.io.TFRecordWriter(str(tmp_path / "other.tfrecord")) as writer:
        writer.write(tf.train.Example().SerializeToString())
    with pytest.raises(ValueError, match="Records of pre-training must have input_ids"):
        PretrainingRecords(tmp_path)


def test_data_have_a_fingerprint(data, tmp_path):
    copy = shutil.copytree(data, tmp_path / "copy")
    assert PretrainingRecords(copy).digest == PretrainingRecords(data).digest
    other = write(tmp_path / "other", short_seq_prob=0.5)
    assert PretrainingRecords(other).digest != PretrainingRecords(data).digest
    (copy / "manifest.json").unlink()  # As Google's program leaves them.
    before = PretrainingRecords(copy).digest
    first, second = PretrainingRecords(copy).files[:2]
    shutil.copy(second, first)
    assert PretrainingRecords(copy).digest != before


def test_what_a_killed_writer_leaves_is_no_data(data, tmp_path):
    copy = shutil.copytree(data, tmp_path / "copy")
    (copy / ".pretraining-00000-of-00003.tfrecord.0123abcd.partial").write_bytes(b"half")
    assert PretrainingRecords(copy).num_records == PretrainingRecords(data).num_records


@pytest.mark.parametrize("manifest", [True, False])
def test_a_cut_file_is_named_before_any_work(data, tmp_path, manifest):
    copy = shutil.copytree(data, tmp_path / "copy")
    path = copy / "pretraining-00001-of-00003.tfrecord"
    path.write_bytes(path.read_bytes()[:-7])
    if not manifest:
        (copy / "manifest.json").unlink()
    with pytest.raises(ValueError, match="Received: .*pretraining-00001-of-00003.tfrecord"):
        PretrainingRecords(copy)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"made_of": 1}'])
def test_a_damaged_manifest_is_named(data, tmp_path, content):
    copy = shutil.copytree(data, tmp_path / "copy")
    (copy / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match="one that this program wrote. Received: .*manifest.json"):
        PretrainingRecords(copy)

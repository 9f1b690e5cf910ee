import json

import pytest

from albert_tf.data.tasks.classifier_features import classifier_features
from albert_tf.data.tasks.glue import TASKS
from albert_tf.data.tasks.metrics import METRICS
from albert_tf.text.reference import ReferenceTokenizer, preprocess_text
from tests.conftest import FIXTURES, GOLDENS

EXPECTED = json.loads((GOLDENS / "glue" / "examples.json").read_text())
SPLITS = [
    (name, split)
    for name, expected in EXPECTED.items()
    for split in ("train", "dev", "test")
    if expected[split] is not None
]
COUNTS = {  # Published sizes of the files at hand.
    "sst-2": {"train": 67349, "dev": 872, "test": 1821},
    "cola": {"train": 8551, "dev": 1043, "test": 1063},
    "mrpc": {"train": 3668, "dev": 408, "test": 1725},
    "rte": {"train": 2490, "dev": 277, "test": 3000},
    "sts-b": {"train": 5749, "dev": 1500, "test": 1379},
    "qnli": {"dev": 5463, "test": 5463},
    "wnli": {"train": 635, "dev": 71, "test": 146},
    "mnli": {"dev": 9815},
    "ax": {"test": 1104},
}


@pytest.mark.parametrize("name, split", SPLITS)
def test_examples_are_the_originals(name, split):
    task = TASKS[name]
    examples = task.read(FIXTURES / "glue", split)
    expected = EXPECTED[name][split]
    assert list(task.labels or [None]) == EXPECTED[name]["labels"]
    assert [e.guid for e in examples] == [e["guid"] for e in expected]
    assert [preprocess_text(e.text_a) for e in examples] == [e["text_a"] for e in expected]
    texts = [e.text_b and preprocess_text(e.text_b) for e in examples]
    assert texts == [e["text_b"] for e in expected]
    if split == "test":  # The original invents labels there.
        assert all(e.label is None for e in examples)
    else:
        assert [e.label for e in examples] == [e["label"] for e in expected]


def test_every_task_has_known_metrics():
    assert set(TASKS) == set(EXPECTED)
    assert all(metric in METRICS for task in TASKS.values() for metric in task.metrics)


def test_short_rows_of_qqp_are_counted():
    examples = TASKS["qqp"].read(FIXTURES / "glue", "train")
    assert examples.report.counts == {"short rows skipped": 1}
    assert examples.report.locations("short rows skipped")[0].endswith("train.tsv:5")


def test_the_tasks_own_folder_will_do():
    assert len(TASKS["rte"].read(FIXTURES / "glue" / "RTE", "dev")) == 2


def refused(tmp_path, name, content, match, split="dev"):
    path = tmp_path / "file.tsv"
    path.write_text(content)
    with pytest.raises(ValueError, match=match):
        TASKS[name].read_file(path, split)


def test_refuses_malformed_rows(tmp_path):
    row = r"rte must have 4 tab-separated columns. Received: .*file.tsv:3: 3 columns"
    header = "index\tsentence1\tsentence2\tlabel\n"
    refused(tmp_path, "rte", header + "0\ta\tb\tentailment\n1\ta\tb\n", row)
    refused(tmp_path, "cola", "gj04\t1\tno column\n", r"must have 4 .*file.tsv:1: 3 columns")
    header = r"needs a header of at least 3 columns. Received: .*file.tsv:1: 2 columns"
    refused(tmp_path, "rte", "sentence\tlabel\nx\t1\n", header)


def test_refuses_unknown_labels(tmp_path):
    match = r"label must be one of 0, 1. Received: .*file.tsv:3: '2'"
    refused(tmp_path, "sst-2", "sentence\tlabel\nfine\t1\nbad\t2\n", match)
    header = "\t".join("abcdefghij") + "\n"
    match = r"must be a finite number. Received: .*file.tsv:2: 'nan'"
    refused(tmp_path, "sts-b", header + "\t".join("012345678") + "\tnan\n", match)


def test_refuses_empty_files_and_unknown_splits(tmp_path):
    refused(tmp_path, "sst-2", "sentence\tlabel\n", r"at least one example. Received: none in")
    with pytest.raises(ValueError, match=r"split of ax must be one of test. Received: 'dev'"):
        TASKS["ax"].read(FIXTURES / "glue", "dev")
    with pytest.raises(FileNotFoundError, match=r"must exist. Received: .*SST-2/dev.tsv"):
        TASKS["sst-2"].read(tmp_path, "dev")


def test_real_files_have_the_published_sizes(shared):
    for name, counts in COUNTS.items():
        for split, count in counts.items():
            examples = TASKS[name].read(shared / "data" / "glue", split)
            assert len(examples) == count and not examples.report, (name, split)
            unlabeled = split == "test"
            assert all((e.label is None) == unlabeled for e in examples)
    examples = TASKS["qqp"].read_file(shared / "data" / "glue" / "QQP" / "dev.part.tsv", "dev")
    assert len(examples) == 23496


def test_features_are_the_originals(shared):
    expected = json.loads((shared / "golden" / "formats" / "glue_expected.json").read_text())
    tokenizer = ReferenceTokenizer(shared / "data" / "albert_spm" / "30k-clean.model")
    for name, split in SPLITS:
        examples = TASKS[name].read(FIXTURES / "glue", split)
        features = classifier_features(examples, tokenizer, 24)
        for key in ("input_ids", "input_mask", "segment_ids"):
            assert features[key].tolist() == [e[key] for e in expected[name][split]]
        label_ids = [e["label_id"] for e in expected[name][split]]
        assert features["label_ids"] == pytest.approx(label_ids, rel=1e-7)  # float32 for scores.
        assert features.has_labels == (split != "test")

import pytest

from albert_tf.data.report import Report
from albert_tf.data.tasks.examples import Example, ExampleSet


def test_is_a_sequence():
    examples = ExampleSet([Example("1", "a"), Example("2", "b")], ["a.tsv"], ["0", "1"])
    assert [e.guid for e in examples] == ["1", "2"] and len(examples) == 2
    assert examples.labels == ("0", "1") and not examples.report


def test_refuses_an_empty_set():
    report = Report()
    report.add("short rows skipped", "a.tsv:2")
    with pytest.raises(
        ValueError, match=r"at least one example. Received: none in a.tsv \(1 short"
    ):
        ExampleSet([], ["a.tsv"], report=report)

from albert_tf.data.report import Report


def test_counts_and_places():
    report = Report()
    assert not report and str(report) == ""
    for line in range(5):
        report.add("short rows skipped", f"a.tsv:{line}")
    other = Report()
    other.add("texts cut", "7")
    report.merge(other)
    assert report.counts == {"short rows skipped": 5, "texts cut": 1}
    assert report.locations("texts cut") == ["7"] and report.locations("nothing") == []
    assert str(report) == (
        "5 short rows skipped: a.tsv:0, a.tsv:1, a.tsv:2, and 2 more\n1 texts cut: 7"
    )

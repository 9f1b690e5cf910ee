from albert_tf.checkpoints.report import RestoreReport

REPORT = {
    "flavor": "tf1",
    "path": "albert_base/model.ckpt-best",
    "restored": {"pooler_transform/bias": "bert/pooler/dense/bias"},
    "ignored": {"a/adam_m": "optimizer slot", "a/adam_v": "optimizer slot", "step": "step counter"},
    "absent": ("sentence-order head",),
    "cast": {"bert/pooler/dense/bias": "float16"},
    "missing": {},
    "unused": {},
    "mismatched": {},
    "parameters": 1_234_567,
}


def test_summary():
    report = RestoreReport(**REPORT)
    assert report.ok
    assert report.num_bytes == 4 * 1_234_567
    assert str(report).splitlines() == [
        "albert_base/model.ckpt-best: 1 restored (1,234,567 parameters, 4.9 MB), 0 missing, "
        "0 unused, 0 mis-shaped; 3 ignored",
        "  ignored: 2 x optimizer slot",
        "  ignored: 1 x step counter",
        "  cast to float32: 1 x float16",
        "  not in the checkpoint: sentence-order head",
    ]


def test_anything_that_does_not_match_is_not_ok():
    for field in ("missing", "unused", "mismatched"):
        assert not RestoreReport(**{**REPORT, field: {"x": [1]}}).ok

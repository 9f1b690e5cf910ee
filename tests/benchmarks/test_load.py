"""The load test's own parts: what it sends, and its page."""

import json

from benchmarks.load.malformed import malformed_requests
from benchmarks.load.page import page

RESULT = {
    "model": "albert_tiny_en",
    "longest": 200,
    "parts": {
        "together": {
            "clients": 64,
            "requests": 20_000,
            "seconds": 40.0,
            "p50": 120.26,
            "p99": 300.0,
            "megabytes": [900, 901, 950, 951, 952, 953],
        },
        "malformed": {"requests": 1000, "codes": {"400": 990, "413": 10}, "megabytes": [900, 905]},
    },
    "command": "python -m benchmarks.serving_load",
    "date": "2026-01-01",
    "machine": {"processor": "Fast", "cores": 2, "memory_gb": 8},
    "versions": {"fastapi": "1.0"},
    "remark": "",
}


def test_page():
    text = page(RESULT)
    assert "| 64 clients at a time | 20,000 | 500 | 120.3 | 300.0 | 900 → 901 → 953 |" in text
    assert "990 times 400, 10 times 413" in text and "900 MB before them, 905 MB after" in text
    assert text.endswith(
        "`python -m benchmarks.serving_load`, 2026-01-01, 2 cores of Fast.\nfastapi 1.0.\n"
    )


def test_malformed_requests_are_the_same_in_each_run_and_of_many_kinds():
    requests = list(malformed_requests(300))
    assert requests == list(malformed_requests(300))
    assert len({request for request, _ in requests}) > 100
    good_by_chance = [request for request, perhaps in requests if perhaps]
    assert len(good_by_chance) == 10
    bodies = [request.partition(b"\r\n\r\n")[2] for request, _ in requests]
    assert json.dumps({"instances": []}).encode() in bodies

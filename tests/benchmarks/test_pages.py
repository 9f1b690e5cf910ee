"""The pages of measurements are what their programs make of the files beside them."""

import json
import pathlib

from benchmarks.load.page import page
from benchmarks.speed import report
from benchmarks.speed.tables import TABLES

DOCS = pathlib.Path(__file__).parents[2] / "docs"


def test_speed(tmp_path):
    report.write_page(DOCS / "performance", tmp_path / "performance.md", TABLES)
    assert (tmp_path / "performance.md").read_text() == (DOCS / "performance.md").read_text()


def test_load():
    result = json.loads((DOCS / "serving_load.json").read_text())
    assert page(result) == (DOCS / "serving_load.md").read_text()

"""The driver of the speed benchmarks: turns, failures, ratios and the page."""

import json
import pathlib
import re
import shutil
import sys
import xml.etree.ElementTree

import numpy as np
import pytest

from benchmarks.performance import read_sentences
from benchmarks.speed import programs, report, rounds
from benchmarks.speed.charts import QUESTIONS, chart, file_name
from benchmarks.speed.rounds import PEAK, measure
from benchmarks.speed.tables import TABLES, Setting, gflop
from benchmarks.speed.worker import PEERS, NotMeasured, Worker

ROOT = pathlib.Path(__file__).parent.parent.parent


@pytest.fixture
def start(tmp_path):
    """Starts a worker that serves the functions which a piece of code defines."""

    def start(code):
        script = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"
        script.write_text(f"import sys\nsys.path.insert(0, {str(PEERS)!r})\nimport serve\n{code}\n")
        return Worker(sys.executable, script, timeout=20)

    return start


def result(**changes):
    return {
        "table": "dense",
        "title": "Dense batches",
        "text": "What it is.",
        "reference": "albert_tf",
        "columns": {"8 x 128": {"unit": "GFLOP/s", "better": "higher"}},
        "programs": {
            "albert_tf": {"8 x 128": [100.0, 150.0, 120.0]},
            "other": {"8 x 128": [50.0, 100.0, 80.0]},
        },
        "not_measured": {"third": "pip: no such package"},
        "command": "python -m benchmarks.performance --table=dense",
        "date": "2026-01-01",
        "machine": {"processor": "Fast", "cores": 2, "memory_gb": 8},
        "versions": {"torch": {"numpy": "2.0", "torch": "2.13.0"}},
        "remark": "",
        **changes,
    }


def test_cells_are_medians_with_spread_and_ratios_go_round_by_round():
    lines = report.markdown(result()).splitlines()
    assert "| **albert_tf** | 120 (100 to 150) |  |" in lines
    assert "| other | 80 (50 to 100) | 1.50 |" in lines  # Of 2.0, 1.5 and 1.5.


def test_a_ratio_above_one_is_always_the_reference_winning():
    columns = {"8 x 128": {"unit": "ms", "better": "lower"}}
    assert report.ratios(result(columns=columns), "other", "8 x 128")[0] == 0.5


def test_a_program_that_took_turns_with_the_reference_alone_has_a_ratio_of_its_own():
    beside = {"other": {"8 x 128": [100.0, 300.0, 160.0]}}
    assert report.ratios(result(beside=beside), "other", "8 x 128") == [2.0, 3.0, 2.0]


def test_what_was_not_measured_is_in_the_table():
    assert "| third | not measured: pip: no such package | |" in report.markdown(result())


def test_versions_and_remark_are_below_the_table():
    assert "2 cores of Fast.\ntorch 2.13.0.\nBusy." in report.markdown(result(remark="Busy."))


def test_page_is_made_of_the_files(tmp_path):
    values = {"albert_tf": {"32 x 128": [100.0, 150.0, 120.0]}}
    columns = {"32 x 128": {"unit": "GFLOP/s", "better": "higher"}}
    whole = result(programs=values, columns=columns)
    report.write(whole, tmp_path / "performance")
    page = tmp_path / "performance.md"
    report.write_page(tmp_path / "performance", page, ["dense", "memory"])
    text = page.read_text()
    chart = tmp_path / "performance" / "dense_32_x_128.svg"
    assert f"](performance/{chart.name})" in text
    assert "## memory\n\nNot measured." in text
    assert json.loads((tmp_path / "performance" / "dense.json").read_text()) == whole
    assert chart.read_text().startswith("<svg")


def test_a_chart_shows_each_program_beside_the_reference():
    values = {"albert_tf": {"32 x 128": [2.0, 4.0]}, "a < b": {"32 x 128": [1.0, 6.0]}}
    columns = {"32 x 128": {"unit": "GFLOP/s", "better": "higher"}}
    drawing = chart(result(programs=values, columns=columns), "32 x 128", "How fast?")
    assert ">How fast?<" in drawing and ">a &lt; b<" in drawing and ">3.5 GFLOP/s<" in drawing
    assert "2 cores of Fast; 1.0 is albert_tf; longer is better" in drawing
    bars = [
        float(x) for x in re.findall(r'<rect class="\w+" x="\d+" y="\d+" width="([\d.]+)"', drawing)
    ]
    assert bars == sorted(bars, reverse=True) and bars[0] == bars[1]  # Ratios of 0.5 and 1.5: 1.0.
    xml.etree.ElementTree.fromstring(drawing)


def test_the_page_and_its_charts_are_those_of_the_numbers(tmp_path):
    kept = ROOT / "docs" / "performance"
    shutil.copytree(kept, tmp_path / "performance")
    report.write_page(tmp_path / "performance", tmp_path / "performance.md", TABLES)
    assert (tmp_path / "performance.md").read_text() == (ROOT / "docs/performance.md").read_text()
    for path in (tmp_path / "performance").iterdir():
        assert path.read_text() == (kept / path.name).read_text(), path.name


def test_rounds_are_added_to_those_of_the_same_programs_and_machine():
    both = report.joined(
        result(),
        result(
            programs={
                "albert_tf": {"8 x 128": [90.0]},
                "other": {"8 x 128": [70.0]},
            }
        ),
    )
    assert report.rounds(both) == 4 and report.rounds(result()) == 3
    assert both["programs"]["other"]["8 x 128"] == [50.0, 100.0, 80.0, 70.0]
    with pytest.raises(ValueError, match="same programs, versions and machine. Received: .*2.14"):
        report.joined(result(), result(versions={"torch": {"torch": "2.14.0"}}))


def test_a_program_with_other_vectors_is_not_in_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds.time, "sleep", lambda seconds: None)

    class Other(QuickWorker):
        def ask(self, run, **arguments):
            answer = super().ask(run, **arguments)
            if "output" in arguments:
                np.save(arguments["output"], np.load(arguments["output"]) + 2e-5)
            return answer

    launcher = QuickLauncher(tmp_path)
    launcher.start = lambda program: (Other if "pipeline" in program.script else QuickWorker)()
    setting = Setting(launcher, 1, [], ["dull"] * 5000, [], 0, 0, [], False)
    measured = TABLES["embedding"](setting)
    why = "speed: a component of a vector differs by 2e-05"
    assert measured["not_measured"] == dict.fromkeys(programs.PIPELINES, why)
    assert "sentence-transformers" in measured["programs"]


def test_each_round_has_other_sentences(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds.time, "sleep", lambda seconds: None)
    asked = []

    class Asked(QuickWorker):
        def ask(self, run, **arguments):
            asked.append(arguments.get("texts"))
            return super().ask(run, **arguments)

    launcher = QuickLauncher(tmp_path)
    launcher.start = lambda program: Asked()
    sentences = [str(i) for i in range(10_050)]
    only = [programs.PREDICTOR]
    setting = Setting(launcher, 2, [], sentences, [], 0, 0, only, False, done=19)
    TABLES["embedding"](setting)
    _, last, first = filter(None, asked)
    assert (last[0], len(last), first[0]) == ("9500", 250, "0")


def test_programs_take_turns_and_the_first_round_does_not_count(start):
    code = "n = iter(range(9))\nserve.serve({'next': lambda: next(n)})"
    order = []

    def run(worker, name):
        order.append(name)
        return worker.ask("next")

    values, failures = measure(lambda _: start(code), ["a", "b"], {"x": run}, 2, say=str)
    assert order == ["a", "b"] * 3
    assert values == {"a": {"x": [1, 2]}, "b": {"x": [1, 2]}} and not failures


def test_no_round_begins_for_which_there_is_no_time(start):
    code = "import time\nserve.serve({'nap': lambda: time.sleep(0.3)})"
    cases = {"x": lambda worker, _: worker.ask("nap") or 1}
    values, _ = measure(lambda _: start(code), ["a"], cases, 9, say=str, seconds=0)
    assert values == {"a": {"x": [1]}}


def test_a_program_that_fails_is_reported_and_the_others_go_on(start):
    codes = {
        "works": "serve.serve({'one': lambda: 1.0})",
        "raises": "def one(): raise ValueError('too long')\nserve.serve({'one': one})",
        "ends": "raise SystemExit('no library')",
        "killed": "import os\nos.kill(os.getpid(), 9)",
    }
    cases = {"x": lambda worker, _: worker.ask("one")}
    values, failures = measure(lambda name: start(codes[name]), list(codes), cases, 1, say=str)
    assert values == {"works": {"x": [1.0]}}
    assert failures["raises"] == "x: ValueError: too long"
    assert "ended with code 1: no library" in failures["ends"]
    assert "memory runs out" in failures["killed"]


def test_a_library_that_prints_does_not_disturb_the_answers(start):
    with start("print('hello')\nserve.serve({'one': lambda: print('again') or 1})") as worker:
        assert worker.ask("one") == 1
        with pytest.raises(NotMeasured, match="KeyError"):
            worker.ask("two")


def test_rows_are_padded_to_the_length(start):
    code = "serve.serve_encoder(lambda names, *inputs: print(names, inputs))"
    with start(code) as worker:
        assert len(worker.ask("run", rows=[3, 2], length=5, repeat=2)) == 2
        assert worker.ask("run_all", batches=[[[1], 4]]) >= 0


def test_operations_of_a_batch():
    # 12 layers of 4 H^2 + 2 H I weights, twice a token; attention beside it is 2 %.
    assert 174 < gflop(8, 128) < 180


def test_sentences_of_a_glue_file(tmp_path):
    (tmp_path / "dev.tsv").write_text('sentence\tlabel\na "fine" film\t1\ndull\t0\n')
    assert read_sentences(tmp_path / "dev.tsv") == ['a "fine" film', "dull"]


class QuickWorker:
    """Answers at once what every program answers after its work."""

    start = 0.0
    ANSWERS = {"ready": None, "run_all": 2.0, "gflops": 170.0, "step": 4.0, "peak_memory": 5e8}
    ANSWERS["memory"] = 4e8

    def ask(self, run, repeat=1, **arguments):
        if "output" in arguments:
            np.save(arguments["output"], np.full([len(arguments["texts"]), 3], 0.5))
        if run == "run" and "texts" in arguments:
            return 2.0
        return [0.5] * repeat if run == "run" else self.ANSWERS[run]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class QuickLauncher:
    def __init__(self, folder):
        self.file = lambda name: folder
        (folder / "saved_model.pb").write_bytes(bytes(2000))

    def prepare(self, programs):
        pass

    def start(self, program, *arguments):
        if program.script == "onnx_model.py":
            raise NotMeasured("pip: no such package")
        return QuickWorker()


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_section_with_all_its_programs(name, tmp_path, monkeypatch):
    monkeypatch.setattr(rounds.time, "sleep", lambda seconds: None)
    setting = Setting(
        QuickLauncher(tmp_path),
        rounds=2,
        shapes=[(8, 128)],
        sentences=["dull"] * 5000,
        tokens=[5, 30] * 48,
        batches=2,
        requests=4,
        only=[],
        xxlarge=True,
    )
    measured = TABLES[name](setting)
    assert measured["reference"] in measured["programs"]
    for cells in measured["programs"].values():
        assert set(cells) <= set(measured["columns"])
    if name not in ("preprocessing", "training", "embedding"):
        missing = {"ONNX Runtime", "OpenVINO"}
        assert missing <= set(measured["not_measured"])
        assert set(programs.ENCODERS) - missing <= set(measured["programs"])
    if name == "dense":
        assert measured["programs"][PEAK] == {"8 x 128": [170.0] * 2}
        assert measured["programs"]["KerasHub"] == {"8 x 128": [2 * gflop(8, 128)] * 2}
    if name == "padding":
        speeds = measured["programs"]
        assert speeds["KerasHub"]["pooled_output"] == [32 / 2.0] * 2
        assert speeds["KerasHub"]["nothing padded, 8 x 128"] == [16.0] * 2
        columns = ["pooled_output", "both outputs"]
        assert list(speeds["albert_tf, dynamic padding, sorted"]) == columns
    if name == "training":
        columns = [f"{programs.SENTENCES}, {what}" for what in ("speed", "peak memory")]
        assert list(measured["programs"]["PyTorch (sdpa), dynamic padding"]) == columns
    if name == "embedding":
        assert measured["programs"]["albert-tf embed"] == {
            "speed": [125.0] * 2,
            "memory": [400] * 2,
        }
        assert measured["programs"]["transformers, pipeline"]["speed"] == [25.0] * 2
    if name == "startup":
        assert measured["programs"]["albert_tf"]["graph"] == [2.0]
    report.write(result(**measured, table=name), tmp_path)
    shown = [column for column in QUESTIONS[name] if column in measured["columns"]]
    charts = {file_name(name, column) for column in shown}
    assert charts == {path.name for path in tmp_path.glob("*.svg")} and (charts or name == "dense")

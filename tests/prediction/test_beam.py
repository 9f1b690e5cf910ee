"""`PredictorModelHandler` and jobs on Apache Beam: equal to the Predictor, and to jobs without."""

import dataclasses
import json
import pickle

import numpy as np
import pytest

pytest.importorskip("apache_beam", reason="apache-beam is not installed (extra [beam])")

import apache_beam as beam  # noqa: E402
from apache_beam.ml.inference.base import RunInference  # noqa: E402
from apache_beam.options.pipeline_options import DirectOptions  # noqa: E402
from apache_beam.testing.test_pipeline import TestPipeline as Pipeline  # noqa: E402
from apache_beam.testing.util import assert_that, equal_to  # noqa: E402

import albert_tf  # noqa: E402
from albert_tf.prediction import batches, beam_job  # noqa: E402
from albert_tf.prediction.job import Job  # noqa: E402
from albert_tf.prediction.model_handler import element_size  # noqa: E402
from albert_tf.prediction.parts import Parts, compute_here  # noqa: E402
from tests.commands.command import call  # noqa: E402

ROWS = 'id,text\n1,one text\n2,"Zürich,\nagain"\n3\n4,"un"closed\n5,last\n6,"a ""quoted"" one"\n'


@pytest.fixture(scope="module")
def embed(model_of):
    return albert_tf.Predictor(model_of("embedding"))


@pytest.fixture(autouse=True)
def loaded(monkeypatch, embed):
    """Loading the model takes the most time of a test: once for all. Has where it was loaded."""
    loads = []

    def load(place):
        def predictor(path, *args, **kwargs):
            assert path == embed.source
            loads.append(place)
            return embed

        return predictor

    monkeypatch.setattr("albert_tf.prediction.predictor.Predictor", load("here"))
    monkeypatch.setattr("albert_tf.prediction.model_handler.Predictor", load("worker"))
    return loads


@pytest.fixture
def small_windows(monkeypatch):
    monkeypatch.setattr(batches.windows, "__defaults__", (2,))


@pytest.mark.parametrize("shared", [False, True])
def test_in_a_pipeline(shared, embed, loaded):
    handler = albert_tf.PredictorModelHandler(embed.source, large_model=shared)
    assert handler.share_model_across_processes() == shared
    handler = pickle.loads(pickle.dumps(handler))
    items = ["one", "another text", {"text": "a dict"}, ("a tuple",)]
    expected = [(x, vector.tobytes(), embed.source) for x, vector in zip(items, embed(items))]
    with Pipeline() as pipeline:
        results = pipeline | beam.Create([items], reshuffle=False) | beam.FlatMap(list)
        results = results | RunInference(handler)
        found = results | beam.Map(lambda r: (r.example, r.inference.tobytes(), r.model_id))
        assert_that(found, equal_to(expected))
    assert loaded == ["worker"]
    counters = pipeline.result.metrics().query()["counters"]
    counts = {c.key.metric.name: c.result for c in counters if "BeamML" in c.key.metric.namespace}
    assert counts["num_inferences"] == 4


def test_as_beams_handlers():
    handler = albert_tf.PredictorModelHandler("model", model_copies=2, max_batch_size=8)
    assert handler.share_model_across_processes() and handler.model_copies() == 2
    batching = handler.batch_elements_kwargs()
    assert (batching["min_batch_size"], batching["max_batch_size"]) == (8, 8)
    with Pipeline() as pipeline:  # Batches are bounded by characters, too.
        items = ["a" * 20_000, ("b" * 8192, {"c": [b"d" * 8192]}), "e", "f"]
        sizes = (
            pipeline
            | beam.Create([items], reshuffle=False)
            | beam.FlatMap(list)
            | beam.BatchElements(**batching)
            | beam.Map(lambda batch: sum(map(element_size, batch)) <= 8)
        )
        assert_that(sizes, lambda found: all(found) and 1 < len(found) < 4 or pytest.fail())
    assert element_size(None) == 1
    assert handler.get_num_bytes(["ab", ("c", ["de"])]) == 5
    assert handler.run_inference([], lambda batch: []) == []
    handler.update_model_path("other")
    (result,) = handler.run_inference(["a"], lambda batch, top_k: [top_k], {"top_k": 3})
    assert result == ("a", 3, "other")
    with pytest.raises(ValueError, match="may have top_k alone. Received: {'k': 1}"):
        RunInference(handler, inference_args={"k": 1}).expand(None)


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_the_command_writes_the_same_bytes(name, embed, tmp_path, small_windows, capsys):
    path = tmp_path / name
    path.write_text(ROWS)
    if name.endswith(".jsonl"):
        path.write_text("".join(json.dumps({"text": x, "id": 1}) + "\n" for x in "abcde") + "[]\n")
    files = [f"--model={embed.source}", f"--input={path},{path}", "--keep=id"]
    on_beam = ["--runner=DirectRunner", "--direct_num_workers", "2"]
    with pytest.raises(ValueError, match=f"must have its texts. Received: .*{name}:"):
        call("embed", *files, *on_beam, f"--output={tmp_path}/refused.jsonl")
    files.append("--bad_rows=set_aside")
    on_beam.append("--direct_running_mode=multi_threading")
    call("embed", *files, *on_beam, f"--output={tmp_path}/beam.jsonl")
    told = capsys.readouterr().out
    assert " rows in " in told and " bad rows in " in told and "tokens/s" in told
    call("embed", *files, f"--output={tmp_path}/here.jsonl")
    for suffix in ("", ".bad_rows.jsonl"):
        here, there = (tmp_path / f"{place}.jsonl{suffix}" for place in ("here", "beam"))
        assert here.read_bytes() == there.read_bytes() and here.stat().st_size
    assert not list(tmp_path.glob(".*"))


def test_a_failure_is_told_and_nothing_done_is_lost(embed, tmp_path, small_windows, monkeypatch):
    (tmp_path / "in.txt").write_text("one\ntwo\nthree\nfour\nfive\n")
    on_beam = beam_job.OnBeam(([embed.source], {}), ["--runner=DirectRunner"])
    output = tmp_path / "out.npy"
    job = Job(embed, [tmp_path / "in.txt"], output, compute=on_beam)
    write = Parts.write

    def failing(parts, predictor, number, rows):
        if number == 2:
            raise ValueError("the disk is on fire")
        return write(parts, predictor, number, rows)

    monkeypatch.setattr(Parts, "write", failing)
    with pytest.raises(OSError, match="run to its end. Received: .*the disk is on fire"):
        job()
    monkeypatch.setattr(Parts, "write", lambda *args: 0)
    with pytest.raises(OSError, match="Received: a pipeline that ended without 1 of 1 parts"):
        job()
    assert not output.exists()
    monkeypatch.undo()
    monkeypatch.setattr(batches.windows, "__defaults__", (2,))
    done = dataclasses.replace(job, compute=compute_here)()
    assert (done["rows"], done["computed"]) == (5, 1)
    np.testing.assert_allclose(np.load(output), embed(["one", "two", "three", "four", "five"]))


def test_wrong_options(embed, tmp_path):
    files = [f"--model={embed.source}", "--input=in.txt", f"--output={tmp_path}/out.npy"]
    with pytest.raises(ValueError, match="There is no flag --direct_num_worker, nor has Beam"):
        call("embed", *files, "--runner=DirectRunner", "--direct_num_worker=2")
    with pytest.raises(ValueError, match="no flag --column, .* Did you mean --columns"):
        call("embed", *files, "--runner=FlinkRunner", "--column=a")
    with pytest.raises(ValueError, match="SparkyRunner"):
        call("embed", *files, "--runner=SparkyRunner")
    direct = beam_job.pipeline_options(["--direct_num_workers=2"]).view_as(DirectOptions)
    assert direct.direct_running_mode == "multi_processing"

"""One model, the same answers everywhere: Predictor, commands, server and Beam."""

import json

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="albert_tf[serve] is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("prometheus_client", reason="albert_tf[serve] is not installed")
pytest.importorskip("uvicorn", reason="albert_tf[serve] is not installed")

from albert_tf.prediction.answers import answers  # noqa: E402
from albert_tf.prediction.predictor import Predictor  # noqa: E402
from tests.commands.command import call  # noqa: E402
from tests.prediction.models import INPUTS  # noqa: E402
from tests.prediction.test_predictor import alike  # noqa: E402
from tests.serving.clients import serving  # noqa: E402

KINDS = [
    *("classifier", "pairs", "multi-label", "regression", "token-classifier"),
    *("span-labeler", "multiple-choice", "fill-mask", "embedding"),
]


@pytest.fixture(scope="module")
def asked(model_of):
    """Function from a kind to (predictor, items, the predictor's answers)."""
    found = {}

    def ask(kind):
        if kind not in found:
            predictor = Predictor(model_of(kind))
            items = [x for x in INPUTS[kind] if x and (isinstance(x, str) or all(x))]
            found[kind] = predictor, items, list(predictor(items))
        return found[kind]

    return ask


@pytest.mark.parametrize("kind", KINDS)
def test_the_commands(kind, asked, tmp_path, monkeypatch):
    predictor, items, expected = asked(kind)
    (tmp_path / "in.jsonl").write_text(
        "".join(json.dumps(as_dict(predictor, x)) + "\n" for x in items)
    )
    monkeypatch.setattr("albert_tf.prediction.predictor.Predictor", lambda *_, **__: predictor)
    command = "embed" if kind == "embedding" else "predict"
    output = tmp_path / "out.jsonl"
    call(command, "--model=model", f"--input={tmp_path}/in.jsonl", f"--output={output}")
    lines = map(json.loads, output.read_text(encoding="utf-8").splitlines())
    found = [line.get("answers", line.get("embedding", line)) for line in lines]
    assert alike(found, [x.tolist() for x in expected] if kind == "embedding" else expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_server(kind, asked, versions):
    predictor, items, expected = asked(kind)
    with serving({"model": versions(kind)}) as client:
        for item, answer in zip(items, expected, strict=True):
            body = {"inputs": {name: [x] for name, x in as_dict(predictor, item).items()}}
            response = client.post("/v1/models/model:predict", content=json.dumps(body))
            outputs = response.json()["outputs"]
            if not isinstance(outputs, dict):
                outputs = {{"regression": "score"}.get(kind, kind): outputs}
            tensors = {name: as_tensor(value) for name, value in outputs.items()}
            row = predictor.row(item, "the text")
            assert alike(answers(tensors, [row], predictor.record), [answer])


@pytest.mark.parametrize("kind", KINDS)
def test_beam(kind, asked, monkeypatch):
    beam = pytest.importorskip("apache_beam", reason="apache-beam is not installed (extra [beam])")
    from apache_beam.ml.inference.base import RunInference
    from apache_beam.testing.test_pipeline import TestPipeline

    from albert_tf import PredictorModelHandler

    predictor, items, expected = asked(kind)
    monkeypatch.setattr("albert_tf.prediction.model_handler.Predictor", lambda *_, **__: predictor)
    with TestPipeline() as pipeline:
        results = pipeline | beam.Create(items) | RunInference(PredictorModelHandler("model"))
        results | beam.combiners.ToList() | beam.Map(equal, list(zip(items, expected)))


def equal(results, expected):
    """Checks, in the pipeline, that each item has its answer."""
    assert len(results) == len(expected)
    for result in results:
        (answer,) = [answer for item, answer in expected if item == result.example]
        assert alike([result.inference], [answer])


def as_dict(predictor, item):
    return dict(zip(predictor.text_inputs, (item,) if isinstance(item, str) else item))


def as_tensor(value):
    """An output as the model itself returns it: of strings, bytes."""
    array = np.array(value)
    return np.char.encode(array, "utf-8").astype(object) if array.dtype.kind == "U" else array

"""TensorFlow Serving's REST interface with our models' values; errors and limits."""

import base64
import concurrent.futures
import json
import re

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("fastapi", reason="albert_tf[serve] is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("prometheus_client", reason="albert_tf[serve] is not installed")
pytest.importorskip("uvicorn", reason="albert_tf[serve] is not installed")

from tests.prediction.models import INPUTS  # noqa: E402
from tests.serving.clients import Held, serving  # noqa: E402

KINDS = ["classifier", "span-labeler", "multiple-choice", "fill-mask", "embedding"]


@pytest.fixture(scope="module")
def client(versions):
    with serving({kind: versions(kind) for kind in KINDS}, max_texts=8, max_characters=500) as it:
        yield it


def post(client, path, body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, content=content)


def plain(tensor):
    """An output as JSON has it."""

    def decoded(value):
        return (
            [decoded(x) for x in value]
            if isinstance(value, list)
            else (value.decode() if isinstance(value, bytes) else value)
        )

    return decoded(tensor.numpy().tolist())


def same(received, expected):
    if isinstance(expected, dict):
        return received.keys() == expected.keys() and all(
            same(received[k], expected[k]) for k in expected
        )
    if isinstance(expected, list):
        return len(received) == len(expected) and all(map(same, received, expected))
    return received == (
        pytest.approx(expected, rel=1e-5, abs=1e-5) if isinstance(expected, float) else expected
    )


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_the_saved_model(kind, client, versions, model_of):
    loaded = tf.saved_model.load(model_of(kind))
    names = versions(kind).record["text_inputs"]
    items = INPUTS[kind][:1] if kind == "multiple-choice" else INPUTS[kind]
    columns = dict(
        zip(names, [list(x) for x in zip(*[(x,) if isinstance(x, str) else x for x in items])])
    )
    outputs = loaded.signatures["serving_default"](
        **{k: tf.constant(x) for k, x in columns.items()}
    )
    expected = {name: plain(x) for name, x in outputs.items()}
    received = post(client, f"/v1/models/{kind}:predict", {"inputs": columns})
    assert received.status_code == 200 and received.headers["content-type"] == "application/json"
    single = len(expected) == 1
    assert same(received.json(), {"outputs": next(iter(expected.values())) if single else expected})
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    answer = post(client, f"/v1/models/{kind}/versions/1:predict", {"instances": rows}).json()
    by_row = [dict(zip(expected, row)) for row in zip(*expected.values())]
    assert same(answer, {"predictions": next(iter(expected.values())) if single else by_row})
    if len(names) == 1:
        as_bytes = [{"b64": base64.b64encode(x.encode()).decode()} for x in items]
        for values in (items, as_bytes):
            assert (
                post(client, f"/v1/models/{kind}:predict", {"instances": values}).json() == answer
            )


def test_signature_name_and_ids(client, model_of):
    loaded = tf.saved_model.load(model_of("embedding"))
    ids = [[2, 5, 6, 3], [2, 9, 3, 0]]
    columns = {
        "input_word_ids": ids,
        "input_mask": [[1] * 4, [1, 1, 1, 0]],
        "input_type_ids": [[0] * 4] * 2,
    }
    request = {"signature_name": "ids", "inputs": columns}
    answer = post(client, "/v1/models/embedding:predict", request).json()["outputs"]
    expected = loaded.signatures["ids"](**{k: tf.constant(x) for k, x in columns.items()})
    np.testing.assert_allclose(answer, expected["embedding"], atol=1e-5)


def test_texts_of_many_clients_are_computed_together(client, versions):
    texts = ["[MASK] a", "b [MASK] of [MASK]", "none", "a much longer text with [MASK] in it"] * 8
    predict = lambda text: post(  # noqa: E731
        client, "/v1/models/fill-mask:predict", {"instances": [text]}
    ).json()
    alone = {text: predict(text) for text in set(texts)}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for text, answer in zip(texts, pool.map(predict, texts)):
            assert same(answer, alone[text])
    batches = re.search(
        r"albert_tf_batch_rows_bucket\{le=\"1.0\"\} (\S+)", client.get("/metrics").text
    )
    total = re.search(r"albert_tf_batch_rows_count (\S+)", client.get("/metrics").text)
    assert float(batches[1]) < float(total[1]), "some batches have several rows"


def test_status_metadata_health_and_metrics(client, model_of):
    status = {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    assert client.get("/v1/models/classifier").json() == status
    assert client.get("/v1/models/classifier/versions/1").json() == status
    metadata = client.get("/v1/models/classifier/metadata").json()
    assert metadata["model_spec"] == {"name": "classifier", "signature_name": "", "version": "1"}
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    text = signatures["serving_default"]["inputs"]["text"]
    assert text["dtype"] == "DT_STRING" and text["name"] == "serving_default_text:0"
    assert text["tensor_shape"] == {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
    assert set(signatures["ids"]["inputs"]) == {"input_word_ids", "input_mask", "input_type_ids"}
    assert signatures["ids"]["method_name"] == "tensorflow/serving/predict"
    assert client.get("/health").json() == {"status": "ok", "models": sorted(KINDS)}
    listed = {model["name"]: model for model in client.get("/v1/models").json()["models"]}
    assert listed["classifier"]["task"]["labels"] == ["no", "maybe", "yes"]
    before = client.get("/metrics").text
    post(client, "/v1/models/classifier:predict", {"instances": ["a"]})
    count = r'albert_tf_requests_total\{code="200",model="classifier"\} (\S+)'
    (now,) = re.findall(count, client.get("/metrics").text)
    assert float(now) == float((re.findall(count, before) or [0])[0]) + 1
    assert "albert_tf_request_seconds_bucket" in before and "albert_tf_model_version" in before


CLASSIFY = "/v1/models/classifier:predict"
SPAN = "/v1/models/span-labeler:predict"
ONE = {"instances": ["a"]}


@pytest.mark.parametrize(
    "method, path, body, code, message",
    [
        ("POST", CLASSIFY, b"", 400, "must be JSON"),
        ("POST", CLASSIFY, b"\x00\x01\xff", 400, "must be JSON"),
        ("POST", CLASSIFY, b"[" * 100_000, 400, "few levels"),
        ("POST", CLASSIFY, b'"a"', 400, "must be a JSON object"),
        ("POST", CLASSIFY, {}, 400, "either 'instances'"),
        ("POST", CLASSIFY, {"instances": [1]}, 400, "must have strings"),
        ("POST", CLASSIFY, {"instances": ["a"] * 9}, 400, "at most 8 texts. Received: 9"),
        ("POST", CLASSIFY, {"instances": ["ü" * 501]}, 400, "500 characters. Received: 501"),
        ("POST", CLASSIFY, {"instances": ["a" * (1 << 20)]}, 413, "at most 1048576 bytes"),
        ("POST", CLASSIFY, {**ONE, "signature_name": "x"}, 400, "one of .*ids.* Received: 'x'"),
        ("POST", CLASSIFY, {**ONE, "signature_name": []}, 400, "must be a string"),
        ("POST", CLASSIFY, {**ONE, "signature_name": {"a": 1}}, 400, "must be a string"),
        ("POST", SPAN, {"instances": ["a"]}, 400, "objects with the keys"),
        (
            "POST", SPAN,
            {"inputs": {"question": ["a"], "context": ["b", "c"]}}, 400, "as many rows. Received: ",
        ),
        ("POST", "/v1/models/fill-mask:predict", {"instances": ["a " * 40 + "[MASK]"]}, 400,
         "The model refuses the input: .*Every \\[MASK\\] must be within the first 32 tokens"),
        ("POST", "/v1/models/none:predict", ONE, 404, "no model 'none'. Models are classifier"),
        ("POST", "/v1/models/classifier/versions/2:predict", ONE, 404, "no version 2"),
        ("POST", "/v1/models/classifier/versions/x:predict", ONE, 400, "Requests are"),
        ("POST", f"/v1/models/classifier/versions/{'9' * 5000}:predict", ONE, 400, "below 10"),
        ("POST", "/v1/models/classifier/labels/stable:predict", ONE, 400, "no labels"),
        ("POST", "/v1/models/classifier:classify", ONE, 400, "are for :predict"),
        ("POST", "/v1/models/classifier:regress", ONE, 400, "are for :predict"),
        ("POST", "/v1/models/classifier:explain", ONE, 400, "Requests are"),
        ("POST", "/v1/models/classifier", ONE, 400, "Received: POST '/v1/models/classifier'"),
        ("POST", "/v1/models/a/b/c:predict", ONE, 400, "Requests are"),
        ("POST", "/v1/models/../../etc/passwd:predict", ONE, 404, "nothing at this path"),
        ("GET", CLASSIFY, None, 400, "Requests are"),
        ("DELETE", "/v1/models/classifier", None, 400, "Requests are"),
        ("GET", "/v1/models/none", None, 404, "no model 'none'"),
        ("GET", "/v1/models/none/metadata", None, 404, "no model 'none'"),
        ("GET", "/v1/models/classifier/versions/7", None, 404, "no version 7"),
        ("GET", "/v1/models/classifier/versions/7/metadata", None, 404, "no version 7"),
        ("GET", "/v1/models/classifier/labels/x", None, 400, "no labels"),
        ("GET", "/v1/" + "x" * 5000, None, 400, "Requests are"),
        ("GET", "/v1/models/%00%0a\u202e", None, 404, "nothing at this path"),
        ("GET", "/elsewhere", None, 404, "nothing at this path"),
        ("GET", "/docs", None, 404, "nothing at this path"),
        ("POST", "/health", None, 405, "not one of this path's"),
    ],
)  # fmt: skip
def test_what_is_refused(method, path, body, code, message, client):
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    received = client.request(method, path, content=content)
    assert received.status_code == code, received.text
    assert list(received.json()) == ["error"]
    told = received.json()["error"]
    assert told and told.isprintable() and len(told) < 500, "one clear line"
    assert re.search(message or "", told), told
    assert client.get("/health").status_code == 200


def test_compressed_bodies_are_refused(client):
    received = client.post(CLASSIFY, content=b"x", headers={"Content-Encoding": "gzip"})
    assert received.status_code == 415 and "must not be compressed" in received.json()["error"]


def test_more_requests_than_the_queue_holds(versions):
    held = Held(versions("classifier"))
    with serving({"m": held.version}, max_queue=2) as client:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            taken = [pool.submit(post, client, "/v1/models/m:predict", ONE) for _ in range(2)]
            assert held.started.wait(30)
            while client.app.state.server.taken < 2:
                pass
            refused = post(client, "/v1/models/m:predict", ONE)
            assert refused.status_code == 503 and refused.headers["retry-after"] == "1"
            assert "At most 2 requests wait at a time" in refused.json()["error"]
            held.go.set()
            assert [x.result().status_code for x in taken] == [200, 200]
        assert post(client, "/v1/models/m:predict", ONE).status_code == 200


def test_answers_that_take_too_long(versions):
    held = Held(versions("classifier"))
    with serving({"m": held.version}, timeout_s=0.2) as client:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            late = list(pool.map(lambda _: post(client, "/v1/models/m:predict", ONE), range(3)))
        assert {x.status_code for x in late} == {504}
        assert "at most 0.2 seconds" in late[0].json()["error"]
        held.go.set()
        assert post(client, "/v1/models/m:predict", ONE).status_code == 200
        assert client.app.state.server.taken == 0
    assert held.calls <= 3


def test_a_bug_is_an_error_of_the_server(versions):
    held = Held(versions("classifier"))
    with serving({"m": held.version}) as client:
        held.go.wait = lambda _: False  # Its assertion fails.
        received = post(client, "/v1/models/m:predict", ONE)
        assert received.status_code == 500 and list(received.json()) == ["error"]
        assert received.headers["connection"] == "close"
        assert client.get("/health").status_code == 200


def test_the_page(client):
    page = client.get("/")
    assert (
        page.status_code == 200 and "default-src 'none'" in page.headers["content-security-policy"]
    )
    assert not re.findall(r"https?://(?!www\.w3\.org)", page.text), "no network beyond the server"

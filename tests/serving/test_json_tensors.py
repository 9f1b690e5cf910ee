"""TensorFlow Serving's JSON, in and out."""

import json

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="albert_tf[serve] is not installed")

from albert_tf.serving.json_tensors import (  # noqa: E402
    TensorForm,
    read_json,
    read_tensors,
    signature_name,
    write_response,
)
from albert_tf.serving.request_error import RequestError  # noqa: E402

TEXT = {"text": TensorForm(np.dtype(object), (None,))}
IDS = {name: TensorForm(np.dtype(np.int32), (None, None)) for name in ("ids", "mask")}
FLOAT = {"x": TensorForm(np.dtype(np.float32), (None, 2))}


@pytest.mark.parametrize(
    "request_, by_row",
    [
        ({"instances": ["a", "ü"]}, True),
        ({"instances": [{"text": "a"}, {"text": {"b64": "w7w="}}]}, True),
        ({"instances": ["a", {"b64": "w7w="}]}, True),
        ({"inputs": ["a", "ü"]}, False),
        ({"inputs": {"text": ["a", "ü"]}}, False),
    ],
)
def test_forms_of_text(request_, by_row):
    tensors, found = read_tensors(request_, TEXT)
    assert found == by_row and tensors["text"].tolist() == [b"a", "ü".encode()]


def test_forms_of_numbers():
    rows = {"instances": [{"ids": [1, 2], "mask": [1, 0]}, {"ids": [3, 4], "mask": [1, 1]}]}
    columns = {"inputs": {"ids": [[1, 2], [3, 4]], "mask": [[1, 0], [1, 1]]}}
    for request in (rows, columns):
        tensors, _ = read_tensors(request, IDS)
        assert tensors["ids"].tolist() == [[1, 2], [3, 4]]
        assert tensors["mask"].dtype == np.int32
    tensors, _ = read_tensors(read_json(b'{"instances": [[1, 2.5], [NaN, -Infinity]]}'), FLOAT)
    np.testing.assert_array_equal(tensors["x"], [[1, 2.5], [np.nan, -np.inf]])
    assert read_tensors({"inputs": []}, TEXT)[0]["text"].shape == (0,)


@pytest.mark.parametrize(
    "body, forms, message",
    [
        ({"instances": ["a"], "inputs": ["a"]}, TEXT, "either .* Received: instances and inputs"),
        ({"rows": []}, TEXT, "either 'instances'.* Received: keys rows"),
        ({}, TEXT, "Received: keys none"),
        ({"instances": []}, TEXT, "list of one row or more. Received: \\[\\]"),
        ({"instances": "a"}, TEXT, "list of one row or more. Received: 'a'"),
        ({"instances": ["a", {"text": "b"}]}, TEXT, "all objects or all values"),
        ({"instances": [{"text": "a"}, "b"]}, TEXT, "all objects or all values"),
        ({"instances": [{"txt": "a"}]}, TEXT, "keys text. Received: instances\\[0\\] with txt"),
        ({"instances": [{"text": "a", "n": 1}]}, TEXT, "with text, n"),
        ({"instances": [[1, 2]]}, IDS, "objects with the keys ids, mask. Received: \\[1, 2\\]"),
        ({"instances": [1]}, TEXT, "strings, or bytes as .* Received: 1"),
        ({"instances": [None]}, TEXT, "Received: None"),
        ({"instances": [["a"]]}, TEXT, "lists of depth 1. Received: depth 2"),
        ({"inputs": "a"}, TEXT, "lists of depth 1. Received: depth 0"),
        ({"inputs": {"b64": "YQ=="}}, TEXT, "Received: depth 0"),
        ({"instances": [{"b64": "!"}]}, TEXT, "must be base64. Received: '!'"),
        ({"instances": [{"b64": 1}]}, TEXT, "keys text. Received: instances\\[0\\] with b64"),
        ({"instances": ["\ud800"]}, TEXT, "half a surrogate pair"),
        ({"inputs": {"txt": ["a"]}}, TEXT, "keys text. Received: txt"),
        ({"inputs": [[1]]}, IDS, "object with the keys ids, mask"),
        ({"inputs": {"ids": [[1], [1, 2]], "mask": [[1]]}}, IDS, "2 values beside 1 values"),
        ({"inputs": {"ids": [[1], 2], "mask": [[1]]}}, IDS, "Received: 2 beside"),
        ({"inputs": {"ids": [[1.5]], "mask": [[1]]}}, IDS, "values of int32. Received: 1.5"),
        ({"inputs": {"ids": [[True]], "mask": [[1]]}}, IDS, "values of int32. Received: True"),
        ({"inputs": {"ids": [["1"]], "mask": [[1]]}}, IDS, "values of int32. Received: '1'"),
        ({"inputs": {"ids": [[2**31]], "mask": [[1]]}}, IDS, "range of int32"),
        ({"inputs": {"ids": [[10**400]], "mask": [[1]]}}, IDS, "range of int32"),
        ({"instances": [[1, 2, 3]]}, FLOAT, "float32 \\[\\?, 2\\]. Received: the shape \\[1, 3\\]"),
        ({"instances": [[1, 1e39]]}, FLOAT, "range of float32"),
        ({"instances": [[1, 10**400]]}, FLOAT, "range of float32"),
        ({"instances": [[1, {"b64": "YQ=="}]]}, FLOAT, "values of float32"),
    ],
)
def test_what_does_not_fit(body, forms, message):
    with pytest.raises(RequestError, match=message) as caught:
        read_tensors(body, forms)
    assert caught.value.status == 400 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "body, message",
    [
        (b"", "must be JSON. Received: Expecting value at line 1, column 1"),
        (b"{", "must be JSON"),
        (b'{"instances": ["\xff"]}', "no UTF-8 at offset 16"),
        (b"[" * 200_000, "few levels"),
        (b'{"a": ' * 50_000, "few levels"),
        (b"[1]", "must be a JSON object.* Received: \\[1\\]"),
        (b"null", "Received: None"),
        (b'{"instances": ' + b"9" * 5000 + b"}", "must be JSON. Received: Exceeds the limit"),
    ],
)
def test_what_is_no_json_object(body, message):
    with pytest.raises(RequestError, match=message):
        read_json(body)


def test_signature_name():
    assert signature_name({}) == signature_name({"signature_name": ""}) == "serving_default"
    with pytest.raises(RequestError, match="must be a string. Received: 5"):
        signature_name({"signature_name": 5})


def test_responses():
    text = np.array([b"a", "ü".encode(), b"\xff"], object)
    one = {"x": np.array([[0.2, 1.0, 1e-30], [np.nan, np.inf, -3.25]], np.float32)}
    assert write_response(one, True) == (
        b'{"predictions": [[0.2, 1.0, 1e-30], [NaN, Infinity, -3.25]]}'
    )
    assert json.loads(write_response({"t": text}, False)) == {
        "outputs": ["a", "ü", {"b64": "/w=="}]
    }
    several = {"n_bytes": text[:2], "k": np.array([1, 2]), "b": np.array([True, False])}
    assert json.loads(write_response(several, True)) == {
        "predictions": [
            {"n_bytes": {"b64": "YQ=="}, "k": 1, "b": True},
            {"n_bytes": {"b64": "w7w="}, "k": 2, "b": False},
        ]
    }
    assert json.loads(write_response(several, False))["outputs"]["k"] == [1, 2]
    nested = {"t": np.array([[b"a", b"b"], [b"c", b"d"]], object)}
    assert json.loads(write_response(nested, True)) == {"predictions": [["a", "b"], ["c", "d"]]}
    empty = {"t": np.empty([2, 0], object), "u": np.empty([2, 0, 3], object)}
    assert json.loads(write_response(empty, True)) == {"predictions": [{"t": [], "u": []}] * 2}
    with pytest.raises(RequestError, match="no rows can be had only by 'inputs'"):
        write_response({"a": np.zeros(2), "b": np.zeros(3)}, True)
    with pytest.raises(RequestError, match="at most 4194304 values"):
        write_response({"a": np.zeros([1 << 22, 2], np.int8)}, False)


def test_numbers_are_those_of_float32():
    rng = np.random.default_rng(0)
    x = (rng.standard_normal(5000) * 10.0 ** rng.integers(-38, 38, 5000)).astype(np.float32)
    x = np.concatenate([x, rng.random(5000, np.float32), np.float32([0, -0.0, 1e-45, 3.4e38])])
    written = json.loads(write_response({"x": x}, False))["outputs"]
    np.testing.assert_array_equal(np.array(written, np.float32), x)
    assert np.mean([len(repr(number)) for number in written[5000:10_000]]) < 11

"""Requests that are wrong in some way, each at random from a seed."""

import json
import random

PREDICT = "/v1/models/m:predict"
_GOOD = json.dumps({"instances": ["a text"]}).encode()


def malformed_requests(count):
    """Yields (bytes of a request, whether it may be a good one by chance).

    Args:
      count: How many.
    """
    rng = random.Random(1)
    kinds = [
        lambda: request(b""),
        lambda: request(rng.randbytes(rng.randint(1, 2000))),
        lambda: request(b"[" * rng.randint(2, 200_000)),
        lambda: request(b'{"instances": ' + b"9" * rng.randint(5000, 9000) + b"}"),
        lambda: asked({"instances": rng.choice([1, {}, [], None])}),
        lambda: asked({"instances": [[["a"]]] * 3}),
        lambda: asked({"instances": ["a"] * 1000}),
        lambda: asked({"instances": ["a" * 200_000]}),
        lambda: asked({"instances": [{"text": "a", "x" * rng.randint(1, 999): 1}]}),
        lambda: asked({"instances": [{"b64": "/" * rng.randint(1, 99) + "="}]}),
        lambda: asked({"inputs": {"x" * rng.randint(1, 999): 1}}),
        lambda: asked({"instances": ["a"], "signature_name": "?"}),
        lambda: asked({"instances": ["a"], "inputs": ["a"]}),
        lambda: request(b"x" * (2 << 20)),
        lambda: request(b"\x1f\x8b" + _GOOD, headers="Content-Encoding: gzip\r\n"),
        lambda: request(_GOOD, path=f"/v1/models/{'m' * rng.randint(2, 3000)}:predict"),
        lambda: request(_GOOD, path="/v1/models/m/versions/99999999999999999999:predict"),
        lambda: request(_GOOD, path="/v1/models/m/labels/stable:predict"),
        lambda: request(_GOOD, path="/v1/models/m:classify"),
        lambda: request(b"", path="/v1/models/%00..%2f..%2fetc%2fpasswd", method="GET"),
        lambda: request(b"", path="/../../etc/passwd", method="GET"),
        lambda: request(b"", path="/v1/models/m", method="BREW"),
        # Not HTTP.
        lambda: rng.choice([b"GET\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n", b"{}\r\n\r\n"]),
        lambda: b"GET / HTTP/1.1\r\nA: " + b"a" * rng.randint(100_000, 300_000) + b"\r\n\r\n",
        lambda: _head("Content-Length: " + rng.choice(["-1", "many", "1, 2", "9" * 40])),
        lambda: _head("Transfer-Encoding: chunked") + rng.choice([b"zz\r\n", b"-5\r\n"]),
        lambda: _head("Host: other.example\r\nContent-Length : 3") + b"{}\n",
    ]
    for i in range(count):
        number = i % (len(kinds) + 1)
        if number < len(kinds):
            yield kinds[number](), False
        else:  # A changed letter of the text is a good request.
            yield request(_changed(rng)), True


def request(body, path=PREDICT, method="POST", headers=""):
    """The bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def asked(value):
    """The bytes of a request with a body of JSON."""
    return request(json.dumps(value).encode())


def _head(headers):
    return f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n".encode()


def _changed(rng):
    body = bytearray(_GOOD)
    for _ in range(rng.randint(1, 4)):
        body[rng.randrange(len(body))] = rng.randrange(256)
    return bytes(body)

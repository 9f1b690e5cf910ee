"""`albert-tf serve`: its flags, and its end."""

import concurrent.futures
import os
import signal
import socket
import sys
import threading

import pytest

pytest.importorskip("fastapi", reason="albert_tf[serve] is not installed")
pytest.importorskip("uvicorn", reason="albert_tf[serve] is not installed")
httpx = pytest.importorskip("httpx", reason="httpx is not installed")

from albert_tf.serving.app import make_app  # noqa: E402
from albert_tf.serving.limits import Limits  # noqa: E402
from albert_tf.serving.opening import open_models  # noqa: E402
from albert_tf.serving.run_server import listen, run_server  # noqa: E402
from albert_tf.serving.served_model import ServedModel  # noqa: E402
from tests.serving.clients import Held  # noqa: E402


def test_sigterm_answers_what_was_taken(versions):
    held = Held(versions("classifier"))
    app = make_app({"m": ServedModel("m", held.version)}, Limits(max_batch_size=1))
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    found = {}

    def client():
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            ask = lambda i: httpx.post(  # noqa: E731
                f"{url}/v1/models/m:predict", json={"instances": [f"text {i}"]}, timeout=60
            )
            taken = [pool.submit(ask, i) for i in range(3)]
            held.started.wait(30)
            while app.state.server.taken < 3:
                pass
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Timer(0.3, held.go.set).start()
            found["codes"] = [future.result().status_code for future in taken]

    asking = threading.Thread(target=client)
    asking.start()
    before = signal.getsignal(signal.SIGTERM)
    with listening:
        run_server(app, listening)
    asking.join(30)
    assert found["codes"] == [200] * 3
    assert signal.getsignal(signal.SIGTERM) == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health")


def test_the_packaged_model():
    models = open_models(["albert_tiny_en"])
    assert list(models) == ["albert_tiny_en-embedding", "albert_tiny_en-fill-mask"]
    definition = models["albert_tiny_en-embedding"].current.metadata("x")["metadata"]
    signature = definition["signature_def"]["signature_def"]["serving_default"]
    assert signature["outputs"]["embedding"]["tensor_shape"]["dim"][1]["size"] == "192"


def test_errors(monkeypatch):
    from albert_tf.commands import serve

    with pytest.raises(ValueError, match="must be a MODEL to serve. Received: none"):
        serve.main([])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"Received: --host=127.0.0.1 --port={port}: .*in use"):
            listen("127.0.0.1", port)
    monkeypatch.setitem(sys.modules, "albert_tf.serving.app", None)
    with pytest.raises(ImportError, match=r"pip install \"albert_tf\[serve\]\""):
        serve.main(["albert_tiny_en"])

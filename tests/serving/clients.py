"""Servers on given models, and models that wait until they are told to go on."""

import contextlib
import dataclasses
import threading

import httpx
import uvicorn

from albert_tf.serving.app import make_app
from albert_tf.serving.limits import Limits
from albert_tf.serving.run_server import listen, server_config
from albert_tf.serving.served_model import ServedModel


@contextlib.contextmanager
def serving(models, **limits):
    """A client of a server in a thread; `models` is {name: `ServedVersion` or `ServedModel`}.

    Yields:
      `httpx.Client` with the further attribute `app`.
    """
    models = {
        name: model if isinstance(model, ServedModel) else ServedModel(name, model)
        for name, model in models.items()
    }
    app = make_app(models, Limits(**limits))
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(server_config(app))
        thread = threading.Thread(target=server.run, args=[[listening]], daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                client.app = app
                yield client
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


class Held:
    """A version that computes when `go` is set; `started` is set when it begins to.

    Args:
      version: `ServedVersion` to make it of.
    """

    def __init__(self, version):
        self.go, self.started = threading.Event(), threading.Event()
        self.calls = 0
        signature = version.signatures["serving_default"]

        def function(**inputs):
            self.calls += 1
            self.started.set()
            assert self.go.wait(30)
            return signature.function(**inputs)

        held = dataclasses.replace(signature, function=function)
        self.version = dataclasses.replace(version, signatures={"serving_default": held})

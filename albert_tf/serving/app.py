"""TensorFlow Serving's REST interface as an ASGI application.

Reference: https://www.tensorflow.org/tfx/serving/api_rest
"""

import asyncio
import contextlib
import functools
import importlib.resources
import json
import re
import threading
import time

import fastapi
import starlette.exceptions
import tensorflow as tf
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, Response

from albert_tf.messages import brief, listed
from albert_tf.serving.batcher import Batcher, characters
from albert_tf.serving.json_tensors import read_json, read_tensors, signature_name, write_response
from albert_tf.serving.limits import Limits
from albert_tf.serving.metrics import Metrics
from albert_tf.serving.request_error import RequestError
from albert_tf.training.engine.op_errors import one_line

_PATH = re.compile(
    r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
    r"(?P<what>/metadata|:\w+)?"
)
# What takes longer to read or write goes to a thread, so that others are not kept waiting.
_LARGE_BODY, _LARGE_ANSWER = 1 << 14, 1 << 13
# The page has all that it needs in it, and asks this server only.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def make_app(models, limits=None, say=print):
    """The application that serves some models.

    While it runs, one thread computes and another looks for new versions. When it ends, all that
    has been taken is answered first.

    Args:
      models: {name: `ServedModel`}.
      limits: `Limits`. Default: `Limits()`.
      say: Function that is told of new versions, in words.

    Returns:
      A `fastapi.FastAPI`.
    """
    server = _Server(models, limits or Limits(), say)
    # Without the pages of documentation, which load programs from elsewhere.
    app = fastapi.FastAPI(lifespan=server.lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.server = server
    app.add_api_route("/", server.page, methods=["GET"])
    app.add_api_route("/health", server.health, methods=["GET"])
    app.add_api_route("/metrics", server.metrics_text, methods=["GET"])
    app.add_api_route("/v1/models", server.list_models, methods=["GET"])
    every = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    app.add_api_route("/v1/{path:path}", server.rest, methods=every)
    app.add_exception_handler(RequestError, _told)
    app.add_exception_handler(starlette.exceptions.HTTPException, _told_of_http)
    app.add_exception_handler(Exception, _told_of_a_bug)
    return app


class _Server:
    def __init__(self, models, limits, say):
        self.models = models
        self.limits = limits
        self.metrics = Metrics()
        self.taken = 0  # Requests that are not answered yet; only the event loop counts.
        self._say = say
        self._stop = threading.Event()

    @contextlib.asynccontextmanager
    async def lifespan(self, app):
        limits = self.limits
        self.batcher = Batcher(
            limits.max_batch_size,
            limits.batch_timeout_s,
            limits.max_characters,
            self.metrics.batch_rows.observe,
        )
        watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self._stop.set()
            await asyncio.to_thread(self.batcher.close)
            await asyncio.to_thread(watcher.join)

    def _watch(self):
        while True:
            for model in self.models.values():
                model.poll(self._say)
                self.metrics.version.labels(model.name).set(model.current.version)
            if self._stop.wait(self.limits.poll_s):
                return

    # === What is asked ===

    async def page(self):
        return HTMLResponse(_page(), headers={"Content-Security-Policy": _POLICY})

    async def health(self):
        return _json({"status": "ok", "models": sorted(self.models)})

    async def metrics_text(self):
        self.metrics.in_flight.set(self.taken)
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def list_models(self):
        """The page's: which models there are, and what they do."""
        return _json(
            {
                "models": [
                    {
                        "name": name,
                        "version": str(model.current.version),
                        "task": model.current.record,
                        "signatures": sorted(model.current.signatures),
                    }
                    for name, model in self.models.items()
                ]
            }
        )

    async def rest(self, request: fastapi.Request):
        found = _PATH.fullmatch(request.url.path)
        what = found["what"] if found else "?"
        predicts = {":predict", ":classify", ":regress"}
        if request.method != ("POST" if what in predicts else "GET") or (
            what not in {None, "/metadata", *predicts}
        ):
            raise RequestError(
                400,
                "Requests are GET /v1/models/NAME, GET /v1/models/NAME/metadata or POST "
                "/v1/models/NAME:predict, each perhaps with /versions/N after NAME. Received: "
                f"{request.method} {brief(request.url.path)}.",
            )
        model = self.models.get(found["name"])
        if model is None:
            raise RequestError(
                404, f"There is no model {brief(found['name'])}. Models are {listed(self.models)}."
            )
        if found["version"] and len(found["version"]) > 19:
            raise RequestError(400, "A version must be a number below 10 to the 19th power.")
        which = int(found["version"]) if found["version"] else None, found["label"]
        if what is None:
            return _json(model.status(*which))
        version = model.version(*which)
        if what == "/metadata":
            return _json(version.metadata(model.name))
        if what != ":predict":
            raise RequestError(
                400,
                f"Signatures here are for :predict, which takes and answers tensors by name. "
                f"Received: {what}. Send the inputs to /v1/models/{model.name}:predict.",
            )
        return await self._predict(request, model.name, version)

    # === Predictions ===

    async def _predict(self, request, name, version):
        start, code = time.monotonic(), 500
        try:
            if self.taken >= self.limits.max_queue:
                await self._read(request, keep=False)  # Or the client might not read the answer.
                raise RequestError(
                    503,
                    f"At most {self.limits.max_queue} requests wait at a time. Received: one more. "
                    "Try again in a second.",
                    retry_after=1,
                )
            self.taken += 1
            try:
                body = await self._answer(request, version, start + self.limits.timeout_s)
            finally:
                self.taken -= 1
            code = 200
            return Response(body, media_type="application/json")
        except RequestError as error:
            code = error.status
            raise
        except ClientDisconnect:
            code = 499  # As others count it; nobody reads the answer.
            return Response(status_code=code)
        finally:
            self.metrics.requests.labels(name, code).inc()
            self.metrics.seconds.labels(name).observe(time.monotonic() - start)

    async def _answer(self, request, version, deadline):
        body = await self._read(request)
        read = functools.partial(self._tensors, body, version)
        signature, inputs, by_row = await (
            _in_thread(read) if len(body) > _LARGE_BODY else _now(read)
        )
        future = self.batcher.submit(signature, inputs, deadline)
        try:
            left = deadline - time.monotonic()
            outputs = await asyncio.wait_for(asyncio.wrap_future(future), left)
        except (TimeoutError, asyncio.CancelledError):
            if asyncio.current_task().cancelling():
                raise  # The server ends, and has waited long enough.
            raise RequestError(
                504,
                f"Answers take at most {self.limits.timeout_s:g} seconds. This one would have "
                "taken longer. Send fewer texts at a time, or fewer requests.",
            ) from None
        except tf.errors.ResourceExhaustedError as error:
            raise RequestError(503, f"There is no memory left: {_line(error)}", 5) from error
        except (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError) as error:
            raise RequestError(400, f"The model refuses the input: {_line(error)}") from error
        write = functools.partial(write_response, outputs, by_row)
        large = sum(array.size for array in outputs.values()) > _LARGE_ANSWER
        return await (_in_thread(write) if large else _now(write))

    def _tensors(self, body, version):
        """The signature, its inputs within the limits, and whether they came by row."""
        request = read_json(body)
        name = signature_name(request)
        signature = version.signatures.get(name)
        if signature is None:
            raise RequestError(
                400,
                f"The signature must be one of {listed(version.signatures)}. Received: "
                f"{brief(name)}.",
            )
        inputs, by_row = read_tensors(request, signature.inputs)
        if signature.batches:
            counts = {name: len(array) for name, array in inputs.items()}
            if len(set(counts.values())) > 1:
                told = ", ".join(f"{name} {count}" for name, count in counts.items())
                raise RequestError(400, f"Inputs must have as many rows. Received: {told}.")
            (rows,) = set(counts.values())
            if rows > self.limits.max_texts:
                raise RequestError(
                    400,
                    f"A request has at most {self.limits.max_texts} texts. Received: {rows}. Send "
                    "several requests; they are computed together. For files there are `albert-tf "
                    "predict` and `albert-tf embed`.",
                )
        if characters(inputs) > self.limits.max_characters:
            count = sum(
                len(value.decode(errors="replace"))
                for array in inputs.values()
                if array.dtype == object
                for value in array.ravel().tolist()
            )
            if count > self.limits.max_characters:
                raise RequestError(
                    400,
                    f"The texts of a request have at most {self.limits.max_characters} characters. "
                    f"Received: {count}. Send several requests.",
                )
        return signature, inputs, by_row

    async def _read(self, request, keep=True):
        """The body, within its limit and in time."""
        if request.headers.get("content-encoding", "identity") != "identity":
            raise RequestError(
                415,
                "Bodies must not be compressed. Received: Content-Encoding: "
                f"{brief(request.headers['content-encoding'])}.",
            )
        limit = self.limits.max_body_bytes
        body, size = bytearray(), 0
        try:
            async with asyncio.timeout(self.limits.timeout_s):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size <= limit and keep:
                        body += chunk
                    elif size > 16 * limit:
                        break  # Until then it is read, for clients that write before they read.
        except TimeoutError:
            raise RequestError(
                408,
                f"A body must arrive within {self.limits.timeout_s:g} seconds. Received: {size} "
                "bytes of it.",
            ) from None
        if size > limit:
            raise RequestError(
                413, f"A body has at most {limit} bytes. Received: more. Send several requests."
            )
        return bytes(body)


async def _now(function):
    return function()


_in_thread = asyncio.to_thread


@functools.cache
def _page():
    return importlib.resources.files("albert_tf.serving").joinpath("page.html").read_text("utf-8")


def _line(error):
    return " ".join(one_line(error).split())


def _json(value, status=200, headers=None):
    body = json.dumps(value, ensure_ascii=False, indent=1).encode()
    return Response(body, status, headers, "application/json")


def _told(request, error):
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
    return _json({"error": str(error)}, error.status, headers)


def _told_of_http(request, error):
    message = {404: "There is nothing at this path", 405: "The method is not one of this path's"}
    told = message.get(error.status_code, str(error.detail).rstrip("."))
    received = f"{request.method} {brief(request.url.path)}"
    return _json({"error": f"{told}. Received: {received}."}, error.status_code, error.headers)


def _told_of_a_bug(request, error):
    # uvicorn closes the connection of a request that failed; a client that is not told would send
    # its next request there.
    headers = {"Connection": "close"}
    return _json({"error": "The server has failed; its output tells how."}, 500, headers)

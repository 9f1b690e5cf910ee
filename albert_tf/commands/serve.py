"""Serves models over HTTP, with TensorFlow Serving's REST interface and a page to try them on.

    albert-tf serve albert_tiny_en
    albert-tf serve sentiment=run models/albert --port=8501

Each MODEL is PATH or NAME=PATH: a SavedModel; a directory of versions, such as models/albert with
models/albert/1, of which the highest is served, also one that comes later; a run of `albert-tf
finetune`; or a checkpoint. It is for a laptop, a demonstration or a small service: one process
without encryption or passwords. Beyond that there is TensorFlow Serving, for which clients change
the port only. SIGTERM or Ctrl-C ends it when all that it has taken is answered.
"""

import gc

from absl import flags

from albert_tf.commands.run import run

_HOST = flags.DEFINE_string(
    "host", "127.0.0.1", "Address to listen at: this machine alone by default; 0.0.0.0 for all."
)
_PORT = flags.DEFINE_integer("port", 8501, "Port; 0 is any that is free.", 0, 65535)
_MAX_BATCH_SIZE = flags.DEFINE_integer(
    "max_batch_size", 32, "Most texts of several requests that are computed together.", 1
)
_BATCH_TIMEOUT_MS = flags.DEFINE_float(
    "batch_timeout_ms", 2.0, "Milliseconds that a request waits for others to go with.", 0, 10_000
)
_MAX_QUEUE = flags.DEFINE_integer(
    "max_queue", 256, "Most requests that wait at a time; more are answered 503 and Retry-After.", 1
)
_MAX_BODY_BYTES = flags.DEFINE_integer("max_body_bytes", 1 << 20, "Largest request.", 1)
_MAX_TEXTS = flags.DEFINE_integer("max_texts", 128, "Most texts of a request.", 1)
_MAX_CHARACTERS = flags.DEFINE_integer(
    "max_characters", 100_000, "Most characters of all texts of a request.", 1
)
_TIMEOUT_S = flags.DEFINE_float(
    "timeout_s", 30.0, "Seconds after which a request is answered 504.", 0.001
)
_POLL_S = flags.DEFINE_float("poll_s", 1.0, "Seconds between looks for new versions.", 0.01)


def main(arguments):
    if not arguments:
        raise ValueError(
            "There must be a MODEL to serve. Received: none. For example: albert-tf serve "
            "albert_tiny_en"
        )
    try:
        from albert_tf.serving.app import make_app
        from albert_tf.serving.run_server import listen, run_server
    except ImportError as error:
        raise ImportError(
            f"The server needs FastAPI, uvicorn and prometheus-client. Received: {error}. Install "
            'them with `pip install "albert_tf[serve]"`.'
        ) from error
    from albert_tf.serving.limits import Limits
    from albert_tf.serving.opening import open_models

    gc.freeze()  # Unloading a model need not look at what is here before any.
    limits = Limits(
        max_queue=_MAX_QUEUE.value,
        max_body_bytes=_MAX_BODY_BYTES.value,
        max_texts=_MAX_TEXTS.value,
        max_characters=_MAX_CHARACTERS.value,
        max_batch_size=_MAX_BATCH_SIZE.value,
        batch_timeout_s=_BATCH_TIMEOUT_MS.value / 1000,
        timeout_s=_TIMEOUT_S.value,
        poll_s=_POLL_S.value,
    )
    with listen(
        _HOST.value, _PORT.value
    ) as listening:  # Before models are loaded, which takes long.
        models = open_models(arguments)
        host, port = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        for model in models.values():
            task = model.current.record.get("task", "signatures only")
            print(f"{model.name}, version {model.current.version}: {task}")
        print(f"Serving at http://{shown}:{port}/ until Ctrl-C.", flush=True)
        app = make_app(models, limits, lambda line: print(line, flush=True))
        run_server(app, listening, limits.timeout_s + 5)


def start(argv=None):
    run(main, argv, positional=True)

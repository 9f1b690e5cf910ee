"""Runs the application in this process until it is told to stop."""

import contextlib
import math
import signal
import socket

import uvicorn

from albert_tf.serving.protocol import MOST_HEADER_BYTES, Protocol


def listen(host, port):
    """A socket that listens.

    Raises:
      OSError: The address is taken or not this machine's.
    """
    # asyncio turns off Nagle's algorithm, which holds answers back 40 ms, of sockets that say TCP.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
        return listening
    except (OSError, OverflowError) as error:
        listening.close()
        raise OSError(
            f"The server must be able to listen at its address. Received: --host={host} "
            f"--port={port}: {getattr(error, 'strerror', None) or error}. Choose another port; 0 "
            "is any that is free."
        ) from error


def run_server(app, listening, patience_s=60):
    """Serves until SIGTERM or Ctrl-C, then answers what has been taken, and returns.

    Args:
      app: ASGI application.
      listening: The socket of `listen`.
      patience_s: Seconds to wait for the last answers.
    """
    with _ending_well():
        uvicorn.Server(server_config(app, patience_s)).run(sockets=[listening])


def server_config(app, patience_s=60):
    """uvicorn's configuration of `run_server`, which describes the arguments."""
    return uvicorn.Config(
        app,
        http=Protocol,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=math.ceil(patience_s),
    )


@contextlib.contextmanager
def _ending_well():
    """uvicorn raises the signal again when it has ended, which would make it a failure."""
    before = {s: signal.signal(s, lambda *_: None) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

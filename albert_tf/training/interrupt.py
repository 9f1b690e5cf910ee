"""Ctrl-C during a training."""

import contextlib
import signal


@contextlib.contextmanager
def ctrl_c_saves():
    """Makes Ctrl-C do what SIGTERM does where that saves; a second Ctrl-C ends at once."""

    def on_interrupt(number, frame):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        handler = signal.getsignal(signal.SIGTERM)
        if not callable(handler):
            raise KeyboardInterrupt
        print("\nSaving the state; Ctrl-C again ends without.", flush=True)
        handler(signal.SIGTERM, frame)

    try:
        previous = signal.signal(signal.SIGINT, on_interrupt)
    except ValueError:  # Not the main thread.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)

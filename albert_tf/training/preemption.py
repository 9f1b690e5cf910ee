"""Noticing that the machine is about to be taken away."""

import contextlib
import signal
import threading


@contextlib.contextmanager
def preemption(signals=(signal.SIGTERM,)):
    """A `threading.Event` that is set when one of `signals` arrives, instead of dying of it.

    Clouds and batch systems send SIGTERM some seconds before they take a machine. Python handles
    signals in the main thread only: elsewhere the event is never set.

    Example:

    >>> with preemption() as asked_to_stop:
    ...     asked_to_stop.is_set()
    False
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    previous = {number: signal.signal(number, lambda *_: event.set()) for number in signals}
    try:
        yield event
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

"""Noticing that the machine is about to be taken away, or that the user has pressed Ctrl-C."""

import contextlib
import os
import signal
import threading


@contextlib.contextmanager
def preemption():
    """A `threading.Event` that is set when SIGTERM or SIGINT arrives, instead of dying of it.

    Clouds and batch systems send SIGTERM some seconds before they take a machine; Ctrl-C sends
    SIGINT. The second Ctrl-C raises KeyboardInterrupt as ever. A signal that the process ignores,
    as SIGINT under nohup, stays ignored. Python handles signals in the main thread only: elsewhere
    the event is never set.

    Example:

    >>> from albert_tf.training.engine.preemption import preemption
    >>> with preemption() as asked_to_stop:
    ...     asked_to_stop.is_set()
    False
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def on_signal(number, frame):
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            # Not print(): the signal may have come in the middle of one.
            os.write(2, b"\nSaving the state; Ctrl-C again ends without.\n")
        event.set()

    previous = {}
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, on_signal)
    try:
        yield event
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

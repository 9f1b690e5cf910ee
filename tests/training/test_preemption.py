import os
import signal
import threading

from albert_tf.training.preemption import preemption


def test_signal_sets_the_event_and_the_old_handler_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with preemption() as asked_to_stop:
        assert not asked_to_stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked_to_stop.wait(1.0)
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_of_the_main_thread():
    seen = []

    def work():
        with preemption() as asked_to_stop:
            seen.append(asked_to_stop.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]

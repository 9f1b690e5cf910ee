import os
import signal
import threading

import pytest

from albert_tf.training.engine.preemption import preemption


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_sets_the_event_and_the_old_handler_comes_back(number):
    before = signal.getsignal(number)
    with preemption() as asked_to_stop:
        assert not asked_to_stop.is_set()
        os.kill(os.getpid(), number)
        assert asked_to_stop.wait(5.0)
    assert signal.getsignal(number) is before


def test_the_second_ctrl_c_ends_at_once(capfd):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        with preemption() as asked_to_stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert asked_to_stop.wait(5.0)
            assert "Ctrl-C again ends without" in capfd.readouterr().err
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
    assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with preemption() as asked_to_stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            assert not asked_to_stop.is_set()
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_of_the_main_thread():
    seen = []

    def work():
        with preemption() as asked_to_stop:
            seen.append(asked_to_stop.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]

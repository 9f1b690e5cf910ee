import os
import signal

import pytest

from albert_tf.training.interrupt import ctrl_c_saves
from albert_tf.training.preemption import preemption


def test_ctrl_c_asks_the_loop_to_save():
    before = signal.getsignal(signal.SIGINT)
    with ctrl_c_saves(), preemption() as asked_to_stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert asked_to_stop.wait(5)
        with pytest.raises(KeyboardInterrupt):  # The second one ends at once.
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_where_nothing_can_be_saved():
    with ctrl_c_saves(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()

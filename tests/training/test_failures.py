import pytest
import tensorflow as tf

from albert_tf.training.engine.failures import told_failures
from albert_tf.training.engine.op_errors import one_line

LOST = """Graph execution error:

Detected at node while/CollectiveReduceV2 defined at (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main

  File "loop.py", line 125, in train

Collective ops is aborted by: recvmsg:Connection reset by peer
The error could be from a previous operation. Restart your program to reset.
\t [[{{node while/CollectiveReduceV2}}]] [Op:__inference__many_steps_4731]"""
FULL = """Graph execution error:

2 root error(s) found.
  (0) RESOURCE_EXHAUSTED:  OOM when allocating tensor with shape[9]
  (1) RESOURCE_EXHAUSTED:  OOM
0 successful operations."""


@pytest.mark.parametrize(
    "message, line",
    [
        (LOST, "Collective ops is aborted by: recvmsg:Connection reset by peer"),
        (FULL, "(0) RESOURCE_EXHAUSTED:  OOM when allocating tensor with shape[9]"),
        ("plain", "plain"),
        ("", "Exception"),
        ("x" * 1000, "x" * 297 + "..."),
    ],
)
def test_one_line_tells(message, line):
    assert one_line(Exception(message)) == line


def test_failures_of_one_process_stay_what_they_are():
    strategy = tf.distribute.get_strategy()
    error = tf.errors.UnavailableError(None, None, "gone")
    with pytest.raises(tf.errors.UnavailableError), told_failures(strategy):
        raise error
    with pytest.raises(tf.errors.DataLossError), told_failures(strategy):
        raise tf.errors.DataLossError(None, None, "corrupted record at 0")


def test_a_damaged_file_is_named(tmp_path):
    whole, damaged = tmp_path / "whole.tfrecord", tmp_path / "damaged.tfrecord"
    for path in (whole, damaged):
        with tf.io.TFRecordWriter(str(path)) as writer:
            writer.write(b"record")
    content = bytearray(damaged.read_bytes())
    content[14] ^= 1
    damaged.write_bytes(content)
    files = [str(whole), str(damaged)]
    with pytest.raises(ValueError, match="right checksums. Received: .*damaged.tfrecord, damaged"):
        with told_failures(tf.distribute.get_strategy(), files):
            list(tf.data.TFRecordDataset(files))

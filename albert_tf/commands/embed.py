"""Turns the texts of a file into vectors.

    albert-tf embed --model=albert_base --input=sentences.txt --output=vectors.npy

Memory does not grow with the file. Killed at any moment, the same command goes on, and ends with
the same bytes; so it does with --runner, on several processes or machines. `albert-tf similarity`
searches the vectors.
"""

from absl import flags

from albert_tf.commands.beam_flags import with_beam_options
from albert_tf.commands.job_flags import run_job
from albert_tf.commands.run import run


def main():
    if flags.FLAGS.task not in (None, "embedding"):
        raise ValueError(
            f"`albert-tf embed` writes vectors. Received: --task={flags.FLAGS.task}. For other "
            "tasks there is `albert-tf predict`."
        )
    run_job("embedding")


def start(argv=None):
    run(main, with_beam_options(argv))

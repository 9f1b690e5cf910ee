"""Answers the rows of a file with a fine-tuned model: labels, entities, answers, filled masks.

    albert-tf predict --model=run --input=reviews.csv --columns=review --output=answers.jsonl

Memory does not grow with the file. Killed at any moment, the same command goes on, and ends with
the same bytes; so it does with --runner, on several processes or machines.
"""

from absl import flags

from albert_tf.commands.beam_flags import with_beam_options
from albert_tf.commands.job_flags import run_job
from albert_tf.commands.run import run
from albert_tf.commands.task_flags import TASK

_TOP_K = flags.DEFINE_string(
    "top_k",
    None,
    "Number of answers to each row, best first, or all. Default: the best one; of several labels "
    "those predicted; of fill-mask 5.",
)


def main():
    top_k = _TOP_K.value
    if top_k is not None and top_k != "all" and not top_k.isdecimal():
        raise ValueError(f"--top_k must be a number, or all. Received: {top_k}.")
    if top_k is None:
        run_job(TASK.value)
    else:
        run_job(TASK.value, None if top_k == "all" else int(top_k))


def start(argv=None):
    run(main, with_beam_options(argv))

"""What an error of TensorFlow says, without where in the graph it was noticed."""

import re

_PREAMBLE = re.compile(
    r"\s+File |Graph execution error|Detected at node|<stack traces? |\d+ root error"
)


def one_line(error):
    """The sentence that tells, of a `tf.errors.OpError`'s many lines; at most 300 characters.

    Example:

    >>> from albert_tf.training.engine.op_errors import one_line
    >>> one_line(ValueError("Graph execution error:\\n\\nDetected at node x\\nThe disk is full."))
    'The disk is full.'
    """
    lines = [line.strip() for line in str(error).splitlines() if not _PREAMBLE.match(line)]
    line = next(filter(None, lines), type(error).__name__)
    return line if len(line) <= 300 else f"{line[:297]}..."

"""The two rule sets that turn text into ids, and which of them a model needs.

A model answers sensibly only if its text is cut as in training. ALBERT was pre-trained with the
rules "original", and all that this package trains is trained with them, so they are the default of
all that tokenizes. The one exception is `export_preprocessor`, which stands in for a published
SavedModel whose rules are "tfhub".
"""

import pathlib

from albert_tf.task_record import FILE, read_task

RULES = ("tfhub", "original")


def check_rules(rules):
    """Raises a ValueError unless `rules` is one of RULES."""
    if rules not in RULES:
        raise ValueError(
            f"rules must be one of {', '.join(map(repr, RULES))}. Received: {rules!r}."
        )


def rules_for(sp_model, rules=None, default="original"):
    """The rules to tokenize with for a vocabulary.

    Args:
      sp_model: Path of the SentencePiece model. A record of training beside it, task.json, counts.
      rules: "tfhub" or "original", which wins over the record; None to look it up.
      default: The rules where there is no record.

    Raises:
      ValueError: Unknown rules.

    Example:

    >>> from albert_tf.text.rules import rules_for
    >>> rules_for("30k-clean.model"), rules_for("30k-clean.model", "tfhub")
    ('original', 'tfhub')
    """
    if rules is None:
        directory = pathlib.Path(sp_model).parent
        rules = read_task(directory).get("rules", default)
        if rules not in RULES:
            raise ValueError(
                f"`rules` in a {FILE} must be one of {', '.join(RULES)}. Received: {rules!r} in "
                f"{str(directory / FILE)!r}. Pass the rules that the model was trained with."
            )
    check_rules(rules)
    return rules

"""Fills [MASK] in texts: albert-tf fill-mask "the capital of [MASK] is paris ."

Arguments are texts; each mask is one word piece. Put -- before a text that begins with a dash.
The checkpoint must have a masked LM head.
"""

import json

from absl import flags

from albert_tf.commands.checkpoint_flags import CHECKPOINT, checkpoint_path
from albert_tf.commands.run import run
from albert_tf.commands.vocabulary_flags import vocabulary_arguments
from albert_tf.text.masked_text import check_masked

flags.set_default(CHECKPOINT, "albert_tiny_en")
_TOP_K = flags.DEFINE_integer("top_k", 5, "Number of word pieces to show for each mask.")
_TARGETS = flags.DEFINE_list(
    "targets", None, "Choose among these words, such as paris,london; each must be one word piece."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Texts at a time.")
_JSON = flags.DEFINE_bool("json", False, "Write a line of JSON for each text.")


def main(texts):
    if not texts:
        raise ValueError(
            "There must be a text with [MASK] in it. Received: none. Write it in quotation marks: "
            '"the capital of [MASK] is paris ."'
        )
    for text in texts:
        check_masked(text)
    from albert_tf.fill_mask import FillMask

    path, config = checkpoint_path()
    fill = FillMask.from_checkpoint(path, config=config, **vocabulary_arguments())
    answers = fill(texts, _TOP_K.value, _TARGETS.value, _BATCH_SIZE.value)
    for i, (text, answer) in enumerate(zip(texts, answers)):
        if _JSON.value:
            print(json.dumps(answer, ensure_ascii=False))
        else:
            print("\n" * (i > 0) + text)
            for best in [answer] if isinstance(answer[0], dict) else answer:
                print()
                _print_table(best)


def _print_table(best):
    """Prints the fillings of one mask."""
    width = max(5, *(len(filling["token_str"]) for filling in best))
    print(f"{'score':>9}  {'token':<{width}}  sequence")
    for filling in best:
        print(f"{filling['score']:>9.3g}  {filling['token_str']:<{width}}  {filling['sequence']}")


def start(argv=None):
    run(main, argv, positional=True)

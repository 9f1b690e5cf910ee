"""The flags of commands that make pre-training records."""

from absl import flags

from albert_tf.data.pretraining.options import RECIPES, PretrainingOptions

FLAG_GROUPS = {"output": "records"}

OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Directory to write. If it has an interrupted run with the same flags, that goes on.",
    required=True,
)
SP_MODEL = flags.DEFINE_string(
    "sp_model", None, "SentencePiece model, such as 30k-clean.model.", required=True
)
LOWER = flags.DEFINE_bool("lower", True, "Lower-case and remove accents.")
SEED = flags.DEFINE_integer("seed", 12345, "Seed of all random choices.")
NUM_SHARDS = flags.DEFINE_integer(
    "num_shards", None, "Number of files. Default: one for each 4 MB of text, up to 1024."
)
_RECIPE = flags.DEFINE_enum(
    "recipe",
    "paper",
    list(RECIPES),
    "paper: sentence order from swapped neighbors only; single sentences carry no order loss. "
    "original: as Google's program, which pairs single sentences with a random document, label 1.",
)
_MAX_SEQ_LENGTH = flags.DEFINE_integer("max_seq_length", 512, "Tokens of a record.")
_MAX_PREDICTIONS = flags.DEFINE_integer(
    "max_predictions_per_seq",
    None,
    "Most masked tokens of a record. Default: --masked_lm_prob of them all; 20 for the recipe "
    "original.",
)
_MASKED_LM_PROB = flags.DEFINE_float("masked_lm_prob", 0.15, "Part of the tokens to mask.")
_NGRAM = flags.DEFINE_integer("ngram", 3, "Longest n-gram to mask, in words.")
_FAVOR_SHORTER = flags.DEFINE_bool("favor_shorter_ngram", True, "p(n) ~ 1/n; else reversed.")
_WHOLE_WORD = flags.DEFINE_bool("do_whole_word_mask", True, "Mask whole words.")
_SHORT_SEQ_PROB = flags.DEFINE_float("short_seq_prob", 0.1, "Part of the shorter sequences.")
_DUPE_FACTOR = flags.DEFINE_integer(
    "dupe_factor",
    None,
    "How often to go through the text, with other masks. Default: 10; 40 for the recipe original.",
)
_STATIC_MASKS = flags.DEFINE_bool(
    "static_masks", True, "Mask now; without, training masks anew each time it reads a record."
)
_RANDOM_NEXT = flags.DEFINE_bool(
    "random_next_sentence", False, "Recipe original only: BERT's next sentence prediction."
)
_PERMUTATION = flags.DEFINE_bool(
    "do_permutation", False, "Recipe original only: also shuffle and predict as many tokens again."
)


def pretraining_options():
    """The `PretrainingOptions` that the flags describe."""
    return PretrainingOptions(
        recipe=_RECIPE.value,
        max_seq_length=_MAX_SEQ_LENGTH.value,
        max_predictions_per_seq=_MAX_PREDICTIONS.value,
        masked_lm_prob=_MASKED_LM_PROB.value,
        ngram=_NGRAM.value,
        favor_shorter_ngram=_FAVOR_SHORTER.value,
        do_whole_word_mask=_WHOLE_WORD.value,
        short_seq_prob=_SHORT_SEQ_PROB.value,
        dupe_factor=_DUPE_FACTOR.value,
        static_masks=_STATIC_MASKS.value,
        random_next_sentence=_RANDOM_NEXT.value,
        do_permutation=_PERMUTATION.value,
    )

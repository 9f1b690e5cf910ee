"""The flags of commands that take a vocabulary: a SentencePiece model, or a WordPiece one."""

from absl import flags

FLAG_GROUPS = {"sp_model": "vocabulary"}

_VOCABULARY = {
    "sp_model": flags.DEFINE_string(
        "sp_model",
        None,
        "SentencePiece model, such as 30k-clean.model. Default: the vocabulary that lies with the "
        "checkpoint or model.",
    ),
    "vocab_file": flags.DEFINE_string(
        "vocab_file",
        None,
        "WordPiece vocabulary, instead of --sp_model: the vocab.txt of Chinese and other models.",
    ),
    "do_lower_case": flags.DEFINE_bool(
        "do_lower_case",
        None,
        "With a WordPiece vocabulary: lower-case and remove accents. Default: what "
        "tokenizer_config.json or task.json beside it says, or else true.",
    ),
}


def vocabulary_arguments():
    """{sp_model, vocab_file, do_lower_case} as the flags say."""
    return {name: flag.value for name, flag in _VOCABULARY.items()}

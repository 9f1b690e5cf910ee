"""Writes the files of a Hugging Face tokenizer that follows ALBERT's original one.

`tokenizer.json` states every step, so that no version of transformers has to guess from the
SentencePiece model. It differs from the original where a Hugging Face tokenizer is expected to:
special pieces such as "[MASK]" in a text become their ids. It does not know the rule by which the
original splits a piece that ends with a digit and a comma once more.
"""

import base64
import dataclasses
import json
import os
import pathlib
import unicodedata

from albert_tf.atomic import write_file

_SPECIAL = {"pad": "<pad>", "unk": "<unk>", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_WORDPIECE_SPECIAL = {**_SPECIAL, "pad": "[PAD]", "unk": "[UNK]"}

# What str.split() takes for white space.
_WHITE_SPACE = (
    r"[\x{9}-\x{d}\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}"
    r"\x{205f}\x{3000}]+"
)


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """What a tokenizer's files need of a SentencePiece model.

    Attributes:
      proto: The file's content, bytes.
      pieces: list of (piece, score).
      charsmap: SentencePiece's own normalization, bytes.
      unk_id: Index of <unk>.
      special_ids: {name in `_SPECIAL`: id}.
    """

    proto: bytes = dataclasses.field(repr=False)
    pieces: list = dataclasses.field(repr=False)
    charsmap: bytes = dataclasses.field(repr=False)
    unk_id: int
    special_ids: dict

    @property
    def config_ids(self):
        """The special ids as they stand in config.json."""
        ids = self.special_ids
        return {"pad_token_id": ids["pad"], "bos_token_id": ids["cls"], "eos_token_id": ids["sep"]}


def read_vocabulary(path, vocab_size):
    """Reads a SentencePiece model.

    Args:
      path: Path of the .model file.
      vocab_size: Number of pieces that it must have.

    Returns:
      A `Vocabulary`.

    Raises:
      FileNotFoundError: There is no such file.
      ValueError: It is no SentencePiece model of an ALBERT of that size.
    """
    from google.protobuf.message import DecodeError
    from sentencepiece import sentencepiece_model_pb2

    path = pathlib.Path(os.fsdecode(path))
    if not path.is_file():
        raise FileNotFoundError(
            f"The SentencePiece model must exist. Received: {str(path)!r}. Google's ALBERT "
            "archives contain it as 30k-clean.model."
        )
    proto = path.read_bytes()
    model = sentencepiece_model_pb2.ModelProto()
    try:
        model.ParseFromString(proto)
    except DecodeError as error:
        raise ValueError(
            f"The vocabulary must be a SentencePiece model. Received: {str(path)!r} ({error}). "
            "Pass the .model file; a .vocab is only its readable list."
        ) from None
    ids = {piece.piece: i for i, piece in enumerate(model.pieces)}
    problems = [f"without {piece}" for piece in _SPECIAL.values() if piece not in ids]
    normalizer = model.normalizer_spec
    plain = (normalizer.add_dummy_prefix, normalizer.remove_extra_whitespaces)
    if model.trainer_spec.model_type != 1 or model.trainer_spec.byte_fallback or not all(plain):
        problems.append("that is no unigram model with a space before each word")
    if len(model.pieces) != vocab_size:
        problems.append(f"of {len(model.pieces)} pieces")
    if problems:
        raise ValueError(
            f"The SentencePiece model must be an ALBERT's with the encoder's {vocab_size} pieces. "
            f"Received: {str(path)!r} {', '.join(problems)}. Pass the model that the encoder was "
            "trained with."
        )
    return Vocabulary(
        proto=proto,
        pieces=[(piece.piece, piece.score) for piece in model.pieces],
        charsmap=normalizer.precompiled_charsmap,
        unk_id=ids[_SPECIAL["unk"]],
        special_ids={name: ids[piece] for name, piece in _SPECIAL.items()},
    )


def write_tokenizer(directory, vocabulary, max_length, lower=True):
    """Writes spiece.model, tokenizer.json, tokenizer_config.json and special_tokens_map.json.

    Args:
      directory: pathlib.Path of an existing directory.
      vocabulary: A `Vocabulary`.
      max_length: Longest input of the model in tokens.
      lower: Whether to lower-case.
    """
    write_file(directory / "spiece.model", vocabulary.proto)
    special = {f"{name}_token": piece for name, piece in _SPECIAL.items()}
    special.update({"bos_token": _SPECIAL["cls"], "eos_token": _SPECIAL["sep"]})
    config = {
        **special,
        # Takes tokenizer.json as it is. AlbertTokenizer builds its own steps in transformers 5.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "model_max_length": max_length,
        "clean_up_tokenization_spaces": False,
        # For those who load spiece.model with AlbertTokenizer.
        "do_lower_case": lower,
        "keep_accents": False,
        "remove_space": True,
    }
    for name, values in (
        ("special_tokens_map.json", special),
        ("tokenizer_config.json", config),
        ("tokenizer.json", _tokenizer(vocabulary, lower)),
    ):
        text = json.dumps(values, indent=1, ensure_ascii=False)
        write_file(directory / name, text + "\n")


def write_wordpiece(directory, vocabulary, max_length=None):
    """Writes vocab.txt, tokenizer_config.json and special_tokens_map.json for a BertTokenizer.

    It differs from Google's tokenizer where Hugging Face's does: special pieces in a text become
    their ids, words of more than 100 characters are unknown, not of more than 200.

    Args:
      directory: pathlib.Path of an existing directory.
      vocabulary: A `WordPieceVocabulary`.
      max_length: Longest input of the model in tokens, or None to leave that out.
    """
    lines = "".join(f"{piece}\n" for piece in vocabulary.pieces)
    write_file(directory / "vocab.txt", lines)
    special = {f"{name}_token": piece for name, piece in _WORDPIECE_SPECIAL.items()}
    config = {
        **special,
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": vocabulary.do_lower_case,
        "tokenize_chinese_chars": True,
        "strip_accents": None,
    }
    if max_length is not None:
        config["model_max_length"] = max_length
    for name, values in (("special_tokens_map.json", special), ("tokenizer_config.json", config)):
        text = json.dumps(values, indent=1, ensure_ascii=False)
        write_file(directory / name, text + "\n")


def _tokenizer(vocabulary, lower):
    """The contents of tokenizer.json."""
    # `preprocess_text` of the original's tokenization.py, then SentencePiece's own normalization.
    normalizers = [
        {"type": "Replace", "pattern": {"Regex": _WHITE_SPACE}, "content": " "},
        {"type": "NFKD"},
        {"type": "Replace", "pattern": {"Regex": _combining()}, "content": ""},
    ]
    if lower:
        normalizers.append({"type": "Lowercase"})
    if vocabulary.charsmap:
        charsmap = base64.b64encode(vocabulary.charsmap).decode()
        normalizers.append({"type": "Precompiled", "precompiled_charsmap": charsmap})
    metaspace = {
        "type": "Metaspace",
        "replacement": "▁",
        "prepend_scheme": "always",
        "split": True,
    }
    cls, sep = ({"id": _SPECIAL[name], "type_id": 0} for name in ("cls", "sep"))
    first = [
        {"SpecialToken": cls},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": sep},
    ]
    second = [
        {"Sequence": {"id": "B", "type_id": 1}},
        {"SpecialToken": {**sep, "type_id": 1}},
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added_token(name, vocabulary.special_ids[name]) for name in _SPECIAL],
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": first,
            "pair": first + second,
            "special_tokens": {
                _SPECIAL[name]: {
                    "id": _SPECIAL[name],
                    "ids": [vocabulary.special_ids[name]],
                    "tokens": [_SPECIAL[name]],
                }
                for name in ("cls", "sep")
            },
        },
        "decoder": metaspace,
        "model": {
            "type": "Unigram",
            "unk_id": vocabulary.unk_id,
            "vocab": [list(piece) for piece in vocabulary.pieces],
            "byte_fallback": False,
        },
    }


def _added_token(name, token_id):
    return {
        "id": token_id,
        "content": _SPECIAL[name],
        "single_word": False,
        "lstrip": name == "mask",  # The space before it belongs to it, as in Hugging Face's own.
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _combining():
    """A pattern of the characters that the original drops: those of a combining class."""
    ranges = []
    for point in filter(lambda p: unicodedata.combining(chr(p)), range(0x110000)):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "[" + "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in ranges) + "]"

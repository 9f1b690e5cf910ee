"""A WordPiece vocabulary file, checked."""

import dataclasses
import functools
import os
import pathlib

from albert_tf.config_files import read_json_object
from albert_tf.messages import listed
from albert_tf.task_record import read_task
from albert_tf.text.sentencepiece_model import vocabulary_size_error

SUFFIX = "##"  # Before a piece that goes on with a word.

# What the published preprocessors call the special pieces -> the pieces of BERT's vocabularies.
WORDPIECE_SPECIAL_PIECES = {
    "padding_id": "[PAD]",
    "unknown_id": "[UNK]",
    "start_of_sequence_id": "[CLS]",
    "end_of_segment_id": "[SEP]",
    "mask_id": "[MASK]",
}
_CONFIG = "tokenizer_config.json"


@dataclasses.dataclass(frozen=True)
class WordPieceVocabulary:
    """The vocabulary of an ALBERT that has a vocab.txt, as most Chinese ones do.

    Make one with `WordPieceVocabulary.read(path)`.

    Attributes:
      path: Absolute path of the file, str.
      proto: Its content, bytes.
      do_lower_case: Whether text is lower-cased and accents are removed.
      pieces: All pieces in the order of their ids, tuple of str.
      special_ids: dict {padding_id, unknown_id, start_of_sequence_id, end_of_segment_id, mask_id},
        each an id found by the name of its piece.
    """

    path: str
    proto: bytes = dataclasses.field(repr=False)
    do_lower_case: bool
    pieces: tuple = dataclasses.field(repr=False)
    special_ids: dict

    blank_id = None  # No piece is empty.

    @classmethod
    def read(cls, path, do_lower_case=None):
        """Reads and checks a file, one piece a line.

        Args:
          path: Path as str, bytes (as `vocab_file.asset_path.numpy()` of a SavedModel) or
            os.PathLike; or a `WordPieceVocabulary`, which is returned as it is.
          do_lower_case: Whether text is lower-cased and accents are removed. Default: what
            tokenizer_config.json or task.json beside the file says, or else True, as for all
            published Chinese models.

        Raises:
          FileNotFoundError: If there is no such file.
          ValueError: If it is no list of pieces, lacks a special piece or has a piece twice; if
            the tokenizer_config.json beside it asks for steps that Google's tokenizer has not.
        """
        if isinstance(path, cls):
            if do_lower_case not in (None, path.do_lower_case):
                return dataclasses.replace(path, do_lower_case=bool(do_lower_case))
            return path
        if not isinstance(path, (str, bytes, os.PathLike)):
            raise TypeError(
                "vocab_file must be the path of a WordPiece vocabulary. "
                f"Received: {path!r} of type {type(path).__name__}."
            )
        path = pathlib.Path(os.path.abspath(os.fsdecode(path)))
        if not path.is_file():
            raise FileNotFoundError(
                f"vocab_file must be an existing WordPiece vocabulary. Received: {path}. Google's "
                "and Hugging Face's models have it as vocab.txt or vocab_chinese.txt."
            )
        if do_lower_case is None:
            do_lower_case = recorded_lower_case(path.parent)
        proto = path.read_bytes()
        pieces = _pieces(proto, path)
        ids = {piece: i for i, piece in enumerate(pieces)}
        special_ids = {name: ids[piece] for name, piece in WORDPIECE_SPECIAL_PIECES.items()}
        return cls(str(path), proto, bool(do_lower_case), pieces, special_ids)

    @property
    def vocab_size(self):
        """Number of pieces."""
        return len(self.pieces)

    @functools.cached_property
    def ids(self):
        """dict from piece to id."""
        return {piece: i for i, piece in enumerate(self.pieces)}

    def check_size(self, vocab_size):
        """Raises a ValueError unless it has a piece for each of an encoder's word embeddings."""
        if self.vocab_size != vocab_size:
            raise vocabulary_size_error("WordPiece vocabulary", self, vocab_size)


def _pieces(proto, path):
    """The pieces of a file's content; blank lines at its end do not count."""
    rule = "vocab_file must be a WordPiece vocabulary, one piece a line in UTF-8."
    try:
        text = proto.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{rule} Received: {path}, which is no text ({error}). A SentencePiece model, such as "
            "30k-clean.model, is passed as sp_model."
        ) from None
    # As Google's tokenizer reads it: what follows white space is no part of the piece.
    pieces = tuple((line.split() or [""])[0] for line in text.rstrip().split("\n"))
    missing = [piece for piece in WORDPIECE_SPECIAL_PIECES.values() if piece not in pieces]
    if missing:
        raise ValueError(
            f"{rule} It must have the pieces {', '.join(WORDPIECE_SPECIAL_PIECES.values())}. "
            f"Received: {path} without {', '.join(missing)}. A SentencePiece model is passed as "
            "sp_model."
        )
    lines = {}
    for number, piece in enumerate(pieces, start=1):
        lines.setdefault(piece, []).append(number)
    repeated = [f"{p!r} on lines {', '.join(map(str, n))}" for p, n in lines.items() if n[1:] and p]
    if repeated:
        raise ValueError(
            f"Each line of a WordPiece vocabulary must be another piece. Received: {path} with "
            f"{listed(repeated, most=5)}. Programs differ in which line counts then. Rename those "
            "that the model was not trained with, such as to [unused-1], and keep the number of "
            "lines."
        )
    return pieces


def recorded_lower_case(directory):
    """What the files beside a vocabulary say about lower-casing; True where they say nothing.

    Args:
      directory: pathlib.Path.

    Raises:
      ValueError: tokenizer_config.json asks for steps that Google's tokenizer has not.
    """
    path = directory / _CONFIG
    config = read_json_object(path) if path.is_file() else {}
    lower = config.get("do_lower_case")
    if lower is None:
        lower = read_task(directory).get("do_lower_case", True)
    strange = {
        "strip_accents": (None, lower),
        "tokenize_chinese_chars": (None, True),
        "do_basic_tokenize": (None, True),
    }
    odd = [f"{k}={config[k]}" for k, right in strange.items() if config.get(k) not in right]
    if odd or not isinstance(lower, bool):
        raise ValueError(
            "A WordPiece vocabulary is used as in Google's tokenizer: Chinese characters are words "
            "of their own, and accents go where letters are lower-cased. Received: "
            f"do_lower_case={lower}{''.join(f', {item}' for item in odd)} in {str(path)!r}. Pass "
            "do_lower_case to tokenize so nevertheless, whatever that file says."
        )
    return lower

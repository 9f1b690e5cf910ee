"""A SentencePiece model file, checked."""

import dataclasses
import functools
import os
import pathlib

import sentencepiece

# What the published preprocessors call the special pieces -> the pieces of ALBERT's vocabularies.
SPECIAL_PIECES = {
    "padding_id": "<pad>",
    "unknown_id": "<unk>",
    "start_of_sequence_id": "[CLS]",
    "end_of_segment_id": "[SEP]",
    "mask_id": "[MASK]",
}


@dataclasses.dataclass(frozen=True)
class SentencePieceModel:
    """The vocabulary and segmentation model of an ALBERT, such as 30k-clean.model.

    Make one with `SentencePieceModel.read(path)`.

    Attributes:
      path: Absolute path of the file, str.
      proto: Its content, bytes.
      processor: `sentencepiece.SentencePieceProcessor` of it.
      special_ids: dict {padding_id, unknown_id, start_of_sequence_id, end_of_segment_id, mask_id},
        each an id found by the name of its piece.
      blank_id: The id of the lone "▁", which stands for no text; None if it is no piece.
    """

    path: str
    proto: bytes = dataclasses.field(repr=False)
    processor: sentencepiece.SentencePieceProcessor = dataclasses.field(repr=False)
    special_ids: dict

    @classmethod
    def read(cls, path):
        """Reads and checks a file.

        Args:
          path: Path as str, bytes (as `sp_model_file.asset_path.numpy()` of a SavedModel) or
            os.PathLike; or a `SentencePieceModel`, which is returned as it is.

        Raises:
          FileNotFoundError: If there is no such file.
          ValueError: If it is the readable `.vocab` list, no SentencePiece model, lacks one of
            ALBERT's special pieces, or falls back to bytes.
        """
        if isinstance(path, cls):
            return path
        if not isinstance(path, (str, bytes, os.PathLike)):
            raise TypeError(
                "sp_model must be the path of a SentencePiece model. "
                f"Received: {path!r} of type {type(path).__name__}."
            )
        path = os.path.abspath(os.fsdecode(path))
        if path.endswith(".vocab"):
            raise ValueError(
                "sp_model must be the binary SentencePiece model; a .vocab file is only its "
                f"readable list. Received: {path}. Pass the .model file, such as 30k-clean.model: "
                "it lies next to it."
            )
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f"sp_model must be an existing SentencePiece model file. Received: {path}. "
                "Google's ALBERT archives contain it as 30k-clean.model."
            )
        proto = pathlib.Path(path).read_bytes()
        processor = sentencepiece.SentencePieceProcessor()
        try:
            processor.LoadFromSerializedProto(proto)
        except RuntimeError as error:
            raise ValueError(
                f"sp_model must be a SentencePiece model. Received: {path}, which is none (or is "
                "truncated). Pass a file such as 30k-clean.model from Google's ALBERT archives; a "
                "WordPiece vocabulary (vocab.txt) is passed as vocab_file where it is supported: "
                "everywhere but in pre-training."
            ) from error
        return cls(path, proto, processor, _special_ids(processor, path))

    @property
    def vocab_size(self):
        """Number of pieces."""
        return self.processor.GetPieceSize()

    def check_size(self, vocab_size):
        """Raises a ValueError unless it has a piece for each of an encoder's word embeddings."""
        if self.vocab_size != vocab_size:
            raise vocabulary_size_error("SentencePiece model", self, vocab_size)

    @functools.cached_property
    def pieces(self):
        """All pieces in the order of their ids, list of str."""
        return [self.processor.IdToPiece(i) for i in range(self.vocab_size)]

    @functools.cached_property
    def blank_id(self):
        blank = self.processor.PieceToId("▁")
        return blank if self.processor.IdToPiece(blank) == "▁" else None


def vocabulary_size_error(kind, vocabulary, vocab_size):
    """The ValueError for a vocabulary with another number of pieces than word embeddings."""
    more = ""
    if vocabulary.vocab_size > vocab_size:
        more = (
            " If pieces were added since, let the word table grow when you load the encoder: "
            f"AlbertEncoder.from_checkpoint(..., vocab_size={vocabulary.vocab_size}); `finetune` "
            "and `pretrain` take vocab_size, too."
        )
    return ValueError(
        f"The {kind} must have as many pieces as the encoder has word embeddings: "
        f"vocab_size={vocab_size}. Received: {vocabulary.path!r} with {vocabulary.vocab_size} "
        f"pieces. Pass the file that the encoder was trained with.{more}"
    )


def _special_ids(processor, path):
    """The ids of SPECIAL_PIECES; a piece that is not there would silently become <unk>."""
    ids = {name: processor.PieceToId(piece) for name, piece in SPECIAL_PIECES.items()}
    missing = [p for name, p in SPECIAL_PIECES.items() if processor.IdToPiece(ids[name]) != p]
    if missing:
        raise ValueError(
            f"The SentencePiece model must have the pieces {', '.join(SPECIAL_PIECES.values())}. "
            f"Received: {path} without {', '.join(missing)}. Train it with pad_id=0, unk_id=1, "
            "bos_id=-1, eos_id=-1, control_symbols=['[CLS]', '[SEP]', '[MASK]']."
        )
    if processor.IsByte(processor.PieceToId("<0x00>")):
        raise ValueError(
            "The SentencePiece model must be trained without byte_fallback, as ALBERT's is. "
            f"Received: {path} with byte pieces such as <0x00>."
        )
    return ids

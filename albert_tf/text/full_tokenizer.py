"""The tokenizer class that the snippets of the TF Hub pages name."""

from collections.abc import Iterable

from albert_tf._types import Path
from albert_tf.text.reference import encode_pieces
from albert_tf.text.sentencepiece_model import SentencePieceModel


class FullSentencePieceTokenizer:
    """Text to pieces and pieces to ids, with the interface of the TF Model Garden's class.

    Takes text as it is: lower-casing and accents are the caller's, by `preprocess_text(text)`,
    as with the original; upper-case letters are unknown to ALBERT's English vocabulary.
    `ReferenceTokenizer` does both in one call and gives offsets.

    Args:
      sp_model_file: Path of the SentencePiece model; bytes too, as in
        `layer.resolved_object.sp_model_file.asset_path.numpy()`.

    Attributes:
      vocab: dict from piece to id.
      inv_vocab: dict from id to piece.
      sp_model: The `sentencepiece.SentencePieceProcessor`.

    Example:
      >>> import albert_tf
      >>> from albert_tf import albert_tiny_en
      >>> tokenizer = albert_tf.FullSentencePieceTokenizer(albert_tiny_en.SP_MODEL)
      >>> tokenizer.convert_tokens_to_ids(tokenizer.tokenize("she looked at him."))
      [33, 185, 39, 46, 9]

    Reference: `FullTokenizer` with `spm_model_file` in the original's tokenization.py, equal in
    every id; the Model Garden's class differs where the digit-comma rule meets a piece that does
    not start with "▁", of which the official vocabulary has none.
    """

    def __init__(self, sp_model_file: Path | SentencePieceModel) -> None:
        model = SentencePieceModel.read(sp_model_file)
        self.sp_model = model.processor
        self.vocab = {piece: i for i, piece in enumerate(model.pieces)}
        self.inv_vocab = dict(enumerate(model.pieces))

    def tokenize(self, text: str) -> list[str]:
        """Pieces of a str, list of str."""
        return encode_pieces(self.sp_model, text)

    def convert_tokens_to_ids(self, tokens: Iterable[str]) -> list[int]:
        """Ids of pieces, list of int; that of <unk> for what the vocabulary lacks."""
        return [self.sp_model.PieceToId(token) for token in tokens]

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """Pieces of ids, list of str."""
        return [self.sp_model.IdToPiece(int(i)) for i in ids]

"""Text to encoder inputs, live: the kind of object that `export_preprocessor` saves."""

from collections.abc import Sequence

import tensorflow as tf

from albert_tf._types import Path, Tensor, TensorLike
from albert_tf.text.given_vocabulary import given_vocabulary
from albert_tf.text.packing import checked_seq_length, pack
from albert_tf.text.sentencepiece_model import SentencePieceModel
from albert_tf.text.tokenizer import Tokenizer
from albert_tf.text.wordpiece_tokenizer import WordPieceTokenizer
from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary


class Preprocessor(tf.Module):
    """Batches of text to {input_word_ids, input_mask, input_type_ids}.

    The interface of tensorflow/albert_en_preprocess/3 and more, without a SavedModel. Works
    eagerly, in tf.function and in tf.data, and has no variables. Does not include the encoder.

    Args:
      sp_model: Path of the SentencePiece model, or a `SentencePieceModel`.
      rules: "original" for the ids of Google's Python tokenizer, with which ALBERT was trained;
        "tfhub" for those of tensorflow/albert_en_preprocess/3. With "original", pairs whose
        second text is empty are packed as single texts. Default: what task.json beside `sp_model`
        says, or else "original", as everywhere but in `export_preprocessor`.
      seq_length: Length of the outputs; a call to `bert_pack_inputs` can choose another.
      vocab_file: Instead of `sp_model`: path of the WordPiece vocabulary, vocab.txt, that most
        Chinese ALBERTs have, or a `WordPieceVocabulary`. The ids are those of Google's
        `FullTokenizer`; there are no other `rules`.
      do_lower_case: With `vocab_file`, whether text is lower-cased and accents are removed.
        Default: what tokenizer_config.json or task.json beside the file says, or else True.

    Attributes:
      tokenize: `Tokenizer` or `WordPieceTokenizer`; call it for ids,
        `tokenize.get_special_tokens_dict()` for special ids.

    Raises:
      ImportError: If tensorflow-text is missing.
      FileNotFoundError, ValueError: For a wrong vocabulary, `rules` or `seq_length`, or if there is
        not exactly one of `sp_model` and `vocab_file`.

    Example:
      >>> import albert_tf
      >>> from albert_tf import albert_tiny_en
      >>> preprocessor = albert_tf.Preprocessor(albert_tiny_en.SP_MODEL, seq_length=8)
      >>> preprocessor(["Hello world"])["input_word_ids"].numpy().tolist()
      [[2, 24, 144, 283, 208, 3, 0, 0]]
      >>> questions, answers = ["Who?"], ["Me."]
      >>> tokens = [preprocessor.tokenize(questions), preprocessor.tokenize(answers)]
      >>> pairs = preprocessor.bert_pack_inputs(tokens, seq_length=16)
    """

    def __init__(
        self,
        sp_model: Path | SentencePieceModel | WordPieceVocabulary | None = None,
        rules: str | None = None,
        seq_length: int = 128,
        vocab_file: Path | WordPieceVocabulary | None = None,
        do_lower_case: bool | None = None,
    ) -> None:
        super().__init__()
        self.seq_length = checked_seq_length(seq_length, minimum=3)
        vocabulary = given_vocabulary(sp_model, vocab_file, do_lower_case)
        if isinstance(vocabulary, WordPieceVocabulary):
            self.tokenize = WordPieceTokenizer(vocabulary, rules=rules)
        else:
            self.tokenize = Tokenizer(vocabulary, rules)

    @property
    def rules(self) -> str:
        """The rule set, "tfhub" or "original"."""
        return self.tokenize.rules

    def __call__(
        self, inputs: TensorLike, training: bool = False, mask: None = None
    ) -> dict[str, Tensor]:
        """Tokenizes single texts and packs them to `seq_length`.

        Args:
          inputs: string [batch], UTF-8: a tensor, an array or a list of str.
          training: Not used; for `hub.KerasLayer`.
          mask: Not used; for `hub.KerasLayer`.

        Returns:
          dict {input_word_ids, input_mask, input_type_ids} of int32 [batch, seq_length].
        """
        del training, mask
        return self.bert_pack_inputs([self.tokenize(inputs)])

    def encode_pairs(
        self, first: TensorLike, second: TensorLike, seq_length: int | Tensor | None = None
    ) -> dict[str, Tensor]:
        """Tokenizes and packs pairs of texts.

        Args:
          first, second: string [batch] each.
          seq_length: Length of the outputs; default: the preprocessor's.

        Returns:
          dict {input_word_ids, input_mask, input_type_ids} of int32 [batch, seq_length].
        """
        return self.bert_pack_inputs([self.tokenize(first), self.tokenize(second)], seq_length)

    def bert_pack_inputs(
        self, inputs: Sequence[tf.RaggedTensor], seq_length: int | Tensor | None = None
    ) -> dict[str, Tensor]:
        """Packs token ids: [CLS] a [SEP] (b [SEP]) <pad>..., cutting what is too long.

        Args:
          inputs: list of one or two int32 RaggedTensors [batch, (tokens)] or
            [batch, (words), (tokens)], such as the outputs of `tokenize`.
          seq_length: Length of the outputs, int or int32 scalar; default: the preprocessor's.

        Returns:
          dict {input_word_ids, input_mask, input_type_ids} of int32 [batch, seq_length].
        """
        return pack(
            inputs,
            self.seq_length if seq_length is None else seq_length,
            self.tokenize.vocabulary.special_ids,
            skip_empty_second=self.rules == "original",
        )

    def tokenize_with_offsets(
        self, inputs: TensorLike
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor, tf.RaggedTensor]:
        """Ids with byte offsets into the source; see `Tokenizer.tokenize_with_offsets`."""
        return self.tokenize.tokenize_with_offsets(inputs)

    def detokenize(self, inputs: TensorLike) -> Tensor:
        """Ids back to normalized text; see `Tokenizer.detokenize`."""
        return self.tokenize.detokenize(inputs)

    def get_special_tokens_dict(self) -> dict[str, Tensor]:
        """The tokenizer's special ids; see `Tokenizer.get_special_tokens_dict`."""
        return self.tokenize.get_special_tokens_dict()


def pack_to_longest(preprocessor, segments):
    """Packs segments as short as the longest row of the batch allows, at most `seq_length`.

    Attention ignores padding, so that answers are the same; only time is saved.

    Args:
      preprocessor: `Preprocessor`.
      segments: list of one or two int32 RaggedTensors [batch, (tokens)].

    Returns:
      dict {input_word_ids, input_mask, input_type_ids} of int32 [batch, length].
    """
    lengths = tf.add_n([segment.row_lengths() for segment in segments]) + len(segments) + 1
    longest = tf.cast(tf.reduce_max(tf.concat([[3], lengths], 0)), tf.int32)
    return preprocessor.bert_pack_inputs(segments, tf.minimum(longest, preprocessor.seq_length))

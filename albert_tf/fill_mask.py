"""Which word pieces may stand at the masked places of a text."""

import reprlib
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import tensorflow as tf

from albert_tf._types import Path
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.read import opened
from albert_tf.checkpoints.vocabulary_file import require_vocabulary
from albert_tf.config import AlbertConfig
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.task_record import recorded_rules
from albert_tf.text.given_vocabulary import (
    found_vocabulary,
    given_vocabulary,
    reference_tokenizer,
)
from albert_tf.text.masked_text import MASK, is_mask, join_pieces, tokenize_masked
from albert_tf.text.rules import rules_for
from albert_tf.text.sentencepiece_model import SentencePieceModel
from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary


class FillMask:
    """Fills the masked places of texts with the most probable word pieces.

    Answers in the form of Hugging Face's fill-mask pipeline. Each mask is one word piece, and is
    filled while the others stay masked. A text is one segment, [CLS] text [SEP]; its tokens are
    those of `tokenize_masked`, which says where they differ from Hugging Face's.

    Args:
      pretrainer: An `AlbertPretrainer` with a masked LM head.
      sp_model: Path of the SentencePiece model that it was trained with, or a
        `SentencePieceModel`.
      vocab_file, do_lower_case: A WordPiece vocabulary instead, as of `Preprocessor`.

    Raises:
      TypeError: `pretrainer` is something else.
      ValueError: It has no masked LM head, another number of pieces than the vocabulary, or was
        trained with other text rules than "original", the only ones of this class.

    Example:

    >>> import albert_tf
    >>> fill = albert_tf.FillMask.from_checkpoint()
    >>> answers = fill("the capital of [MASK] is paris .", top_k=2)
    >>> sorted(answers[0])
    ['score', 'sequence', 'token', 'token_str']
    >>> answers[0]["score"] >= answers[1]["score"]
    True

    Reference: arXiv 1909.11942, section 3; `FillMaskPipeline` of Hugging Face transformers.
    """

    def __init__(
        self,
        pretrainer: AlbertPretrainer,
        sp_model: Path | SentencePieceModel | WordPieceVocabulary | None = None,
        vocab_file: Path | WordPieceVocabulary | None = None,
        do_lower_case: bool | None = None,
    ) -> None:
        if not isinstance(pretrainer, AlbertPretrainer):
            raise TypeError(
                "FillMask takes an AlbertPretrainer, the encoder with its heads. Received: "
                f"{type(pretrainer).__name__}."
            )
        if pretrainer.masked_lm is None:
            report = pretrainer.restore_report
            raise ValueError(
                "FillMask needs a masked LM head. Received: "
                f"{repr(report.path) if report else 'an AlbertPretrainer'} without one. Take a "
                "checkpoint of pre-training; `albert-tf inspect` tells what a checkpoint holds."
            )
        vocabulary = given_vocabulary(sp_model, vocab_file, do_lower_case)
        self.tokenizer = reference_tokenizer(vocabulary)
        rules = recorded_rules(pretrainer) or rules_for(vocabulary.path)
        if rules != self.tokenizer.rules:
            raise ValueError(
                f"FillMask cuts text by the rules {self.tokenizer.rules!r}. Received: a model "
                f"that was trained with {rules!r}, as its task.json says. Compute `mlm_logits` on "
                f'the ids of Preprocessor(sp_model, rules="{rules}").'
            )
        vocabulary.check_size(pretrainer.encoder.albert_config.vocab_size)
        self.pretrainer = pretrainer
        self._pieces = vocabulary.pieces
        self._special_ids = vocabulary.special_ids
        matrix = tf.TensorSpec([None, None], tf.int32)
        # Lengths are left open, so that every batch runs the same graph.
        self._best = tf.function(
            self._compute,
            input_signature=[
                matrix,
                matrix,
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([], tf.int32),
            ],
            autograph=False,
        )

    @classmethod
    def from_checkpoint(
        cls,
        checkpoint: Path | Checkpoint = "albert_tiny_en",
        sp_model: Path | None = None,
        config: AlbertConfig | Path | None = None,
        vocab_file: Path | None = None,
        do_lower_case: bool | None = None,
        **kwargs: Any,
    ) -> Self:
        """Loads the model and finds its vocabulary.

        Args:
          checkpoint: As for `AlbertPretrainer.from_checkpoint`. Default: the package's own.
          sp_model, vocab_file, do_lower_case: As of the class. Default: what lies with the
            checkpoint.
          config: As for `AlbertPretrainer.from_checkpoint`.
          **kwargs: Further arguments of the encoder's constructor.

        Raises:
          FileNotFoundError: There is no such checkpoint, configuration or vocabulary.
          ValueError: The checkpoint is damaged or has no masked LM head, or no vocabulary is
            given and not exactly one lies with the checkpoint.
        """
        checkpoint = opened(checkpoint, config)
        if sp_model is not None or vocab_file is not None:
            vocabulary = given_vocabulary(sp_model, vocab_file, do_lower_case)
        else:
            path = require_vocabulary(checkpoint.path)
            vocabulary = found_vocabulary(path, do_lower_case, checkpoint.task)
        return cls(AlbertPretrainer.from_checkpoint(checkpoint, **kwargs), vocabulary)

    def __call__(
        self,
        texts: str | Sequence[str],
        top_k: int = 5,
        targets: str | Sequence[str] | None = None,
        batch_size: int = 32,
    ) -> list:
        """The most probable fillings of each mask.

        Args:
          texts: A str with one [MASK] or more, or a list of such.
          top_k: Number of fillings of each mask, at most the vocabulary's size.
          targets: Words (list of str, or one str) of which to choose; then there are as many
            fillings as different targets, if `top_k` is more. Each must be one word piece: by
            itself, as "paris", or else as the vocabulary writes it, as "." or "▁paris".
            Default: all word pieces. Scores are probabilities among all of them in any case.
          batch_size: Number of texts computed at a time, padded to the longest of them.

        Returns:
          For a text with one mask, a list of dicts, the most probable first:
            score: float, the probability of the word piece.
            token: int, its id.
            token_str: str, the word piece without "▁"; two pieces may read the same.
            sequence: str, the text with it, as the tokenizer normalizes it: lower-cased, without
              accents; of WordPiece, with a space between words, which Chinese characters are. A
              special piece is filled in as nothing.
          For a text with several masks, a list of such lists in the order of the masks; in
          `sequence`, the other masks are [MASK]. For a list of texts, a list of these.

        Raises:
          TypeError: A text is no str.
          ValueError: A text has no [MASK], or more tokens than the encoder has positions; a target
            is not one word piece; `top_k` or `batch_size` is out of range.
        """
        candidates = self._candidates(targets)
        _check_count("top_k", top_k, most=len(self._pieces))
        _check_count("batch_size", batch_size)
        top_k = min(top_k, len(candidates))
        rows = [self._tokenize(text) for text in ([texts] if isinstance(texts, str) else texts)]
        answers = []
        for first in range(0, len(rows), batch_size):
            answers.extend(self._fill(rows[first : first + batch_size], candidates, top_k))
        return answers[0] if isinstance(texts, str) else answers

    def _tokenize(self, text):
        pieces = tokenize_masked(self.tokenizer, text)
        positions = self.pretrainer.encoder.albert_config.max_position_embeddings
        if len(pieces) + 2 > positions:
            raise ValueError(
                f"A text must fit the encoder's {positions} positions with [CLS] and [SEP]. "
                f"Received: {reprlib.repr(text)} with {len(pieces)} tokens. Keep what is near "
                "the mask."
            )
        return pieces

    def _candidates(self, targets):
        """Ids of the pieces to choose from, without repetition."""
        if targets is None:
            return list(range(len(self._pieces)))
        if not targets:
            raise ValueError(f"`targets` must be at least one word. Received: {targets!r}.")
        targets = [targets] if isinstance(targets, str) else targets
        return list(dict.fromkeys(map(self._target_id, targets)))

    def _target_id(self, target):
        pieces = self.tokenizer.tokenize(target)
        for piece in (*(pieces if len(pieces) == 1 else ()), target):
            (token,) = self.tokenizer.pieces_to_ids([piece])
            if token != self._special_ids["unknown_id"]:
                return token
        raise ValueError(
            f"A target must be one piece of the vocabulary. Received: {target!r}, whose pieces "
            f"are {pieces}. Choose another word, or give it as many masks."
        )

    def _fill(self, rows, candidates, top_k):
        """Yields the answer to each of a batch of tokenized texts."""
        masks = [[i for i, piece in enumerate(row) if is_mask(piece)] for row in rows]
        word_ids = _padded([self._ids(row) for row in rows], self._special_ids["padding_id"])
        positions = _padded([[1 + i for i in row] for row in masks], 0)  # After [CLS].
        scores, tokens = self._best(word_ids, positions, np.int32(candidates), np.int32(top_k))
        scores, tokens = scores.numpy().tolist(), tokens.numpy().tolist()
        for r, (row, masks_of_row) in enumerate(zip(rows, masks)):
            answer = [
                [self._filling(row, i, *best) for best in zip(scores[r][m], tokens[r][m])]
                for m, i in enumerate(masks_of_row)
            ]
            yield answer[0] if len(answer) == 1 else answer

    def _ids(self, row):
        special = self._special_ids
        ids = self.tokenizer.pieces_to_ids(MASK if is_mask(piece) else piece for piece in row)
        return [special["start_of_sequence_id"], *ids, special["end_of_segment_id"]]

    def _compute(self, word_ids, positions, candidates, top_k):
        """Scores and ids of the best candidates, [batch, masks, top_k] each."""
        inputs = {
            "input_word_ids": word_ids,
            "input_mask": tf.cast(word_ids != self._special_ids["padding_id"], tf.int32),
            "input_type_ids": tf.zeros_like(word_ids),
            "masked_lm_positions": positions,
        }
        probabilities = tf.nn.softmax(self.pretrainer(inputs, training=False)["mlm_logits"])
        scores, best = tf.math.top_k(tf.gather(probabilities, candidates, axis=-1), top_k)
        return scores, tf.gather(candidates, best)

    def _filling(self, row, place, score, token):
        piece = self._pieces[token]
        filled = "" if token in self._special_ids.values() else piece
        return {
            "score": score,
            "token": token,
            "token_str": join_pieces([piece], self.tokenizer),
            "sequence": join_pieces([*row[:place], filled, *row[place + 1 :]], self.tokenizer),
        }


def _padded(rows, padding):
    width = max(map(len, rows))
    return np.array([row + [padding] * (width - len(row)) for row in rows], np.int32)


def _check_count(name, value, most=None):
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= (most or value):
        limit = f" of at most {most}" if most else ""
        raise ValueError(f"`{name}` must be a positive integer{limit}. Received: {value!r}.")

"""Masks drawn anew each time a record is read, inside tf.data."""

import numpy as np

from albert_tf._types import Path, Tensor, TensorLike
from albert_tf.data.pretraining.features import replacement_ids
from albert_tf.data.pretraining.options import PretrainingOptions
from albert_tf.text.sentencepiece_model import SentencePieceModel

_GENERATOR = "philox"  # The default depends on the device.


class DynamicMasking:
    """Masks batches of unmasked records, in a `tf.data.Dataset.map`.

    The distribution is that of `albert_tf.data.pretraining.masking`: n-grams of whole words,
    80/10/10. All shapes are static if those of the batch are. Equal seeds and steps give equal
    masks, so training that goes on from a checkpoint sees the masks it would have seen. (Compiled
    by XLA, which it can be, it draws others.)

    Does not permute tokens (`do_permutation`).

    Args:
      sp_model: Path of the SentencePiece model, or a `SentencePieceModel`.
      options: `PretrainingOptions`; what it says of masks counts.
      seed: int.

    Inputs of a call: `step`, the number of the batch, int; `features`, dict as written with
    `static_masks=False`: input_ids, input_mask, segment_ids, token_boundary, int64 [batch, length],
    and others.

    Returns: dict of the same with input_ids masked, and masked_lm_positions, masked_lm_ids (int64)
    and masked_lm_weights (float32) [batch, max_predictions_per_seq].

    Example:
      >>> import tensorflow as tf
      >>> from albert_tf import albert_tiny_en
      >>> from albert_tf.data.pretraining.dynamic_masking import DynamicMasking
      >>> from albert_tf.data.pretraining.options import PretrainingOptions
      >>> options = PretrainingOptions(max_seq_length=16, static_masks=False)
      >>> masking = DynamicMasking(albert_tiny_en.SP_MODEL, options)
      >>> features = {
      ...     "input_ids": [[2, *range(100, 113), 3, 0]], "input_mask": [[1] * 15 + [0]],
      ...     "segment_ids": [[0] * 16], "token_boundary": [[1] * 16]}
      >>> dataset = tf.data.Dataset.from_tensors(features).enumerate().map(masking)
      >>> next(iter(dataset))["masked_lm_positions"].shape
      TensorShape([1, 3])
    """

    def __init__(self, sp_model: Path, options: PretrainingOptions, seed: int = 12345) -> None:
        if options.do_permutation:
            raise ValueError(
                "Dynamic masks do not permute. Received: do_permutation=True. Write static masks."
            )
        model = SentencePieceModel.read(sp_model)
        self._options = options
        self._seed = seed
        self._special_ids = model.special_ids
        self._replacements = replacement_ids(model, options).astype(np.int64)

    def __call__(self, step: TensorLike, features: dict[str, Tensor]) -> dict[str, Tensor]:
        import tensorflow as tf

        options, special = self._options, self._special_ids
        seeds = tf.random.split([self._seed, tf.cast(step, tf.int32)], num=4, alg=_GENERATOR)
        ids = tf.cast(features["input_ids"], tf.int64)
        used = tf.cast(features["input_mask"], tf.bool)
        content = used & (ids != special["start_of_sequence_id"])
        content &= ids != special["end_of_segment_id"]
        starts = content
        if options.do_whole_word_mask:
            starts &= tf.cast(features["token_boundary"], tf.bool)
        segments = tf.cast(features["segment_ids"], tf.int32)
        words = _find_words(content, starts, segments, one=options.recipe == "original")
        lengths = tf.reduce_sum(tf.cast(used, tf.float64), axis=1)
        budgets = tf.cast(tf.round(lengths * options.masked_lm_prob), tf.int32)
        budgets = tf.clip_by_value(budgets, 1, options.max_predictions_per_seq)
        chosen_words = _choose_ngrams(words, budgets, options, seeds[0], seeds[1])
        chosen = content & tf.gather(chosen_words, words["of_token"], batch_dims=1)
        draw = tf.random.stateless_uniform(tf.shape(ids), seeds[2], alg=_GENERATOR)
        picks = tf.random.stateless_uniform(
            tf.shape(ids), seeds[3], 0, len(self._replacements), tf.int32, alg=_GENERATOR
        )
        replacements = tf.gather(self._replacements, picks)
        mask_id = tf.cast(special["mask_id"], tf.int64)
        masked = tf.where(draw < 0.8, mask_id, tf.where(draw < 0.9, ids, replacements))
        return {
            **features,
            "input_ids": tf.where(chosen, masked, ids),
            **_predictions(chosen, ids, options.max_predictions_per_seq),
        }


def _find_words(content, starts, segments, one):
    """As `albert_tf.data.pretraining.masking.find_words`, with as many word slots as tokens.

    Args:
      content: bool [batch, length], tokens but for special ones.
      starts: bool [batch, length], those that start a word.
      segments: int32 [batch, length].
      one: Whether words and n-grams run on from one segment to the next.
    """
    import tensorflow as tf

    length = content.shape[1]
    segments = tf.zeros_like(segments) if one else segments
    place = tf.cumsum(tf.cast(content, tf.int32), axis=1) - 1  # Among the tokens that count.
    in_a, in_b = content & (segments == 0), content & (segments == 1)
    a = tf.reduce_sum(tf.cast(in_a, tf.int32), axis=1, keepdims=True)
    starts |= content & ((place == 0) | (in_b & (place == a)))
    of_token = tf.cumsum(tf.cast(starts, tf.int32), axis=1) - 1
    counts = of_token[:, -1:] + 1
    words_of_a = tf.reduce_sum(tf.cast(starts & in_a, tf.int32), axis=1, keepdims=True)
    tokens = tf.reduce_sum(tf.cast(content, tf.int32), axis=1, keepdims=True)
    begins = tf.sort(tf.where(starts, place, tokens), axis=1)
    words = tf.range(length)[None]
    return {
        "begins": tf.concat([begins, tokens], axis=1),
        "counts": counts[:, 0],
        "limits": tf.where(words < words_of_a, words_of_a, counts),
        "of_token": tf.maximum(of_token, 0),
    }


def _choose_ngrams(words, budgets, options, order_seed, draw_seed):
    """As `albert_tf.data.pretraining.masking.choose_ngrams`: bool [batch, words]."""
    import tensorflow as tf

    shape = tf.shape(words["limits"])
    width = words["limits"].shape[1]
    exists = tf.range(width)[None] < words["counts"][:, None]
    keys = tf.random.stateless_uniform(shape, order_seed, alg=_GENERATOR)
    order = tf.argsort(tf.where(exists, keys, 2.0), axis=1)
    cumulative = tf.constant(np.cumsum(options.ngram_probabilities())[:-1], tf.float32)
    draws = tf.random.stateless_uniform(shape, draw_seed, alg=_GENERATOR)
    drawn = 1 + tf.reduce_sum(tf.cast(draws[..., None] >= cumulative, tf.int32), axis=-1)
    offsets = tf.range(options.ngram)[None]

    def gather(values, index):
        return tf.gather(values, tf.minimum(index, values.shape[1] - 1), batch_dims=1)

    def active(step, left):
        return (left > 0) & (step < words["counts"])

    def more(step, left, chosen):
        return (step < width) & tf.reduce_any(active(step, left))

    def choose(step, left, chosen):
        first = tf.gather(order, step, axis=1)[:, None]
        most = gather(words["limits"], first) - first
        most = tf.minimum(tf.gather(drawn, step, axis=1)[:, None], most)
        lengths = gather(words["begins"], first + offsets + 1) - gather(words["begins"], first)
        fits = (offsets < most) & (lengths <= left[:, None]) & active(step, left)[:, None]
        size = tf.reduce_sum(tf.cast(fits, tf.int32), axis=1)
        accepted = (size > 0) & ~tf.reduce_any(fits & gather(chosen, first + offsets), axis=1)
        size = tf.where(accepted, size, 0)[:, None]
        tokens = tf.reduce_max(tf.where(offsets < size, lengths, 0), axis=1)
        slots = tf.range(width)[None]
        chosen |= (slots >= first) & (slots < first + size)
        return step + 1, left - tokens, chosen

    _, _, chosen = tf.while_loop(
        more, choose, (tf.constant(0), budgets, tf.zeros(shape, tf.bool)), parallel_iterations=1
    )
    return chosen


def _predictions(chosen, targets, predictions):
    """The masked_lm_* features [batch, predictions] of the chosen tokens."""
    import tensorflow as tf

    length = chosen.shape[1]
    positions = tf.where(chosen, tf.range(length, dtype=tf.int64)[None], length)
    positions = tf.sort(positions, axis=1)[:, :predictions]
    weights = positions < length
    positions = tf.where(weights, positions, 0)
    ids = tf.where(weights, tf.gather(targets, positions, batch_dims=1), 0)
    return {
        "masked_lm_positions": positions,
        "masked_lm_ids": ids,
        "masked_lm_weights": tf.cast(weights, tf.float32),
    }

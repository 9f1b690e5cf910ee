"""Segment pairs to the features of pre-training records, masked or to be masked later."""

import numpy as np

from albert_tf.data.pretraining.masking import (
    choose_ngrams,
    find_words,
    mask_tokens,
    permute_tokens,
)


def make_features(block, table, encoder, options, generator):
    """Makes a batch of padded features.

    Args:
      block: `TokenBlock`.
      table: int64 [batch, 6], truncated segment pairs, see `albert_tf.data.pretraining.segments`.
      encoder: Gives `special_ids` and `vocab_size`, such as `BlockEncoder`.
      options: `PretrainingOptions`.
      generator: `numpy.random.Generator`.

    Returns:
      dict, feature name -> array [batch, n], int32 or float32, as in `feature_lengths`.
    """
    ids, word_starts, segment_ids, mask, a, b = _assemble(block, table, encoder, options)
    features = {
        "input_ids": ids,
        "input_mask": mask.astype(np.int32),
        "segment_ids": segment_ids,
        "token_boundary": word_starts.astype(np.int32),
    }
    if options.static_masks:
        words = find_words(word_starts, a, b, options)
        features.update(_masked(features, words, a, b, encoder, options, generator))
    features["next_sentence_labels"] = table[:, 4:5].astype(np.int32)
    if options.recipe == "paper":
        features["next_sentence_weights"] = table[:, 5:6].astype(np.float32)
    return features


def _assemble(block, table, encoder, options):
    """-> ids, word starts, segment ids, mask [batch, length]; lengths of a, of b [batch]."""
    special = encoder.special_ids
    a_begin, a_end, b_begin, b_end, _, weight = table.astype(np.int32).T[..., None]
    a, b = a_end - a_begin, b_end - b_begin
    positions = np.arange(options.max_seq_length, dtype=np.int32)
    in_a = (positions >= 1) & (positions <= a)
    in_b = (positions >= a + 2) & (positions <= a + b + 1)
    end = np.where(weight == 1, a + b + 2, a + 1)  # The last [SEP].
    used = positions <= end
    source = np.where(in_a, a_begin + positions - 1, b_begin + positions - a - 2)
    source = np.where(in_a | in_b, source, 0)
    ids = np.where(in_a | in_b, block.ids[source], special["padding_id"])
    ids[:, 0] = special["start_of_sequence_id"]
    rows = np.arange(len(table))
    ids[rows, a[:, 0] + 1] = special["end_of_segment_id"]
    ids[rows, end[:, 0]] = special["end_of_segment_id"]
    word_starts = used & (block.word_starts[source] | ~(in_a | in_b))
    segment_ids = (used & (positions > a + 1)).astype(np.int32)
    return ids.astype(np.int32), word_starts, segment_ids, used, a[:, 0], b[:, 0]


def _masked(features, words, a, b, encoder, options, generator):
    ids, used = features["input_ids"], features["input_mask"].astype(bool)
    budgets = prediction_budgets(used.sum(axis=1), options)
    positions = np.arange(ids.shape[1])
    content = used & (positions > 0) & (positions != a[:, None] + 1)
    content &= positions != used.sum(axis=1)[:, None] - 1
    rows = np.arange(len(ids))[:, None]
    chosen_words = choose_ngrams(words, budgets, options, generator)
    chosen = content & chosen_words[rows, words.of_token]
    mask_id, random_ids = encoder.special_ids["mask_id"], replacement_ids(encoder, options)
    masked = mask_tokens(ids, chosen, mask_id, random_ids, generator)
    if options.do_permutation:
        more = choose_ngrams(words, budgets, options, generator, taken=chosen_words)
        more = content & more[rows, words.of_token]
        masked, chosen = permute_tokens(masked, more, generator), chosen | more
    return {"input_ids": masked, **_predictions(chosen, ids, options.predictions)}


def prediction_budgets(lengths, options):
    """How many tokens to predict in sequences of these lengths, special tokens counted."""
    wanted = np.rint(np.asarray(lengths) * options.masked_lm_prob).astype(np.int32)
    return np.clip(wanted, 1, options.max_predictions_per_seq)


def replacement_ids(encoder, options):
    """The ids that a random replacement is drawn from: int32 [n]."""
    ids = np.arange(encoder.vocab_size, dtype=np.int32)
    if options.recipe == "original":
        return ids
    return np.delete(ids, list(encoder.special_ids.values()))


def _predictions(chosen, targets, predictions):
    """The masked_lm_* features [batch, predictions] of the chosen tokens."""
    rows, columns = np.nonzero(chosen)
    first = np.searchsorted(rows, np.arange(len(chosen)))
    slots = np.arange(len(rows)) - first[rows]
    features = {
        name: np.zeros((len(chosen), predictions), dtype)
        for name, dtype in (
            ("masked_lm_positions", np.int32),
            ("masked_lm_ids", np.int32),
            ("masked_lm_weights", np.float32),
        )
    }
    features["masked_lm_positions"][rows, slots] = columns
    features["masked_lm_ids"][rows, slots] = targets[rows, columns]
    features["masked_lm_weights"][rows, slots] = 1
    return features

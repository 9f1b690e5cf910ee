"""The contract of a preprocessor, promise by promise.

| part | value |
|---|---|
| `__call__(inputs, ...)` | string [batch] -> dict of int32 [batch, seq_length] |
| `tokenize` | string [batch] -> int32 RaggedTensor; `tokenize.get_special_tokens_dict()` |
| `tokenize_with_offsets` | string [batch] -> ids, byte starts, byte limits |
| `detokenize` | ids -> string [batch] |
| `bert_pack_inputs(inputs, seq_length)` | list of one or two int32 RaggedTensors -> as `__call__` |
| `encode_pairs(first, second, seq_length)` | two string [batch] -> as `__call__` |
| `sp_model_file` | tf.saved_model.Asset; of WordPiece instead: |
| `vocab_file`, `do_lower_case` | tf.saved_model.Asset, bool variable |
| signature `serving_default` | {sentences} -> as `__call__` |
| `rules()` | string: "tfhub" or "original"; published preprocessors have none |
| variables | none in `variables` |
"""

import numpy as np
import tensorflow as tf

from albert_tf.inputs import INPUT_NAMES
from albert_tf.saved_model.contract.checklist import Checklist, differs, vocabulary_asset

_SENTENCES = ["Hello, world", "été", ""]


def check_preprocessor(loaded):
    """Checks a loaded preprocessor. Returns a list of `Check`."""
    checklist = Checklist()
    promise = checklist.promise
    promise("three int32 tensors of one fixed length", _call, loaded)
    promise("tokenize: ragged int32", _tokenize, loaded)
    promise("special ids by name", _special_ids, loaded)
    promise("tokenize_with_offsets: bytes of the source", _offsets, loaded)
    promise("detokenize", _detokenize, loaded)
    promise("bert_pack_inputs: one or two segments", _pack, loaded)
    promise("encode_pairs", _pairs, loaded)
    promise("signature serving_default", _signature, loaded)
    promise("the vocabulary is an asset", vocabulary_asset, loaded)
    promise("no variables", lambda: differs((0, 0), _variable_counts(loaded)))
    return checklist.checks


def _ids_and_masks(outputs, batch, length=None):
    if set(outputs) != set(INPUT_NAMES):
        return differs(sorted(INPUT_NAMES), sorted(outputs))
    lengths = {tensor.shape[1] for tensor in outputs.values()}
    if len(lengths) != 1 or length not in (None, *lengths):
        return f"expected one length {length or ''}, received {sorted(lengths)}"
    dtypes = {(tensor.dtype.name, tensor.shape[0]) for tensor in outputs.values()}
    return differs({("int32", batch)}, dtypes)


def _call(loaded):
    outputs = loaded(tf.constant(_SENTENCES))
    same = loaded(tf.constant(_SENTENCES), training=True)["input_word_ids"]
    return _ids_and_masks(outputs, len(_SENTENCES)) or (
        None if np.array_equal(outputs["input_word_ids"], same) else "`training` changes the ids"
    )


def _tokenize(loaded):
    tokens = loaded.tokenize(tf.constant(_SENTENCES))
    return differs(("int32", len(_SENTENCES)), (tokens.dtype.name, tokens.shape[0]))


def _special_ids(loaded):
    names = {"vocab_size", "padding_id", "start_of_sequence_id", "end_of_segment_id", "mask_id"}
    ids = loaded.tokenize.get_special_tokens_dict()
    missing = names - set(ids)
    return f"no {', '.join(sorted(missing))}" if missing else None


def _offsets(loaded):
    tokens, starts, limits = loaded.tokenize_with_offsets(tf.constant(_SENTENCES))
    if not np.array_equal(tokens.values, loaded.tokenize(tf.constant(_SENTENCES)).values):
        return "the ids are not those of tokenize"
    for sentence, start, limit in zip(_SENTENCES, starts.to_list(), limits.to_list()):
        if start and (min(start) < 0 or max(limit) != len(sentence.encode())):
            return f"offsets {start}, {limit} of {sentence!r}"
    return None


def _detokenize(loaded):
    # Text of the vocabulary's own pieces: it may know no English.
    text = loaded.detokenize(loaded.tokenize(tf.constant(_SENTENCES)))
    text = tf.strings.strip(tf.strings.regex_replace(text, r" ?\[UNK\]", ""))
    again = loaded.detokenize(loaded.tokenize(text))
    return differs(text.numpy().tolist(), again.numpy().tolist())


def _pack(loaded):
    tokens = loaded.tokenize(tf.constant(_SENTENCES))
    for segments in (1, 2):
        outputs = loaded.bert_pack_inputs([tokens] * segments, seq_length=tf.constant(9))
        if difference := _ids_and_masks(outputs, len(_SENTENCES), 9):
            return f"{segments} segments: {difference}"
    return None


def _pairs(loaded):
    texts = tf.constant(_SENTENCES)
    return _ids_and_masks(loaded.encode_pairs(texts, texts, tf.constant(9)), len(_SENTENCES), 9)


def _signature(loaded):
    outputs = loaded.signatures["serving_default"](sentences=tf.constant(_SENTENCES))
    return _ids_and_masks(outputs, len(_SENTENCES))


def _variable_counts(loaded):
    return len(loaded.variables), len(loaded.trainable_variables)

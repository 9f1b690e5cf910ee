"""What an encoder takes: three integer tensors of one shape, as a list or by name, checked."""

import itertools

import tensorflow as tf

INPUT_NAMES = ("input_word_ids", "input_mask", "input_type_ids")

# Other names of the same inputs: of the older TF Hub snippets, the TF1 modules and Hugging Face.
ALIASES = {
    "input_ids": "input_word_ids",
    "attention_mask": "input_mask",
    "segment_ids": "input_type_ids",
    "token_type_ids": "input_type_ids",
}

_RULE = (
    "An ALBERT model takes a list [input_word_ids, input_mask, segment_ids], a dict with the keys "
    "'input_word_ids' (or 'input_ids'), 'input_mask' (or 'attention_mask') and, unless all tokens "
    "are in segment 0, 'input_type_ids' (or 'token_type_ids', 'segment_ids'), or input_word_ids "
    "alone, if every token is real and in segment 0; each an int32 or int64 tensor of shape "
    "{shape}, the mask perhaps bool."
)
_SHAPES = {2: "[batch, length]", 3: "[batch, choices, length]"}


def unpack_inputs(inputs, further=(), mask=None, rank=2):
    """Checks a model's inputs and returns them in the fixed order.

    Args:
      inputs: List, tuple, dict or tensor as an encoder takes them.
      further: Names of further inputs that a dict must have, such as "masked_lm_positions".
      mask: What Keras calls by that name: None, or the mask of word ids that come alone.
      rank: 2, or 3 where there is a dimension of choices.

    Returns:
      A list of int32 tensors: word ids, mask, type ids, all of one shape, then those named in
      `further`. An int64 out of the range of int32 stays out of the range of the vocabulary.

    Raises:
      ValueError: A key is missing or unknown, or a tensor has the wrong type, dtype or shape.
      tf.errors.InvalidArgumentError: The shapes differ where only the running graph knows them.
    """
    rule = _RULE.format(shape=_SHAPES[rank])
    if further:
        rule += f" This model also needs {', '.join(map(repr, further))}."
    if all(value is None for value in tf.nest.flatten(mask)):  # Keras: one None for each tensor.
        mask = None
    alone = not further and not isinstance(inputs, (dict, list, tuple))
    if mask is not None and not alone:
        raise ValueError(
            "`mask` goes with input_word_ids alone; a list or dict of inputs has its own, "
            "input_mask. Received: both. Leave one out."
        )
    names = INPUT_NAMES + tuple(further)
    if alone:
        ids = _check("input_word_ids", inputs, rank, rule)
        named = {"input_word_ids": ids, "input_mask": tf.ones_like(ids) if mask is None else mask}
    else:
        named = _by_name(inputs, names, rule)
    tensors = {
        name: _check(name, tensor, rank if name in INPUT_NAMES else None, rule)
        for name, tensor in named.items()
    }
    ids = tensors["input_word_ids"]
    tensors.setdefault("input_type_ids", tf.zeros_like(ids))
    for name in further:
        if not ids.shape[:1].is_compatible_with(tensors[name].shape[:1]):
            raise ValueError(
                f"{name!r} must have as many rows as 'input_word_ids'. Received: shapes "
                f"{tensors[name].shape} and {ids.shape}."
            )
    one_shape = same_shape(**{name: tensors[name] for name in INPUT_NAMES})
    return [*one_shape, *(tensors[name] for name in further)]


def as_int32(tensor):
    """Integers as int32; those out of its range become the nearest in it, so none wraps around."""
    return tensor if tensor.dtype == tf.int32 else tf.saturate_cast(tensor, tf.int32)


def same_shape(**tensors):
    """The tensors as a list, for sure of one shape: nothing is broadcast.

    Known shapes are compared at once, others when the graph runs: no runtime stacks tensors of
    different shapes, be it TensorFlow, XLA (which drops assertions), TensorFlow Lite or ONNX. The
    name of the operation, which is in its error, says what is wrong.

    Args:
      **tensors: Tensors of one dtype by name.
    """
    check_same_shape(**tensors)
    if tf.executing_eagerly():
        return list(tensors.values())
    with tf.name_scope(f"{'_and_'.join(tensors)}_must_have_the_same_shape"):
        stacked = tf.stack(list(tensors.values()))
    return tf.unstack(stacked, num=len(tensors))


def check_same_shape(**tensors):
    """Raises a ValueError if the known part of the tensors' shapes differs."""
    shapes = [tensor.shape for tensor in tensors.values()]
    if not all(a.is_compatible_with(b) for a, b in itertools.combinations(shapes, 2)):
        raise ValueError(
            f"{', '.join(tensors)} must have the same shape; none is repeated to fit the others. "
            f"Received: {', '.join(map(str, shapes))}. If one is meant to be repeated, do so with "
            "tf.broadcast_to."
        )


def _by_name(inputs, names, rule):
    if isinstance(inputs, dict):
        received = f"a dict with the keys {sorted(inputs)}"
        named = {ALIASES.get(key, key): value for key, value in inputs.items()}
        twice = len(named) != len(inputs)
    elif isinstance(inputs, (list, tuple)):
        received, twice = f"a {type(inputs).__name__} of {len(inputs)}", False
        if len(inputs) != len(names):
            raise ValueError(f"{rule} Received: {received}.")
        named = dict(zip(names, inputs))
    else:
        raise ValueError(f"{rule} Received: {type(inputs).__name__}.")
    named = {name: value for name, value in named.items() if value is not None}
    wrong = [
        *(f"no {name!r}" for name in names if name not in named and name != "input_type_ids"),
        *(f"unknown {name!r}" for name in named if name not in names),
        *["one input under two names"] * twice,
    ]
    if wrong:
        raise ValueError(f"{rule} Received: {received} ({', '.join(wrong)}).")
    return named


def _check(name, tensor, rank, rule):
    if isinstance(tensor, tf.RaggedTensor):
        raise ValueError(
            f"{rule} Received: a RaggedTensor for {name!r}. Pad it with `.to_tensor()`, or use "
            "`bert_pack_inputs` of the preprocessor."
        )
    if isinstance(tensor, tf.SparseTensor):
        raise ValueError(f"{rule} Received: a SparseTensor for {name!r}.")
    tensor = tf.convert_to_tensor(tensor)
    if tensor.dtype == tf.bool and name.endswith("mask"):
        tensor = tf.cast(tensor, tf.int32)
    if tensor.dtype not in (tf.int32, tf.int64):
        raise ValueError(
            f"{rule} Received: dtype {tensor.dtype.name} for {name!r}. Convert it with "
            "tf.cast(x, tf.int32), or declare the Keras input with dtype='int32'."
        )
    if rank is not None and tensor.shape.rank != rank:
        if tensor.shape.rank is not None:
            raise ValueError(
                f"{rule} Received: shape {tensor.shape} for {name!r}. A single "
                f"{'sequence' if rank == 2 else 'question'} needs a batch dimension: "
                "x[tf.newaxis]."
            )
        tensor = tf.ensure_shape(tensor, [None] * rank)
    return as_int32(tensor)

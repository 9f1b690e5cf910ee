"""What an encoder takes: three integer tensors, as a list or by name, checked."""

import tensorflow as tf

INPUT_NAMES = ("input_word_ids", "input_mask", "input_type_ids")

# Other names of the same inputs: the older TF Hub snippets' and the TF1 modules'.
_ALIASES = {"input_ids": "input_word_ids", "segment_ids": "input_type_ids"}

_RULE = (
    "An ALBERT encoder takes a list [input_word_ids, input_mask, segment_ids], a dict with the "
    "keys 'input_word_ids', 'input_mask' and 'input_type_ids' (or 'segment_ids'), or "
    "input_word_ids alone (then every token is real and in segment 0), each an int32 or int64 "
    "tensor of shape [batch, length]."
)


def unpack_inputs(inputs, also=()):
    """Checks an encoder's inputs and returns them in the fixed order.

    Args:
      inputs: List, tuple, dict or tensor as an encoder takes them.
      also: Names of further inputs that a dict must have, such as "masked_lm_positions".

    Returns:
      A list of int tensors [batch, length]: word ids, mask, type ids, then those named in `also`.

    Raises:
      ValueError: A key is missing or unknown, or a tensor has the wrong type, dtype or rank.
    """
    names = INPUT_NAMES + tuple(also)
    if isinstance(inputs, dict):
        named = {_ALIASES.get(key, key): value for key, value in inputs.items()}
        wrong = [
            *(f"no {name!r}" for name in names if name not in named),
            *(f"unknown {name!r}" for name in named if name not in names),
        ]
        if wrong or len(named) != len(inputs):
            raise ValueError(
                f"{_RULE} {_further(also)}Received: a dict with the keys "
                f"{sorted(inputs)} ({', '.join(wrong) or 'one input under two names'})."
            )
        tensors = [named[name] for name in names]
    elif isinstance(inputs, (list, tuple)):
        if len(inputs) != len(names):
            raise ValueError(f"{_RULE} {_further(also)}Received: a list of {len(inputs)}.")
        tensors = list(inputs)
    elif also:
        raise ValueError(f"{_RULE} {_further(also)}Received: {type(inputs).__name__}.")
    else:
        ids = _check("input_word_ids", inputs)
        return [ids, tf.ones_like(ids), tf.zeros_like(ids)]

    tensors = [_check(name, tensor) for name, tensor in zip(names, tensors)]
    shapes = [tensor.shape for tensor in tensors[: len(INPUT_NAMES)]]
    if not all(shapes[0].is_compatible_with(shape) for shape in shapes):
        raise ValueError(
            "input_word_ids, input_mask and input_type_ids must have the same shape. Received: "
            f"{', '.join(str(shape) for shape in shapes)}."
        )
    return tensors


def _further(also):
    return f"This model also needs {', '.join(map(repr, also))}. " if also else ""


def _check(name, tensor):
    if isinstance(tensor, tf.RaggedTensor):
        raise ValueError(
            f"{_RULE} Received: a RaggedTensor for {name!r}. Pad it with `.to_tensor()`, or use "
            "`bert_pack_inputs` of the preprocessor."
        )
    if isinstance(tensor, tf.SparseTensor):
        raise ValueError(f"{_RULE} Received: a SparseTensor for {name!r}.")
    tensor = tf.convert_to_tensor(tensor)
    if tensor.dtype not in (tf.int32, tf.int64):
        raise ValueError(
            f"{_RULE} Received: dtype {tensor.dtype.name} for {name!r}. Convert it with "
            "tf.cast(x, tf.int32), or declare the Keras input with dtype='int32'."
        )
    if tensor.shape.rank not in (2, None):
        raise ValueError(
            f"{_RULE} Received: shape {tensor.shape} for {name!r}. A single sequence needs a batch "
            "dimension: x[tf.newaxis, :]."
        )
    return tensor

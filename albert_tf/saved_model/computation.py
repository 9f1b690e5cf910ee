"""How an encoder computes inside a SavedModel, which may differ from how the live one does."""

import contextlib
import json

import tensorflow as tf

from albert_tf.encoder import call_block
from albert_tf.layers.dropout import dropout_seed
from albert_tf.layers.unpadding import check_mask_value

COMPUTE_DTYPES = ("float32", "bfloat16", "float16")


def check_computation(encoder, skip_padding, compute_dtype=None):
    """Raises a ValueError unless `exported_computation` can do as told."""
    if skip_padding:
        check_mask_value(encoder.albert_config.attention_mask_value)
    if compute_dtype not in (None, *COMPUTE_DTYPES):
        raise ValueError(
            f"`compute_dtype` must be one of {', '.join(COMPUTE_DTYPES)}, or None for that of the "
            f"encoder. Received: {compute_dtype!r}."
        )


@contextlib.contextmanager
def exported_computation(encoder, skip_padding, compute_dtype=None):
    """Within it, whatever traces `encoder` traces the computation of a SavedModel.

    - A block's graph is written once, not once a layer. The weights are shared, so may be the
      graph: a third of the file, faster to load, and TensorFlow inlines it when it runs. The last
      block of the tokens that are used alone is written beside it. Nothing is recomputed in
      training.
    - Padding is skipped or not, see `AlbertEncoder`.
    - Blocks and pooler compute in `compute_dtype`. Variables, embeddings, layer normalization and
      softmax stay in float32.

    Not for several threads at once.

    Args:
      encoder: An `AlbertEncoder`.
      skip_padding: bool; None for what the encoder does.
      compute_dtype: One of `COMPUTE_DTYPES`; None for that of the encoder.

    Yields:
      A function that returns this choice as a JSON string, for the SavedModel.
    """
    before = encoder.skip_padding, encoder.block_dtype, encoder.call_block
    if skip_padding is not None:
        encoder.skip_padding = skip_padding
    encoder.block_dtype = compute_dtype or encoder.block_dtype
    encoder.call_block = _through_one_function_a_block()
    choice = json.dumps(
        {"compute_dtype": encoder.block_dtype, "skip_padding": encoder.skip_padding}, indent=2
    )
    try:
        yield tf.function(lambda: tf.constant(choice), input_signature=[], autograph=False)
    finally:
        encoder.skip_padding, encoder.block_dtype, encoder.call_block = before


def skips_padding(loaded):
    """Whether a loaded object says that it skips padding: then XLA cannot compile it."""
    computation = getattr(loaded, "computation", None)
    if not isinstance(computation, tf.types.experimental.GenericFunction):
        return False
    with tf.init_scope():
        return json.loads(computation().numpy())["skip_padding"]


def _through_one_function_a_block():
    functions = {}

    def call(block, x, mask, parameters, training, grid):
        if block not in functions:

            def function(x, mask, parameters, training, grid, seed):
                with dropout_seed(seed):
                    return call_block(block, x, mask, parameters, training, grid)

            functions[block] = tf.function(function, autograph=False)
        # After tf.random.set_seed, one graph would drop the same elements in each layer.
        seed = block.next_seed(training)
        return functions[block](x, mask, parameters, training, grid, seed)

    return call

"""What an exported encoder promises: keys, shapes, variables, sub-objects, signatures.

The exporter, `check` and the tests read these tables. One SavedModel answers like every published
generation: TF Hub /1 (list in, list out), /2 and /3 (dict in, dict out) and the TF1 modules
(signature `tokens`).

`__call__(inputs, training=False, mask=None)`
    dict of `INPUT_NAMES` -> dict of `OUTPUTS`; list or tuple of three -> [pooled_output,
    sequence_output]. Inputs int32 or int64 [batch, length], of one shape or it is an error; outputs
    float32. A word id out of range is an error, too (NaN under XLA), a type id is no segment.
`variables`, `trainable_variables`
    `variable_shapes(config)`: names, order, shapes.
`regularization_losses`
    [].
`sp_model_file`
    tf.saved_model.Asset. With a WordPiece vocabulary `vocab_file` instead, and the bool variable
    `do_lower_case`, as in TF Hub's BERTs. Both are absent if it was exported without vocabulary.
`config()`
    The configuration, a JSON string.
`computation()`
    How it computes, a JSON string: compute_dtype and skip_padding (see `export_encoder`).
`rules()`
    The text rules of the training, "original" or "tfhub". Absent where they are not known.
`mlm`, `sop`
    Callables like the root, with the encoder's variables, their own, and `computation`. `mlm`
    takes a dict that also has `masked_lm_positions` [batch, predictions]. Absent without weights.
signatures
    `SIGNATURES` -> `SIGNATURE_OUTPUTS`.
graph
    TensorFlow's own ops only; compiles under XLA, unless it skips padding; gradients of any order.
"""

from albert_tf.config import transformer_name
from albert_tf.inputs import INPUT_NAMES

SIGNATURES = {
    "serving_default": INPUT_NAMES,
    "tokens": ("input_ids", "input_mask", "segment_ids"),
}
SIGNATURE_OUTPUTS = ("pooled_output", "sequence_output")
OUTPUTS = ("default", "encoder_outputs", "pooled_output", "sequence_output")
MLM_OUTPUTS = ("encoder_outputs", "mlm_logits", "pooled_output", "sequence_output")
SOP_OUTPUTS = ("encoder_outputs", "pooled_output", "sequence_output", "sop_logits")


def variable_shapes(config):
    """The encoder's variables as {name: shape}, in the order of the published models.

    Args:
      config: An `AlbertConfig`.

    Returns:
      A dict; 25 entries for every published configuration.
    """
    V, E, H = config.vocab_size, config.embedding_size, config.hidden_size
    A, D, F = config.num_attention_heads, config.attention_head_size, config.intermediate_size
    shapes = {
        "word_embeddings/embeddings": (V, E),
        "position_embedding/embeddings": (config.max_position_embeddings, E),
        "type_embeddings/embeddings": (config.type_vocab_size, E),
        "embeddings/layer_norm/gamma": (E,),
        "embeddings/layer_norm/beta": (E,),
    }
    if config.has_embedding_projection:
        shapes["embedding_projection/kernel"] = (E, H)
        shapes["embedding_projection/bias"] = (H,)
    for group in range(config.num_hidden_groups):
        for inner in range(config.inner_group_num):
            block = {
                "self_attention/query/kernel": (H, A, D),
                "self_attention/query/bias": (A, D),
                "self_attention/key/kernel": (H, A, D),
                "self_attention/key/bias": (A, D),
                "self_attention/value/kernel": (H, A, D),
                "self_attention/value/bias": (A, D),
                "self_attention/attention_output/kernel": (A, D, H),
                "self_attention/attention_output/bias": (H,),
                "self_attention_layer_norm/gamma": (H,),
                "self_attention_layer_norm/beta": (H,),
                "intermediate/kernel": (H, F),
                "intermediate/bias": (F,),
                "output/kernel": (F, H),
                "output/bias": (H,),
                "output_layer_norm/gamma": (H,),
                "output_layer_norm/beta": (H,),
            }
            name = transformer_name(group, inner)
            shapes.update({f"{name}/{key}": shape for key, shape in block.items()})
    shapes["pooler_transform/kernel"] = (H, H)
    shapes["pooler_transform/bias"] = (H,)
    return shapes


def masked_lm_variable_shapes(config):
    """The variables that `.mlm` has besides the encoder's, as {name: shape}, in order."""
    V, E, H = config.vocab_size, config.embedding_size, config.hidden_size
    return {
        "bert/cls/predictions/output_bias/bias": (V,),
        "bert/cls/predictions/transform/dense/kernel": (H, E),
        "bert/cls/predictions/transform/dense/bias": (E,),
        "bert/cls/predictions/transform/LayerNorm/gamma": (E,),
        "bert/cls/predictions/transform/LayerNorm/beta": (E,),
    }


def sentence_order_variable_shapes(config):
    """The variables that `.sop` has besides the encoder's, as {name: shape}, in order."""
    return {
        "bert/cls/seq_relationship/kernel": (config.hidden_size, 2),
        "bert/cls/seq_relationship/bias": (2,),
    }

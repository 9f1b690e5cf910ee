"""The keys that configuration files have: Google's, Hugging Face's, and the encoder's arguments."""

import difflib
import json
import pathlib

from albert_tf.messages import brief, listed

# Keys of published albert_config.json files that the original reads but never uses (or that a
# BERT template left behind), with the values that all published models have.
UNUSED_KEYS = {
    "down_scale_factor": (1,),
    "gap_size": (0,),
    "net_structure_type": (0,),
    "num_memory_blocks": (0,),
    "layers_to_keep": ([],),
    "ln_type": ("postln",),
    "directionality": ("bidi",),
    "pooler_fc_size": (768,),
    "pooler_num_attention_heads": (12,),
    "pooler_num_fc_layers": (3,),
    "pooler_size_per_head": (128,),
    "pooler_type": ("first_token_transform",),
}

# Constructor argument of AlbertEncoder -> field of AlbertConfig.
CONFIG_FIELDS = {
    "vocab_size": "vocab_size",
    "embedding_width": "embedding_size",
    "hidden_size": "hidden_size",
    "num_layers": "num_hidden_layers",
    "num_attention_heads": "num_attention_heads",
    "max_sequence_length": "max_position_embeddings",
    "type_vocab_size": "type_vocab_size",
    "intermediate_size": "intermediate_size",
    "activation": "hidden_act",
    "dropout_rate": "hidden_dropout_prob",
    "attention_dropout_rate": "attention_probs_dropout_prob",
    "num_hidden_groups": "num_hidden_groups",
    "inner_group_num": "inner_group_num",
    "attention_mask_value": "attention_mask_value",
    "project_same_width": "project_same_width",
}

# Hugging Face name -> ours, for the hidden activation. Where there are several, the first of each
# is the one to write.
HUGGING_FACE_ACTIVATIONS = {
    "gelu": "gelu_erf",
    "gelu_python": "gelu_erf",
    "gelu_new": "gelu",
    "gelu_fast": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "gelu_python_tanh": "gelu",
    "relu": "relu",
    "tanh": "tanh",
    "linear": "linear",
}

# Hugging Face keys that change the numbers, with the only values supported. A mapping that must be
# empty may hold empty mappings.
HUGGING_FACE_FIXED_KEYS = {
    "model_type": ("albert",),
    "layer_norm_eps": (1e-12,),
    "position_embedding_type": ("absolute", None),
    "is_decoder": (False,),
    "is_encoder_decoder": (False,),
    "add_cross_attention": (False,),
    "cross_attention_hidden_size": (None,),
    "tie_word_embeddings": (True,),
    "pruned_heads": ({}, None),
    "quantization_config": (None,),
    "adapters": ({}, None),
}
# Code of the model's own, which may compute anything: keys of `auto_map`.
_CODE = "AutoModel"

# What transformers itself writes and what does not change what the encoder computes: heads,
# generation, bookkeeping. These need no mention; others that it does not know either, do.
HUGGING_FACE_IGNORED_KEYS = frozenset(
    """
    _attn_implementation_autoset _name_or_path architectures attn_implementation auto_map
    bad_words_ids begin_suppress_tokens bos_token_id chunk_size_feed_forward
    classifier_dropout_prob cls_token_id
    decoder_start_token_id diversity_penalty do_sample dtype early_stopping
    encoder_no_repeat_ngram_size eos_token_id exponential_decay_length_penalty
    finetuning_task forced_bos_token_id forced_eos_token_id id2label label2id length_penalty
    max_length min_length no_repeat_ngram_size num_beam_groups num_beams num_labels
    num_return_sequences output_attentions output_hidden_states output_past output_scores
    pad_token_id prefix problem_type remove_invalid_values repetition_penalty return_dict
    return_dict_in_generate sep_token_id suppress_tokens task_specific_params temperature
    tf_legacy_loss tokenizer_class top_k top_p torch_dtype torchscript transformers_version
    typical_p unk_token_id use_bfloat16 use_cache use_return_dict vocab_file
    """.split()
)


# A configuration has some kilobytes, one with a thousand labels a hundred.
_MOST_BYTES = 16 << 20
_MOST_UNREAD = 1000
_ANYWAY = (
    "If the weights are those of an ordinary ALBERT all the same, pass its configuration "
    "(`config`, --config): an AlbertConfig, or a file without this key."
)


def read_json_object(path):
    """The dict in a JSON file.

    Raises:
      FileNotFoundError: There is no such file.
      ValueError: It holds something else.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"The configuration file must exist. Received: {str(path)!r}.")
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(
            f"A configuration must be a JSON file. Received: {str(path)!r} of "
            f"{path.stat().st_size} bytes."
        )
    try:
        # Editors on Windows put a byte order mark before it.
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"A configuration must be a JSON file. Received: {str(path)!r} ({error})."
        ) from None
    if not isinstance(values, dict):
        raise ValueError(
            f"A configuration must be a JSON object. Received: {str(path)!r} with a "
            f"{type(values).__name__}."
        )
    return values


def check_fixed(values, fixed):
    """Removes from `values` the keys that may have only the values given in `fixed`."""
    for key, allowed in fixed.items():
        if key not in values:
            continue
        value = values.pop(key)
        if {} in allowed and isinstance(value, dict):
            value = {k: v for k, v in value.items() if v != {}}
        if value not in allowed:
            raise ValueError(
                f"`{key}` must be {' or '.join(repr(v) for v in allowed)}, as in every published "
                f"ALBERT; other values are not supported. Received: {brief(value)}. {_ANYWAY}"
            )


def unread_keys(values):
    """Keys of a Hugging Face `config.json` that neither transformers' ALBERT nor we read.

    Tools and people note things there. transformers reads no key that it does not know, so they
    cannot change the numbers, but a misspelled one stands for a number that is missing.

    Args:
      values: The dict in it.

    Returns:
      The keys, sorted; without those that transformers writes into every file.

    Raises:
      ValueError: The model brings its own code, or a key looks like one that is missing.
    """
    code = values.get("auto_map")
    if isinstance(code, dict) and (named := [k for k in code if str(k).startswith(_CODE)]):
        raise ValueError(
            "A Hugging Face model must be one of transformers' own Albert classes. Received: "
            f"`auto_map` with {listed(named)}, code of its own, which may compute something else. "
            f"{_ANYWAY}"
        )
    fields = {*CONFIG_FIELDS.values(), "initializer_range"}
    read = fields | HUGGING_FACE_FIXED_KEYS.keys() | UNUSED_KEYS.keys() | HUGGING_FACE_IGNORED_KEYS
    unread = sorted(values.keys() - read, key=str)
    if len(unread) > _MOST_UNREAD:
        raise ValueError(
            f"A configuration must have a model's keys, and few others. Received: {len(unread)} "
            f"others, {listed(unread)}."
        )
    for key in unread:
        missing = fields - values.keys()
        nearest = difflib.get_close_matches(str(key)[:100], missing, n=1, cutoff=0.8)
        if nearest:
            raise ValueError(
                f"Configuration keys must be known, or have nothing to do with the model. "
                f"Received: {brief(key)}, and no `{nearest[0]}`. Correct the name, or remove it."
            )
    return unread

"""ALBERT: token ids in, one vector for each token and one for the whole sequence out."""

import numbers
from collections.abc import Callable
from typing import Any, Self

import tensorflow as tf

from albert_tf._keras import build, clone_initializer, keras, tf_variable, weights_by_name
from albert_tf._types import Inputs, Path, Tensor
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.restore import restore
from albert_tf.config import AlbertConfig, transformer_name
from albert_tf.ids_model import IdsModel
from albert_tf.inputs import unpack_inputs
from albert_tf.layers.activations import activation_name
from albert_tf.layers.dense import Dense
from albert_tf.layers.embeddings import Embeddings
from albert_tf.layers.recomputation import recompute_block
from albert_tf.layers.transformer import Transformer
from albert_tf.layers.unpadding import Padded, Unpadding, check_mask_value

OUTPUT_KEYS = ("pooled_output", "sequence_output", "encoder_outputs")


@keras.utils.register_keras_serializable(package="albert_tf")
class AlbertEncoder(IdsModel):
    """The ALBERT encoder.

    Includes embeddings, the transformer and the pooler; not the heads for masked LM and sentence
    order (see `AlbertPretrainer`), nor the tokenizer (see `Preprocessor`). Constructor arguments
    are those of the Model Garden's class plus the original's groups; weights exist as soon as it
    is constructed, with the names and the order of the TF Hub models.

    Args:
      vocab_size: Number of word pieces.
      embedding_width: Width of the embeddings, E.
      hidden_size: Width of the encoder, H.
      num_layers: Number of times a group of transformer blocks is applied, L.
      num_attention_heads: Attention heads per block. Must divide `hidden_size`.
      max_sequence_length: Longest input in tokens.
      type_vocab_size: Number of segment ids.
      intermediate_size: Width of the feed-forward layer.
      activation: "gelu" (the tanh approximation, as published), "gelu_erf", "relu", "tanh" or
        "linear". Or TensorFlow's or Keras's function that is one of these, such as `tf.nn.relu`.
      dropout_rate: Dropout rate of embeddings and of each sub-layer's output.
      attention_dropout_rate: Dropout rate of the attention probabilities.
      initializer: Keras initializer of kernels and tables; a number is the standard deviation of
        a normal distribution truncated at two of them.
      dict_outputs: None to answer as asked (a dict for a dict, a list for a list, as the TF Hub
        models do), True for a dict always, False for a list always.
      output_key: Return only this output, such as "pooled_output", as `hub.KerasLayer` does: for
        Sequential models.
      num_hidden_groups: Number of groups with weights of their own; layer l uses group
        int(l / num_layers * num_hidden_groups).
      inner_group_num: Number of transformer blocks in a group.
      attention_mask_value: See `AlbertConfig`.
      project_same_width: See `AlbertConfig`.
      skip_padding: Whether to compute tokens only, not padding. Outputs and gradients are the same,
        but `sequence_output` and `encoder_outputs` are zero at padding, and dropout draws other
        elements. Time goes with the number of tokens. Not under XLA (see `Unpadding`).
      recompute: Whether training keeps only the input of each block in memory and computes the rest
        again for the gradients: less memory for a third more time. SavedModels do not.
      **kwargs: `name`, `dtype` (such as "mixed_bfloat16") and `trainable` of a Keras model.

    Inputs: a list, a dict, or `input_word_ids` alone (then every token is real and in segment 0; in
    Keras, `mask` may tell which are), each an int32 or int64 tensor [batch, length] of one shape.
    In the order of the list, with their keys in a dict:
      input_word_ids (or input_ids): ids of word pieces, each in [0, vocab_size).
      input_mask (or attention_mask): 1 for tokens, 0 for padding, or bool. A dict must have it:
        padding taken for tokens would give other numbers, without an error.
      input_type_ids (or token_type_ids, segment_ids): 0 for the first segment and padding, 1 for
        the second. A dict without it: all 0. An id outside of [0, type_vocab_size) counts as no
        segment, as in the published models.

    Outputs: a list `[pooled_output, sequence_output]` (the Model Garden's list has them the other
    way round; TF Hub's is as here), or a dict with
      pooled_output: float [batch, H]; tanh of a dense layer on the first token's vector.
      sequence_output: float [batch, length, H]; of padding, meaningless.
      encoder_outputs: list of L * inner_group_num floats [batch, length, H], one a block; the last
        is `sequence_output`.

    Raises:
      ValueError: An argument, or an input's keys, dtype or shape, is not as above.
      tf.errors.InvalidArgumentError: A token lies beyond `max_sequence_length`, or an id is not in
        the vocabulary: where there are no errors at run time (XLA; on GPUs for ids), the row's
        outputs are NaN. Or inputs have shapes that differ where only the running graph knows them.
        Or XLA is to compile an encoder with `skip_padding`.

    Example:

    >>> import albert_tf
    >>> import tensorflow as tf
    >>> encoder = albert_tf.AlbertEncoder(1000, embedding_width=8, hidden_size=16, num_layers=2,
    ...                                   num_attention_heads=2, intermediate_size=32)
    >>> ids = tf.constant([[2, 9, 3, 0]])
    >>> mask = tf.constant([[1, 1, 1, 0]])
    >>> pooled_output, sequence_output = encoder([ids, mask, tf.zeros_like(ids)])
    >>> pooled_output.shape, sequence_output.shape
    (TensorShape([1, 16]), TensorShape([1, 4, 16]))

    Reference: arXiv 1909.11942; `AlbertModel` in the original's modeling.py.
    """

    # === Layers ===

    def __init__(
        self,
        vocab_size: int,
        embedding_width: int = 128,
        hidden_size: int = 768,
        num_layers: int = 12,
        num_attention_heads: int = 12,
        max_sequence_length: int = 512,
        type_vocab_size: int = 2,
        intermediate_size: int = 3072,
        activation: str | Callable = "gelu",
        dropout_rate: float = 0.1,
        attention_dropout_rate: float = 0.1,
        initializer: Any = 0.02,
        dict_outputs: bool | None = None,
        output_key: str | None = None,
        num_hidden_groups: int = 1,
        inner_group_num: int = 1,
        attention_mask_value: float = -10000.0,
        project_same_width: bool = False,
        skip_padding: bool = False,
        recompute: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        is_stddev = isinstance(initializer, numbers.Real)
        stddev = float(initializer) if is_stddev else 0.02
        activation = activation_name(activation)
        self.albert_config = AlbertConfig.from_keras(
            {
                "vocab_size": vocab_size,
                "embedding_width": embedding_width,
                "hidden_size": hidden_size,
                "num_layers": num_layers,
                "num_attention_heads": num_attention_heads,
                "max_sequence_length": max_sequence_length,
                "type_vocab_size": type_vocab_size,
                "intermediate_size": intermediate_size,
                "activation": activation,
                "dropout_rate": dropout_rate,
                "attention_dropout_rate": attention_dropout_rate,
                "num_hidden_groups": num_hidden_groups,
                "inner_group_num": inner_group_num,
                "attention_mask_value": attention_mask_value,
                "project_same_width": project_same_width,
            },
            initializer_range=stddev,
        )
        if is_stddev:
            initializer = keras.initializers.TruncatedNormal(stddev=stddev)
        self.initializer = clone_initializer(initializer)
        if output_key not in (None, *OUTPUT_KEYS):
            raise ValueError(
                f"`output_key` must be None or one of {', '.join(OUTPUT_KEYS)}. Received: "
                f"{output_key!r}."
            )
        self.dict_outputs = dict_outputs
        self.output_key = output_key
        self.restore_report = None
        if skip_padding:
            check_mask_value(attention_mask_value)
            self.supports_jit = False  # Keras 3 compiles with XLA by itself otherwise.
        self.recompute = recompute
        # How `encode` computes. Exporters choose otherwise while they trace.
        self.skip_padding = skip_padding
        self.block_dtype = self.compute_dtype
        self.call_block = recompute_block if recompute else call_block

        dtype = self.dtype_policy
        self.embeddings = Embeddings(
            vocab_size,
            embedding_width,
            max_sequence_length,
            type_vocab_size,
            dropout_rate,
            self.initializer,
            name="embeddings",
            dtype=dtype,
        )
        self.embedding_projection = None
        if self.albert_config.has_embedding_projection:
            self.embedding_projection = Dense(
                [embedding_width],
                [hidden_size],
                self.initializer,
                name="embedding_projection",
                dtype=dtype,
            )
        # Attributes, not a list: in Keras 3, tf.train.Checkpoint does not look into lists.
        for group in range(num_hidden_groups):
            for inner in range(inner_group_num):
                name = transformer_name(group, inner)
                block = Transformer(
                    hidden_size,
                    num_attention_heads,
                    intermediate_size,
                    activation,
                    dropout_rate,
                    attention_dropout_rate,
                    self.initializer,
                    attention_mask_value,
                    name=name,
                    dtype=dtype,
                )
                setattr(self, name, block)
        self.pooler_transform = Dense(
            [hidden_size], [hidden_size], self.initializer, name="pooler_transform", dtype=dtype
        )
        projection = [self.embedding_projection] if self.embedding_projection else []
        for layer in (
            self.embeddings,
            *projection,
            *self.transformer_blocks(),
            self.pooler_transform,
        ):
            build(layer, at_root=True)
        self.built = True

    # === Forward ===

    def call(self, inputs: Inputs, training: bool | None = None, mask: Any = None) -> Any:
        outputs = self.encode(*unpack_inputs(inputs, mask=mask), training=training)
        if self.output_key is not None:
            return outputs[self.output_key]
        as_dict = isinstance(inputs, dict) if self.dict_outputs is None else self.dict_outputs
        return outputs if as_dict else [outputs["pooled_output"], outputs["sequence_output"]]

    def encode(self, word_ids, mask, type_ids, training=None, positions=None, apart=False):
        """All outputs as a dict, from three checked int tensors [batch, length].

        With `positions`, int [batch, P] of tokens, also "position_output": the vectors
        [batch, P, H] there. `apart`: whether this and `pooled_output` come from a call of the last
        block of their own, for these positions alone, with its own dropout: a graph that uses no
        other output leaves the rest of the block out. Otherwise they are taken from
        `sequence_output`.
        """
        rows = Unpadding(mask) if self.skip_padding else Padded(mask)
        x = self._first_block_input(word_ids, mask, type_ids, rows, training)
        # Taken once: a copy for each layer would be a second model in memory.
        taken = {block.name: block.parameters(x.dtype) for block in self.transformer_blocks()}
        grid = rows.grid(self.albert_config.num_attention_heads)
        encoder_outputs = []
        for block in self._blocks_as_applied():
            last_input, parameters = x, taken[block.name]
            x = self.call_block(block, x, rows.mask, parameters, training, grid)
            encoder_outputs.append(rows.pad(x))

        sequence_output = encoder_outputs[-1]
        asking = tf.zeros_like(word_ids[:, :1])  # Position 0, of which pooled_output is made.
        if positions is not None:
            asking = tf.concat([asking, tf.cast(positions, asking.dtype)], 1)
        if apart:
            vectors = self._last_block_at(asking, last_input, rows, mask, parameters, training)
        else:
            vectors = tf.gather(sequence_output, asking, batch_dims=1)
        pooled_output = tf.tanh(self.pooler_transform(vectors[:, 0]))
        outputs = dict(zip(OUTPUT_KEYS, (pooled_output, sequence_output, encoder_outputs)))
        return outputs if positions is None else {**outputs, "position_output": vectors[:, 1:]}

    def _last_block_at(self, positions, x, rows, mask, parameters, training):
        """What the last block makes of its input `x`, [B, P, H], at `positions` [B, P] alone."""
        block = self.transformer_blocks()[-1]
        qkv = rows.pad(block.self_attention.qkv(x, parameters["attention"]))
        query, key, value = tf.split(qkv, 3, -1)
        at, query = (tf.gather(t, positions, batch_dims=1) for t in (rows.pad(x), query))
        y = tf.reshape(at, [-1, x.shape[-1]])
        y = block(y, mask, parameters, training=training, heads=(query, key, value))
        return tf.reshape(y, tf.shape(at))

    def _first_block_input(self, word_ids, mask, type_ids, rows, training=None):
        x = tf.cast(self.embeddings(word_ids, type_ids, mask, training=training), self.block_dtype)
        x = rows.unpad(x)
        return x if self.embedding_projection is None else self.embedding_projection(x)

    def attention_probabilities(self, inputs: Inputs) -> list[Tensor]:
        """How much each token attends to each other, to look at: not part of `call`.

        Args:
          inputs: As of a call.

        Returns:
          A list of L * inner_group_num float32 tensors [batch, heads, length, length], one a block;
          [:, :, i, j] is how much position i attends to j. Sums to 1 over j; of a padding i,
          meaningless. Without dropout.

        Example:

        >>> import albert_tf
        >>> import tensorflow as tf
        >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
        >>> probabilities = encoder.attention_probabilities(tf.constant([[2, 9, 40, 3]]))
        >>> len(probabilities), probabilities[0].shape
        (4, TensorShape([1, 3, 4, 4]))
        """
        word_ids, mask, type_ids = unpack_inputs(inputs)
        outputs = self.encode(word_ids, mask, type_ids)["encoder_outputs"]
        xs = [self._first_block_input(word_ids, mask, type_ids, Padded(mask)), *outputs[:-1]]
        blocks = self._blocks_as_applied()
        return [block.self_attention.probabilities(x, mask) for block, x in zip(blocks, xs)]

    # === Weights and configuration ===

    def transformer_blocks(self) -> list[Transformer]:
        """The `Transformer` blocks with weights of their own: those of group 0, then of group 1."""
        config = self.albert_config
        return [
            getattr(self, transformer_name(group, inner))
            for group in range(config.num_hidden_groups)
            for inner in range(config.inner_group_num)
        ]

    def _blocks_as_applied(self):
        config, blocks = self.albert_config, self.transformer_blocks()
        groups = map(config.group_of_layer, range(config.num_hidden_layers))
        size = config.inner_group_num
        return [block for group in groups for block in blocks[group * size : (group + 1) * size]]

    def get_embedding_table(self) -> tf.Variable:
        """The table of word embeddings, a tf.Variable [vocab_size, embedding_width]."""
        return tf_variable(self.embeddings.word_embeddings.embeddings)

    def weights_by_name(self) -> dict[str, Any]:
        """The weights as {name in the published SavedModels: Keras weight}, in their order."""
        return weights_by_name(self)

    @classmethod
    def from_albert_config(cls, config: AlbertConfig, **kwargs: Any) -> Self:
        """A randomly initialized encoder from an `AlbertConfig`.

        Args:
          config: An `AlbertConfig`, such as `AlbertConfig.from_preset("albert_base_v2")`.
          **kwargs: Further arguments of the constructor, such as `dict_outputs` or `name`.
        """
        return cls(**{**config.to_keras(), "initializer": config.initializer_range, **kwargs})

    @classmethod
    def from_checkpoint(
        cls,
        path: Path | Checkpoint,
        config: AlbertConfig | Path | None = None,
        *,
        vocab_size: int | None = None,
        **kwargs: Any,
    ) -> Self:
        """The encoder that a checkpoint holds; every weight restored, or an error.

        What was restored and what was left out, such as heads and optimizer slots, is in
        `encoder.restore_report`.

        Args:
          path: A checkpoint of any kind that docs/checkpoints.md lists, such as the directory of
            Google's `albert_base_v2.tar.gz`; or a handle: `hf://owner/name` (needs
            huggingface_hub), a Kaggle handle or address (needs kagglehub); or what `read` opened.
          config: An `AlbertConfig`, or the path of its JSON file. Default: the one beside the
            checkpoint.
          vocab_size: Number of pieces, where the vocabulary has got more than the checkpoint's:
            adds rows at the end of the word table, each the mean of the old ones, and
            `restore_report.grown` tells. Fewer are refused.
          **kwargs: Further arguments of the constructor. They win over `config`, so
            `dropout_rate=0.1` fine-tunes a v2 model with dropout.

        Raises:
          FileNotFoundError: There is no such checkpoint or configuration.
          ValueError: The weights do not fit the configuration.
        """
        return restore(
            lambda albert_config, parts, **kwargs: cls.from_albert_config(albert_config, **kwargs),
            path,
            config,
            ["encoder"],
            vocab_size,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **self.albert_config.to_keras(),
            "initializer": keras.initializers.serialize(self.initializer),
            "dict_outputs": self.dict_outputs,
            "output_key": self.output_key,
            "skip_padding": self.skip_padding,
            "recompute": self.recompute,
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype_policy.name,
        }


def call_block(block, x, mask, parameters, training, grid):
    """Calls a `Transformer` in the plain way."""
    return block(x, mask, parameters, training=training, grid=grid)

"""The one block that ALBERT applies again and again."""

from albert_tf._keras import build, keras
from albert_tf.layers.activations import activate
from albert_tf.layers.attention import SelfAttention
from albert_tf.layers.dense import Dense
from albert_tf.layers.dropout import dropout, next_seed
from albert_tf.layers.layer_norm import LayerNorm


class Transformer(keras.layers.Layer):
    """A transformer block: self-attention, then a feed-forward layer.

    Each is followed by dropout, a residual connection and layer normalization (post-LN).

    Args:
      hidden_size: Width of input and output, H.
      num_attention_heads: Attention heads. Must divide `hidden_size`.
      intermediate_size: Width of the feed-forward layer.
      activation: Activation of the feed-forward layer, one of `albert_tf.HIDDEN_ACTIVATIONS`.
      dropout_rate: Dropout rate of both sub-layers' outputs.
      attention_dropout_rate: Dropout rate of the attention probabilities.
      initializer: Keras initializer of the kernels.
      attention_mask_value: See `AlbertConfig`.

    Inputs:
      x: float tensor [batch, length, H] or [batch * length, H].
      mask: int tensor [batch, length], 1 for tokens and 0 for padding.
      parameters: What `parameters(x.dtype)` returned; default: taken anew.
      grid: `HeadsGrid` of an `x` [tokens, H] without padding (see `Unpadding`).
      heads: For an `x` with some positions of each row; see `SelfAttention`.

    Output:
      float tensor like `x`.

    Example:

    >>> block = Transformer(hidden_size=8, num_attention_heads=2, intermediate_size=16)
    >>> block(tf.random.normal([2, 5, 8]), mask=tf.ones([2, 5], tf.int32)).shape
    TensorShape([2, 5, 8])

    Reference: https://arxiv.org/abs/1706.03762, section 3; `attention_ffn_block` in the original's
    modeling.py.
    """

    def __init__(
        self,
        hidden_size,
        num_attention_heads,
        intermediate_size,
        activation="gelu",
        dropout_rate=0.0,
        attention_dropout_rate=0.0,
        initializer="glorot_uniform",
        attention_mask_value=-10000.0,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.hidden_size = hidden_size
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.activation = activation
        self.dropout_rate = dropout_rate
        self.attention_dropout_rate = attention_dropout_rate
        self.initializer = keras.initializers.get(initializer)
        self.attention_mask_value = attention_mask_value

        dtype = self.dtype_policy
        self.self_attention = SelfAttention(
            hidden_size,
            num_attention_heads,
            attention_dropout_rate,
            self.initializer,
            attention_mask_value,
            name="self_attention",
            dtype=dtype,
        )
        self.self_attention_layer_norm = LayerNorm(
            hidden_size, name="self_attention_layer_norm", dtype=dtype
        )
        self.intermediate = Dense(
            [hidden_size], [intermediate_size], self.initializer, name="intermediate", dtype=dtype
        )
        self.output_dense = Dense(
            [intermediate_size], [hidden_size], self.initializer, name="output", dtype=dtype
        )
        self.output_layer_norm = LayerNorm(hidden_size, name="output_layer_norm", dtype=dtype)

    def build(self, input_shape):
        for layer in (
            self.self_attention,
            self.self_attention_layer_norm,
            self.intermediate,
            self.output_dense,
            self.output_layer_norm,
        ):
            build(layer)
        self.built = True

    def parameters(self, dtype):
        """The weights ready to multiply; see `Dense.parameters`."""
        return {
            "attention": self.self_attention.parameters(dtype),
            "intermediate": self.intermediate.parameters(dtype),
            "output": self.output_dense.parameters(dtype),
            "attention_norm": self.self_attention_layer_norm.parameters(),
            "output_norm": self.output_layer_norm.parameters(),
        }

    def next_seed(self, training):
        """A seed for all dropout of one call (see `dropout_seed`), or None where there is none."""
        drops = self.dropout_rate or self.attention_dropout_rate
        return None if training is None or training is False or not drops else next_seed()

    def call(self, x, mask, parameters=None, training=None, grid=None, heads=None):
        parameters = parameters or self.parameters(x.dtype)
        attention = self.self_attention(
            x, mask, parameters["attention"], training=training, grid=grid, heads=heads
        )
        attention = dropout(attention, self.dropout_rate, training)
        x = self.self_attention_layer_norm(x + attention, parameters["attention_norm"])

        feed_forward = self.intermediate(x, parameters["intermediate"])
        feed_forward = activate(self.activation, feed_forward, training)
        feed_forward = self.output_dense(feed_forward, parameters["output"])
        feed_forward = dropout(feed_forward, self.dropout_rate, training)
        return self.output_layer_norm(x + feed_forward, parameters["output_norm"])

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_size": self.hidden_size,
            "num_attention_heads": self.num_attention_heads,
            "intermediate_size": self.intermediate_size,
            "activation": self.activation,
            "dropout_rate": self.dropout_rate,
            "attention_dropout_rate": self.attention_dropout_rate,
            "initializer": keras.initializers.serialize(self.initializer),
            "attention_mask_value": self.attention_mask_value,
        }

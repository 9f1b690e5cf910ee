"""What the encoder and all models on top of it share as Keras models."""

from typing import Any

import tensorflow as tf

from albert_tf._keras import keras
from albert_tf._types import Path
from albert_tf.inputs import INPUT_NAMES


class IdsModel(keras.Model):
    """A Keras model of token ids whose constructor creates all its weights. Base class.

    Attributes:
      input_rank: Rank of the three inputs.
    """

    input_rank = 2

    def build(self, input_shape: object = None) -> None:
        """Does nothing: the constructor has built everything."""

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        """The inputs as {name: tf.TensorSpec}, int32 of any batch and length."""
        shape = [None] * self.input_rank
        return {name: tf.TensorSpec(shape, tf.int32, name) for name in INPUT_NAMES}

    def export(self, filepath: Path, format: str = "tf_saved_model", **kwargs: Any) -> Any:
        """Writes a SavedModel for inference as `keras.Model.export` does, in both generations.

        Keras needs a model that was called, and keeps the lengths of that call. Here, `serve` of
        the loaded object takes the inputs as a list or a dict of int32 tensors of any batch and
        length, and the signature `serving_default` by name; `encoder_outputs` are left out, for
        which a signature has no room. For SavedModels that train on, or take text, see
        `albert_tf.export_encoder`, `export_classifier` and the like.

        Args:
          filepath: Directory to write.
          format: As of `keras.Model.export`.
          **kwargs: Further arguments of `keras.Model.export`. With an `input_signature`, Keras
            does all.
        """
        specs = self.input_specs()
        forms = [list(specs.values()), specs]
        if format != "tf_saved_model" or "input_signature" in kwargs:
            kwargs = {"input_signature": forms[:1], **kwargs}
            return super().export(filepath, format=format, **kwargs)

        @tf.function(autograph=False)
        def serve(inputs):
            outputs = self(inputs, training=False)
            if isinstance(outputs, dict):
                outputs = {k: v for k, v in outputs.items() if k != "encoder_outputs"}
            return outputs

        for form in forms:
            serve.get_concrete_function(form)
        archive = keras.export.ExportArchive()
        archive.track(self)
        archive.add_endpoint("serve", serve)
        archive.write_out(filepath, **kwargs)

"""What all task models share: an encoder, a head, and one way to name and save both."""

from albert_tf._keras import keras, weights_by_name
from albert_tf.encoder import AlbertEncoder
from albert_tf.ids_model import IdsModel


class TaskModel(IdsModel):
    """An encoder with a head for a task. Base class: subclasses define `call` and the property or
    attribute `head_weight_names`, a tuple of `albert_tf.tasks.head_names.HeadWeight`.

    Args:
      encoder: An `AlbertEncoder`. It is used, not copied: training the task trains it.
      head: A layer with all its variables created.
      **kwargs: `name` and `trainable` of a Keras model. The dtype policy is the encoder's.

    Raises:
      TypeError: `encoder` is something else.
    """

    def __init__(self, encoder, head, **kwargs):
        # Keras scales a float16 model's loss if the policy of the model itself says so.
        super().__init__(dtype=encoder.dtype_policy, **kwargs)
        self.encoder = encoder
        self.head = head
        self.built = True

    def weights_by_name(self):
        """All weights as {stable name: Keras weight}: the encoder's, then the head's."""
        return {**self.encoder.weights_by_name(), **weights_by_name(self.head)}

    def get_config(self):
        return {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config):
        encoder = keras.saving.deserialize_keras_object(config["encoder"])
        return cls(**{**config, "encoder": encoder})


def check_encoder(encoder):
    """Raises a TypeError unless `encoder` is an `AlbertEncoder`."""
    if not isinstance(encoder, AlbertEncoder):
        raise TypeError(
            "A task model is built on an AlbertEncoder. Received: "
            f"{type(encoder).__name__}. Of an AlbertPretrainer, pass `.encoder`; for a SavedModel, "
            "put a Keras layer on top of albert_tf.KerasLayer."
        )


def check_num_classes(num_classes, minimum):
    """Raises a ValueError unless `num_classes` is an integer of at least `minimum`."""
    if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < minimum:
        raise ValueError(
            f"`num_classes` must be an integer of at least {minimum}. Received: {num_classes!r}."
        )


def check_dropout_rate(rate):
    """Raises a ValueError unless `rate` is in the range [0, 1)."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
        raise ValueError(f"`dropout_rate` must be in the range [0, 1). Received: {rate!r}.")

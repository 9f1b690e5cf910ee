"""What all task models share: an encoder, a head, and one way to name and save both."""

from collections.abc import Iterable
from typing import Any, Self

from albert_tf._keras import keras, weights_by_name
from albert_tf._types import Path
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.read import opened
from albert_tf.checkpoints.task_head import restore_task_head
from albert_tf.config import AlbertConfig
from albert_tf.encoder import AlbertEncoder
from albert_tf.ids_model import IdsModel


class TaskModel(IdsModel):
    """An encoder with a head for a task. Base class: subclasses define `call` and the property or
    attribute `head_weight_names`, a tuple of `albert_tf.tasks.head_names.HeadWeight`, and
    `hugging_face_class`, the name of the class there that has the same head.

    Args:
      encoder: An `AlbertEncoder`. It is used, not copied: training the task trains it.
      head: A layer with all its variables created.
      rules: The text rules that it is trained with, "original" or "tfhub", which exporters take
        from here. None: not known; exporters then take the package's default.
      labels: The names of the classes, in the order of the outputs, where there are such; they go
        into exports and Hugging Face directories. None: not known.
      **kwargs: `name` and `trainable` of a Keras model. The dtype policy is the encoder's.

    Raises:
      TypeError: `encoder` is something else.
    """

    def __init__(
        self,
        encoder: AlbertEncoder,
        head: keras.layers.Layer,
        rules: str | None = None,
        labels: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        # Keras scales a float16 model's loss if the policy of the model itself says so.
        super().__init__(dtype=encoder.dtype_policy, **kwargs)
        self.encoder = encoder
        self.head = head
        self.rules = rules
        self.labels = None if labels is None else list(labels)
        self.built = True

    @classmethod
    def from_checkpoint(
        cls, path: Path | Checkpoint, config: AlbertConfig | Path | None = None, **kwargs: Any
    ) -> Self:
        """The encoder and the head of a fine-tuned checkpoint; every weight, or an error.

        What the checkpoint tells about its training, such as labels and text rules, is taken over.

        Args:
          path: As for `AlbertEncoder.from_checkpoint`, such as the directory of a run of
            `albert-tf finetune`, our SavedModel of such a model, or a Hugging Face directory.
          config: As for `AlbertEncoder.from_checkpoint`.
          **kwargs: Further arguments of the constructor, such as `dropout_rate`.

        Raises:
          FileNotFoundError: There is no such checkpoint or configuration.
          ValueError: It has no head for this task, or the weights do not fit the configuration.
        """
        checkpoint = opened(path, config)
        encoder = AlbertEncoder.from_checkpoint(checkpoint)
        model = cls(encoder, **{**cls.stored_arguments(checkpoint), **kwargs})
        restore_task_head(model, checkpoint)
        return model

    @classmethod
    def stored_arguments(cls, checkpoint: Checkpoint) -> dict[str, Any]:
        """The constructor's arguments that show in a `Checkpoint`, such as the number of classes.

        Args:
          checkpoint: A `Checkpoint` with a head for this task.
        """
        return {}

    def weights_by_name(self) -> dict[str, Any]:
        """All weights as {stable name: Keras weight}: the encoder's, then the head's."""
        return {**self.encoder.weights_by_name(), **weights_by_name(self.head)}

    def adopt(self, record: dict, path: Path) -> None:
        """Takes over what a checkpoint tells about the training of its head.

        Args:
          record: dict, of a task.json or the like; see `albert_tf.task_record`.
          path: The checkpoint, for the error.

        Raises:
          ValueError: The model was built for something else.
        """
        self.rules = adopted("rules", self.rules, record, path)
        self.labels = adopted("labels", self.labels, record, path)

    def get_config(self) -> dict[str, Any]:
        return {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "rules": self.rules,
            "labels": self.labels,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config: dict) -> Self:
        encoder = keras.saving.deserialize_keras_object(config["encoder"])
        return cls(**{**config, "encoder": encoder})


def adopted(name, own, record, path):
    """What a record tells about an argument of a model, or else the model's own value.

    Raises:
      ValueError: Both are there and differ.
    """
    value = record.get(name)
    if value is None:
        return own
    if own not in (None, value):
        raise ValueError(
            f"A model must be built for what its head was trained for. Received: {name}={own!r}, "
            f"but {value!r} in {str(path)!r}. Leave `{name}` out, so that it is taken from there."
        )
    return value


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

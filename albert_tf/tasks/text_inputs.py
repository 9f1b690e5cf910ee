"""Keras's `fit`, `evaluate` and `predict` on plain strings."""

import numpy as np
import tensorflow as tf

from albert_tf.messages import brief
from albert_tf.text.preprocessor import pack_to_longest


class TextInputs:
    """Lets a Keras model of ids take strings, too. A base class, before the model's own.

    Strings become ids by the model's `preprocessor` before Keras sees them: lists, arrays, tensors
    and tf.data of strings, each text alone, or pairs as a tuple of two such. Everything else goes
    to Keras as it is. Calling the model still takes ids.
    """

    def fit(self, x=None, y=None, *args, validation_data=None, **kwargs):
        """`keras.Model.fit`, of texts, too."""
        if isinstance(validation_data, (tuple, list)):
            validation_data = (self._ids(validation_data[0]), *validation_data[1:])
        else:
            validation_data = self._ids(validation_data)
        return super().fit(self._ids(x), y, *args, validation_data=validation_data, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        """`keras.Model.evaluate`, of texts, too."""
        return super().evaluate(self._ids(x), *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        """`keras.Model.predict`, of texts, too."""
        return super().predict(self._ids(x), *args, **kwargs)

    def _ids(self, x):
        """What Keras takes instead of texts; `x` itself if it has no texts."""
        if isinstance(x, tf.data.Dataset):
            spec = x.element_spec
            first = spec[0] if isinstance(spec, tuple) else spec
            if not all(part.dtype == tf.string for part in tf.nest.flatten(first)):
                return x
            if isinstance(spec, tuple):
                return x.map(lambda texts, *rest: (self._pack(texts), *rest), tf.data.AUTOTUNE)
            return x.map(self._pack, tf.data.AUTOTUNE)
        if _is_text(x):
            segments = _strings(x)
        elif isinstance(x, tuple) and len(x) == 2 and all(map(_is_text, x)):
            segments = tuple(map(_strings, x))
        else:
            return x
        return {name: tensor.numpy() for name, tensor in self._pack(segments).items()}

    def _pack(self, texts):
        preprocessor = self.preprocessor
        if preprocessor is None:
            raise ValueError(
                "Texts need a preprocessor, which turns them into ids. Received: texts, for a "
                "model without one. Build the model with "
                "preprocessor=albert_tf.Preprocessor(sp_model), or pass ids."
            )
        texts = texts if isinstance(texts, (tuple, list)) else (texts,)
        return pack_to_longest(preprocessor, [preprocessor.tokenize(part) for part in texts])


def _is_text(x):
    if isinstance(x, (tuple, list)):
        return bool(x) and isinstance(x[0], (str, bytes))
    dtype = getattr(x, "dtype", None)
    if getattr(dtype, "kind", "") == "O":
        return len(x) > 0 and isinstance(next(iter(x)), (str, bytes))
    return dtype == tf.string or getattr(dtype, "kind", "") in ("U", "S")


def _strings(x):
    """A string tensor [n]."""
    if tf.is_tensor(x):
        return x
    for i, text in enumerate(x):
        if not isinstance(text, (str, bytes)):
            raise TypeError(f"Texts must be str. Received: text {i}: {brief(text)}.")
    return tf.constant(np.asarray(x, object), tf.string)

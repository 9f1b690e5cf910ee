"""The variables of a loaded object as the weights of a Keras layer, without a copy."""

import re

from albert_tf._keras import KERAS_3, keras, track_variable, weight_lists

_VIEWS, _LOSSES = "_albert_tf_keras_weights", "_albert_tf_losses"


def track_weights(layer, trainable, non_trainable):
    """Makes existing tf.Variables the weights of a layer; both go on sharing their memory.

    tf_keras takes the tf.Variables themselves. Keras 3 wraps each in a `keras.Variable`, the same
    one in all layers, so that a model counts a variable once that two of its layers share.

    Args:
      layer: a Keras layer after its `__init__`.
      trainable: tf.Variables that are trained when the layer is trainable.
      non_trainable: the other tf.Variables of the layer.
    """
    if KERAS_3:
        trainable = [_view(v, layer, layer.trainable) for v in trainable]
        non_trainable = [_view(v, layer, False) for v in non_trainable]
    else:
        for i, variable in enumerate([*trainable, *non_trainable]):
            track_variable(layer, variable, f"weight_{i}")
    for weights, added in zip(weight_lists(layer), (trainable, non_trainable)):
        weights.extend(added)


def retrack_weights(layer, value):
    """Keras 3: exchanges the weights of a layer before its `trainable` becomes `value`.

    In Keras 3 `trainable` is a property of the variable too. A frozen and a trainable layer on the
    same tf.Variable therefore hold two `keras.Variable`s: freezing one layer does not freeze the
    other.
    """
    if KERAS_3:
        weights, _ = weight_lists(layer)
        weights[:] = [_view(weight.value, layer, value) for weight in weights]


def add_regularization(layer, losses):
    """Adds losses (callables without argument) to a layer, in effect while it is trainable."""
    for loss in losses:
        if not callable(loss):
            raise TypeError(
                "regularization_losses of an object must be callables, each returning a scalar "
                f"loss. Received: {loss!r}. Wrap it: lambda: loss."
            )
    if not losses:
        return
    if not KERAS_3:
        for loss in losses:
            layer.add_loss(_if_trainable(layer, loss))
    elif weights := weight_lists(layer)[0]:
        # Keras 3 has no callable losses. The regularizer of a weight is evaluated as they were:
        # once however often a layer is called, and only while the weight is trainable.
        variable = weights[0].value
        attached = variable.__dict__.setdefault(_LOSSES, {})
        attached.update((id(loss), loss) for loss in losses)
        _view(variable, layer, True).regularizer = lambda _: sum(f() for f in attached.values())


def _if_trainable(layer, loss):
    return lambda: loss() if layer.trainable else 0.0


def _view(variable, layer, trainable):
    views = variable.__dict__.setdefault(_VIEWS, {})
    if trainable not in views:
        # Keras names optimizer slots after weights and allows neither "/" nor ":" in a name.
        name = re.sub(r"[^A-Za-z0-9_.>-]", "_", variable.name.split(":")[0])
        with keras.name_scope(layer.name):
            views[trainable] = keras.Variable(
                variable, dtype=variable.dtype.name, trainable=trainable, autocast=False, name=name
            )
    return views[trainable]

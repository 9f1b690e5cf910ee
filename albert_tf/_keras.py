"""The Keras that `tf.keras` is, and the few places where its two generations differ.

`tf.keras` is Keras 3 by default and tf_keras (Keras 2) under TF_USE_LEGACY_KERAS=1. Layers of this
package use what both share; whatever differs lives here.
"""

import contextlib
import contextvars

import tensorflow as tf

# tf_keras does not tell its version through tf.keras.
KERAS_3 = getattr(tf.keras, "__version__", "2").startswith("3")

# The packages themselves: `tf.keras` is lazy, and lacks `saving` in Keras 3.
if KERAS_3:
    import keras
else:
    import tf_keras as keras

    minor = ".".join(tf.__version__.split(".")[:2])
    if not keras.__version__.startswith(f"{minor}."):
        raise ImportError(
            "Under TF_USE_LEGACY_KERAS=1, tf-keras must have the minor version of TensorFlow. "
            f"Received: tf-keras {keras.__version__} with TensorFlow {tf.__version__}. Install the "
            f"matching one with `pip install tf-keras~={minor}.0`."
        )


_uninitialized = contextvars.ContextVar("uninitialized", default=False)


@contextlib.contextmanager
def uninitialized():
    """Within it, weights start as zeros: they are about to be restored.

    Drawing 223 M random numbers for albert_xxlarge would take 14 s and 0.5 GB.
    """
    token = _uninitialized.set(True)
    try:
        yield
    finally:
        _uninitialized.reset(token)


def add_weight(layer, name, shape, initializer):
    """Adds a trainable float32 weight that is never cast behind the layer's back.

    Automatic casting would hand LayerNorm and softmax half-precision numbers; the layers cast by
    hand, where it is right.
    """
    if _uninitialized.get():
        initializer = "zeros"
    cast = {"autocast": False} if KERAS_3 else {"experimental_autocast": False}
    return layer.add_weight(
        name=name, shape=shape, initializer=initializer, dtype="float32", trainable=True, **cast
    )


def clone_initializer(initializer):
    """A fresh initializer: one object called twice returns the same numbers in both generations."""
    initializer = keras.initializers.get(initializer)
    if hasattr(initializer, "get_config"):
        return type(initializer).from_config(initializer.get_config())
    return initializer  # A plain function.


def build(layer, *, at_root=False, below=None):
    """Creates the layer's variables now, named `<names of the layers being built>/<layer.name>/`.

    Keras would create them at the first call, below whatever calls them. The published models'
    variable names are part of the contract, so they must not depend on that.

    Args:
      layer: A layer whose shapes are known from its constructor.
      at_root: Whether to leave out the names of the layers being built.
      below: Names to put above the layer's, such as "bert/cls/predictions".
    """
    # Keras 3 opens the layer's own name scope around build(); tf_keras only around __call__().
    with contextlib.ExitStack() as scopes:
        if at_root:
            scopes.enter_context(tf.name_scope(""))
        if below:
            scopes.enter_context(tf.name_scope(below))
        if not KERAS_3:
            scopes.enter_context(tf.name_scope(layer.name))
        layer.build(None)
    if KERAS_3:
        # The shape that Keras noted, None, would go to `compute_output_shape` in `summary()`.
        layer._build_shapes_dict = None


def tf_variable(weight):
    """The tf.Variable behind a Keras weight."""
    return weight.value if KERAS_3 else weight


def weights_by_name(layer):
    """A layer's weights as {name in the published SavedModels: Keras weight}, in their order.

    A name is such as "pooler_transform/kernel", without TensorFlow's ":0".
    """
    return {tf_variable(weight).name.removesuffix(":0"): weight for weight in layer.weights}


# === Private names of Keras: here and in `build` alone ===


def weight_lists(layer):
    """The lists in which a layer keeps its trainable and its other weights, to be changed."""
    if KERAS_3:
        return layer._trainable_variables, layer._non_trainable_variables
    return layer._trainable_weights, layer._non_trainable_weights


def track_variable(layer, variable, name):
    """tf_keras: has `save_format="tf"` save a variable of the layer under a name."""
    layer._track_trackable(variable, name)


def take_inputs_as_they_are(layer):
    """Keras 3: has a layer neither refuse strings among its inputs nor cast floats."""
    layer._convert_input_args = False
    layer._allow_non_tensor_positional_args = True


def flat_layers(model):
    """A model, its layers, and theirs."""
    return model._flatten_layers()


def build_learning_rate(optimizer, learning_rate):
    """tf_keras leaves to subclasses what Keras 3 does in the constructor of `Optimizer`."""
    optimizer._learning_rate = optimizer._build_learning_rate(learning_rate)


def given_learning_rate(optimizer):
    """The schedule that an optimizer was given, or the variable with its rate.

    `optimizer.learning_rate` of a schedule is the rate of some step, in tf_keras not of this one.
    """
    return optimizer._learning_rate


def trained_variables(optimizer):
    """Keras 3: the variables that an optimizer was built for."""
    return optimizer._trainable_variables


def variable_key(optimizer, variable):
    """What tells variables apart, the same for all replicas of one."""
    return optimizer._var_key(variable)

"""The one function of a loaded object that a `KerasLayer` calls, with its calling rules."""

import inspect
from collections.abc import Mapping

import tensorflow as tf

from albert_tf.inputs import ALIASES, INPUT_NAMES, check_same_shape
from albert_tf.keras_layer.input_forms import describe, fit_inputs, input_forms
from albert_tf.saved_model.computation import skips_padding


class LoadedFunction:
    """A callable object, or a signature of it, called with inputs, arguments and `training`.

    Adapts the inputs to a form that was exported (see `input_forms.fit_inputs`) and passes
    `training` only to functions that have it. Does not load, and does not know Keras.

    Args:
      loaded: the loaded object, or any callable.
      signature: name of the signature to call instead of the object.
      name: what to call the object in error messages, such as its handle.

    Attributes:
      has_training: whether the function has an argument `training`.
      forms: the forms of inputs that it takes, [] when it is not restored and takes what it likes.

    Raises:
      ValueError: the object is not callable, or has no such signature.

    Example:
      >>> import tensorflow as tf
      >>> from albert_tf.keras_layer.loaded_function import LoadedFunction
      >>> double = LoadedFunction(tf.function(lambda x: 2 * x))
      >>> float(double(tf.constant(1.5), training=False)), double.has_training
      (3.0, False)
    """

    def __init__(self, loaded, signature=None, name="object"):
        signatures = getattr(loaded, "signatures", {})
        if signature is not None and signature not in signatures:
            raise ValueError(
                f"The signature must be one that the object has. Received: signature={signature!r} "
                f"for {name!r}. Take one of {sorted(signatures)}."
            )
        if signature is None and not callable(loaded):
            public = (attribute for attribute in dir(loaded) if not attribute.startswith("_"))
            callables = [
                attribute for attribute in public if callable(getattr(loaded, attribute, None))
            ]
            raise ValueError(
                "The root of a reusable SavedModel is callable. Received: the root of "
                f"{name!r} is not; it has the signatures {sorted(signatures)} and the callable "
                f"attributes {callables}. Name a signature, with output_key or "
                "signature_outputs_as_dict=True, or pass such an attribute of the loaded object."
            )
        self._skips_padding = skips_padding(loaded)
        self._by_name = signature is not None
        self._function = loaded if signature is None else signatures[signature]
        if self._by_name:
            self._parameters = inspect.Signature()
            self._concrete = [self._function]
            self.forms = [self._function.structured_input_signature[1]]
        else:
            # A loaded object is callable by the class of its root, its `__call__` has the traces.
            is_function = (
                inspect.isroutine(loaded)
                or isinstance(loaded, tf.types.experimental.GenericFunction)
                or hasattr(loaded, "concrete_functions")
            )
            target = loaded if is_function else loaded.__call__
            self._parameters = inspect.signature(target)
            self._concrete = list(getattr(target, "concrete_functions", ()))
            self.forms = input_forms(target)
        signatures = [f.structured_input_signature for f in self._concrete]
        self._is_encoder = any(
            _is_of_encoder(form)
            for positional, keywords in signatures
            for form in (*positional[:1], keywords)
        )
        self.has_training = "training" in self._parameters.parameters

    @property
    def dtype(self):
        """The dtype of the inputs if the function takes one tensor of one dtype, else None."""
        if self._by_name or len(self.forms) != 1 or not isinstance(self.forms[0], tf.TensorSpec):
            return None
        return self.forms[0].dtype

    @property
    def takes_text_or_ragged(self):
        """Whether an input is a string or a ragged tensor, which XLA cannot compile."""
        specs = [spec for form in self.forms for spec in tf.nest.flatten(form)]
        return any(
            isinstance(spec, tf.RaggedTensorSpec) or getattr(spec, "dtype", None) == tf.string
            for spec in specs
        )

    @property
    def supports_jit(self):
        """Whether XLA can compile it."""
        return not (self.takes_text_or_ragged or self._skips_padding)

    def __call__(self, inputs, training=None, **arguments):
        """Calls the function.

        Args:
          inputs: what one of `forms` describes.
          training: bool or scalar bool tensor, ignored by a function without this argument; None:
            False.
          **arguments: further arguments of the function.
        """
        inputs = self.fit(inputs, arguments)
        if self._by_name:
            return self._function(**inputs)
        if not self.has_training:
            return self._call(inputs, arguments)
        if tf.is_tensor(training):
            tensor = tf.cast(training, tf.bool)
            training = tf.get_static_value(tensor)
            if training is None:
                return tf.cond(
                    tensor,
                    lambda: self._call(inputs, {**arguments, "training": True}),
                    lambda: self._call(inputs, {**arguments, "training": False}),
                )
        return self._call(inputs, {**arguments, "training": bool(training)})

    def fit(self, inputs, arguments=None):
        """The inputs in one of `forms`; of a signature, with `arguments`.

        Those of an encoder are refused unless they have one shape: older SavedModels broadcast.
        """
        if self._by_name:
            arguments = arguments or {}
            missing = [key for key in self.forms[0] if key not in arguments]
            if len(missing) == 1 and not isinstance(inputs, dict):
                inputs = dict.fromkeys(missing, inputs)
            if isinstance(inputs, dict):
                inputs = {**arguments, **inputs}
        if self.forms:
            inputs = fit_inputs(self.forms, inputs)
        if self._is_encoder:
            check_same_shape(**_by_input_name(inputs))
        return inputs

    def _call(self, inputs, arguments):
        try:
            return self._function(inputs, **arguments)
        except (TypeError, ValueError) as error:
            texts = (
                "Could not find matching concrete function",
                "Binding inputs to tf.function failed",
            )
            if not any(text in str(error) for text in texts):
                raise
            raise ValueError(
                "A SavedModel can only be called with the arguments that it was exported for: "
                f"{self._describe_traces()}. Received: {describe(inputs)} with {arguments}. Change "
                "the arguments, or whether the layer is trainable."
            ) from error

    def _describe_traces(self):
        lines = set()
        for positional, keywords in (f.structured_input_signature for f in self._concrete):
            bound = self._parameters.bind(*positional, **keywords).arguments
            lines.add(", ".join(f"{name}={describe(value)}" for name, value in bound.items()))
        return "; or ".join(f"({line})" for line in sorted(lines)) or str(self._parameters)


def _is_of_encoder(form):
    """Whether a form is a dict, or names its tensors in a list, with an encoder's three inputs."""
    if isinstance(form, (list, tuple)):
        form = [getattr(spec, "name", None) for spec in form]
    names = form if isinstance(form, (Mapping, list)) else ()
    return set(INPUT_NAMES) <= {ALIASES.get(name, name) for name in names}


def _by_input_name(inputs):
    """What `input_forms.fit_inputs` made an encoder's inputs, by the names of the three."""
    if not isinstance(inputs, Mapping):
        return dict(zip(INPUT_NAMES, inputs))
    named = {ALIASES.get(key, key): value for key, value in inputs.items()}
    return {name: named[name] for name in INPUT_NAMES}

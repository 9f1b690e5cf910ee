"""`KerasLayer`: a reusable SavedModel as a layer of whatever `tf.keras` is."""

import json
import os
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import tensorflow as tf
from absl import logging

from albert_tf._keras import KERAS_3, keras, take_inputs_as_they_are
from albert_tf.keras_layer.input_forms import as_shapes, describe, shaped
from albert_tf.keras_layer.loaded_function import LoadedFunction
from albert_tf.keras_layer.loading import load_handle
from albert_tf.keras_layer.shared_weights import add_regularization, retrack_weights, track_weights


@keras.utils.register_keras_serializable(package="albert_tf")
class KerasLayer(keras.layers.Layer):
    """A reusable SavedModel (the TF Hub format) as a Keras layer that trains, saves and reloads.

    It has the interface of `hub.KerasLayer`, which exists for tf_keras only, and follows
    `tf.keras`: a Keras 3 layer by default, a tf_keras layer under TF_USE_LEGACY_KERAS=1. TF Hub
    snippets run after a change of the import. It works eagerly, in functional, Sequential and
    subclassed models, with text and ragged tensors too. Only URLs need `tensorflow_hub`.

    The weights are the variables of the loaded object, not copies. With `trainable=True` exactly
    its `trainable_variables` train and its `regularization_losses` are added. The object is called
    with `training=True` (dropout on) when the layer is trainable and the model trains, else with
    `training=False`. The computation keeps the dtypes of the SavedModel under every dtype policy.

    A `.keras` file of a model holds the handle and all weights, which win over the handle's. The
    SavedModel must be at its handle when the file is loaded.

    Args:
      handle: path of a SavedModel directory, URL, or a loaded or any other callable object, such as
        `tf.saved_model.load(path).mlm`. A SavedModel is a program: load only what you trust.
      trainable: whether the object is trained. Not possible through a signature.
      arguments: dict of further keyword arguments of each call, such as `dict(seq_length=64)`.
      tags: tags of the graph to load, for SavedModels with several.
      signature: name of a signature to call instead of the object. Needs one of the next two.
      signature_outputs_as_dict: True to return the dict of all outputs of the signature.
      output_key: key of the one output to return, if the function returns a dict.
      output_shape: nest of output shapes without the batch size, where the graph lacks them.
      load_options: `tf.saved_model.LoadOptions` for a handle; not part of the config.
      **kwargs: `name`, `dtype` and the like, for the base layer.

    Inputs: what the object takes. A list and a tuple stand for each other; int32 and int64 are cast
      to each other where the object takes one of them only, floating types likewise. The encoders
      take a dict {input_word_ids, input_mask, input_type_ids}, each [batch, length], or a list in
      this order.
    Outputs: what the object returns, in its own shapes and dtypes.

    Raises:
      FileNotFoundError, ValueError, ImportError: the handle cannot be loaded or used like this.
      ValueError: a call with inputs that the object does not take; the message has its forms.
      NotImplementedError: `get_config()` of a layer made from an object: only handles are saved.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> from albert_tf import albert_tiny_en
    >>> import tensorflow as tf
    >>> path = tempfile.mkdtemp() + "/encoder"
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> _ = albert_tf.export_encoder(encoder, path, sp_model=albert_tiny_en.SP_MODEL)
    >>> keys = ("input_word_ids", "input_mask", "input_type_ids")
    >>> ids = {key: tf.keras.Input((128,), dtype="int32", name=key) for key in keys}
    >>> pooled_output = albert_tf.KerasLayer(path, trainable=True)(ids)["pooled_output"]
    >>> model = tf.keras.Model(ids, tf.keras.layers.Dense(2)(pooled_output))

    Source: the Reusable SavedModel interface (tensorflow.org/hub/reusable_saved_models) and the
    behavior of `hub.KerasLayer` in tensorflow_hub 0.16.
    """

    def __init__(
        self,
        handle: object,
        trainable: bool = False,
        arguments: dict[str, object] | None = None,
        _sentinel: None = None,  # `hub.KerasLayer` has it, so that `tags` is the fifth.
        tags: list[str] | None = None,
        signature: str | None = None,
        signature_outputs_as_dict: bool | None = None,
        output_key: str | None = None,
        output_shape: object = None,
        load_options: tf.saved_model.LoadOptions | None = None,
        **kwargs: Any,
    ) -> None:
        is_tf1_hub = False
        if isinstance(handle, (str, os.PathLike)):
            handle = os.fspath(handle)
            loaded, is_tf1_hub = load_handle(handle, tags, load_options)
        elif tags is not None or load_options is not None:
            raise ValueError(
                "tags and load_options apply to a handle that is loaded. Received: the object "
                f"{handle!r}, tags={tags!r}, load_options={load_options!r}. Leave them out."
            )
        else:
            loaded = handle
        if is_tf1_hub:
            signature = signature or "default"
            if not signature_outputs_as_dict:
                output_key = output_key or "default"
        one_of_two = bool(signature_outputs_as_dict) != (output_key is not None)
        if (signature and not one_of_two) or (signature_outputs_as_dict and not signature):
            raise ValueError(
                "A signature goes with either output_key or signature_outputs_as_dict=True, and "
                "signature_outputs_as_dict only with a signature. Received: "
                f"signature={signature!r}, "
                f"signature_outputs_as_dict={signature_outputs_as_dict!r}, "
                f"output_key={output_key!r}. Give a signature and one of the two, or an output_key "
                "alone."
            )
        if "training" in (arguments or ()):
            raise ValueError(
                "The layer itself passes `training` to the object. Received: "
                f"arguments={arguments!r}. Leave it out; trainable=False keeps the object in "
                "inference."
            )
        function = LoadedFunction(loaded, signature, handle)
        if KERAS_3 and function.dtype is not None and not function.dtype.is_floating:
            # Sequential makes its missing Input in the dtype of the first layer.
            kwargs.setdefault("dtype", function.dtype.name)
        if KERAS_3:
            # Keras 3 would make a float Input of this hint of many TF Hub snippets; it needs none.
            kwargs.pop("input_shape", None)
        else:
            kwargs.setdefault("autocast", False)
        super().__init__(trainable=bool(trainable), **kwargs)
        self._resolved_object = loaded  # An attribute, so that checkpoints and exports hold it.
        # The rest in namespaces: Keras wraps dicts and lists in attributes, which are no JSON then.
        self._call_with = SimpleNamespace(
            function=function,
            arguments={
                key: value.item() if isinstance(value, np.generic) else value
                for key, value in (arguments or {}).items()
            },
            signature=signature,
            output_key=output_key,
            output_shape=None if output_shape is None else as_shapes(output_shape),
        )
        self._handle_config = SimpleNamespace(
            handle=handle, tags=tags, signature_outputs_as_dict=signature_outputs_as_dict
        )
        trained = list(getattr(loaded, "trainable_variables", ()))
        ids = {id(variable) for variable in trained}
        others = [v for v in getattr(loaded, "variables", ()) if id(v) not in ids]
        track_weights(self, trained, others)
        add_regularization(self, list(getattr(loaded, "regularization_losses", ())))
        self._has_warned = False
        self._check_trainable()
        if KERAS_3:
            take_inputs_as_they_are(self)  # They are converted by their form.
            self.supports_jit = not function.takes_text_or_ragged
        self.built = True

    @property
    def resolved_object(self) -> Any:
        """The loaded object with its attributes, such as `sp_model_file.asset_path`."""
        return self._resolved_object

    @property
    def trainable(self) -> bool:
        """Whether the object is trained. Compile the model again after a change."""
        return super().trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        retrack_weights(self, bool(value))
        keras.layers.Layer.trainable.fset(self, bool(value))

    def __call__(self, inputs: object, *args: Any, **kwargs: Any) -> Any:
        if not KERAS_3 and any(isinstance(x, (int, float)) for x in tf.nest.flatten(inputs)):
            # tf_keras would make each number of nested lists a tensor of its own.
            inputs = self._call_with.function.fit(inputs, self._call_with.arguments)
        return super().__call__(inputs, *args, **kwargs)

    def call(self, inputs: object, training: bool | None = None) -> Any:
        return self._call_object(inputs, training)

    @tf.autograph.experimental.do_not_convert
    def _call_object(self, inputs, training):
        self._check_trainable()  # Here too: `trainable` can change at any time.
        spec = self._call_with
        # Like BatchNormalization and unlike Dropout, a frozen layer stays in inference mode.
        outputs = spec.function(
            inputs, training=training if self.trainable else False, **spec.arguments
        )
        if spec.output_key is not None:
            if not isinstance(outputs, dict) or spec.output_key not in outputs:
                raise ValueError(
                    "output_key must be a key of the dict that the object returns. Received: "
                    f"output_key={spec.output_key!r} for the outputs {describe(outputs)}. Take a "
                    "key of these, or leave output_key out."
                )
            outputs = outputs[spec.output_key]
        if spec.output_shape is not None:
            batch = tf.TensorShape(getattr(tf.nest.flatten(inputs)[0], "shape", [None])[:1])
            tf.nest.map_structure(
                lambda x, s: x.set_shape(batch.concatenate(s)), outputs, spec.output_shape
            )
        return outputs

    def _check_trainable(self):
        if not self.trainable:
            return
        if self._call_with.signature:
            raise ValueError(
                "A signature has no training mode, so a KerasLayer cannot train through it. "
                f"Received: trainable=True, signature={self._call_with.signature!r}. Set "
                "trainable=False, or use a reusable SavedModel without signature."
            )
        if not self._has_warned and not self.trainable_weights:
            self._has_warned = True
            handle = self._handle_config.handle
            logging.warning("KerasLayer %s is trainable, but %r has no weights.", self.name, handle)

    def compute_output_spec(self, inputs: object, training: bool | None = None) -> Any:
        """Symbolic outputs in Keras 3, ragged ones and strings included."""
        flat = tf.nest.flatten(inputs)
        symbolic = [i for i, x in enumerate(flat) if isinstance(x, keras.KerasTensor)]

        @tf.function(autograph=False)
        def trace(*tensors):
            filled = dict(enumerate(flat)) | dict(zip(symbolic, tensors))
            return self._call_object(tf.nest.pack_sequence_as(inputs, list(filled.values())), False)

        traced = trace.get_concrete_function(*(_type_spec(flat[i]) for i in symbolic))
        return tf.nest.map_structure(self._keras_tensor, traced.structured_outputs)

    def _keras_tensor(self, tensor):
        if tensor.shape.rank is None:
            raise ValueError(
                "A functional model needs the rank of each output, and the graph of this object "
                f"does not have it. Received: {self._handle_config.handle!r}. Pass output_shape."
            )
        ragged = {}
        if isinstance(tensor, tf.RaggedTensor):
            ragged = {
                "ragged": True,
                "ragged_rank": tensor.ragged_rank,
                "row_splits_dtype": tensor.row_splits.dtype.name,
            }
        return keras.KerasTensor(tuple(tensor.shape), tensor.dtype.name, **ragged)

    def compute_output_shape(self, input_shape: object) -> Any:
        input_shape = as_shapes(input_shape)
        if self._call_with.output_shape is not None:
            batch = tf.nest.flatten(input_shape)[0][:1]
            shapes = tf.nest.map_structure(batch.concatenate, self._call_with.output_shape)
        else:
            specs = shaped(self._call_with.function.forms, input_shape)
            if specs is None:
                return super().compute_output_shape(input_shape)
            call = tf.function(lambda inputs: self._call_object(inputs, False), autograph=False)
            outputs = call.get_concrete_function(specs).structured_outputs
            shapes = tf.nest.map_structure(lambda output: output.shape, outputs)
        return tf.nest.map_structure(tuple, shapes) if KERAS_3 else shapes

    def get_config(self) -> dict[str, Any]:
        handle = self._handle_config.handle
        if not isinstance(handle, str):
            raise NotImplementedError(
                "Only a KerasLayer made from a path or URL has a config. Received: a layer made "
                f"from {handle!r}. Give the path as handle; or save the weights alone "
                "(save_weights), or the whole model as a SavedModel (export in Keras 3, "
                "save_format='tf' in tf_keras)."
            )
        config = {**vars(self._handle_config), **vars(self._call_with)}
        del config["function"]
        if config["output_shape"] is not None:
            config["output_shape"] = tf.nest.map_structure(
                lambda shape: shape.as_list(), config["output_shape"]
            )
        config = {key: value for key, value in config.items() if value not in (None, {})}
        for key, value in config.items():
            try:
                json.dumps(value)
            except TypeError as error:
                raise ValueError(
                    "The config of a KerasLayer must be JSON. Received: "
                    f"{key}={value!r}. Use Python numbers, strings, lists and dicts."
                ) from error
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: dict) -> Self:
        try:
            return cls(**config)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{error} A saved model holds the handle of a KerasLayer and its weights, not its "
                "graph: put the SavedModel, or a link to it, back in this place to load the model."
            ) from error


def _type_spec(x):
    if x.sparse:
        return tf.SparseTensorSpec(x.shape, x.dtype)
    if x.ragged:
        splits = x.row_splits_dtype or "int64"
        return tf.RaggedTensorSpec(x.shape, x.dtype, x.ragged_rank or 1, tf.as_dtype(splits))
    return tf.TensorSpec(x.shape, x.dtype)

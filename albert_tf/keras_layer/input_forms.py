"""Fits the inputs of a call to one of the forms that a restored function was exported for.

A function of a SavedModel runs only on the very structure, dtypes and ranks it was traced with, and
otherwise TensorFlow prints all its traces without naming the difference. Here the difference is
named.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf


def input_forms(function):
    """The distinct forms (nests of TensorSpecs) of a restored function's first argument.

    Empty for a function that is not restored from a SavedModel, or has no positional argument: such
    a function is called as it is.
    """
    forms = {}
    for concrete in getattr(function, "concrete_functions", ()):
        positional, _ = concrete.structured_input_signature
        if positional:
            forms.setdefault(describe(positional[0]), positional[0])
    return list(forms.values())


def fit_inputs(forms, inputs):
    """Returns `inputs` in the first of `forms` that they fit.

    A list and a tuple stand for each other, as Keras 3 exchanges them. If no form has the dtypes of
    the inputs, integers (and bools, such as masks) are cast to the integer type and floats to the
    floating type of the form, as a Keras `Input` does with its data; an integer out of the range of
    that type becomes the nearest one in it. Nothing else is changed.

    Args:
      forms: what `input_forms` returned, not empty.
      inputs: a nest of tensors, or what converts to tensors.

    Raises:
      ValueError: the inputs fit no form; the message names the forms, the difference and the
        remedy.

    Example:
      >>> import tensorflow as tf
      >>> from albert_tf.keras_layer.input_forms import fit_inputs
      >>> forms = [[tf.TensorSpec([None], tf.int32)]]
      >>> fit_inputs(forms, (tf.constant([7], tf.int64),))
      [<tf.Tensor: shape=(1,), dtype=int32, numpy=array([7], dtype=int32)>]
    """
    misfits = []
    for cast in (False, True):
        for form in forms:
            try:
                return _fit(form, inputs, cast, "inputs")
            except _Misfit as misfit:
                misfits.append(misfit)
    expected = " or ".join(describe(form) for form in forms)
    nearest = max(misfits[len(forms) :], key=lambda misfit: misfit.progress)
    raise ValueError(
        f"The loaded object takes inputs of the form {expected}. Received: {describe(inputs)}. "
        f"{nearest}"
    )


def shaped(forms, shapes):
    """The first of `forms` with other shapes, or None if none has their structure.

    Args:
      forms: what `input_forms` returned.
      shapes: a nest of tf.TensorShapes, as `as_shapes` makes them.
    """
    for form in forms:
        try:
            return _shaped(form, shapes)
        except _Misfit:
            continue
    return None


def as_shapes(nest):
    """A nest of shapes given as lists or tuples, as a nest of tf.TensorShapes."""
    if isinstance(nest, dict):
        return {key: as_shapes(value) for key, value in nest.items()}
    try:
        return tf.TensorShape(nest)
    except TypeError:
        return [as_shapes(item) for item in nest]


def _shaped(form, shapes):
    if isinstance(form, Mapping):
        if not isinstance(shapes, Mapping) or set(form) != set(shapes):
            raise _Misfit("", 0)
        return {key: _shaped(form[key], shapes[key]) for key in form}
    if isinstance(form, (list, tuple)):
        if not isinstance(shapes, (list, tuple)) or len(form) != len(shapes):
            raise _Misfit("", 0)
        return [_shaped(*pair) for pair in zip(form, shapes)]
    if not isinstance(shapes, tf.TensorShape):
        raise _Misfit("", 0)
    if isinstance(form, tf.RaggedTensorSpec):
        return tf.RaggedTensorSpec(shapes, form.dtype, form.ragged_rank, form.row_splits_dtype)
    return tf.TensorSpec(shapes, form.dtype)


def describe(nest):
    """A nest of specs, tensors and other values in one line: {ids: int32 [None, None]}."""
    if isinstance(nest, Mapping):
        return (
            "{" + ", ".join(f"{key}: {describe(nest[key])}" for key in sorted(nest, key=str)) + "}"
        )
    if isinstance(nest, (list, tuple)):
        if nest and all(isinstance(item, (bool, int, float, str, bytes)) for item in nest):
            return f"list of {len(nest)} Python {type(nest[0]).__name__}"
        body = ", ".join([*map(describe, nest[:8]), *[f"... {len(nest)} in all"] * (len(nest) > 8)])
        return f"[{body}]"
    if isinstance(nest, np.ndarray):
        return f"{nest.dtype} {list(nest.shape)}"
    if tf.is_tensor(nest) or isinstance(nest, tf.TypeSpec):
        kind = {"RaggedTensor": "ragged ", "SparseTensor": "sparse "}.get(
            type(nest).__name__.removesuffix("Spec"), ""
        )
        dims = "of any rank" if nest.shape.rank is None else nest.shape.as_list()
        return f"{kind}{nest.dtype.name} {dims}"
    return repr(nest)


class _Misfit(Exception):
    """What keeps inputs from a form, found at progress 0 (container), 1 (entries), 2 (tensor)."""

    def __init__(self, remedy, progress):
        super().__init__(remedy)
        self.progress = progress


def _fit(form, value, cast, where):
    if isinstance(form, Mapping):
        if not isinstance(value, Mapping):
            raise _Misfit(f"Pass {where} as a dict with the keys {sorted(form)}.", 0)
        missing = sorted(set(form) - set(value))
        extra = sorted(set(value) - set(form), key=str)
        if missing or extra:
            parts = [f"add {missing}"] * bool(missing) + [f"remove {extra}"] * bool(extra)
            raise _Misfit(f"The keys of {where} must be {sorted(form)}: {' and '.join(parts)}.", 1)
        return {key: _fit(form[key], value[key], cast, f"{where}[{key!r}]") for key in form}
    if isinstance(form, (list, tuple)):
        if not isinstance(value, (list, tuple)):
            raise _Misfit(f"Pass {where} as a list of {len(form)}.", 0)
        if len(value) != len(form):
            raise _Misfit(f"Pass {where} as a list of {len(form)} instead of {len(value)}.", 1)
        fitted = [_fit(f, v, cast, f"{where}[{i}]") for i, (f, v) in enumerate(zip(form, value))]
        return fitted if isinstance(form, list) else tuple(fitted)
    if isinstance(form, tf.TensorSpec):
        return _fit_tensor(form, value, cast, where)
    if isinstance(form, tf.RaggedTensorSpec):
        return _fit_ragged(form, value, cast, where)
    fits = form.is_compatible_with(value) if isinstance(form, tf.TypeSpec) else value == form
    if not fits:
        raise _Misfit(f"{where} must be {describe(form)}.", 2)
    return value


def _fit_tensor(spec, value, cast, where):
    if isinstance(value, (tf.RaggedTensor, tf.SparseTensor)):
        method = "to_tensor()" if isinstance(value, tf.RaggedTensor) else "tf.sparse.to_dense"
        raise _Misfit(f"{where} must be a dense tensor: pad or convert it with {method}.", 2)
    if not tf.is_tensor(value):
        # A list of tensors is a structure of the caller's, which stacking would hide.
        items = tf.nest.flatten(value)
        if isinstance(value, Mapping) or any(map(tf.is_tensor, items)):
            raise _Misfit(f"Pass {where} as one tensor.", 0)
        kinds = {type(item) for item in items}
        try:
            if kinds and kinds <= {bool, int, float}:
                value = _from_numbers(value, spec.dtype, where)
            else:
                hint = spec.dtype if kinds <= {str, bytes} else None
                value = tf.convert_to_tensor(value, dtype_hint=hint)
        except (TypeError, ValueError) as error:
            raise _Misfit(f"{where} cannot become a tensor: {error}", 2) from error
    value = _cast(value, spec.dtype, cast, where)
    if not spec.shape.is_compatible_with(value.shape):
        raise _Misfit(
            f"{where} must have shape {spec.shape.as_list()}, not {value.shape.as_list()}: reshape "
            "it, for one example with x[tf.newaxis].",
            2,
        )
    return value


def _from_numbers(value, dtype, where):
    """Numbers of Python's, which have no dtype: TensorFlow would let the large ones wrap around."""
    value = tf.convert_to_tensor(np.asarray(value))
    if value.dtype.is_integer and dtype.is_floating:
        return tf.cast(value, dtype)
    return _cast(value, dtype, True, where)


def _fit_ragged(spec, value, cast, where):
    if not isinstance(value, tf.RaggedTensor):
        raise _Misfit(f"{where} must be ragged: tf.RaggedTensor.from_tensor makes it so.", 2)
    value = _cast(value, spec.dtype, cast, where)
    if cast:
        value = value.with_row_splits_dtype(spec.row_splits_dtype)
    if not spec.is_compatible_with(value):
        raise _Misfit(
            f"{where} must have ragged rank {spec.ragged_rank} and {spec.row_splits_dtype.name} "
            f"row splits, not {value.ragged_rank} and {value.row_splits.dtype.name}.",
            2,
        )
    return value


def _cast(value, dtype, allowed, where):
    if value.dtype == dtype:
        return value
    to_integer = dtype.is_integer and (value.dtype.is_integer or value.dtype.is_bool)
    same_kind = to_integer or (value.dtype.is_floating and dtype.is_floating)
    if not same_kind:
        cast = "" if tf.string in (value.dtype, dtype) else f"tf.cast(x, tf.{dtype.name}), or "
        remedy = f"{cast}dtype={dtype.name!r} if it is a keras.Input"
        raise _Misfit(f"{where} must have dtype {dtype.name}: {remedy}.", 2)
    if not allowed:
        raise _Misfit("", 2)
    return tf.saturate_cast(value, dtype) if value.dtype.is_integer else tf.cast(value, dtype)

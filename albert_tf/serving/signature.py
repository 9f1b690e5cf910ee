"""A signature of a loaded model: what it takes, how it is computed, which requests go together."""

import dataclasses

import numpy as np
import tensorflow as tf

from albert_tf.inputs import ALIASES, INPUT_NAMES
from albert_tf.serving.json_tensors import TensorForm

_MASKS = {"input_mask", "attention_mask"}


@dataclasses.dataclass(frozen=True)
class Signature:
    """A function from arrays by name to arrays by name.

    Attributes:
      name: Such as "serving_default".
      function: `tf.types.experimental.ConcreteFunction`, called by name.
      inputs, outputs: {name: `TensorForm`}.
      batches: Whether rows of several requests may be computed together.
      pads: Whether they may differ in the last dimension, padded with 0 in ids and mask: so if the
        inputs are ids with a mask, and a padded row has been seen to get its own answer.
    """

    name: str
    function: object
    inputs: dict
    outputs: dict
    batches: bool
    pads: bool

    def __call__(self, inputs):
        """Computes.

        Args:
          inputs: {name: array}.

        Returns:
          {name: array}.
        """
        return _call(self.function, inputs, self.inputs)

    def group(self, inputs):
        """What requests must have in common to be computed together, hashable."""
        if not self.batches:
            return object()  # Equal to no other.
        ends = -1 if self.pads else None
        return tuple(inputs[name].shape[1:ends] for name in self.inputs)

    def together(self, requests):
        """Computes several requests of one group at once.

        Args:
          requests: List of {name: array}.

        Returns:
          List of {name: array}, each as if it had been computed alone.
        """
        if len(requests) == 1:
            return [self(requests[0])]
        first = next(iter(self.inputs))
        lengths = [r[first].shape[-1] for r in requests] if self.pads else None
        joined = {
            name: np.concatenate(
                _padded([r[name] for r in requests]) if self.pads else ([r[name] for r in requests])
            )
            for name in self.inputs
        }
        outputs = self(joined)
        ends = np.cumsum([len(r[first]) for r in requests])
        parts = []
        for i, (start, end) in enumerate(zip([0, *ends[:-1]], ends)):
            part = {name: array[start:end] for name, array in outputs.items()}
            parts.append(self._own(part, lengths and lengths[i], lengths and max(lengths)))
        return parts

    def _own(self, outputs, length, longest):
        """Without what the outputs have for the longer rows of others."""
        count = outputs["counts"].max(initial=0) if "counts" in outputs else None
        if len(next(iter(self.inputs.values())).shape) > 2:
            length = None  # What comes after the rows are choices.
        for name, form in self.outputs.items():
            if len(form.shape) > 1 and form.shape[1] is None:
                if count is not None:
                    outputs[name] = outputs[name][:, :count]
                elif length is not None and outputs[name].shape[1] == longest:
                    outputs[name] = outputs[name][:, :length]
        return outputs


def read_signature(name, function):
    """The `Signature` that a concrete function is, after it has been computed once.

    Args:
      name: Its name.
      function: A concrete function that takes tensors by name and returns a dict of tensors.
    """
    inputs = {n: _form(spec) for n, spec in sorted(function.structured_input_signature[1].items())}
    outputs = {n: _form(spec) for n, spec in function.structured_outputs.items()}
    signature = Signature(name, function, inputs, outputs, _batches(inputs, outputs), False)
    if _takes_ids(inputs):
        try:
            signature = dataclasses.replace(signature, pads=True)
            probes = [_ids(inputs, 4), _ids(inputs, 6)]
            right = all(map(_alike, signature.together(probes), map(signature, probes)))
        except tf.errors.OpError:
            right = False
        return dataclasses.replace(signature, pads=right and signature.batches)
    if signature.batches and all(form.is_text for form in inputs.values()):
        try:
            signature({n: np.full([1, 2][: len(f.shape)], b"", object) for n, f in inputs.items()})
        except tf.errors.OpError:
            pass  # Strings of a form that is not known here; the first request computes it first.
    return signature


def _form(spec):
    dtype = np.dtype(object) if spec.dtype == tf.string else np.dtype(spec.dtype.as_numpy_dtype)
    shape = None if spec.shape.rank is None else tuple(spec.shape.as_list())
    return TensorForm(dtype, shape)


def _call(function, inputs, forms):
    tensors = {
        name: tf.constant(
            array.tolist() if forms[name].is_text else array,
            tf.string if forms[name].is_text else None,
            array.shape,
        )
        for name, array in inputs.items()
    }
    return {name: tensor.numpy() for name, tensor in function(**tensors).items()}


def _batches(inputs, outputs):
    """Whether each input and output has a dimension for rows, and no other that others change."""
    forms = [*inputs.values(), *outputs.values()]
    if not all(form.shape and form.shape[0] is None for form in forms):
        return False
    given = any(len(form.shape) > 1 for form in inputs.values())  # They agree in a group.
    return (
        "counts" in outputs or given or all(None not in form.shape[1:] for form in outputs.values())
    )


def _takes_ids(inputs):
    names = {ALIASES.get(name, name) for name in inputs}
    return names == set(INPUT_NAMES) and all(
        form.dtype.kind == "i" and form.shape and len(form.shape) > 1 and form.shape[-1] is None
        for form in inputs.values()
    )


def _ids(inputs, length):
    probe = {}
    for name, form in inputs.items():
        shape = [1] * (len(form.shape) - 1) + [length]
        if ALIASES.get(name, name) == "input_word_ids":
            probe[name] = np.arange(2, 2 + length, dtype=form.dtype).reshape(shape)
        else:
            probe[name] = np.full(shape, name in _MASKS, form.dtype)
    return probe


def _padded(arrays):
    longest = max(array.shape[-1] for array in arrays)
    return [np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, longest - a.shape[-1])]) for a in arrays]


def _alike(a, b):
    return all(
        a[name].shape == b[name].shape
        and (
            np.allclose(a[name].astype(np.float64), b[name].astype(np.float64), 1e-3, 1e-3)
            if a[name].dtype != object
            else np.array_equal(a[name], b[name])
        )
        for name in b
    )

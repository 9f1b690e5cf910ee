"""TensorFlow Serving's JSON: `instances` or `inputs` in, `predictions` or `outputs` out.

Reference: https://www.tensorflow.org/tfx/serving/api_rest#predict_api
"""

import base64
import binascii
import dataclasses
import json
import math

import numpy as np

from albert_tf.messages import brief, listed
from albert_tf.serving.request_error import RequestError

# Numbers and strings of a response: as JSON, they take some hundred times the memory.
_MOST_VALUES = 1 << 22


@dataclasses.dataclass(frozen=True)
class TensorForm:
    """What an input or output must be.

    Attributes:
      dtype: NumPy's; `object` for strings.
      shape: Tuple of int or None, or None where the rank is not known.
    """

    dtype: np.dtype
    shape: tuple | None

    @property
    def is_text(self):
        return self.dtype == np.dtype(object)

    def __str__(self):
        name = "string" if self.is_text else self.dtype.name
        if self.shape is None:
            return name
        return f"{name} [{', '.join('?' if n is None else str(n) for n in self.shape)}]"


def read_json(body):
    """The JSON object that a body is.

    Args:
      body: bytes.

    Returns:
      dict.

    Raises:
      RequestError: It is something else.
    """
    try:
        request = json.loads(body)
    except RecursionError:
        raise RequestError(400, "The body must be JSON of few levels. It has too many.") from None
    except ValueError as error:  # Also of UnicodeDecodeError, and of numbers with too many digits.
        raise RequestError(400, f"The body must be JSON. Received: {_reason(error)}.") from None
    if not isinstance(request, dict):
        raise RequestError(
            400,
            'The body must be a JSON object, such as {"instances": ["a text"]}. '
            f"Received: {brief(request)}.",
        )
    return request


def signature_name(request):
    """The signature that a request asks for, `serving_default` if it does not say."""
    name = request.get("signature_name", "serving_default")
    if not isinstance(name, str):
        raise RequestError(400, f"'signature_name' must be a string. Received: {brief(name)}.")
    return name or "serving_default"


def read_tensors(request, forms):
    """The tensors of a request.

    Args:
      request: dict, the body's JSON.
      forms: {name: `TensorForm`} of the signature's inputs.

    Returns:
      `({name: array}, by_row)`: the second tells whether the request has `instances`.

    Raises:
      RequestError: The request is malformed or does not fit.
    """
    given = [key for key in ("instances", "inputs") if key in request]
    if len(given) != 1:
        raise RequestError(
            400,
            "A request has either 'instances', a list of rows, or 'inputs', a list of columns. "
            f"Received: {' and '.join(given) or 'keys ' + (listed(request) or 'none')}.",
        )
    by_row = given == ["instances"]
    columns = (_from_rows if by_row else _from_columns)(request[given[0]], forms)
    return {name: _array(columns[name], name, form) for name, form in forms.items()}, by_row


def write_response(outputs, by_row):
    """The body of a response.

    Args:
      outputs: {name: array}.
      by_row: Whether the request had `instances`.

    Returns:
      bytes. As TensorFlow Serving writes it: of one output the values alone; strings of outputs
      whose names end in "_bytes" as base64, others as they are, unless they are no UTF-8; NaN and
      Infinity as these words.

    Raises:
      RequestError: There are too many values, or the outputs have no rows.
    """
    count = sum(array.size for array in outputs.values())
    if count > _MOST_VALUES:
        raise RequestError(
            400,
            f"A response holds at most {_MOST_VALUES} values. Received: a request for {count}. "
            "Send fewer texts at a time.",
        )
    if by_row and len({array.shape[:1] for array in outputs.values()} | {()}) != 2:
        raise RequestError(
            400, "Outputs that are no rows can be had only by 'inputs'. Received: 'instances'."
        )
    columns = {name: _plain(name, outputs[name]) for name in sorted(outputs)}
    if len(columns) == 1:
        (answer,) = columns.values()
    elif by_row:
        answer = [dict(zip(columns, row)) for row in zip(*columns.values())]
    else:
        answer = columns
    return json.dumps({"predictions" if by_row else "outputs": answer}, ensure_ascii=False).encode()


# === In ===


def _from_rows(rows, forms):
    """{name: list of values} of `instances`."""
    if not isinstance(rows, list) or not rows:
        raise RequestError(
            400, f"'instances' must be a list of one row or more. Received: {brief(rows)}."
        )
    named = _is_object(rows[0])
    if not named and len(forms) > 1:
        raise RequestError(
            400,
            f"Rows must be objects with the keys {listed(forms)}. Received: {brief(rows[0])}.",
        )
    for i, row in enumerate(rows):
        if _is_object(row) != named:
            raise RequestError(
                400,
                "Rows must be either all objects or all values. Received: instances[0] "
                f"{brief(rows[0])}, instances[{i}] {brief(row)}.",
            )
        if named and row.keys() != forms.keys():
            raise RequestError(
                400,
                f"Each row must have the keys {listed(forms)}. Received: instances[{i}] with "
                f"{listed(row) or 'none'}.",
            )
    if not named:
        return {next(iter(forms)): rows}
    return {name: [row[name] for row in rows] for name in forms}


def _from_columns(columns, forms):
    """{name: value} of `inputs`."""
    if not _is_object(columns):
        if len(forms) > 1:
            raise RequestError(
                400,
                f"'inputs' must be an object with the keys {listed(forms)}. Received: "
                f"{brief(columns)}.",
            )
        return {next(iter(forms)): columns}
    if columns.keys() != forms.keys():
        raise RequestError(
            400,
            f"'inputs' must have the keys {listed(forms)}. Received: {listed(columns) or 'none'}.",
        )
    return columns


def _is_object(value):
    return isinstance(value, dict) and not (
        list(value) == ["b64"] and isinstance(value["b64"], str)
    )


def _array(value, name, form):
    """A value, lists in lists, as an array of the form."""
    shape, inner = [], value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    known = form.shape
    if known is not None and len(shape) != len(known):
        raise RequestError(
            400,
            f"Input {name!r} must be {form}, batch first: lists of depth {len(known)}. Received: "
            f"depth {len(shape)}, {brief(value)}.",
        )
    values = [value]
    for depth, size in enumerate(shape):
        for part in values:
            if not isinstance(part, list) or len(part) != size:
                received = f"{len(part)} values" if isinstance(part, list) else brief(part)
                raise RequestError(
                    400,
                    f"Input {name!r} must be {form}, with lists of one length at each depth. "
                    f"Received: {received} beside {size} values at depth {depth}. Pad them, with "
                    "0 in the mask, or send separate requests.",
                )
        values = [x for part in values for x in part]
    for have, must in zip(shape, known or ()):
        if must is not None and have != must:
            raise RequestError(400, f"Input {name!r} must be {form}. Received: the shape {shape}.")
    return _leaves(values, name, form).reshape(shape)


def _leaves(values, name, form):
    """An array [n] of values that are no lists."""
    if form.is_text:
        array = np.empty(len(values), object)
        array[:] = [_text(value, name) for value in values]
        return array
    allowed = {"b": {bool}, "i": {int}, "u": {int}, "f": {int, float}}.get(form.dtype.kind, set())
    if strange := set(map(type, values)) - allowed:
        wrong = next(value for value in values if type(value) in strange)
        raise RequestError(
            400, f"Input {name!r} must have values of {form.dtype.name}. Received: {brief(wrong)}."
        )
    if not _in_range(values, form.dtype):
        raise RequestError(
            400,
            f"Input {name!r} must have values within the range of {form.dtype.name}. Received: "
            "one outside of it.",
        )
    return np.array(values, form.dtype)


def _in_range(values, dtype):
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return not values or (limits.min <= min(values) and max(values) <= limits.max)
    if dtype.kind != "f":
        return True
    most = float(np.finfo(dtype).max)
    return all(-most <= x <= most or x != x or x in (math.inf, -math.inf) for x in values)


def _text(value, name):
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise RequestError(
                400,
                f"Input {name!r} must have strings of Unicode. Received: half a surrogate pair.",
            ) from None
    if isinstance(value, dict) and not _is_object(value):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except (binascii.Error, ValueError):
            raise RequestError(
                400, f'The value of "b64" must be base64. Received: {brief(value["b64"])}.'
            ) from None
    raise RequestError(
        400,
        f'Input {name!r} must have strings, or bytes as {{"b64": "..."}}. Received: '
        f"{brief(value)}.",
    )


def _reason(error):
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"bytes that are no UTF-8 at offset {error.start}"
    return str(error).partition(";")[0]


# === Out ===


def _plain(name, array):
    """An array as lists of what JSON has."""
    if array.dtype == object:
        write = _base64 if name.endswith("_bytes") else _string
        return _nested([write(value) for value in array.ravel().tolist()], array.shape)
    if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        return (
            _shortest(array.astype(np.float32)).tolist()
            if array.itemsize <= 4
            else (array.tolist())
        )
    return array.tolist()


def _nested(values, shape):
    for size in reversed(shape[1:]):
        values = [values[i : i + size] for i in range(0, len(values), size)] if size else []
    if shape and 0 in shape[1:]:
        return np.empty(shape, object).tolist()
    return values if shape else values[0]


def _base64(value):
    return {"b64": base64.b64encode(value).decode()}


def _string(value):
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _base64(value)


def _shortest(array):
    """float64 values whose shortest decimals are those of float32: 0.2, not 0.200000003."""
    exact = array.astype(np.float64)
    short = exact.copy()
    with np.errstate(all="ignore"):
        digits = np.floor(np.log10(np.abs(exact)))
        for precision in (8, 7, 6):
            scale = 10.0 ** (precision - 1 - digits)
            rounded = np.rint(exact * scale) / scale
            same = (rounded.astype(np.float32) == array) & np.isfinite(rounded)
            short = np.where(same, rounded, short)
    return short

"""A live model out as an ONNX file, for ONNX Runtime and whatever else reads the format."""

import numpy as np
import tensorflow as tf

from albert_tf._types import Path
from albert_tf.atomic import refuse_existing_file, replacing_file
from albert_tf.exported_file import (
    compared,
    compute_outputs,
    encoder_of,
    float32_copy,
    random_inputs,
    require_finite,
    require_kept,
)
from albert_tf.ids_model import IdsModel
from albert_tf.inputs import INPUT_NAMES
from albert_tf.saved_model.contract.checklist import Check, differs

OPSET = 17
# How far outputs may be from the model's, see `export_onnx`; of positions, how many may differ.
TOLERANCE, _TOLERANCE_OF_POSITIONS = 1e-4, 0.01
# (rows, tokens of the longest) that a file is checked on: graphs may be right for one shape alone.
# The sizes of the last one, all different, tell which dimension is which.
_SHAPES = ((1, 1), (1, 9), (7, 13))
_CHOICES, _PREDICTIONS = 3, 2
_PRODUCER = "albert_tf"
# The version of the format, a small number, and the producer are what a file begins with.
_FILE = {"kind": "file of `export_onnx`", "identifier": b"\x12\x09albert_tf", "offset": 2}


def export_onnx(
    model: IdsModel, path: Path, overwrite: bool = False, skip_padding: bool | None = None
) -> list[Check]:
    """Writes an ONNX file that computes what the model does, for any batch and length.

    Includes the encoder and the heads of the model; not the tokenizer (`ReferenceTokenizer` needs
    no TensorFlow), nor training. It computes in float32, whatever the model does. Before the file
    appears at `path`, ONNX Runtime runs it on one row and on several rows of different lengths, and
    the outputs are compared with the model's: the root mean square of the differences must not
    exceed 1e-4 of that of the model's numbers. Measured: 1e-6 at most.

    ONNX has no assertions. Where the model says what is wrong with an input, ONNX Runtime fails in
    an operator (inputs of different shapes, ids that are not in the vocabulary), or the row's
    outputs are NaN (negative ids, tokens beyond `max_sequence_length`).

    Inputs, int32, all needed:
      input_word_ids, input_mask, input_type_ids: [batch, length]; of an `AlbertMultipleChoice`
        [batch, choices, length].
      masked_lm_positions: [batch, predictions], of an `AlbertPretrainer` with a masked LM head.

    Outputs: those of the model as it stands in its docstring, by name; `encoder_outputs` are left
    out, and one output alone is "logits".

    Args:
      model: An `AlbertEncoder`, or a model on top of it: `AlbertClassifier`,
        `AlbertTokenClassifier`, `AlbertSpanLabeler`, `AlbertMultipleChoice`, `AlbertPretrainer`.
      path: File to write, such as "albert.onnx".
      overwrite: Whether an earlier file of this function at `path` is replaced. It stays as it is
        until the new one is complete.
      skip_padding: Whether the file computes tokens only, not padding, see `AlbertEncoder`; it
        pays with batches of rows of different lengths. Default: what the encoder does.

    Returns:
      The list of `albert_tf.saved_model.contract.checklist.Check` that the file passed.

    Raises:
      FileExistsError: There is something at `path`, and not `overwrite`.
      ImportError: tf2onnx or onnxruntime are not installed.
      TypeError, ValueError: `model` is not as above, or the file's outputs differ too much.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> path = tempfile.mkdtemp() + "/albert.onnx"
    >>> _ = albert_tf.export_onnx(encoder, path)  # Needs pip install "albert_tf[onnx]".

    Reference: https://onnx.ai/onnx/, https://github.com/onnx/tensorflow-onnx
    """
    refuse_existing(path, overwrite)  # Before any work.
    if not isinstance(model, IdsModel):
        raise TypeError(
            "`model` must be an AlbertEncoder, or a model on top of it, such as an "
            f"AlbertClassifier. Received: {type(model).__name__}."
        )
    require_packages()
    computation = {} if skip_padding is None else {"skip_padding": skip_padding}
    model = float32_copy(model, **computation)
    probes = [_probe(model, *shape) for shape in _SHAPES]
    pairs = [(inputs, _compute(model, inputs)) for inputs in probes]
    for _, expected in pairs:
        require_finite(expected)
    with replacing_file(path, overwrite, **_FILE) as file:
        file.write_bytes(_convert(model, *pairs[-1]))
        checks = _check(file, pairs)
        require_kept(checks, "An ONNX file")
    return checks


def refuse_existing(path, overwrite=False):
    """Raises where `export_onnx` would because of what is at `path`; before long work."""
    refuse_existing_file(path, overwrite, **_FILE)


def require_packages():
    """Raises an ImportError unless the packages that convert and run ONNX files are there."""
    try:
        import onnxruntime  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"ONNX files need tf2onnx and onnxruntime. Received: {error}. Install them with "
            '`pip install "albert_tf[onnx]"`.'
        ) from error


def _probe(model, rows, length):
    """Inputs by name."""
    config = encoder_of(model).albert_config
    length = min(length, config.max_position_embeddings)
    choices = [_CHOICES] * (model.input_rank - 2)
    inputs = random_inputs(config, rows * int(np.prod(choices)), length)
    inputs = {name: x.reshape([rows, *choices, length]) for name, x in inputs.items()}
    for name in model.input_specs():
        if name not in INPUT_NAMES:
            positions = np.arange(rows * _PREDICTIONS, dtype=np.int32) % length
            inputs[name] = positions.reshape([rows, _PREDICTIONS])
    return inputs


def _compute(model, inputs):
    """The outputs that a file has, by name, as arrays or, in a graph, tensors."""
    outputs = compute_outputs(model, {name: tf.convert_to_tensor(x) for name, x in inputs.items()})
    outputs.pop("encoder_outputs", None)
    if tf.executing_eagerly():
        return {name: x.numpy() for name, x in outputs.items()}
    return outputs


def _convert(model, inputs, outputs):
    """The model as the bytes of a file."""
    import tf2onnx

    specs = model.input_specs()

    def serve(*tensors):
        return _compute(model, dict(zip(specs, tensors)))

    converted, _ = tf2onnx.convert.from_function(
        tf.function(serve, autograph=False),
        list(specs.values()),
        opset=OPSET,
        custom_op_handlers={"Erfc": (_convert_erfc, [])},
    )
    converted.producer_name = _PRODUCER
    _name_dimensions(converted.graph, inputs, outputs)
    return converted.SerializeToString()


def _convert_erfc(graph, node, name, args):
    """1 - erf(x) for the Erfc of the exact GELU, which tf2onnx does not know."""
    (x,), outputs = node.input, node.output
    form = {"shapes": node.output_shapes, "dtypes": node.output_dtypes}
    graph.remove_node(name)
    one = graph.make_const(f"{name}/one", np.array(1, np.float32))
    erf = graph.make_node("Erf", [x], name=f"{name}/erf", **form)
    graph.make_node("Sub", [one.output[0], erf.output[0]], outputs=outputs, name=name, **form)


def _name_dimensions(graph, inputs, outputs):
    """Calls the open dimensions of inputs and outputs by what they are, not unk__7.

    Args:
      graph: `onnx.GraphProto`.
      inputs, outputs: Example arrays by name, of which the sizes tell which dimension is which.
    """
    rows, *_, length = inputs["input_word_ids"].shape
    names = {rows: "batch", length: "length", _CHOICES: "choices", _PREDICTIONS: "predictions"}
    for value in [*graph.input, *graph.output]:
        shape = {**inputs, **outputs}[value.name].shape
        for axis, (size, dimension) in enumerate(zip(shape, value.type.tensor_type.shape.dim)):
            if not dimension.HasField("dim_value"):
                dimension.dim_param = names.get(size, f"{value.name}_{axis}")


def _check(file, pairs):
    """Runs a file as a user would, and compares."""
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception as error:  # They have no class of their own in common.
        return [Check("ONNX Runtime reads the file", str(error).splitlines()[0])]
    names = tuple(
        sorted(x.name for x in values) for values in (session.get_inputs(), session.get_outputs())
    )
    checks = [Check("names of inputs and outputs", differs(tuple(map(sorted, pairs[0])), names))]
    if checks[0].difference:
        return checks
    for inputs, expected in pairs:
        received = dict(zip(expected, session.run(list(expected), inputs)))
        if difference := differs(_forms(expected), _forms(received)):
            return [*checks, Check("shapes and dtypes", difference)]
        of = "x".join(map(str, inputs["input_word_ids"].shape))
        for name, right in expected.items():
            if right.dtype.kind == "f":
                checks.append(compared(f"{of} tokens: {name}", received[name], right, TOLERANCE))
            else:  # Two positions as good as each other may change places.
                share = np.mean(received[name] != right)
                promise = f"{of} tokens: {name} differs in {share:.1%} of places"
                few = share <= _TOLERANCE_OF_POSITIONS
                checks.append(Check(promise, None if few else "too much"))
    return checks


def _forms(arrays):
    return {name: (array.dtype.name, array.shape) for name, array in arrays.items()}

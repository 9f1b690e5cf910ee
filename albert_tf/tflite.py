"""A live model out as a TensorFlow Lite file, for devices and processes without TensorFlow."""

import collections
import functools
import math
import tempfile
import warnings

import numpy as np
import tensorflow as tf

from albert_tf._keras import keras, tf_variable
from albert_tf._types import Path
from albert_tf.atomic import refuse_existing_file, replacing_file
from albert_tf.encoder import AlbertEncoder
from albert_tf.exported_file import (
    compared,
    compute_outputs,
    encoder_of,
    float32_copy,
    random_inputs,
    require_finite,
    require_kept,
)
from albert_tf.inputs import INPUT_NAMES
from albert_tf.layers.unpadding import Padded
from albert_tf.saved_model.arguments import check_positive
from albert_tf.saved_model.contract.checklist import Check, differs
from albert_tf.tasks.classifier import AlbertClassifier
from albert_tf.tasks.span_labeler import AlbertSpanLabeler
from albert_tf.tasks.token_classifier import AlbertTokenClassifier

# How far the outputs may be from the model's: the root mean square of the differences, relative to
# that of the model's numbers. See `export_tflite`.
TOLERANCES = {"float32": 1e-4, "int8": 0.1}

# Model -> {output: whether it has a row for each token, of which those at padding mean nothing}.
_OUTPUTS = {
    AlbertEncoder: {"pooled_output": False, "sequence_output": True},
    AlbertClassifier: {"logits": False},
    AlbertTokenClassifier: {"logits": True},
    AlbertSpanLabeler: {"start_logits": True, "end_logits": True},
}
_SIGNATURE = "serving_default"
_FILE = {"kind": "TensorFlow Lite file", "identifier": b"TFL3", "offset": 4}
_MIN_ROWS = 8  # That a file is checked on.


def export_tflite(
    model: keras.layers.Layer,
    path: Path,
    seq_length: int = 128,
    batch_size: int = 1,
    weights: str = "float32",
    overwrite: bool = False,
    unroll: bool = False,
) -> list[Check]:
    """Writes a TensorFlow Lite file that computes what the model does, for inputs of one shape.

    Includes the encoder and, of a task model, its head; not the tokenizer (`ReferenceTokenizer`
    needs no TensorFlow), nor training. Only TensorFlow Lite's builtin operators are in the file. It
    computes in float32 and does not skip padding, whatever the model does. The layers that share
    weights are a loop: the interpreter prepares the weights once, not once a layer, which is most
    of its memory and of the time to start. Before the file appears at `path`, TensorFlow's own
    interpreter runs it on random rows of different lengths, and the outputs are compared with the
    model's (at tokens, not at padding): the root mean square of the differences must not exceed
    that of the model's numbers times

    - 1e-4 with float32 weights. Measured: 2e-6 at most.
    - 0.1 with int8 weights. Measured: 0.02 at most for ALBERT base with random weights, 0.06 for
      `albert_tiny_en` and what was fine-tuned from it; published weights were not available. What
      counts is the score on your own data: `benchmarks/tflite_accuracy.py` compares it.

    Signature `serving_default`:
      inputs: input_word_ids, input_mask, input_type_ids: int32 [batch_size, seq_length].
      outputs, float32: of an `AlbertEncoder` pooled_output [batch_size, H] and sequence_output
        [batch_size, seq_length, H]; of an `AlbertClassifier` logits [batch_size, classes]; of an
        `AlbertTokenClassifier` logits [batch_size, seq_length, classes]; of an `AlbertSpanLabeler`
        start_logits and end_logits [batch_size, seq_length].

    Args:
      model: One of these models, the `AlbertSpanLabeler` without version_2. An
        `AlbertMultipleChoice` is an `AlbertClassifier` with one class, whose batch are the choices:
        make one of its encoder, and set the head's weights.
      path: File to write, such as "albert.tflite".
      seq_length: Length of all rows, padding included.
      batch_size: Number of rows.
      weights: "float32", or "int8" for a file of a quarter of the size: TensorFlow Lite's dynamic
        range quantization, which keeps inputs and outputs, and needs no data.
      overwrite: Whether an earlier TensorFlow Lite file at `path` is replaced. It stays as it is
        until the new one is complete.
      unroll: Whether to write layer after layer instead of a loop, for delegates that run no loops,
        such as that for GPUs.

    Returns:
      The list of `albert_tf.saved_model.contract.check.Check` that the file passed.

    Raises:
      FileExistsError: There is something at `path`, and not `overwrite`.
      TypeError, ValueError: An argument is not as above, or the file's outputs differ too much.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> encoder = albert_tf.AlbertEncoder.from_checkpoint("albert_tiny_en")
    >>> path = tempfile.mkdtemp() + "/albert.tflite"
    >>> _ = albert_tf.export_tflite(encoder, path, seq_length=32, weights="int8")

    Reference: https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/post_training_quantization
    """
    refuse_existing(path, overwrite)  # Before any work.
    outputs = _outputs_of(model)
    config = encoder_of(model).albert_config
    check_positive(seq_length=seq_length, batch_size=batch_size)
    if seq_length > config.max_position_embeddings:
        raise ValueError(
            f"`seq_length` must not exceed the encoder's {config.max_position_embeddings} "
            f"positions. Received: {seq_length}."
        )
    if weights not in TOLERANCES:
        raise ValueError(f"`weights` must be one of float32, int8. Received: {weights!r}.")

    # In the plain way, which the converter understands.
    model = float32_copy(model, skip_padding=False)
    # Whole batches.
    inputs = random_inputs(config, math.ceil(_MIN_ROWS / batch_size) * batch_size, seq_length)
    computed = compute_outputs(model, inputs)
    expected = {name: computed[name].numpy() for name in outputs}
    require_finite(expected)
    with replacing_file(path, overwrite, **_FILE) as file:
        if not unroll:  # From here on: what is expected has been computed in the plain way.
            encoder = encoder_of(model)
            encoder.encode = functools.partial(  # pyright: ignore[reportAttributeAccessIssue]
                _encode_in_loops, encoder
            )
        file.write_bytes(_convert(model, outputs, seq_length, batch_size, weights))
        checks = _check(file, inputs, expected, outputs, batch_size, TOLERANCES[weights])
        way_out = ' weights="float32" keeps them.' if weights == "int8" else ""
        require_kept(checks, "A TensorFlow Lite file", way_out)
    return checks


def refuse_existing(path, overwrite=False):
    """Raises where `export_tflite` would because of what is at `path`; before long work."""
    refuse_existing_file(path, overwrite, **_FILE)


def open_signature(path):
    """The signature of a file, a function of arrays by name, in TensorFlow's own interpreter."""
    with warnings.catch_warnings():
        # Its successor is another package; this one has come with TensorFlow.
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
        return tf.lite.Interpreter(model_path=str(path)).get_signature_runner(_SIGNATURE)


def _outputs_of(model):
    """{output: whether it has a row for each token}."""
    outputs = next((o for kind, o in _OUTPUTS.items() if isinstance(model, kind)), None)
    if outputs is None or getattr(model, "version_2", False):
        raise TypeError(
            "`model` must be an AlbertEncoder, AlbertClassifier, AlbertTokenClassifier, or "
            "AlbertSpanLabeler without version_2. Received: "
            f"{type(model).__name__}{' with version_2' if outputs else ''}. Export its `.encoder`, "
            "and compute its head from sequence_output or pooled_output."
        )
    return outputs


def _encode_in_loops(encoder, word_ids, mask, type_ids, training=None, apart=False):
    """`AlbertEncoder.encode` with a loop over the layers of each group, no `encoder_outputs`.

    Nothing is computed `apart`: it took as long, and the weights outside of the loop would be
    prepared once more.
    """
    rows = Padded(mask)
    x = rows.unpad(encoder.embeddings(word_ids, type_ids, mask))
    if encoder.embedding_projection is not None:
        x = encoder.embedding_projection(x)
    config = encoder.albert_config
    blocks = [(block, block.parameters(x.dtype)) for block in encoder.transformer_blocks()]
    layers = collections.Counter(map(config.group_of_layer, range(config.num_hidden_layers)))
    for group, times in layers.items():
        first = group * config.inner_group_num
        group_blocks = blocks[first : first + config.inner_group_num]

        def apply_group(layer, x, blocks=group_blocks):
            y = x
            for block, parameters in blocks:
                y = block(y, mask, parameters)
            return layer + 1, tf.ensure_shape(y, x.shape)

        _, x = tf.while_loop(lambda layer, _, n=times: layer < n, apply_group, (0, x))
    sequence_output = rows.pad(x)
    pooled_output = tf.tanh(encoder.pooler_transform(sequence_output[:, 0]))
    return {"pooled_output": pooled_output, "sequence_output": sequence_output}


def _convert(model, names, seq_length, batch_size, weights):
    """The model as the bytes of a file."""

    def serve(**inputs):
        outputs = compute_outputs(model, inputs)
        return {name: outputs[name] for name in names}

    specs = {n: tf.TensorSpec([batch_size, seq_length], tf.int32, n) for n in INPUT_NAMES}
    function = tf.function(serve, autograph=False).get_concrete_function(**specs)
    root = tf.train.Checkpoint()
    root.variables = [tf_variable(weight) for weight in model.weights_by_name().values()]
    # By way of a SavedModel: of a function alone, the converter silently loses the weights.
    with tempfile.TemporaryDirectory() as directory:
        tf.saved_model.save(root, directory, signatures={_SIGNATURE: function})
        converter = tf.lite.TFLiteConverter.from_saved_model(directory)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if weights == "int8":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return converter.convert()


def _check(file, inputs, expected, outputs, batch_size, tolerance):
    """Runs a file as a user would, and compares."""
    run = open_signature(file)
    rows, length = inputs["input_mask"].shape
    shapes = {name: (batch_size, length) for name in inputs}
    shapes |= {name: (batch_size, *array.shape[1:]) for name, array in expected.items()}
    details = {**run.get_input_details(), **run.get_output_details()}
    received = {name: tuple(map(int, detail["shape"])) for name, detail in details.items()}
    checks = [
        Check(
            f"signature {_SIGNATURE}: names and shapes",
            differs(dict(sorted(shapes.items())), dict(sorted(received.items()))),
        )
    ]
    batches = [
        run(**{name: array[row : row + batch_size] for name, array in inputs.items()})
        for row in range(0, rows, batch_size)
    ]
    for name, by_token in outputs.items():
        chosen = inputs["input_mask"] > 0 if by_token else slice(None)
        received = np.concatenate([batch[name] for batch in batches])
        checks.append(compared(name, received[chosen], expected[name][chosen], tolerance))
    return checks

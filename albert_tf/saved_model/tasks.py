"""What the exporters of models from text to answers share: the object, and how it is written."""

import contextlib
import dataclasses
import functools
import inspect
import json
from collections.abc import Callable
from typing import ParamSpec

import numpy as np
import tensorflow as tf

from albert_tf._keras import tf_variable
from albert_tf._types import Path
from albert_tf.atomic import replacing_directory
from albert_tf.inputs import INPUT_NAMES, as_int32
from albert_tf.saved_model.arguments import ExportOptions
from albert_tf.saved_model.computation import check_computation, exported_computation
from albert_tf.saved_model.contract.checklist import Check, differs
from albert_tf.saved_model.contract.tasks import PROBES, check_task, probe_ids, probe_texts
from albert_tf.saved_model.tracing import traced_once
from albert_tf.saved_model.vocabulary_asset import attach_vocabulary
from albert_tf.saved_model.warmup import write_warmup
from albert_tf.text.given_vocabulary import given_vocabulary, reference_tokenizer, vocabulary_record
from albert_tf.text.preprocessor import Preprocessor

P = ParamSpec("P")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskExport:
    """A task's part of an export.

    Attributes:
      task: Name, a key of `task_contract.ANSWERS`.
      model: The live task model, or an object like it: `call(inputs, training)`, `encoder`, `rules`
        and `weights_by_name()`.
      text_inputs: {name: rank} of the string inputs of `serving_default`.
      answer_text: Function (preprocessor, compute, **texts) -> dict of tensors; `compute` takes a
        dict of int32 tensors and returns what the model does.
      answer_ids: Function from what the model returns to a dict of tensors.
      labels: Names of the classes, or None.
      settings: dict that `task()` tells besides what all tasks have.
      further_inputs: {name: rank} of inputs that `__call__` takes in all combinations besides
        `INPUT_NAMES`.
      needed_in_training: Those of them without which the model cannot be trained.
      check_length: None, or a function of `seq_length` that raises a ValueError if it is too small.
    """

    task: str
    model: object
    text_inputs: dict
    answer_text: Callable
    answer_ids: Callable
    labels: tuple | None = None
    settings: dict = dataclasses.field(default_factory=dict)
    further_inputs: dict = dataclasses.field(default_factory=dict)
    needed_in_training: tuple = ()
    check_length: Callable | None = None

    @property
    def ids_rank(self):
        return 3 if self.task == "multiple_choice" else 2


def export_task(
    export,
    path,
    sp_model=None,
    *,
    seq_length=None,
    rules: str | None = None,
    overwrite: bool = False,
    skip_padding: bool = True,
    compute_dtype: str | None = None,
    warmup: bool = False,
    vocab_file: Path | None = None,
    do_lower_case: bool | None = None,
) -> list[Check]:
    """Writes a task model's SavedModel and checks it before it appears at `path`.

    Args:
      export: `TaskExport`.
      sp_model: Path of a SentencePiece model, or an opened vocabulary of either kind.
      seq_length: Longest input in tokens. Default: as many as the encoder has positions.
      The others: As of `export_classifier`.

    Returns:
      The list of `albert_tf.saved_model.contract.checklist.Check` that the SavedModel passed.
    """
    vocabulary = given_vocabulary(sp_model, vocab_file, do_lower_case)
    with (
        _prepared(export, vocabulary, rules, seq_length, skip_padding, compute_dtype) as prepared,
        replacing_directory(path, overwrite=overwrite) as temporary,
    ):
        preprocessor, computation = prepared
        with traced_once():
            root, signatures = _reusable_object(export, preprocessor)
        root.computation = computation
        tf.saved_model.save(root, str(temporary), signatures=signatures)
        loaded = tf.saved_model.load(str(temporary))
        checks = [
            *check_task(loaded),
            *_ids_of_training(preprocessor),
            *_same_answers(export, signatures, loaded),
        ]
        if broken := [f"{c.promise}: {c.difference}" for c in checks if c.difference]:
            raise ValueError(
                f"An exported SavedModel must keep its contract. Received: {'; '.join(broken)}."
            )
        if warmup:
            write_warmup(temporary, [probe_texts(export.text_inputs, batch) for batch in (1, 4)])
    return checks


def exporter(function: Callable[P, list[Check]]) -> Callable[P, list[Check]]:
    """Decorates a public exporter that passes its `**options` on to `export_task`.

    `help` and editors show the options as arguments with names, types and defaults.
    """
    signature = inspect.signature(function)
    of_all = inspect.signature(export_task).parameters
    *own, _ = signature.parameters.values()
    options = [of_all[name] for name in ExportOptions.__annotations__]
    function.__signature__ = signature.replace(parameters=[*own, *options])
    return function


def serving_function(export, vocabulary, rules=None, seq_length=None, compute_dtype=None):
    """What `serving_default` of the SavedModel would be, of the live model: nothing is written.

    Args:
      export: `TaskExport`.
      vocabulary: `SentencePieceModel` or `WordPieceVocabulary`.
      rules, seq_length, compute_dtype: As the exporters' arguments.

    Returns:
      `(function, record, kept)`: a function of string tensors by name that returns a dict of
      tensors; the dict that `task()` of the SavedModel would tell, with `labels` where there are
      some; and what the caller must keep while it uses the function, which holds no weights.
    """
    with _prepared(export, vocabulary, rules, seq_length, True, compute_dtype) as prepared:
        preprocessor, _ = prepared
        model = export.model
        compute = _function(lambda inputs, training: model.call(inputs, training=training))
        record = _record(export, preprocessor)
        if export.labels is not None:
            record["labels"] = list(export.labels)
        return _text_function(export, preprocessor, compute), record, (export, preprocessor)


@contextlib.contextmanager
def _prepared(export, vocabulary, rules, seq_length, skip_padding, compute_dtype):
    """Checks the arguments; yields the preprocessor, and what `exported_computation` does."""
    encoder = export.model.encoder
    positions = encoder.albert_config.max_position_embeddings
    seq_length = positions if seq_length is None else seq_length
    preprocessor = Preprocessor(vocabulary, rules or export.model.rules, seq_length)
    preprocessor.tokenize.vocabulary.check_size(encoder.albert_config.vocab_size)
    if preprocessor.seq_length > positions:
        raise ValueError(
            f"`seq_length` must not exceed the encoder's {positions} positions. Received: "
            f"{seq_length}."
        )
    if export.check_length is not None:
        export.check_length(preprocessor.seq_length)
    check_computation(encoder, skip_padding, compute_dtype)
    with exported_computation(encoder, skip_padding, compute_dtype) as computation:
        yield preprocessor, computation


# There is no control flow to convert, which would take longer than all the rest.
_function = functools.partial(tf.function, autograph=False)


def _reusable_object(export, preprocessor):
    """The trackable object to save, and its signatures."""
    model = export.model
    # Every way of calling converges here, so that the file holds the model's graph few times.
    compute = _function(lambda inputs, training: model.call(inputs, training=training))

    @_function
    def call(inputs, training=False, mask=None):
        if not isinstance(inputs, dict):
            inputs = dict(zip(INPUT_NAMES, inputs))
        return compute({name: as_int32(x) for name, x in inputs.items()}, training)

    root = tf.train.Checkpoint()
    root.variables = [tf_variable(weight) for weight in model.weights_by_name().values()]
    root.trainable_variables = list(root.variables)
    root.regularization_losses = []
    root.__call__ = call
    for specs, training in _forms(export):
        call.get_concrete_function(specs, training=training, mask=None)
    attach_vocabulary(root, preprocessor.tokenize.vocabulary)
    # Holds the tokenizer's resource, which the text signature uses.
    root.live_preprocessor = preprocessor

    root.config = _constant(model.encoder.albert_config.to_json())
    root.task = _constant(json.dumps(_record(export, preprocessor), indent=2))
    if export.labels is not None:
        root.labels = _constant(list(export.labels))

    def answer_ids(**inputs):
        return export.answer_ids(compute(inputs, False))

    ids = {n: tf.TensorSpec([None] * export.ids_rank, tf.int32, n) for n in INPUT_NAMES}
    return root, {
        "serving_default": _text_function(export, preprocessor, compute),
        "ids": _function(answer_ids).get_concrete_function(**ids),
    }


def _record(export, preprocessor):
    """What `task()` tells."""
    return {
        "task": export.task,
        "text_inputs": list(export.text_inputs),
        "rules": preprocessor.rules,
        **vocabulary_record(preprocessor.tokenize.vocabulary),
        "seq_length": preprocessor.seq_length,
        **export.settings,
    }


def _text_function(export, preprocessor, compute):
    """From text to answers, a concrete function."""

    def answer_text(**texts):
        return export.answer_text(preprocessor, lambda inputs: compute(inputs, False), **texts)

    texts = {
        n: tf.TensorSpec([None] * rank, tf.string, n) for n, rank in export.text_inputs.items()
    }
    return _function(answer_text).get_concrete_function(**texts)


def _constant(value):
    return _function(lambda: tf.constant(value), input_signature=[])


def _forms(export):
    """Yields (inputs, training) for each way of calling the saved object."""
    ranks = dict.fromkeys(INPUT_NAMES, export.ids_rank)
    for dtype in (tf.int32, tf.int64):
        base = {name: tf.TensorSpec([None] * rank, dtype, name) for name, rank in ranks.items()}
        dicts = [base]
        for name, rank in export.further_inputs.items():
            spec = tf.TensorSpec([None] * rank, dtype, name)
            dicts += [{**specs, name: spec} for specs in dicts]
        for training in (False, True):
            needed = export.needed_in_training if training else ()
            for specs in dicts:
                if all(name in specs for name in needed):
                    yield specs, training
            if not needed:
                yield list(base.values()), training
                yield tuple(base.values()), training


def _ids_of_training(preprocessor):
    """Compares the ids that text becomes in the graph with those of the trainers' tokenizer."""
    reference = reference_tokenizer(preprocessor.tokenize.vocabulary)
    if preprocessor.rules != reference.rules:  # Trained elsewhere: there is nothing to compare.
        return
    texts = probe_texts(["text"], batch=len(PROBES))["text"]
    received = preprocessor.tokenize(texts).to_list()
    expected = [reference.encode(text) for text in PROBES]
    yield Check(
        f"text becomes the ids of training, rules {reference.rules}", differs(expected, received)
    )


def _same_answers(export, signatures, loaded):
    """Compares what was loaded with what was saved, on a few inputs."""
    inputs = {
        "serving_default": probe_texts(export.text_inputs, batch=len(PROBES)),
        "ids": probe_ids(export.task, export.model.encoder.albert_config),
    }
    for name, live in signatures.items():
        received = loaded.signatures[name](**inputs[name])
        expected = live(**inputs[name])
        different = [key for key in expected if not _close(expected[key], received[key])]
        yield Check(
            f"signature {name} answers as the live model",
            f"{', '.join(different)} differ" if different else None,
        )


def _close(a, b):
    if a.dtype.is_floating:
        return np.allclose(a, b, rtol=1e-5, atol=1e-5)
    return np.array_equal(a, b)

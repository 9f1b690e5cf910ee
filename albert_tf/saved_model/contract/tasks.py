"""What an exported task model promises: text in, answer out.

`__call__(inputs, training=False, mask=None)`: what the live model answers to a dict of
  `INPUT_NAMES` or a list or tuple of three; int32 or int64 [batch, length], for multiple choice
  [batch, choices, length].
`variables`, `trainable_variables`: those of `contract.variable_shapes(config)`, then the head's.
`regularization_losses`: [].
`sp_model_file`: tf.saved_model.Asset; of WordPiece `vocab_file` and the bool `do_lower_case`.
`config()`: the encoder's configuration, a JSON string.
`computation()`: how the encoder computes, a JSON string: compute_dtype, skip_padding.
`task()`: a JSON object: task, text_inputs, rules, seq_length, and the task's own settings:
  problem_type of classification, multi_label and regression, thresholds of multi_label.
`labels()`: string [classes], of classification, multi_label and token_classification.
Signature `serving_default`: text, `task()["text_inputs"]`, to `ANSWERS[task]`.
Signature `ids`: `INPUT_NAMES`, int32, to `ID_ANSWERS[task]`. Probabilities are the softmax of what
  `__call__` answers, the sigmoid for multi_label, whose predictions are those of at least the
  threshold.

Programs that load one must have imported tensorflow_text: text needs its operations.
"""

import json

import numpy as np
import tensorflow as tf

from albert_tf.config import AlbertConfig
from albert_tf.inputs import INPUT_NAMES
from albert_tf.saved_model.contract.checklist import Checklist, differs, vocabulary_asset
from albert_tf.saved_model.contract.encoder import variable_shapes

_SPANS = (
    "answers",
    "scores",
    "probabilities",
    "byte_starts",
    "byte_ends",
    "char_starts",
    "char_ends",
)
ANSWERS = {
    "classification": ("label", "probabilities"),
    "multi_label": ("predictions", "probabilities"),
    "regression": ("score",),
    "multiple_choice": ("answer", "choice", "probabilities"),
    "span": ("answer", "no_answer_score", *_SPANS),
    "token_classification": (
        "tokens",
        "tags",
        "scores",
        "counts",
        "byte_starts",
        "byte_ends",
        "char_starts",
        "char_ends",
    ),
}
ID_ANSWERS = {
    **{task: ANSWERS[task] for task in ("classification", "multi_label", "regression")},
    "multiple_choice": ("choice", "probabilities"),
    "span": ("end_logits", "start_logits"),
    "span_version_2": (
        "cls_logits",
        "end_top_index",
        "end_top_log_probs",
        "start_top_index",
        "start_top_log_probs",
    ),
    "token_classification": ("probabilities",),
}
_LABELED = ("classification", "multi_label", "token_classification")
_CHOICES = 3
# Some that the text rules differ on.
PROBES = (
    "The quick brown fox jumps over the lazy dog.",
    "Ça, c'est l'été à Zürich!",
    "In 2010, it cost 1,000, he said.",
    "stra\u00dfe \u2167 \ufb01ne co\u00adoperate",
)


def check_task(loaded):
    """Checks a loaded task model. Returns a list of `Check`."""
    checklist = Checklist()
    promise = checklist.promise
    if not promise(
        "task() and config() are JSON", lambda: (_task(loaded), _config(loaded)) and None
    ):
        return checklist.checks
    promise("variables: the encoder's, then the head's", _variables, loaded)
    promise(
        "regularization_losses is empty", lambda: differs([], list(loaded.regularization_losses))
    )
    promise("the vocabulary is an asset", vocabulary_asset, loaded)
    promise("signature serving_default: text in, answer out", _text, loaded)
    promise("signature ids", _ids, loaded)
    promise("dict, list and tuple, int32 and int64, answer alike", _call, loaded)
    promise("gradients of the head in training", _gradients, loaded)
    task = _task(loaded)["task"]
    if task in _LABELED:
        promise("labels() has a name for each class", _labels, loaded)
    if task in ("classification", "multi_label"):
        promise("probabilities are those of the logits", _probabilities, loaded)
    return checklist.checks


def probe_texts(text_inputs, batch=2):
    """Some text for each input of `serving_default`, as {name: string tensor}."""
    texts = tf.constant([PROBES[i % len(PROBES)] for i in range(batch)], tf.string, [batch])
    choices = tf.repeat(texts[:, tf.newaxis], _CHOICES, 1)
    return {name: choices if name == "choices" else texts for name in text_inputs}


def probe_ids(task, config, batch=2):
    """Token ids for signature `ids` as {name: int32 tensor}."""
    length = min(8, config.max_position_embeddings)
    shape = [batch, _CHOICES, length] if task == "multiple_choice" else [batch, length]
    ids = tf.reshape(tf.range(tf.reduce_prod(shape)), shape) % config.vocab_size
    types = tf.cast(tf.range(length) >= length // 2, tf.int32) + tf.zeros_like(ids)
    return dict(zip(INPUT_NAMES, (ids, tf.ones_like(ids), types)))


def _task(loaded):
    return json.loads(loaded.task().numpy())


def _config(loaded):
    return AlbertConfig.from_dict(json.loads(loaded.config().numpy()))


def _variables(loaded):
    expected = [f"{name}:0 {shape}" for name, shape in variable_shapes(_config(loaded)).items()]
    for variables in (loaded.variables, loaded.trainable_variables):
        received = [f"{v.name} {tuple(v.shape)}" for v in variables]
        for i, (a, b) in enumerate(zip(expected, received)):
            if a != b:
                return f"variable {i}: expected {a}, received {b}"
        if len(received) <= len(expected):
            return f"expected more than {len(expected)} variables, received {len(received)}"
    return None


def _text(loaded):
    task = _task(loaded)
    for batch in (2, 1, 0):
        outputs = loaded.signatures["serving_default"](**probe_texts(task["text_inputs"], batch))
        difference = differs(sorted(ANSWERS[task["task"]]), sorted(outputs))
        if difference := difference or _batch(outputs, batch):
            return difference
    return None


def _ids(loaded):
    task = _task(loaded)
    kind = "span_version_2" if task.get("version_2") else task["task"]
    for batch in (2, 0):
        outputs = loaded.signatures["ids"](**probe_ids(kind, _config(loaded), batch))
        difference = differs(sorted(ID_ANSWERS[kind]), sorted(outputs))
        if difference := difference or _batch(outputs, batch):
            return difference
    return None


def _batch(outputs, batch):
    return differs({name: batch for name in outputs}, {k: v.shape[0] for k, v in outputs.items()})


def _call(loaded):
    inputs = probe_ids(_task(loaded)["task"], _config(loaded))
    expected = tf.nest.flatten(loaded(inputs))
    for dtype in (tf.int32, tf.int64):
        tensors = {name: tf.cast(x, dtype) for name, x in inputs.items()}
        for form in (tensors, list(tensors.values()), tuple(tensors.values())):
            received = tf.nest.flatten(loaded(form, training=False))
            if any(bool(tf.reduce_any(a != b)) for a, b in zip(expected, received)):
                return f"{type(form).__name__} of {dtype.name} differs"
    return None


def _gradients(loaded):
    task = _task(loaded)
    inputs = probe_ids(task["task"], _config(loaded))
    if task.get("version_2"):
        inputs["start_positions"] = tf.fill([2], inputs["input_word_ids"].shape[1] - 2)
    with tf.GradientTape() as tape:
        outputs = tf.nest.flatten(loaded(inputs, training=True))
        loss = tf.add_n([tf.reduce_sum(tf.nn.log_softmax(tf.reshape(x, [1, -1]))) for x in outputs])
    head = loaded.trainable_variables[len(variable_shapes(_config(loaded))) :]
    missing = [v.name for v, g in zip(head, tape.gradient(loss, head)) if g is None]
    return f"no gradient for {', '.join(missing)}" if missing else None


def _labels(loaded):
    labels = loaded.labels().numpy().tolist()
    kernel = loaded.variables[-2]
    return differs(kernel.shape[-1], len(set(labels)))


def _probabilities(loaded):
    task = _task(loaded)
    inputs = probe_ids(task["task"], _config(loaded))
    outputs = loaded.signatures["ids"](**inputs)
    several = task["task"] == "multi_label"
    expected = (tf.sigmoid if several else tf.nn.softmax)(loaded(inputs))
    if not np.allclose(expected, outputs["probabilities"], atol=1e-5):
        return f"not the {'sigmoid' if several else 'softmax'} of what the call answers"
    if several:
        above = outputs["probabilities"] >= tf.constant(task["thresholds"])
        return differs(above.numpy().tolist(), outputs["predictions"].numpy().tolist())
    return None

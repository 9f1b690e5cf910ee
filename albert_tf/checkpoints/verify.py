"""Runs a restored model beside what published it, or against recorded outputs."""

import dataclasses
import zipfile

import numpy as np
import tensorflow as tf

# Name in a file of recordings -> ours.
_INPUTS = {
    "input_word_ids": ("input_word_ids", "input_ids", "token_ids"),
    "input_mask": ("input_mask", "attention_mask", "padding_mask"),
    "input_type_ids": ("input_type_ids", "segment_ids", "token_type_ids"),
    "masked_lm_positions": ("masked_lm_positions", "mlm_positions", "mask_positions"),
}
_OUTPUTS = (
    "pooled_output",
    "sequence_output",
    "mlm_logits",
    "mlm_log_probs",
    "sop_logits",
    "sop_log_probs",
)
_PREDICTIONS = 4


@dataclasses.dataclass(frozen=True)
class Comparison:
    """An output of a model and of its peer.

    Attributes:
      output: Name of the output.
      difference: Largest difference of two numbers.
      allowed: The difference that is allowed: the tolerance, times the largest number if above 1.
    """

    output: str
    difference: float
    allowed: float

    @property
    def ok(self):
        """Whether they are equal, not-a-number excluded."""
        return self.difference <= self.allowed

    def __str__(self):
        return f"{self.output} differs by {self.difference:.1e}; {self.allowed:.1e} is allowed"


def verify(model, checkpoint, recorded=None, tolerance=1e-5, seed=0):
    """Compares a model's float32 outputs with its checkpoint's own runtime, or with recordings.

    SavedModels and TF1 Hub modules are run themselves, on random token ids, so do this only with
    those that you trust: a SavedModel is a program.

    Args:
      model: The `AlbertPretrainer` restored from the checkpoint.
      checkpoint: The `Checkpoint`.
      recorded: Path of an .npz file with inputs (`input_ids`, `input_mask`, `segment_ids`, perhaps
        `masked_lm_positions`, or their names in the other libraries) and some of the outputs
        `pooled_output`, `sequence_output`, `mlm_logits`, `mlm_log_probs`, `sop_logits`,
        `sop_log_probs`. Default: the checkpoint's own runtime.
      tolerance: See `Comparison.allowed`.
      seed: Of the random token ids.

    Returns:
      A list of `Comparison`, one an output that both have.

    Raises:
      ValueError: There is nothing to compare with.
    """
    if recorded is not None:
        inputs, expected = _read_recording(recorded)
    elif checkpoint.flavor in _RUNTIMES:
        inputs = _random_inputs(model.encoder.albert_config, seed)
        expected = _RUNTIMES[checkpoint.flavor](checkpoint.path, inputs)
    else:
        raise ValueError(
            "A checkpoint without a program of its own needs recorded outputs to be verified. "
            f"Received: {checkpoint.path!r}, {checkpoint.flavor!r}. Record some with the library "
            "that it is from, as .npz, and pass the file (--verify_against)."
        )
    outputs = _run(model, inputs)
    comparisons = []
    for name in _OUTPUTS:
        if name in expected and name in outputs:
            theirs, ours = np.asarray(expected[name]), outputs[name]
            if theirs.size != ours.size:
                raise ValueError(
                    f"Outputs must have the same shape. Received: {name} of {list(theirs.shape)} "
                    f"beside {list(ours.shape)}."
                )
            difference = np.max(np.abs(ours.reshape(theirs.shape) - theirs), initial=0.0)
            largest = max(1.0, float(np.max(np.abs(theirs), initial=0.0)))
            comparisons.append(Comparison(name, float(difference), tolerance * largest))
    if not comparisons:
        raise ValueError(
            f"A verification needs at least one of the outputs {', '.join(_OUTPUTS)}. Received: "
            f"{', '.join(expected) or 'none'}, for a model with {', '.join(outputs)}."
        )
    return comparisons


def _run(model, inputs):
    inputs = {name: tf.constant(value, tf.int32) for name, value in inputs.items()}
    if model.masked_lm is None:
        inputs.pop("masked_lm_positions", None)
    elif "masked_lm_positions" not in inputs:
        inputs["masked_lm_positions"] = tf.zeros([tf.shape(inputs["input_mask"])[0], 0], tf.int32)
    outputs = {n: v.numpy() for n, v in model(inputs, training=False).items() if n in _OUTPUTS}
    for head in ("mlm", "sop"):
        if f"{head}_logits" in outputs:
            outputs[f"{head}_log_probs"] = tf.nn.log_softmax(outputs[f"{head}_logits"]).numpy()
    return outputs


def _random_inputs(config, seed):
    rng = np.random.default_rng(seed)
    length = min(32, config.max_position_embeddings)
    lengths = [max(1, length * part // 4) for part in (4, 3, 2, 1)]
    mask = np.arange(length) < np.array(lengths)[:, np.newaxis]
    shape = mask.shape
    return {
        "input_word_ids": rng.integers(0, config.vocab_size, shape),
        "input_mask": mask,
        "input_type_ids": rng.integers(0, config.type_vocab_size, shape),
        "masked_lm_positions": rng.integers(0, length, (shape[0], _PREDICTIONS)),
    }


def _read_recording(path):
    try:
        opened = np.load(path)  # Refuses pickles.
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"Recorded outputs must be an .npz file. Received: {str(path)!r} ({error})."
        ) from error
    if not isinstance(opened, np.lib.npyio.NpzFile):
        raise ValueError(
            f"Recorded outputs must be an .npz file. Received: {str(path)!r}, one array (.npy)."
        )
    with opened as file:
        inputs = {}
        for name, aliases in _INPUTS.items():
            for alias in aliases:
                if alias in file.files:
                    inputs[name] = file[alias]
        missing = [name for name in list(_INPUTS)[:3] if name not in inputs]
        if missing:
            raise ValueError(
                "A recording must have the encoder's inputs. Received: "
                f"{str(path)!r} without {', '.join(missing)}; it has {', '.join(file.files[:12])}."
            )
        return inputs, {name: file[name] for name in _OUTPUTS if name in file.files}


def _run_saved_model(path, inputs):
    loaded = tf.saved_model.load(path)
    inputs = {name: tf.constant(value, tf.int32) for name, value in inputs.items()}
    positions = inputs.pop("masked_lm_positions")
    try:
        outputs = dict(loaded(inputs))
    except (ValueError, TypeError):  # Generation 1 takes and returns a list.
        pooled, sequence = loaded(list(inputs.values()))
        outputs = {"pooled_output": pooled, "sequence_output": sequence}
    if hasattr(loaded, "mlm"):
        logits = loaded.mlm({**inputs, "masked_lm_positions": positions})["mlm_logits"]
        outputs["mlm_logits"] = logits
    if hasattr(loaded, "sop"):
        outputs["sop_logits"] = loaded.sop(inputs)["sop_logits"]
    return outputs


def _run_tf1_hub(path, inputs):
    signatures = tf.saved_model.load(path, tags=[]).signatures
    word_ids, mask, type_ids, positions = (tf.constant(v, tf.int32) for v in inputs.values())
    features = {"input_ids": word_ids, "input_mask": mask, "segment_ids": type_ids}
    outputs = signatures["tokens"](**features)
    for name, further in (("mlm", {"mlm_positions": positions}), ("sop", {})):
        if name in signatures:
            outputs = {**signatures[name](**features, **further), **outputs}
    return outputs


_RUNTIMES = {
    "tf2_hub": _run_saved_model,
    "tf2_hub_1": _run_saved_model,
    "saved_model": _run_saved_model,
    "tf1_hub": _run_tf1_hub,
}

"""Converts a checkpoint of any flavor: to a SavedModel, TF1, Hugging Face or Keras."""

import pathlib
import shutil
import sys

from absl import flags

from albert_tf.commands.checkpoint_flags import checkpoint_path
from albert_tf.commands.run import run

# What an earlier output has, so that it may be overwritten.
_MARKERS = {
    "savedmodel": "saved_model.pb",
    "tf1": "model.ckpt-best.index",
    "huggingface": "model.safetensors",
    "keras": "albert.keras",
}

_TO = flags.DEFINE_enum(
    "to",
    None,
    list(_MARKERS),
    "savedmodel: for hub.KerasLayer, Keras and TensorFlow Serving. tf1: for Google's original "
    "code. huggingface: for transformers. keras: a .keras file.",
    required=True,
)
_OUTPUT = flags.DEFINE_string("output", None, "Directory to write.", required=True)
_SP_MODEL = flags.DEFINE_string(
    "sp_model",
    None,
    "SentencePiece model of the checkpoint, to be written with it. Default: the one in its "
    "directory. A SavedModel needs one.",
)
_LOWER = flags.DEFINE_bool("lower", True, "Whether Hugging Face's tokenizer lower-cases.")
_DTYPE = flags.DEFINE_enum(
    "dtype", "float32", ["float32", "float16"], "Of the weights written for Hugging Face."
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace what is at --output.")
_VERIFY = flags.DEFINE_bool(
    "verify",
    False,
    "Compare outputs with the checkpoint's own program (SavedModels and TF1 Hub modules, which are "
    "run for that: only if you trust them) or with --verify_against.",
)
_VERIFY_AGAINST = flags.DEFINE_string(
    "verify_against",
    None,
    "Recorded inputs and outputs as .npz: input_ids, input_mask, segment_ids; pooled_output, "
    "sequence_output, mlm_logits or others. Implies --verify.",
)
_TOLERANCE = flags.DEFINE_float(
    "verify_tolerance", 1e-5, "Largest difference, relative to the largest output if above 1."
)


def main():
    from albert_tf.atomic import refuse_existing, replacing_directory
    from albert_tf.checkpoints.read import read
    from albert_tf.checkpoints.vocabulary_file import find_vocabulary
    from albert_tf.checkpoints.writers.round_trip import compare_weights
    from albert_tf.pretrainer import AlbertPretrainer

    marker = _MARKERS[_TO.value]
    if _DTYPE.value != "float32" and _TO.value != "huggingface":
        raise ValueError(
            f"Only --to=huggingface has weights of another dtype than float32. Received: "
            f"--to={_TO.value} --dtype={_DTYPE.value}. Leave --dtype out."
        )
    refuse_existing(_OUTPUT.value, _OVERWRITE.value, marker)  # Before any work.
    checkpoint = read(*checkpoint_path())
    model = AlbertPretrainer.from_checkpoint(checkpoint)
    print(model.restore_report)
    if _VERIFY.value or _VERIFY_AGAINST.value:
        _verify(model, checkpoint)

    sp_model = _SP_MODEL.value or find_vocabulary(checkpoint.path)
    write = _WRITERS[_TO.value]
    if _TO.value == "savedmodel":  # Writes atomically itself.
        write(model, _OUTPUT.value, sp_model)
    else:
        with replacing_directory(_OUTPUT.value, _OVERWRITE.value, marker) as directory:
            write(model, directory, sp_model)
    if _DTYPE.value != "float32":  # Then the same values must come back.
        model.set_weights([w.astype(_DTYPE.value) for w in model.get_weights()])
    count = compare_weights(model, _OUTPUT.value)
    print(f"read back: {count} variables, equal bit for bit as {_DTYPE.value}")
    print(f"Wrote {_OUTPUT.value}")


def _verify(model, checkpoint):
    from albert_tf.checkpoints.verify import verify

    comparisons = verify(model, checkpoint, _VERIFY_AGAINST.value, _TOLERANCE.value)
    for comparison in comparisons:
        print(
            f"verified: {comparison.output} differs by {comparison.difference:.1e}, allowed are "
            f"{comparison.allowed:.1e}{'' if comparison.ok else '  TOO MUCH'}"
        )
    if not all(comparison.ok for comparison in comparisons):
        sys.exit("error: The outputs must be those of the checkpoint's own program. See above.")


def _write_saved_model(model, path, sp_model):
    from albert_tf.commands.table import print_checks
    from albert_tf.saved_model.encoder import export_encoder

    if sp_model is None:
        raise ValueError(
            "A SavedModel needs the checkpoint's SentencePiece model. Received: none, and there is "
            "not exactly one beside the checkpoint. Pass --sp_model=30k-clean.model."
        )
    print_checks(export_encoder(_whole(model), path, sp_model, overwrite=_OVERWRITE.value))


def _write_tf1(model, directory, sp_model):
    from albert_tf.checkpoints.writers.tf1 import write_tf1

    for note in write_tf1(_whole(model), directory):
        print(f"note: {note}")
    _copy(sp_model, directory)


def _write_hugging_face(model, directory, sp_model):
    from albert_tf.checkpoints.writers.hugging_face import write_hugging_face

    write_hugging_face(_whole(model), directory, sp_model, _LOWER.value, _DTYPE.value)
    if sp_model is None:
        print("note: No tokenizer was written, for want of a SentencePiece model (--sp_model).")


def _write_keras(model, directory, sp_model):
    _whole(model).save(directory / _MARKERS["keras"])
    _copy(sp_model, directory)


def _whole(model):
    """The pretrainer, or its encoder if it has no heads."""
    headless = model.masked_lm is None and model.sentence_order is None
    return model.encoder if headless else model


def _copy(sp_model, directory):
    if sp_model is not None:
        shutil.copyfile(sp_model, directory / pathlib.Path(sp_model).name)


_WRITERS = {
    "savedmodel": _write_saved_model,
    "tf1": _write_tf1,
    "huggingface": _write_hugging_face,
    "keras": _write_keras,
}


def start(argv=None):
    run(main, argv)

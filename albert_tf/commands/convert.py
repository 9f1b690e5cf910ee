"""Converts a checkpoint of any flavor: to a SavedModel, TF1, Hugging Face or Keras."""

import pathlib
import shutil
import sys

from absl import flags

from albert_tf.atomic import SAVED_MODEL
from albert_tf.commands.checkpoint_flags import checkpoint_path
from albert_tf.commands.run import run
from albert_tf.commands.vocabulary_flags import chosen_vocabulary, told

_VOCABULARIES = ("*.model", "*.spm", "vocab.txt", "tokenizer_config.json")
# What an output has, by which an earlier one is known that may be overwritten.
_WRITTEN = {
    "savedmodel": SAVED_MODEL,
    "tf1": ("model.ckpt-best.index", "model.ckpt-best.data-*", "checkpoint", "albert_config.json")
    + _VOCABULARIES,
    "huggingface": ("model.safetensors", "config.json", "task.json", "spiece.model", "vocab.txt")
    + ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    "keras": ("albert.keras", *_VOCABULARIES),
}

_TO = flags.DEFINE_enum(
    "to",
    None,
    list(_WRITTEN),
    "savedmodel: for hub.KerasLayer, Keras and TensorFlow Serving. tf1: for Google's original "
    "code. huggingface: for transformers. keras: a .keras file.",
    required=True,
)
_OUTPUT = flags.DEFINE_string("output", None, "Directory to write.", required=True)
_SP_MODEL = flags.DEFINE_string(
    "sp_model",
    None,
    "SentencePiece model of the checkpoint, to be written with it. Default: the vocabulary in its "
    "directory.",
)
_LOWER = flags.DEFINE_bool("lower", True, "Whether Hugging Face's tokenizer lower-cases.")
_DTYPE = flags.DEFINE_enum(
    "dtype", "float32", ["float32", "float16"], "Of the weights written for Hugging Face."
)
_ENCODER_ONLY = flags.DEFINE_bool(
    "encoder_only",
    False,
    "Leave out the head of a fine-tuned checkpoint, which only --to=huggingface can write.",
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
    if _DTYPE.value != "float32" and _TO.value != "huggingface":
        raise ValueError(
            f"Only --to=huggingface has weights of another dtype than float32. Received: "
            f"--to={_TO.value} --dtype={_DTYPE.value}. Leave --dtype out."
        )
    from albert_tf.atomic import refuse_existing, replacing_directory
    from albert_tf.checkpoints.read import read
    from albert_tf.checkpoints.writers.round_trip import compare_weights

    checkpoint = read(*checkpoint_path())
    vocabulary = chosen_vocabulary(_SP_MODEL.value, checkpoint)
    file = getattr(vocabulary, "path", vocabulary)
    inputs = [checkpoint.path, *filter(None, [file])]
    how = _OVERWRITE.value, _WRITTEN[_TO.value], inputs
    refuse_existing(_OUTPUT.value, *how)  # Before any work.
    model = _model(checkpoint)
    if _VERIFY.value or _VERIFY_AGAINST.value:
        _verify(model, checkpoint)

    write = _WRITERS[_TO.value]
    if _TO.value == "savedmodel":  # Writes atomically itself.
        write(model, _OUTPUT.value, vocabulary)
    else:
        with replacing_directory(_OUTPUT.value, *how) as directory:
            write(model, directory, vocabulary)
    if _DTYPE.value != "float32":  # Then the same values must come back.
        model.set_weights([w.astype(_DTYPE.value) for w in model.get_weights()])
    count = compare_weights(model, _OUTPUT.value)
    print(f"read back: {count} variables, equal bit for bit as {_DTYPE.value}")
    print(f"Wrote {_OUTPUT.value}")


def _model(checkpoint):
    """What the checkpoint holds: a task model, a pretrainer, or an encoder in one."""
    from albert_tf.pretrainer import AlbertPretrainer
    from albert_tf.tasks.loading import task_model_class

    task_model = None if _ENCODER_ONLY.value else task_model_class(checkpoint)
    if task_model is None:
        model = AlbertPretrainer.from_checkpoint(checkpoint)
        print(model.restore_report)
        headless = model.masked_lm is None and model.sentence_order is None
        return model.encoder if headless else model
    if _TO.value != "huggingface":
        raise ValueError(
            f"Only --to=huggingface can hold the head of a fine-tuned model. Received: "
            f"--to={_TO.value} and the head of an {task_model.__name__} in {checkpoint.path}. "
            "Add --encoder_only to leave the head out, or take the run's saved_model, which has it."
        )
    model = task_model.from_checkpoint(checkpoint)
    print(model.encoder.restore_report)
    print(f"restored the head of an {task_model.__name__}")
    return model


def _verify(model, checkpoint):
    from albert_tf.checkpoints.verify import verify
    from albert_tf.pretrainer import AlbertPretrainer

    if not isinstance(model, AlbertPretrainer):  # Heads of tasks have no counterpart to compare.
        encoder = getattr(model, "encoder", model)
        model = AlbertPretrainer(encoder, masked_lm=None, sentence_order=None)
    comparisons = verify(model, checkpoint, _VERIFY_AGAINST.value, _TOLERANCE.value)
    for comparison in comparisons:
        print(
            f"verified: {comparison.output} differs by {comparison.difference:.1e}, allowed are "
            f"{comparison.allowed:.1e}{'' if comparison.ok else '  TOO MUCH'}"
        )
    if not all(comparison.ok for comparison in comparisons):
        sys.exit("error: The outputs must be those of the checkpoint's own program. See above.")


def _write_saved_model(model, path, vocabulary):
    from albert_tf.commands.table import print_checks
    from albert_tf.saved_model.encoder import export_encoder

    print(told(vocabulary))
    print_checks(export_encoder(model, path, vocabulary, overwrite=_OVERWRITE.value))


def _write_tf1(model, directory, vocabulary):
    from albert_tf.checkpoints.writers.tf1 import write_tf1

    for note in write_tf1(model, directory):
        print(f"note: {note}")
    _copy(vocabulary, directory)


def _write_hugging_face(model, directory, vocabulary):
    from albert_tf.checkpoints.writers.hugging_face import write_hugging_face

    wordpiece = vocabulary if _is_wordpiece(vocabulary) else None
    sp_model = None if wordpiece else vocabulary
    write_hugging_face(model, directory, sp_model, _LOWER.value, _DTYPE.value, wordpiece)
    if vocabulary is None:
        print(
            "note: No tokenizer was written, for want of a SentencePiece model (--sp_model) or a "
            "WordPiece vocabulary (--vocab_file)."
        )


def _write_keras(model, directory, vocabulary):
    model.save(directory / _WRITTEN["keras"][0])
    _copy(vocabulary, directory)


def _copy(vocabulary, directory):
    from albert_tf.checkpoints.writers.hugging_face_tokenizer import write_wordpiece

    if _is_wordpiece(vocabulary):
        write_wordpiece(directory, vocabulary)
    elif vocabulary is not None:
        shutil.copyfile(vocabulary, directory / pathlib.Path(vocabulary).name)


def _is_wordpiece(vocabulary):
    return hasattr(vocabulary, "do_lower_case")


_WRITERS = {
    "savedmodel": _write_saved_model,
    "tf1": _write_tf1,
    "huggingface": _write_hugging_face,
    "keras": _write_keras,
}


def start(argv=None):
    run(main, argv)

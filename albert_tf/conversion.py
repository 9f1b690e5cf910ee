"""A checkpoint of any flavor as a SavedModel, a TF1 checkpoint, a Hugging Face or a Keras model."""

import dataclasses
import pathlib
import shutil
from typing import Any

from albert_tf._types import Path
from albert_tf.atomic import SAVED_MODEL, refuse_existing, replacing_directory
from albert_tf.checkpoints.checkpoint import Checkpoint
from albert_tf.checkpoints.read import opened
from albert_tf.checkpoints.report import RestoreReport
from albert_tf.checkpoints.verify import Comparison, verify
from albert_tf.checkpoints.vocabulary_file import find_vocabulary
from albert_tf.checkpoints.writers.hugging_face import write_hugging_face
from albert_tf.checkpoints.writers.hugging_face_tokenizer import write_wordpiece
from albert_tf.checkpoints.writers.round_trip import compare_weights
from albert_tf.checkpoints.writers.tf1 import write_tf1
from albert_tf.pretrainer import AlbertPretrainer
from albert_tf.saved_model.contract.checklist import Check
from albert_tf.saved_model.encoder import export_encoder
from albert_tf.tasks.loading import task_model_class
from albert_tf.text.given_vocabulary import found_vocabulary, given_vocabulary, is_wordpiece_file
from albert_tf.text.wordpiece_vocabulary import WordPieceVocabulary

_VOCABULARIES = ("*.model", "*.spm", "vocab.txt", "tokenizer_config.json")
_KERAS_FILE = "albert.keras"
# Form -> what an output has, by which an earlier one is known that may be overwritten.
FORMS = {
    "savedmodel": SAVED_MODEL,
    "tf1": ("model.ckpt-best.index", "model.ckpt-best.data-*", "checkpoint", "albert_config.json")
    + _VOCABULARIES,
    "huggingface": ("model.safetensors", "config.json", "task.json", "spiece.model", "vocab.txt")
    + ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    "keras": (_KERAS_FILE, *_VOCABULARIES),
}
# Option of one form alone -> the form, the option's default.
_OPTIONS = {
    "skip_padding": ("savedmodel", None),
    "compute_dtype": ("savedmodel", None),
    "lower": ("huggingface", True),
    "dtype": ("huggingface", "float32"),
}


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What `convert` has done; `str(conversion)` is a summary.

    Attributes:
      restore_report: The `RestoreReport` of the encoder or pretrainer.
      head: Name of the class of the task model whose head was written, or None.
      vocabulary: Path of the vocabulary that was written, too, or None.
      notes: Sentences on what differs in the output, mostly none.
      comparisons: `Comparison` of each output that was verified.
      checks: `Check` of each promise that a SavedModel keeps.
      variables: Number of variables that were read back and are equal bit for bit.
      dtype: "float32" or "float16", of the weights in the output.
    """

    restore_report: RestoreReport
    head: str | None
    vocabulary: Path | None
    notes: list[str]
    comparisons: list[Comparison]
    checks: list[Check]
    variables: int
    dtype: str

    def __str__(self):
        return "\n".join(
            [
                str(self.restore_report),
                *[f"restored the head of an {self.head}"] * (self.head is not None),
                *(f"verified: {comparison}" for comparison in self.comparisons),
                *(f"note: {note}" for note in self.notes),
                f"read back: {self.variables} variables, equal bit for bit as {self.dtype}",
            ]
        )


def convert(
    checkpoint: Path | Checkpoint,
    path: Path,
    to: str,
    *,
    config: Path | None = None,
    sp_model: Path | None = None,
    vocab_file: Path | None = None,
    do_lower_case: bool | None = None,
    encoder_only: bool = False,
    overwrite: bool = False,
    skip_padding: bool | None = None,
    compute_dtype: str | None = None,
    lower: bool = True,
    dtype: str = "float32",
    verify: bool = False,
    verify_against: Path | None = None,
    verify_tolerance: float = 1e-5,
) -> Conversion:
    """Writes a checkpoint in another form, reads it back and compares every variable.

    Includes encoder, heads of pre-training, configuration and vocabulary; the head of a fine-tuned
    model only for Hugging Face, and it is refused elsewhere, unless `encoder_only`. Does not
    include an optimizer's state. The output appears when it is complete.

    Args:
      checkpoint: Path or handle as of `AlbertEncoder.from_checkpoint`, or what `read_checkpoint`
        returns.
      path: Directory to write.
      to: "savedmodel", as of `export_encoder`; "tf1", for Google's original code, as of
        `write_tf1`; "huggingface", as of `write_hugging_face`; or "keras", a file albert.keras.
      config: Configuration file. Default: what the checkpoint states, or has beside it.
      sp_model: SentencePiece model to write with it. Default: the vocabulary that lies with the
        checkpoint, if there is exactly one.
      vocab_file, do_lower_case: A WordPiece vocabulary instead of `sp_model`, as of `Preprocessor`.
      encoder_only: Whether to leave out the head of a fine-tuned model.
      overwrite: Whether an earlier output at `path` is replaced.
      skip_padding, compute_dtype: Of SavedModels only, as of `export_encoder`.
      lower, dtype: Of Hugging Face only, as of `write_hugging_face`.
      verify: Whether to compare outputs with those of the checkpoint's own program, which only
        SavedModels and TF1 Hub modules have. It is run, so do this only if you trust it.
      verify_against: .npz file of recorded inputs and outputs to compare with instead.
      verify_tolerance: Largest difference, relative to the largest output if that is above 1.

    Returns:
      A `Conversion`.

    Raises:
      FileExistsError: There is something at `path`, and not `overwrite`.
      FileNotFoundError, ValueError: As `AlbertEncoder.from_checkpoint`; an argument is not as
        above; the form cannot hold the model; or the outputs differ.

    Example:

    >>> import tempfile
    >>> import albert_tf
    >>> path = tempfile.mkdtemp() + "/albert"
    >>> conversion = albert_tf.convert("albert_tiny_en", path, "huggingface")
    >>> conversion.variables
    32
    >>> albert_tf.AlbertPretrainer.from_checkpoint(path).restore_report.ok
    True
    """
    _check_form(
        to, skip_padding=skip_padding, compute_dtype=compute_dtype, lower=lower, dtype=dtype
    )
    checkpoint = opened(checkpoint, config)
    vocabulary = _vocabulary(checkpoint, sp_model, vocab_file, do_lower_case)
    file = getattr(vocabulary, "path", vocabulary)
    inputs = [checkpoint.path, *filter(None, [file])]
    refuse_existing(path, overwrite, FORMS[to], inputs)  # Before any work.
    model, report, head = _restored(checkpoint, to, encoder_only)
    comparisons = []
    if verify or verify_against is not None:
        comparisons = _verified(model, checkpoint, verify_against, verify_tolerance)
    checks = []
    if to == "savedmodel":  # Written to a directory of its own, checked and renamed there.
        checks = export_encoder(
            model,
            path,
            vocabulary,
            overwrite=overwrite,
            skip_padding=skip_padding,
            compute_dtype=compute_dtype,
        )
        notes = [_note_on_asset(vocabulary)]
    else:
        with replacing_directory(path, overwrite, FORMS[to], inputs) as directory:
            notes = _write(model, directory, to, vocabulary, lower, dtype)
    if dtype != "float32":  # Then the same values must come back.
        model.set_weights([weight.astype(dtype) for weight in model.get_weights()])
    count = compare_weights(model, path)
    return Conversion(report, head, file, notes, comparisons, checks, count, dtype)


def _check_form(to, **options):
    """Raises a ValueError for an unknown form, or for options that only another form has."""
    if to not in FORMS:
        raise ValueError(f"`to` must be one of {', '.join(FORMS)}. Received: {to!r}.")
    for name, value in options.items():
        form, default = _OPTIONS[name]
        if to != form and value != default:
            raise ValueError(
                f"Only to={form!r} takes `{name}`. Received: to={to!r}, {name}={value!r}. Leave "
                f"{name} out."
            )


def _vocabulary(checkpoint, sp_model, vocab_file, do_lower_case) -> Any:
    """Path of a SentencePiece model, a `WordPieceVocabulary`, or None if there is none."""
    if sp_model is not None or vocab_file is not None:
        given = given_vocabulary(sp_model, vocab_file, do_lower_case)
        return sp_model or given
    path = find_vocabulary(checkpoint.path)
    if path is None or not is_wordpiece_file(path):
        if do_lower_case is not None:
            raise ValueError(
                "`do_lower_case` is for a WordPiece vocabulary. Received: "
                f"do_lower_case={do_lower_case} with {path or 'no vocabulary'}. Leave it out, or "
                "pass `vocab_file` (--vocab_file)."
            )
        return path
    return found_vocabulary(path, do_lower_case, checkpoint.task)


def _restored(checkpoint, to, encoder_only) -> tuple[Any, Any, str | None]:
    """(model, its `RestoreReport`, name of its class if it is a task model)."""
    task_model = None if encoder_only else task_model_class(checkpoint)
    if task_model is None:
        model = AlbertPretrainer.from_checkpoint(checkpoint)
        headless = model.masked_lm is None and model.sentence_order is None
        return (model.encoder if headless else model), model.restore_report, None
    if to != "huggingface":
        raise ValueError(
            "Only to='huggingface' can hold the head of a fine-tuned model. Received: "
            f"to={to!r} and the head of an {task_model.__name__} in {checkpoint.path}. Pass "
            "`encoder_only` (--encoder_only) to leave the head out, or take the saved_model of the "
            "run, which has it."
        )
    model = task_model.from_checkpoint(checkpoint)
    return model, model.encoder.restore_report, task_model.__name__


def _verified(model, checkpoint, recorded, tolerance):
    """A list of `Comparison`, all of them close enough."""
    if not isinstance(model, AlbertPretrainer):  # Heads of tasks have no counterpart to compare.
        encoder = getattr(model, "encoder", model)
        model = AlbertPretrainer(encoder, masked_lm=None, sentence_order=None)
    comparisons = verify(model, checkpoint, recorded, tolerance)
    if too_much := [str(comparison) for comparison in comparisons if not comparison.ok]:
        raise ValueError(
            "The outputs must be those of the checkpoint's own program. Received: "
            f"{'; '.join(too_much)}. Nothing was written. If that is close enough, raise "
            "`verify_tolerance` (--verify_tolerance)."
        )
    return comparisons


def _note_on_asset(vocabulary):
    if vocabulary is None:
        return (
            "No vocabulary is attached, since none is given and there is not exactly one with the "
            "checkpoint. The encoder needs none; for text, pass `sp_model` (--sp_model) or "
            "`vocab_file` (--vocab_file)."
        )
    if isinstance(vocabulary, WordPieceVocabulary):
        return (
            f"{vocabulary.path} is attached as vocab_file, with "
            f"do_lower_case={vocabulary.do_lower_case}."
        )
    return f"{vocabulary} is attached as sp_model_file."


def _write(model, directory, to, vocabulary: Any, lower, dtype):
    """Writes all forms but SavedModels; returns notes."""
    is_wordpiece = isinstance(vocabulary, WordPieceVocabulary)
    sp_model, wordpiece = (None, vocabulary) if is_wordpiece else (vocabulary, None)
    if to == "huggingface":
        write_hugging_face(model, directory, sp_model, lower, dtype, wordpiece)
        if vocabulary is None:
            return [
                "No tokenizer was written, for want of a SentencePiece model (`sp_model`) or a "
                "WordPiece vocabulary (`vocab_file`)."
            ]
        return []
    notes = write_tf1(model, directory) if to == "tf1" else []
    if to == "keras":
        model.save(directory / _KERAS_FILE)
    if wordpiece is not None:
        write_wordpiece(directory, wordpiece)
    elif sp_model is not None:
        shutil.copyfile(sp_model, directory / pathlib.Path(sp_model).name)
    return notes

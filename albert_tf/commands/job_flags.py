"""The flags of commands that take a file of texts to a file of answers, and what they do."""

import contextlib
import shutil
import sys

from absl import flags

from albert_tf.commands.beam_flags import beam_options
from albert_tf.commands.compute_dtype_flag import COMPUTE_DTYPE
from albert_tf.commands.task_flags import given_settings

FLAG_GROUPS = {"model": "files"}

_MODEL = flags.DEFINE_string(
    "model",
    None,
    "A SavedModel that takes text, the directory of a run of `albert-tf finetune`, or a checkpoint "
    "of any flavor, as for `albert-tf convert`.",
    required=True,
)
_INPUT = flags.DEFINE_list(
    "input",
    None,
    "Files, or patterns of such: .txt (a text a line), .csv, .tsv, .jsonl, each perhaps with .gz, "
    "or .parquet; - for standard input.",
    required=True,
)
_INPUT_FORMAT = flags.DEFINE_enum(
    "input_format", "txt", ["txt", "csv", "tsv", "jsonl"], "Of standard input."
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "File to write: .jsonl, .csv, .parquet or .tfrecord; of vectors also .npy. The same command "
    "goes on after an interruption.",
    required=True,
)
_COLUMNS = flags.DEFINE_list(
    "columns",
    None,
    "Columns of the texts, in the order in which the model takes them. Default: "
    "text; text_a,text_b; question,context; or context,question,choices.",
)
_KEEP = flags.DEFINE_list("keep", [], "Columns to repeat in the output, as input_NAME.")
_BAD_ROWS = flags.DEFINE_enum(
    "bad_rows",
    "refuse",
    ["refuse", "set_aside"],
    "Rows that are malformed or without text: end with an error before anything is computed, or "
    "write them to OUTPUT.bad_rows.jsonl.",
)
_SHARD = flags.DEFINE_string(
    "shard", None, "i/n, i from 0: only the i-th of n parts of the rows; for several machines."
)
_BATCH_TOKENS = flags.DEFINE_integer(
    "batch_tokens", 4096, "Most tokens of a batch. More is faster up to a point, and needs memory."
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace an earlier output of other settings.")


def run_job(task, top_k="auto"):
    """Loads --model for a task, answers the rows of --input and tells what was done."""
    settings = given_settings()
    if task in ("fill-mask", "fill_mask") and isinstance(top_k, int):
        settings["top_k"] = top_k  # More than the exporter's default, perhaps.
    settings |= {"batch_tokens": _BATCH_TOKENS.value, "compute_dtype": COMPUTE_DTYPE.value}
    shard, options = _parsed_shard(), beam_options()
    from albert_tf.prediction.job import Job
    from albert_tf.prediction.parts import compute_here
    from albert_tf.prediction.predictor import Predictor

    compute = compute_here
    if options is not None:
        from albert_tf.prediction.beam_job import OnBeam

        compute = OnBeam(([_MODEL.value, task], settings), options)
    with _inputs() as inputs:
        predictor = Predictor(_MODEL.value, task, **settings)
        done = Job(
            predictor,
            inputs,
            _OUTPUT.value,
            columns=_COLUMNS.value,
            keep=_KEEP.value,
            top_k=top_k,
            bad_rows=_BAD_ROWS.value,
            shard=shard,
            overwrite=_OVERWRITE.value,
            compute=compute,
        )()
    summary = f"{done['rows']} rows in {_OUTPUT.value}"
    if done["bad_rows"]:
        summary += f", {done['bad_rows']} bad rows in {_OUTPUT.value}.bad_rows.jsonl"
    if done["computed"]:
        summary += f"; {done['seconds']:.1f} s"
        for what, unit in (("computed", "texts"), ("tokens", "tokens")):
            summary += f", {done[what] / done['seconds']:,.0f} {unit}/s" if done[what] else ""
    print(summary)


def _parsed_shard():
    if _SHARD.value is None:
        return None
    i, slash, n = _SHARD.value.partition("/")
    if not (slash and i.isdecimal() and n.isdecimal()):
        raise ValueError(f"--shard must be i/n, such as 0/4. Received: {_SHARD.value}.")
    return int(i), int(n)


@contextlib.contextmanager
def _inputs():
    """--input; standard input as a file beside the output, for it is read twice."""
    if "-" not in _INPUT.value:
        yield _INPUT.value
        return
    from albert_tf.atomic import local_path, new_file

    output = local_path(_OUTPUT.value, "file")
    spooled = output.with_name(f".{output.name}.stdin.{_INPUT_FORMAT.value}")
    with new_file(spooled) as temporary, open(temporary, "wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
    try:
        yield [str(spooled) if path == "-" else path for path in _INPUT.value]
    finally:
        spooled.unlink(missing_ok=True)

"""Fine-tunes an ALBERT: GLUE, SQuAD, RACE, or your own files; ends with metrics and a SavedModel.

Run the same command again to go on after an interruption.
"""

import sys

from absl import flags

from albert_tf.commands.run import run
from albert_tf.commands.run_flags import RUN_FLAGS
from albert_tf.commands.vocabulary_flags import vocabulary_arguments

FLAG_GROUPS = {
    "data_dir": "data",
    "checkpoint": "model",
    "learning_rate": "recipe (each has a default by task and size)",
    "skip_padding": "run",
}

_TASK = flags.DEFINE_string(
    "task",
    None,
    "cola, sst-2, mrpc, sts-b, qqp, mnli, mismnli, qnli, rte, wnli; squad1.1, squad2.0; race, "
    "race-middle, race-high; for your own files classification (one label a text), multi-label "
    "(any number of labels a text), regression, tagging, embedding (a vector a text).",
    required=True,
)
_OUTPUT = flags.DEFINE_string("output", None, "Directory of the run.", required=True)

# === Data ===
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of the data, in the layout in which they are distributed."
)
_TRAIN_FILE = flags.DEFINE_string(
    "train_file",
    None,
    "File to learn from. Own files: .csv, .tsv, .jsonl or .json; for tagging also .conll, .bio, "
    ".iob or .txt (a word and its tag a line). Each also as .gz. Not for RACE.",
)
_DEV_FILE = flags.DEFINE_string("dev_file", None, "File to score on. Not for RACE.")
_DEV_FRACTION = flags.DEFINE_float(
    "dev_fraction",
    None,
    "Without a dev file: fraction of the different training texts to set aside, by --seed and in "
    "proportion to the labels, such as 0.1.",
)
_TEST_FILE = flags.DEFINE_string("test_file", None, "File to predict. Not for RACE.")
_TEXT_COLUMN = flags.DEFINE_string(
    "text_column", None, "Own files: column of the text (default: text; for tagging words)."
)
_PAIR_COLUMN = flags.DEFINE_string(
    "pair_column", None, "Own files: column of the second text of pairs."
)
_LABEL_COLUMN = flags.DEFINE_string(
    "label_column", None, "Own files: column of the label (default: label; for tagging tags)."
)
_LABEL_SEPARATOR = flags.DEFINE_string(
    "label_separator",
    None,
    "multi-label: what divides the labels of a field of CSV or TSV (default: |). In JSONL they are "
    "a list.",
)
_THRESHOLD = flags.DEFINE_float(
    "threshold", None, "multi-label: probability from which a label is predicted (default: 0.5)."
)
_TEACHER = flags.DEFINE_string(
    "teacher",
    None,
    "embedding: for texts without pairs, the vectors to learn: of the train file, in its order, in "
    "an .npy or .parquet file; or the directory of a sentence encoder that makes them.",
)
_TEMPERATURE = flags.DEFINE_float(
    "temperature", None, "embedding: for pairs, what cosines are divided by (default: 0.05)."
)
_ID_COLUMN = flags.DEFINE_string("id_column", None, "Own files: column of identifiers.")
_MAX_TRAIN = flags.DEFINE_integer(
    "max_train_examples", None, "Learn from a random sample of so many examples."
)
_MAX_DEV = flags.DEFINE_integer(
    "max_dev_examples", None, "Score on a random sample of so many: not the official score."
)
_CACHE_DIR = flags.DEFINE_string(
    "cache_dir", None, "Where features are kept; runs may share it. Default: OUTPUT/cache."
)

# === Model ===
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Checkpoint to start from: of any flavor, as for `albert-tf convert`."
)
_CONFIG = flags.DEFINE_string(
    "config",
    None,
    "Configuration file. Default: that of the checkpoint. With --from_scratch also a preset's "
    "name, such as albert_base_v2.",
)
_VOCAB_SIZE = flags.DEFINE_integer(
    "vocab_size",
    None,
    "Number of pieces, where the vocabulary has got more than the checkpoint's word embeddings: "
    "those of new pieces begin as the mean of the others.",
)
_FROM_SCRATCH = flags.DEFINE_bool(
    "from_scratch", False, "Start with random weights; needs --config and no --checkpoint."
)

# === Recipe: all of it has defaults by task and size ===
_RECIPE = {
    "learning_rate": flags.DEFINE_float("learning_rate", None, "Highest learning rate."),
    "batch_size": flags.DEFINE_integer("batch_size", None, "Rows of a batch, all devices."),
    "train_steps": flags.DEFINE_integer("train_steps", None, "Updates."),
    "epochs": flags.DEFINE_float("epochs", None, "Passes over the data, instead of steps."),
    "warmup_steps": flags.DEFINE_integer("warmup_steps", None, "Updates of warm-up."),
    "warmup_proportion": flags.DEFINE_float(
        "warmup_proportion", None, "Warm-up as a part of all updates."
    ),
    "max_seq_length": flags.DEFINE_integer("max_seq_length", None, "Longest row in tokens."),
    "dropout_rate": flags.DEFINE_float("dropout_rate", None, "Dropout in the encoder."),
    "head_dropout_rate": flags.DEFINE_float(
        "head_dropout_rate", None, "Dropout before the classifier."
    ),
    "optimizer": flags.DEFINE_enum("optimizer", None, ["adamw", "lamb"], "Optimizer."),
    "weight_decay_rate": flags.DEFINE_float("weight_decay_rate", None, "Weight decay."),
    "bias_correction": flags.DEFINE_bool(
        "bias_correction", None, "Correct Adam's moments, against failed runs on small data."
    ),
    "doc_stride": flags.DEFINE_integer("doc_stride", None, "SQuAD: distance of windows."),
    "max_query_length": flags.DEFINE_integer("max_query_length", None, "SQuAD: of questions."),
    "max_answer_length": flags.DEFINE_integer("max_answer_length", None, "SQuAD: of answers."),
    "n_best_size": flags.DEFINE_integer("n_best_size", None, "SQuAD: answers to keep."),
    "max_qa_length": flags.DEFINE_integer("max_qa_length", None, "RACE: question with option."),
}

# === Running ===
_OPTIONS = {
    **RUN_FLAGS,
    "skip_padding": flags.DEFINE_bool(
        "skip_padding",
        None,
        "Compute tokens only, not padding. Default: wherever the results are the same; never with "
        "--jit_compile or on a TPU.",
    ),
    "patience": flags.DEFINE_integer(
        "patience", None, "Stop after so many evaluations without a better score."
    ),
    "best_metric": flags.DEFINE_string(
        "best_metric",
        None,
        "Which dev score, or loss, chooses the best weights. Default: the task's first score; for "
        "regression of your own files rmse.",
    ),
    "detect_collapse": flags.DEFINE_bool(
        "detect_collapse", True, "Warn, with advice, when a classifier does not learn."
    ),
    "stop_on_collapse": flags.DEFINE_bool(
        "stop_on_collapse", False, "Stop then, instead of going on to the end."
    ),
    "export": flags.DEFINE_bool("export", True, "Write OUTPUT/saved_model."),
}


def main():
    from albert_tf.training.finetuning.options import FinetuneOptions

    options = FinetuneOptions(
        dev_fraction=_DEV_FRACTION.value,
        max_train_examples=_MAX_TRAIN.value,
        max_dev_examples=_MAX_DEV.value,
        **{name: flag.value for name, flag in _OPTIONS.items()},
    )
    # They start TensorFlow.
    from albert_tf.training.finetuning.finetune import finetune
    from albert_tf.training.finetuning.tasks import make_task

    task = make_task(
        _TASK.value,
        data_dir=_DATA_DIR.value,
        train_file=_TRAIN_FILE.value,
        dev_file=_DEV_FILE.value,
        test_file=_TEST_FILE.value,
        text_column=_TEXT_COLUMN.value,
        pair_column=_PAIR_COLUMN.value,
        label_column=_LABEL_COLUMN.value,
        id_column=_ID_COLUMN.value,
        label_separator=_LABEL_SEPARATOR.value,
        threshold=_THRESHOLD.value,
        teacher=_TEACHER.value,
        temperature=_TEMPERATURE.value,
    )
    result = finetune(
        task,
        _OUTPUT.value,
        _CHECKPOINT.value,
        config=_CONFIG.value,
        from_scratch=_FROM_SCRATCH.value,
        options=options,
        cache_dir=_CACHE_DIR.value,
        vocab_size=_VOCAB_SIZE.value,
        **vocabulary_arguments(),
        **{name: flag.value for name, flag in _RECIPE.items()},
    )
    if result.state.stopped_by == "interrupted":
        sys.exit(f"Saved at step {result.state.step}. The same command goes on from there.")


def start(argv=None):
    run(main, argv)
